import { expect, test } from "vitest";
import { PageFiles } from "../session/page-files.ts";
import { contentSecurityPolicy } from "../session/page-policy.ts";
import { answerPage } from "./app-protocol.ts";
import { readLink } from "./link-rules.ts";
import { menuTemplate } from "./menu.ts";
import { isOwnAddress, mayNavigate, mayRequest, mayUse } from "./page-rules.ts";
import { senderOf } from "./sender.ts";
import { startRefusal } from "./start-rules.ts";
import { windowOptions } from "./window-options.ts";

const foreign = [
  "https://example.com/",
  "http://127.0.0.1:8080/",
  "file:///etc/passwd",
  "app://other/",
  "app://console.example/",
  "app://user@console/",
  "app://console:80/",
  "App-x://console/",
  "javascript:alert(1)",
  "about:blank",
  "chrome://settings",
  "blob:https://example.com/1",
  "not an address",
  "",
];

test.each(foreign)("item 13: %s is neither ours nor navigated to", (address) => {
  expect(isOwnAddress(address)).toBe(false);
  expect(mayNavigate(address)).toBe(false);
});

test("item 13: the page goes nowhere but to itself", () => {
  expect(mayNavigate("app://console/")).toBe(true);
  expect(mayNavigate("app://console/#/settings")).toBe(true);
  expect(mayNavigate("app://console/assets/page.js")).toBe(false);
});

test("item 1: no request leaves for a network, whoever makes it", () => {
  const network = ["http://a/", "https://a/", "ws://a/", "wss://a/", "ftp://a/", "file:///a"];
  for (const address of network) {
    expect(mayRequest(address, false), address).toBe(false);
    expect(mayRequest(address, true), address).toBe(false);
  }
  expect(mayRequest("app://console/assets/page.js", false)).toBe(true);
  expect(mayRequest("devtools://devtools/bundled/x.js", false)).toBe(false);
  expect(mayRequest("devtools://devtools/bundled/x.js", true)).toBe(true);
});

test("items 2 to 4, 6, 8 to 11: a window has every wall up", () => {
  expect(windowOptions("/preload.cjs", false).webPreferences).toEqual({
    preload: "/preload.cjs",
    partition: "console",
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    nodeIntegrationInSubFrames: false,
    webSecurity: true,
    allowRunningInsecureContent: false,
    experimentalFeatures: false,
    webviewTag: false,
    spellcheck: false,
    navigateOnDragDrop: false,
    disableDialogs: true,
    devTools: false,
  });
});

test("item 4: a release does not start with a switch that takes a wall away", () => {
  for (const given of ["--no-sandbox", "--NO-SANDBOX", "-inspect", "--inspect-brk=0.0.0.0:1"])
    expect(startRefusal(["phantoma", given], true), given).toBeDefined();
  expect(startRefusal(["phantoma", "--remote-debugging-port=1"], true)).toBe(
    "remote-debugging-port",
  );
  expect(startRefusal(["phantoma", "--no-sandbox"], false)).toBeUndefined();
  expect(startRefusal(["phantoma", "--ozone-platform=wayland"], true)).toBeUndefined();
});

test("item 5: the page may copy, and nothing else", () => {
  expect(mayUse("clipboard-sanitized-write", "app://console/")).toBe(true);
  expect(mayUse("clipboard-sanitized-write", "https://example.com/")).toBe(false);
  for (const asked of ["clipboard-read", "media", "geolocation", "notifications", "openExternal"])
    expect(mayUse(asked, "app://console/"), asked).toBe(false);
});

test("item 7: the policy is this string", () => {
  expect(contentSecurityPolicy("NONCE", "'none'")).toBe(
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-NONCE'; img-src 'self' data: blob:; font-src 'self'; connect-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; frame-src 'none'; worker-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'",
  );
});

test("item 7: a browser's console differs in one directive", () => {
  const web = contentSecurityPolicy("NONCE", "'self'");
  expect(web.replace("connect-src 'self'", "connect-src 'none'")).toBe(
    contentSecurityPolicy("NONCE", "'none'"),
  );
});

