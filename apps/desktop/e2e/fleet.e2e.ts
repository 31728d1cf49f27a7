/** The operator's fleet page in a real browser: what is known of nodes, and nothing else loads or runs. */
import { randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import { generateNodeIdentity, heartbeatDocument } from "@phantoma/crypto";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openControlPlane, type ControlPlane } from "../../control-plane/control-plane.ts";
import { openEmbedded } from "../../control-plane/database/embedded.ts";
import { migrate } from "../../control-plane/database/migrations.ts";
import { Ledger } from "../../control-plane/licences/ledger.ts";
import { launchBrowser, openWatched } from "./browser.ts";
import { look } from "./pictures.ts";

const TOKEN = "the operator's token";
const DAY_MS = 86_400_000;
/** What an operator could be given as a name. */
const HOSTILE = `<script>document.title="run"</script><img src="http://127.0.0.1:9/x">`;

/** The embedded database starts in ten seconds of a processor, which a busy machine gives in minutes. */
const START_TIMEOUT_MS = 300_000;

let browser: Browser;
let plane: ControlPlane;
let url: string;

beforeAll(async () => {
  browser = await launchBrowser();
  const authority = generateNodeIdentity().signing;
  const database = await openEmbedded(undefined);
  await migrate(database);
  plane = await openControlPlane({
    database,
    authority,
    operatorToken: TOKEN,
    log: () => undefined,
  });
  await plane.forOperator.listen({ host: "127.0.0.1", port: 0 });
  url = `http://127.0.0.1:${(plane.forOperator.server.address() as AddressInfo).port}/fleet`;
  const now = Date.now();
  for (const [index, health] of (["good", "good", "degraded", "failing"] as const).entries()) {
    const { publicKey, privateKey } = generateNodeIdentity().signing;
    const holder = index === 0 ? HOSTILE : "Ada & Sons";
    const terms = { holder, edition: "team", devices: 3, graceDays: 30 } as const;
    const span = { notBefore: now, notAfter: now + (index + 1) * 10 * DAY_MS };
    await new Ledger(authority).issue(database, Buffer.from(publicKey), { ...terms, ...span }, now);
    const payload = heartbeatDocument.sign(
      {
        node: publicKey,
        sequence: 1n,
        nonce: randomBytes(16),
        issuedAt: now,
        release: new Uint8Array(32).fill(index % 2 === 0 ? 0xab : 0),
        rootVersion: 2,
        targetsVersion: 5 + index,
        licence: null,
        health,
      },
      privateKey,
    );
    await plane.forNodes.inject({
      method: "POST",
      url: "/v1/heartbeats",
      headers: { "content-type": "application/octet-stream" },
      payload: Buffer.from(payload),
    });
  }
}, START_TIMEOUT_MS);
afterAll(async () => {
  await browser?.close();
  await plane?.close();
});

test("without the token there is nothing to see", async () => {
  const { context, page } = await openWatched(browser);
  // What a browser without anybody to ask for a password makes of 401.
  await expect(page.goto(url)).rejects.toThrow("ERR_INVALID_AUTH_CREDENTIALS");
  await context.close();
});

test("it shows counts, versions, last seen and licences that end; a name is text, and nothing else loads", async () => {
  const { context, page, faults } = await openWatched(browser);
  await context.setHTTPCredentials({ username: "operator", password: TOKEN });
  await page.goto(url);
  await look(page, "fleet");
  const text = await page.locator("main").innerText();
  for (const heading of ["Fleet", "Versions", "Last seen", "Licences that end"])
    expect(text).toContain(heading);
  const fact = (name: string) =>
    page.locator("dl > div", { has: page.getByText(name, { exact: true }) }).locator("dd");
  expect(await fact("Nodes with a licence").innerText()).toBe("4");
  expect(await fact("Seen in 40 minutes").innerText()).toBe("4");
  expect(await fact("Good").innerText()).toBe("2");
  expect(await fact("Failing").innerText()).toBe("1");
  expect(text).toContain("abababababababab");
  expect(text).toContain("not released");
  expect(text).toContain(HOSTILE);
  expect(await page.title()).toBe("Phantoma fleet");
  expect(await page.locator("script, img, form, iframe, link").count()).toBe(0);
  // The style that the policy names is in force.
  expect(await page.locator("dl").evaluate((one) => getComputedStyle(one).display)).toBe("grid");
  expect(faults.filter((fault) => !fault.includes("401"))).toEqual([]);
  await context.close();
});
