/** From an address to a node in the page: over a real OpenSSH server, on which the set-up itself is played. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Server } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openDeviceList, openKit } from "@phantoma/client";
import { activeAdmin, Secret } from "@phantoma/crypto";
import { HOST_NODE_KEY, TestHost } from "../../../packages/provision/src/ssh/test-host.ts";
import {
  noSshd,
  PASSPHRASE,
  PASSWORD,
  TestSshd,
} from "../../../packages/provision/src/ssh/test-sshd.ts";
import { launchBrowser, openWatched, type Watched } from "./browser.ts";
import { tabTo } from "./by-keyboard.ts";
import { startConsole } from "./console-under-test.ts";
import { look } from "./pictures.ts";
import { startHere } from "./setup-under-test.ts";

const PASSPHRASE_OF_KIT = "a kit that is long enough";
/** Seconds of PAM, of a reboot that is played, and of a busy machine, in milliseconds. */
const PATIENCE_MS = 240_000;
/** What a sign-in or a step may take, in milliseconds. */
const STEP_MS = 60_000;

describe.skipIf(noSshd() !== undefined)("the set-up of a server", () => {
  let browser: Browser;
  let host: TestHost;
  let home: string;
  let watched: Watched;
  let page: Page;
  beforeAll(async () => {
    browser = await launchBrowser();
    host = await TestHost.start();
  }, PATIENCE_MS);
  afterAll(async () => {
    await browser.close();
    await host.stop();
  });
  beforeEach(async () => {
    host.empty();
    home = mkdtempSync(join(tmpdir(), "setup-e2e-"));
    watched = await openWatched(browser);
    page = watched.page;
  });
  afterEach(async () => {
    await watched.context.close();
    rmSync(home, { recursive: true, force: true });
  });

  const button = (name: string) => page.getByRole("button", { name, exact: true });
  const heading = (name: string | RegExp) =>
    page.getByRole("heading", { name, level: 2 }).waitFor({ timeout: STEP_MS });
  const address = (user: string) => `${user}@127.0.0.1:${host.sshd.port}`;
  const shows = (text: string) => page.getByText(text).first().waitFor({ timeout: STEP_MS });

  async function openSetup(link: string): Promise<void> {
    await page.goto(link);
    await page.getByRole("link", { name: "Set up a server" }).click();
    await heading("Which server?");
  }
  async function nameServer(text: string): Promise<void> {
    await page.getByLabel("Address").fill(text);
    await button("Connect").click();
  }
  async function compareKey(): Promise<void> {
    await heading("Is this your server?");
    await page.getByLabel("Paste the fingerprint from there").fill(host.sshd.hostKey().sha256);
    await button("Compare and go on").click();
  }
  async function signIn(password = PASSWORD): Promise<void> {
    await page.getByLabel(/^Password of/).fill(password);
    await button("Sign in").click();
  }
  async function toPlan(link: string): Promise<void> {
    await openSetup(link);
    await nameServer(address("root"));
    await compareKey();
    await signIn();
    await heading("What the server is");
    await button("See the plan").click();
    await heading("What will change");
  }

  test(
    "leads from an address to the first chat; a reload in the middle changes nothing",
    async () => {
      const phantoma = await startHere(home, host.bundlePath);
      await openSetup(phantoma.newLink());
      await look(page, "setup-host");
      await nameServer(address("root"));
      await heading("Is this your server?");
      await page.getByText(host.sshd.hostKey().sha256).waitFor();
      await look(page, "setup-key");
      await compareKey();
      await heading(/^Sign in to root@/);
      await look(page, "setup-sign-in");
      await signIn();
      await heading("What the server is");
      // What was typed is not in the page any more.
      expect(await page.content()).not.toContain(PASSWORD);
      await look(page, "setup-preflight");
      await button("See the plan").click();
      await heading("What will change");
      await look(page, "setup-plan");
      host.hold("model");
      await button("Set up this server").click();
      await heading("Setting up");
      const row = page.getByRole("listitem").filter({ hasText: "Adds the demo model" });
      await row.getByText("now").waitFor({ timeout: STEP_MS });
      await look(page, "setup-install");
      await page.reload();
      await heading("Setting up");
      await row.getByText("now").waitFor();
      host.letGo("model");
      await heading("127-0-0-1 is yours");
      await page.getByText("refused by the kernel, counted by the warden").first().waitFor();
      expect(await page.getByText("refused by the kernel, counted by the warden").count()).toBe(7);
      // The played node has the list that this console signed, and takes the next one.
      phantoma.node.deviceList = host.firstDevices();
      await page.getByLabel("Passphrase of the kit").fill(PASSPHRASE_OF_KIT);
      await button("Make a kit").click();
      await shows("It was read back and opened again");
      const [kit] = readdirSync(join(home, "kits"));
      const opened = await openKit(
        readFileSync(join(home, "kits", kit!)),
        new Secret(Buffer.from(PASSPHRASE_OF_KIT)),
      );
      const list = openDeviceList(phantoma.node.deviceList, HOST_NODE_KEY);
      expect(activeAdmin(list, opened.identity.signing.publicKey)).toBeDefined();
      expect(await page.content()).not.toContain(PASSPHRASE_OF_KIT);
      await look(page, "setup-done");
      await button("Ask it something").click();
      await page.getByRole("textbox", { name: "Your message" }).waitFor();
      expect(watched.faults).toEqual([]);
      await phantoma.close();
    },
    PATIENCE_MS,
  );

  test(
    "a console that was killed in the middle asks to sign in again, goes on, ends it, and undoes it",
    async () => {
      const flags = ["--bundle", host.bundlePath, "--unsigned"];
      const first = await startConsole({}, { home, flags });
      await toPlan(first.link);
      host.hold("model");
      await button("Set up this server").click();
      await heading("Setting up");
      await expect.poll(() => host.isRunning, { timeout: STEP_MS }).toBe(true);
      const row = page.getByRole("listitem").filter({ hasText: "Adds the demo model" });
      await row.getByText("now").waitFor({ timeout: STEP_MS });
      await first.kill();
      const kept = readFileSync(join(home, "console-web/setup.json"), "utf8");
      expect(kept).not.toContain(PASSWORD);
      expect(host.isRunning).toBe(true);

      // Another console, in another process and at another address.
      const second = await startConsole({}, { home, flags });
      await page.goto(second.link);
      await page.getByRole("link", { name: "Go on with the set-up" }).click();
      await heading("Sign in to go on");
      // The page of the first one said that it was gone.
      watched.faults.splice(0);
      await look(page, "setup-resume");
      const runs = host.runs;
      await signIn();
      await row.getByText("now").waitFor({ timeout: STEP_MS });
      expect(host.runs).toBe(runs);

      await button("Cancel").click();
      await page.getByRole("dialog", { name: "End the set-up?" }).waitFor();
      await look(page, "setup-cancel");
      await button("End it").click();
      await heading("The set-up was ended");
      await shows("You ended it.");
      host.letGo("model");
      expect(host.isRunning).toBe(false);
      await look(page, "setup-stopped");
      await button("Undo what was done").click();
      await heading("What will be removed");
      await shows("/opt/phantoma: the programs");
      await look(page, "setup-removal");
      await button("Remove all of this").click();
      await heading("The server is as it was");
      await button("Done").click();
      await heading("Which server?");
      expect(watched.faults).toEqual([]);
      await second.close();
    },
    PATIENCE_MS,
  );

  test(
    "a wrong password is asked again, and a user without sudo is told what to do",
    async () => {
      const phantoma = await startHere(home, host.bundlePath);
      await openSetup(phantoma.newLink());
      await nameServer(address("root"));
      await compareKey();
      await signIn("wrong");
      await shows("ERR_SSH_SIGN_IN");
      await look(page, "setup-wrong-password");
      await button("Copy diagnostics").click();
      const pasted = () => page.evaluate(() => navigator.clipboard.readText());
      await expect.poll(pasted).toContain("ERR_SSH_SIGN_IN");
      const copied = await pasted();
      for (const word of ["127.0.0.1", "wrong", host.sshd.hostKey().sha256])
        expect(copied).not.toContain(word);
      await signIn();
      await heading("What the server is");
      await button("Cancel").click();

      await heading("Which server?");
      await nameServer(address("sudo-never"));
      await heading(/^Sign in to sudo-never@/);
      await signIn();
      await shows("ERR_SUDO_NOT_ALLOWED");
      await shows("Sign in as root, or as a user that sudo allows.");
      await button("Cancel").click();
      await heading("Which server?");
      await phantoma.close();
    },
    PATIENCE_MS,
  );

  test(
    "a key that is refused is asked for again, in the form as it was chosen",
    async () => {
      const sshd = await TestSshd.start(["KbdInteractiveAuthentication no"]);
      try {
        const phantoma = await startHere(home, host.bundlePath);
        await openSetup(phantoma.newLink());
        await nameServer(`root@127.0.0.1:${sshd.port}`);
        await button("I compared it by eye, it is the same").click();
        await heading(/^Sign in to/);
        await page.getByRole("radio", { name: "Key" }).click();
        await page.getByLabel("Key", { exact: true }).selectOption({ label: "Another file…" });
        await page.getByLabel("Key file").setInputFiles(sshd.keyPath("host_ed25519"));
        await button("Sign in").click();
        await shows("ERR_SSH_SIGN_IN");
        await page.getByLabel("Key file").waitFor();
        expect(await page.getByRole("radio", { name: "Key" }).isChecked()).toBe(true);
        await phantoma.close();
      } finally {
        await sshd.stop();
      }
    },
    PATIENCE_MS,
  );

  test(
    "a key that changed is a hard stop; only its owner's word and a pasted fingerprint lead on",
    async () => {
      const other = await TestSshd.start();
      const between = await forwarder(host.sshd.port);
      try {
        const phantoma = await startHere(home, host.bundlePath);
        await openSetup(phantoma.newLink());
        await nameServer(`root@127.0.0.1:${between.port}`);
        await compareKey();
        await heading(/^Sign in to/);
        await button("Cancel").click();
        await heading("Which server?");
        // From now on somebody else answers.
        between.to = other.port;
        await nameServer(`root@127.0.0.1:${between.port}`);
        await heading(/^Sign in to/);
        await signIn();
        await heading("This is not the key that you expect");
        await look(page, "setup-changed-key");
        expect(await page.getByRole("button", { name: /compare/i }).allTextContents()).toEqual([
          "I installed it anew: compare its new key",
        ]);
        await button("I installed it anew: compare its new key").click();
        await heading("Is this your server?");
        expect(await button("I compared it by eye, it is the same").count()).toBe(0);
        await page.getByLabel("Paste the fingerprint from there").fill(host.sshd.hostKey().sha256);
        await button("Compare and go on").click();
        await heading("This is not the key that you expect");
        await phantoma.close();
      } finally {
        between.server.close();
        await other.stop();
      }
    },
    PATIENCE_MS,
  );

  test(
    "needs no mouse: a key with its passphrase, as a user whose sudo asks",
    async () => {
      const phantoma = await startHere(home, host.bundlePath);
      await page.goto(phantoma.newLink());
      await page.getByRole("link", { name: "Set up a server" }).waitFor();
      await tabTo(page, "Set up a server");
      await page.keyboard.press("Enter");
      await heading("Which server?");
      await tabTo(page, "Address");
      await page.keyboard.type(address("sudo-asks"));
      await page.keyboard.press("Enter");
      await heading("Is this your server?");
      await tabTo(page, "Paste the fingerprint from there");
      await page.keyboard.type(host.sshd.hostKey().sha256);
      await page.keyboard.press("Enter");
      await heading(/^Sign in to sudo-asks@/);
      await tabTo(page, "Password");
      // As long as a finger rests on a key: the choice follows an arrow only while it is down.
      await page.keyboard.press("ArrowRight", { delay: 100 });
      await page.getByLabel("Passphrase of the key").waitFor();
      // A file chooser is the system's: the file itself is handed over by the test.
      await page.getByLabel("Key", { exact: true }).selectOption({ label: "Another file…" });
      await page.getByLabel("Key file").setInputFiles(host.sshd.keyPath("id"));
      await tabTo(page, "Passphrase of the key");
      await page.keyboard.type(PASSPHRASE);
      await page.keyboard.press("Enter");
      await heading("The server asks for more");
      await look(page, "setup-sudo");
      await tabTo(page, "Password of sudo-asks, for sudo");
      await page.keyboard.type(PASSWORD);
      await page.keyboard.press("Enter");
      await heading("What the server is");
      await shows("Becomes root by sudo, with your password.");
      await tabTo(page, "See the plan");
      await page.keyboard.press("Enter");
      await heading("What will change");
      await tabTo(page, "Set up this server");
      await page.keyboard.press("Enter");
      await heading("127-0-0-1 is yours");
      expect(watched.faults).toEqual([]);
      await phantoma.close();
    },
    PATIENCE_MS,
  );
});

/** A port behind which another server can be put. */
async function forwarder(to: number) {
  const server: Server = createServer((socket) => {
    const onward = connect(place.to, "127.0.0.1");
    socket.pipe(onward).pipe(socket);
    for (const end of [socket, onward]) end.on("error", () => undefined);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const place = { to, server, port: (server.address() as AddressInfo).port };
  return place;
}