const links: readonly [string, string | undefined][] = [
  ["https://example.com/a?b=c", "example.com"],
  ["https://EXAMPLE.com:8443", "example.com:8443"],
  ["https://bücher.example/", "xn--bcher-kva.example"],
  ["https://аррӏе.com/", "xn--80ak6aa92e.com"],
  ["mailto:someone@example.com", "someone@example.com"],
  ["mailto:someone@example.com?attach=/etc/passwd", "someone@example.com"],
  ["mailto:a@b.c,d@e.f", undefined],
  ["https://a@b", undefined],
  ["https://example.com@evil.example/", undefined],
  ["http://example.com/", undefined],
  ["file:///etc/passwd", undefined],
  ["javascript:alert(1)", undefined],
  ["smb://host/share", undefined],
  ["ms-msdt:/id", undefined],
  ["vscode://file/x", undefined],
  ["data:text/html,x", undefined],
  ["app://console/", undefined],
  ["//example.com", undefined],
  ["https://exa\nmple.com/", undefined],
  [" https://example.com/", undefined],
  [`https://example.com/${"a".repeat(2048)}`, undefined],
];

test.each(links)("item 15: %j is opened as %j", (address, target) => {
  expect(readLink(address)?.target).toBe(target);
});

test("item 15: a mail's subject and attachments are not a model's to write", () => {
  expect(readLink("mailto:a@b.example?attach=/etc/passwd")!.url).toBe("mailto:a@b.example");
});

test("item 17: only the top frame of our own window is the page", () => {
  const top = { origin: "app://console", parent: null };
  const sender = { id: 1, mainFrame: top };
  const ours = new Set([1]);
  const page = { isOurs: true, isTopFrame: true, origin: "app://console" };
  expect(senderOf({ sender, senderFrame: top }, ours)).toEqual(page);
  expect(senderOf({ sender, senderFrame: top }, new Set([2])).isOurs).toBe(false);
  const inner = { origin: "app://console", parent: top };
  expect(senderOf({ sender, senderFrame: inner }, ours).isTopFrame).toBe(false);
  expect(senderOf({ sender, senderFrame: null }, ours)).toEqual({
    isOurs: true,
    isTopFrame: false,
    origin: null,
  });
});

const html = '<head><meta nonce="__CSP_NONCE__"></head>';
const page = new PageFiles(
  new Map([
    ["index.html", { body: Buffer.from(html), contentType: "text/html" }],
    ["assets/page.js", { body: Buffer.from("page()"), contentType: "text/javascript" }],
  ]),
);

test("item 18: the page is served with its policy and a nonce of its own", async () => {
  const response = answerPage(page, "GET", "app://console/");
  const policy = response.headers.get("content-security-policy")!;
  const nonce = /'nonce-([\w-]+)'/.exec(policy)![1]!;
  expect(policy).toBe(contentSecurityPolicy(nonce, "'none'"));
  expect(await response.text()).toContain(`nonce="${nonce}"`);
  expect(answerPage(page, "GET", "app://console/assets/page.js").status).toBe(200);
});

test.each([
  "app://console/../package.json",
  "app://console/%2e%2e/package.json",
  "app://console/assets/%2e%2e%2f%2e%2e%2fpackage.json",
  "app://console//etc/passwd",
  "app://console/index.html",
  "app://console/assets",
  "app://other/assets/page.js",
  "file:///assets/page.js",
])("item 18: %s is not served", (address) => {
  expect(answerPage(page, "GET", address).status).toBe(404);
});

test("item 18: the page is read, never written", () => {
  expect(answerPage(page, "POST", "app://console/").status).toBe(404);
});

test("a release's menu opens no developer tools", () => {
  expect(JSON.stringify(menuTemplate(false))).not.toMatch(/toggleDevTools|"reload"/);
  expect(JSON.stringify(menuTemplate(true))).toContain("toggleDevTools");
});
