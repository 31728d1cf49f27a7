/** States of a set-up that a real server shows rarely: each looks right and is accessible. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Setup } from "../ipc/contract.ts";
import { launchBrowser } from "./browser.ts";
import { serveFakeConsole, type FakeConsole, type Script } from "./fake-console.ts";
import { openScene, type Scene } from "./open-scene.ts";
import { look } from "./pictures.ts";
import * as scene from "./scenes.ts";

let browser: Browser;
let served: FakeConsole;
beforeAll(async () => {
  browser = await launchBrowser();
  served = await serveFakeConsole();
});
afterAll(async () => {
  await browser.close();
  served.close();
});

const base: Setup = {
  stage: "install",
  isBusy: true,
  error: null,
  server: { user: "debian", host: "192.0.2.7", port: 22 },
  hostKey: {
    algorithm: "ssh-ed25519",
    sha256: "SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8",
    isConfirmed: true,
    mustPaste: false,
  },
  wishes: [],
  isByKey: true,
  ways: { keys: ["id_ed25519"], hasAgent: true },
  isResuming: false,
  privilege: "sudo",
  findings: [],
  plan: {
    port: 7443,
    name: "192-0-2-7",
    steps: ["memory", "firewall"],
    reach: "",
  },
  release: {
    bundle: "/home/ada/phantoma-node-0.1.0-linux-x64.tar.gz",
    isUnsigned: false,
    mayChoose: false,
  },
  report: "targets: 3 of 5, 2 needed",
  upload: { sent: 41_000_000, of: 98_000_000 },
  steps: [
    { step: "release", state: "done", beganAt: 1_796_000_000_000, tookMs: 21_400 },
    { step: "users", state: "was-so", beganAt: null, tookMs: null },
    { step: "folders", state: "applying", beganAt: 1_796_000_030_000, tookMs: null },
  ],
  isAway: false,
  isRebooting: false,
  heardAt: null,
  drill: [],
  node: null,
  removals: [],
};
const says = (change: Partial<Setup>): Script => ({
  state: { ...scene.withoutNode },
  answers: { "setup.get": [{ ...base, ...change }] },
});
const failure = (code: NonNullable<Setup["error"]>["code"], message: string) => ({
  code,
  message,
  action: "",
});

const scenes: Scene[] = [
  { name: "setup-away", script: says({ isAway: true }), sees: /cannot be reached/ },
  { name: "setup-reboot", script: says({ isRebooting: true }), sees: /The server reboots/ },
  {
    name: "setup-failed",
    script: says({
      isBusy: false,
      error: failure("ERR_STEP_FAILED", "a step failed on the server: folders: no space is left"),
      steps: [
        ...base.steps.slice(0, 2),
        { step: "folders", state: "failed", beganAt: 1_796_000_030_000, tookMs: 900 },
      ],
    }),
    sees: "ERR_STEP_FAILED",
  },
  {
    name: "setup-unfit",
    script: says({
      stage: "preflight",
      isBusy: false,
      findings: [
        {
          check: "virtualisation",
          verdict: "stop",
          fact: "lxc",
          consequence:
            "a container shares its kernel, so nothing can be enforced: rent a virtual machine",
        },
        {
          check: "swap",
          verdict: "note",
          fact: "on",
          consequence: "a swapped page can outlive a task: the grade stays B",
        },
        { check: "system", verdict: "good", fact: "debian 12", consequence: "" },
      ],
    }),
    sees: /cannot be a node as it is/,
  },
  {
    name: "setup-question",
    script: says({
      stage: "sign-in",
      wishes: [{ kind: "question", text: "Verification code:", isShown: true }],
    }),
    sees: "Verification code:",
  },
  {
    name: "setup-blocked",
    script: says({
      stage: "proof",
      isBusy: false,
      error: failure(
        "ERR_INBOUND_BLOCKED",
        "the node runs, and its port cannot be reached from here: wss://192.0.2.7:7443",
      ),
      drill: [{ unit: "gateway", isBlocked: true, isCounted: true }],
    }),
    sees: "ERR_INBOUND_BLOCKED",
  },
].map((one) => ({ ...one, at: "#/setup" }));

test.each(scenes)("$name looks right, is accessible and loads nothing", async (one) => {
  const { context, page, faults } = await openScene(browser, served, one);
  await look(page, one.name);
  expect(faults).toEqual([]);
  await context.close();
});

test("where there is no node yet, the first step leads back to the first page", async () => {
  const script = says({ stage: "host", isBusy: false, server: null });
  const opened = await openScene(browser, served, { script, at: "#/setup", sees: "Which server?" });
  const { context, page, faults } = opened;
  await page.getByRole("link", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Start a demo node here" }).waitFor();
  expect(faults).toEqual([]);
  await context.close();
});

test("what went wrong is said once, though the console says it in the same words", async () => {
  const message = "nothing answers at this address and port";
  const error = failure("ERR_SSH_UNREACHABLE", message);
  const script = says({ stage: "host", isBusy: false, error });
  const opened = await openScene(browser, served, { script, at: "#/setup", sees: "Which server?" });
  const { context, page } = opened;
  await page.getByText("ERR_SSH_UNREACHABLE").waitFor();
  expect(await page.getByText(message).count()).toBe(1);
  await context.close();
});
