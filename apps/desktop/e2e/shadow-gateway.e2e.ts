/**
 * Egress, models and windows with everything real: console, demo node, kernel policy, warden, fetcher, and
 * a model host on this machine. Where the kernel policy cannot be used, the console has to say why.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  TestAuthority,
  TestModelHost,
  weights,
  weightsDigest,
} from "../../node/fetcher/test-model-host.ts";
import { makeModel, shapes } from "../../../tools/make-model/make-model.ts";
import type { ConsoleState } from "../ipc/contract.ts";
import { launchBrowser, openWatched, type Watched } from "./browser.ts";
import { startConsole, type ConsoleUnderTest } from "./console-under-test.ts";
import { look } from "./pictures.ts";

const run = promisify(execFile);
const enterPath = fileURLToPath(new URL("../../../bpf/build/enter", import.meta.url));
const dir = mkdtempSync(join(tmpdir(), "phantoma-shadow-"));
/** Another one than the demo's own. */
const modelPath = join(dir, "pushed.gguf");
const ATTEMPTS = 200_000;

let browser: Browser;
let phantoma: ConsoleUnderTest;
let host: TestModelHost;
let watched: Watched;
let page: Page;
let policyReason: string | null;

beforeAll(async () => {
  const authority = await TestAuthority.make();
  writeFileSync(join(dir, "ca.pem"), authority.pem);
  host = new TestModelHost(await authority.issue("localhost"));
  host.cdn = "localhost";
  await host.listen("127.0.0.1");
  await makeModel({ path: modelPath, shape: shapes.echo(), seed: 7 });
  browser = await launchBrowser();
  phantoma = await startConsole({ NODE_EXTRA_CA_CERTS: join(dir, "ca.pem") });
  watched = await openWatched(browser);
  page = watched.page;
  await page.goto(phantoma.link);
  await page.getByRole("button", { name: "Start a demo node here" }).click();
  await page.getByRole("button", { name: "Yes, this is my node" }).click({ timeout: 60_000 });
  await page.getByRole("link", { name: "Egress", exact: true }).click();
  policyReason = await page.evaluate(async () => {
    const asked = await window.phantoma.request("console.state", {});
    return ((asked as { data: ConsoleState }).data.nodes[0] ?? null)!.policyReason;
  });
});
afterAll(async () => {
  await browser.close();
  await phantoma.close();
  host.stop();
  rmSync(dir, { recursive: true });
});

/**
 * From inside the worker's cgroup and its empty network: `count` datagrams to an address of nobody.
 *
 * @returns when the first was sent, in milliseconds since 1970 UTC
 */
async function callOut(address: string, count: number): Promise<number> {
  const perl = ["/usr/bin/perl", "-MSocket", "-MTime::HiRes=time", "-e"];
  const program =
    "socket(S, PF_INET, SOCK_DGRAM, 17); my $to = pack_sockaddr_in(53, inet_aton($ARGV[0]));" +
    "print time; for (1 .. $ARGV[1]) { exit 1 if defined send(S, 'x', 0, $to) }";
  const unit = ["worker", "--cgroup", phantoma.cgroup(), "--"];
  const { stdout } = await run(enterPath, [...unit, ...perl, program, address, String(count)]);
  return Number(stdout) * 1000;
}
const row = (unit: string) => page.getByRole("row", { name: new RegExp(`^${unit}`) });
const attemptsOf = async (unit: string) => {
  const [attempts, logged, lost] = (await row(unit).last().getByRole("cell").allInnerTexts()).map(
    (text) => Number(text.replaceAll(",", "")),
  );
  return { attempts: attempts!, logged: logged!, lost: lost! };
};

test("the state of the policy, or why there is none, is on both pages", async () => {
  if (policyReason === null) {
    await page.getByText("In force", { exact: true }).waitFor();
    await page.getByText("Network").waitFor();
    await page.getByRole("link", { name: "Node" }).click();
    await page.getByText("The kernel policy is in force here.").waitFor();
  } else {
    await page.getByText(policyReason).waitFor();
    await page.getByRole("link", { name: "Node" }).click();
    await page.getByText(policyReason).waitFor();
  }
});

