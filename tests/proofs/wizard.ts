/**
 * From a stock Debian 12 server to a first answer, in the console: what a person clicks and types in Chromium, as root
 * with a password, over real OpenSSH.
 *
 *   wizard.ts [--json]
 *
 * The terminal's way, and the way back, are in the proof beside it.
 *
 * @module
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { argumentsOf, flag } from "../arguments.ts";
import { startConsole } from "../../apps/desktop/e2e/console-under-test.ts";
import { launchBrowser } from "../../apps/desktop/e2e/launch-browser.ts";
import { makeBundle } from "../../tools/bundle/bundle.ts";
import { Proof } from "../proof.ts";
import { hostKeyOfGuest, stockGuest } from "../vps/booted-guest.ts";
import { NODE_PORT } from "../vps/install-node.ts";
import { tracesOf } from "./provision/guest-files.ts";

const values = argumentsOf({ json: flag });
const proof = new Proof("From an address to a first answer, in the console", values.json);
const PASSWORD = "of the server's root alone";
/** Milliseconds; a boot takes 60 s here, and hangs in the emulator's clock now and then. */
const BOOT_MS = 150_000;
/** Of the whole set-up on an emulated server, in milliseconds. */
const SET_UP_MS = 1_500_000;
/** Of anything else that a person waits for there, in milliseconds. */
const WAIT_MS = 180_000;

const dir = mkdtempSync(join(tmpdir(), "wizard-"));
proof.say("  making the bundle");
const bundle = await makeBundle(dir, () => undefined);
const guest = await stockGuest({ ports: [NODE_PORT] });
const browser = await launchBrowser();
const phantoma = await startConsole(
  {},
  { home: join(dir, "home"), flags: ["--bundle", bundle.path, "--unsigned"] },
);
try {
  await guest.check("chpasswd", `root:${PASSWORD}\n`);
  await guest.check(
    "printf 'PermitRootLogin yes\\nPasswordAuthentication yes\\n' > /etc/ssh/sshd_config.d/10-proof.conf && systemctl reload ssh",
  );
  await showSetUp();
} finally {
  await phantoma.close();
  await browser.close();
  await guest.stop();
  rmSync(dir, { recursive: true });
}
process.exitCode = proof.finish();

async function showSetUp(): Promise<void> {
  const start = Date.now();
  const page = await browser.newPage();
  page.setDefaultTimeout(WAIT_MS);
  const click = (name: string) => page.getByRole("button", { name, exact: true }).click();
  const heading = async (name: string) => {
    try {
      await page.getByRole("heading", { name, level: 2 }).waitFor();
    } catch {
      throw new Error(`no ${JSON.stringify(name)}, but: ${await page.locator("body").innerText()}`);
    }
  };
  await page.goto(phantoma.link);
  await page.getByRole("link", { name: "Set up a server" }).click();
  await page.getByLabel("Address").fill(`root@127.0.0.1:${guest.port(22)}`);
  await click("Connect");
  await heading("Is this your server?");
  await page.getByLabel("Paste the fingerprint from there").fill(hostKeyOfGuest());
  await click("Compare and go on");
  await page.getByLabel("Password of root").fill(PASSWORD);
  await click("Sign in");
  await heading("What the server is");
  proof.row({
    name: "root signs in with a password, after the host key was compared",
    holds: await page.getByText("Signed in as root.").isVisible(),
    detail: `${seconds(start)} s`,
  });
  await click("See the plan");
  await page.getByLabel("Port", { exact: true }).fill(String(NODE_PORT));
  await page.getByText("More", { exact: true }).click();
  await page.getByLabel("Devices reach it at").fill(`127.0.0.1:${guest.port(NODE_PORT)}`);
  await page.getByLabel("Name of the node, here").fill("vps");
  await click("Set up this server");
  const watching = new AbortController();
  void page
    .getByText("The server reboots.")
    .waitFor({ timeout: SET_UP_MS })
    .then(
      () => watchBoot(watching.signal),
      () => undefined,
    );
  const stopped = page.getByText("It stopped at a step.");
  const isYours = page.getByRole("heading", { name: "vps is yours", level: 2 });
  await isYours.or(stopped).first().waitFor({ timeout: SET_UP_MS });
  if (await stopped.isVisible()) throw new Error(await page.locator("body").innerText());
  watching.abort();
  const refused = page.getByText("refused by the kernel, counted by the warden");
  proof.row({
    name: "the wizard ends with a node that this console reaches",
    holds: true,
    detail: `${seconds(start)} s in all`,
  });
  proof.row({
    name: "the page shows an attempt to phone home from every unit, refused and counted",
    holds: (await refused.count()) >= 6 && (await page.getByText("NOT refused").count()) === 0,
    detail: `${await refused.count()} attempts`,
  });
  await click("Ask it something");
  await page.getByRole("textbox", { name: "Your message" }).fill("What is Phantoma?");
  await page.keyboard.press("Enter");
  const answer = page.getByRole("article", { name: "Answer" });
  await page.getByRole("button", { name: "Stop the answer" }).waitFor();
  await page.getByRole("button", { name: "Stop the answer" }).waitFor({ state: "detached" });
  const text = (await answer.first().innerText()).replaceAll("\n", " ");
  proof.row({
    name: "the first chat answers, through the tunnel",
    holds: text.trim().length > 20,
    detail: text.slice(0, 100),
  });
  await page.getByRole("link", { name: "Health", exact: true }).click();
  await page.getByText("A: wiped").first().waitFor();
  proof.row({ name: "its wipe grade is A, after the reboot", holds: true });
  const traces = await tracesOf(guest, PASSWORD);
  proof.row({
    name: "the password is nowhere on the server",
    holds: traces === 0,
    detail: `${traces} lines`,
  });
  const known = await tracesOf(guest, "phantoma-gateway");
  proof.control("what the journal names is found in the same way", known > 0, `${known} lines`);
}

/** Presses the reset button while a boot hangs, until the set-up is over. */
async function watchBoot(signal: AbortSignal): Promise<void> {
  for (let tries = 0; tries < 4; tries += 1) {
    await sleep(BOOT_MS, undefined, { ref: false });
    if (signal.aborted || (await isBack())) return;
    proof.say("       the guest hangs in its boot: reset");
    await guest.reset();
  }
}

async function isBack(): Promise<boolean> {
  return guest.check("true").then(
    () => true,
    () => false,
  );
}

function seconds(start: number): string {
  return ((Date.now() - start) / 1000).toFixed(0);
}