test("an attempt from the worker's cgroup is refused and in the list within a second", async ({
  skip,
}) => {
  if (policyReason !== null) skip(policyReason);
  await page.getByRole("link", { name: "Egress", exact: true }).click();
  await page.getByText("No attempt was logged.").waitFor();
  const seen = page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const look = () => {
          if (document.body.textContent.includes("192.0.2.77")) resolve(Date.now());
          else requestAnimationFrame(look);
        };
        look();
      }),
  );
  const delayMs = -(await callOut("192.0.2.77", 1)) + (await seen);
  process.stdout.write(`one attempt: on the page after ${delayMs.toFixed(0)} ms\n`);
  expect(delayMs).toBeLessThan(1_000);
  expect(await attemptsOf("worker")).toEqual({ attempts: 1, logged: 1, lost: 0 });
  await look(page, "real-egress");
});

test("a flood of 200,000 attempts is counted exactly, and the page stays usable", async ({
  skip,
}) => {
  if (policyReason !== null) skip(policyReason);
  await page.evaluate(() => {
    const pauses: number[] = [];
    Object.assign(window, { pauses });
    let last = performance.now();
    const frame = () => {
      pauses.push(performance.now() - last);
      last = performance.now();
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  await callOut("192.0.2.78", ATTEMPTS);
  await expect
    .poll(async () => (await attemptsOf("worker")).attempts, { timeout: 30_000 })
    .toBe(ATTEMPTS + 1);
  const { attempts, logged, lost } = await attemptsOf("worker");
  expect(logged + lost).toBe(attempts);
  const rows = await page
    .getByRole("region", { name: "Refused attempts" })
    .getByRole("row")
    .count();
  const longest = await page.evaluate(() =>
    Math.max(...(window as unknown as { pauses: number[] }).pauses),
  );
  process.stdout.write(
    `real flood: ${attempts} attempts, ${logged} logged, ${lost} not; ${rows} rows; longest frame ${longest.toFixed(0)} ms\n`,
  );
  expect(rows).toBeLessThanOrEqual(402);
  const leftAt = Date.now();
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByRole("heading", { name: "Settings" }).waitFor();
  expect(Date.now() - leftAt).toBeLessThan(2_000);
});

test("a file of this machine is pushed, verified and removed", async () => {
  await page.getByRole("link", { name: "Models" }).click();
  const choosing = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Choose a GGUF file" }).click();
  await (await choosing).setFiles(modelPath);
  await page.getByText("pushed is on the node.").waitFor({ timeout: 60_000 });
  await page.getByRole("button", { name: "Verify pushed" }).click();
  await page.getByText("whole: the file has its SHA-256").waitFor();
  await page.getByRole("button", { name: "Remove pushed" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await page.getByRole("button", { name: "Remove pushed" }).waitFor({ state: "detached" });
  await page.getByText("pushed is on the node.").waitFor({ state: "detached" });
});

test("a window is proposed, signed, watched, and brings the file that was signed", async ({
  skip,
}) => {
  if (policyReason !== null) skip(policyReason);
  const address = page.getByLabel("File on Hugging Face");
  await address.fill(`https://localhost:${host.port}/owner/repo/resolve/main/model.gguf`);
  await page.keyboard.press("Enter");
  const proposal = page.getByRole("region", { name: "What the window would open" });
  await proposal.getByText(weightsDigest).waitFor();
  await proposal.getByText(`${weights.length.toLocaleString("en")} B`).waitFor();
  await proposal.getByText("127.0.0.1").first().waitFor();
  await look(page, "real-proposal");
  await page.getByRole("button", { name: "Sign and open the window" }).click();
  await page.getByRole("button", { name: "Verify model" }).waitFor({ timeout: 60_000 });
  await page.getByText("stored", { exact: true }).waitFor();
  await look(page, "real-stored");
});

test("a window is closed early, and the transfer says why it failed", async ({ skip }) => {
  if (policyReason !== null) skip(policyReason);
  // The one before closed by itself when its file was stored.
  await page.getByRole("heading", { name: "No window is open" }).waitFor();
  await page.getByLabel("File on Hugging Face").fill(`https://localhost:${host.port}/endless.gguf`);
  await page.getByLabel("SHA-256, if the host").fill("0f".repeat(32));
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Sign and open the window" }).click();
  await page.getByText("fetching").waitFor();
  const banner = page.getByRole("region", { name: "Open window" });
  await banner.getByText("endless.gguf").waitFor();
  await banner.getByRole("button", { name: "Close now" }).click();
  await page.getByText("ERR_WINDOW_CLOSED").waitFor();
  await page.getByText("Of earlier windows").waitFor();
  await look(page, "real-closed");
});

test("nothing broke the policy of the page, nothing left this machine, nothing was reported", () => {
  expect(watched.faults).toEqual([]);
  expect(readFileSync(modelPath).subarray(0, 4).toString()).toBe("GGUF");
});
