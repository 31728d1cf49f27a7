/**
 * The proof itself, in the node's network namespace.
 *
 *   inside.ts DIR [--json] [--only PART]
 *
 * @module
 */
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { resolveModel, type ResolvedModel } from "@phantoma/client";
import { Proof } from "../../proof.ts";
import { attackWarden } from "./attack-warden.ts";
import { places } from "./network.ts";
import { parts, type Part } from "./parts.ts";
import { modelAt, Stage, until } from "./stage.ts";

/** Deadlines are said in milliseconds of one clock and kept by another. */
const CLOCK_MS = 300;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false }, only: { type: "string" } },
});
const proof = new Proof("A window in real life", values.json);
const stage = await Stage.set(positionals[0]!);
const { cgroup } = stage;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.once(signal, () => void stage.strike().then(() => process.exit(130)));
try {
  proof.row({
    name: "the node is under the kernel policy",
    holds: stage.node.profile.policy === "demo",
    detail: stage.node.policyReason ?? "certified as demo",
  });
  const proofs: Record<Part, () => Promise<void>> = {
    arrives,
    refused: doesNotArrive,
    early: closesEarly,
    terminal: fromATerminal,
    deadline: isCutAtItsDeadline,
    orders: () => attackWarden(stage, proof),
  };
  for (const part of parts)
    if (values.only === undefined || values.only === part) await proofs[part]();
} catch (error) {
  proof.row({ name: "it went to its end", holds: false, detail: String((error as Error).stack) });
} finally {
  await stage.strike();
}
proof.row({ name: "the cgroups are gone with the node", holds: !existsSync(cgroup) });
process.exitCode = proof.finish();

async function arrives(): Promise<void> {
  const addressesOf = async (name: string) =>
    ({ "models.test": [places.models], "cdn.test": [places.cdn] })[name] ?? [];
  const from = "https://models.test/owner/repo/resolve/main/model.gguf";
  const model = await resolveModel({ from, addressesOf });
  proof.row({
    name: "resolving finds the redirect's host, the size and the SHA-256 before anything is signed",
    holds: model.endpoints.some(({ name }) => name === "cdn.test") && model.digestFrom === "host",
    detail: model.endpoints.map(({ name, address }) => `${name} ${address}`).join(", "),
  });
  const closed = await stage.as("fetcher", connecting(places.models));
  proof.control("the fetcher reaches nothing without a window", closed === "EPERM", closed);

  const opening = stage.open(model, 20_000);
  await opening;
  const [fetcher, worker] = await Promise.all([
    stage.as("fetcher", connecting(places.models)),
    stage.as("worker", connecting(places.models)),
  ]);
  const { state, error } = await stage.outcome(20_000);
  const { models, egress } = await stage.ask(async (session) => ({
    models: await session.models(),
    egress: await session.egress(),
  }));
  proof.row({
    name: "the listed file arrives through its redirect, and the window closes itself",
    holds: state === "stored" && models.some(({ name }) => name === "model"),
    detail: error ?? state,
  });
  // The file may have been there, and the window closed, before the second program had started.
  proof.row({
    name: "meanwhile the same connection from a worker is refused, and in the log",
    holds:
      worker === "EPERM" &&
      egress.events.some(({ unit, address }) => unit === "worker" && address === places.models),
    detail: `worker ${worker}, fetcher ${fetcher}`,
  });
  await nothingLeft("after a file that arrived");
  const [digest] = models.filter(({ name }) => name === "model").map((one) => one.digest);
  if (!digest) return;
  const isWhole = await stage.ask((session) => session.verifyModel(digest));
  proof.row({ name: "the stored file is verified by the node", holds: isWhole });
  await stage.ask((session) => session.removeModel(digest));
}

async function doesNotArrive(): Promise<void> {
  const dead = [{ name: "dead.test", address: places.dead, port: 443 }];
  const listed = modelAt("/owner/repo/resolve/main/model.gguf");
  const cdnAlone = { endpoints: listed.endpoints.slice(0, 1) };
  const cases: readonly (readonly [string, ResolvedModel, string, number?])[] = [
    ["a redirect to a name that nobody signed", modelAt("/unlisted.gguf"), "ERR_REDIRECT"],
    ["its CDN when only the host was signed", { ...listed, ...cdnAlone }, "ERR_REDIRECT"],
    ["other bytes of the same length", modelAt("/wrong.gguf"), "ERR_DIGEST"],
    ["a file that is a byte longer", modelAt("/longer-unsaid.gguf"), "ERR_TOO_LONG"],
    ["a file that is a byte shorter", modelAt("/shorter-unsaid.gguf"), "ERR_TOO_SHORT"],
    ["a file that is not there", modelAt("/none.gguf"), "ERR_STATUS"],
    ["a dead network", modelAt("/model.gguf", { endpoints: dead }), "ERR_UNREACHABLE", 20_000],
    ["a host that falls silent", modelAt("/silent.gguf"), "ERR_TIMEOUT", 50_000],
    ["a file that comes too slowly", modelAt("/endless.gguf"), "ERR_WINDOW_CLOSED", 8_000],
  ];
  for (const [name, model, code, lifetimeMs] of cases) {
    const { state, error } = await stage.fetch(model, lifetimeMs);
    const left = await stage.remains();
    proof.row({
      name: `does not arrive: ${name}`,
      holds: state === "failed" && error === code && left.length === 0,
      detail: `${error ?? state}${left.length ? `, left: ${left.join(", ")}` : ", nothing left"}`,
    });
  }
  for (const [name, free] of [
    ["to fetch it", 1_000_000],
    ["to store it", 4_500_000],
  ] as const) {
    const giveBack = stage.fillDisk(free);
    const { error } = await stage.fetch(listed);
    giveBack();
    const left = await stage.remains();
    proof.row({
      name: `does not arrive: no room ${name}`,
      holds: error === "ERR_NO_SPACE" && left.length === 0,
      detail: `${error}, ${left.length ? `left: ${left.join(", ")}` : "nothing left"}`,
    });
  }
  const { state, error } = await stage.fetch(listed);
  proof.control(
    "after all of these the listed file still arrives",
    state === "stored",
    error ?? "",
  );
  await stage.ask((session) => session.removeModel(listed.digest));
}

async function closesEarly(): Promise<void> {
  await stage.open(modelAt("/endless.gguf"), 60_000);
  await until(async () => {
    const { transfers } = await stage.ask((session) => session.window());
    return transfers[0]?.state === "fetching" || undefined;
  });
  await stage.ask((session) => session.closeWindow());
  const after = await stage.as("fetcher", connecting(places.models));
  const { error } = await stage.outcome(0);
  proof.row({
    name: "closed early, it is closed at once",
    holds: after === "EPERM" && error === "ERR_WINDOW_CLOSED",
    detail: `${after}, ${error}`,
  });
  await nothingLeft("after a window that was closed early");
}

/** Resolved by the machine's own resolver, shown, signed, opened, watched, by the program people use. */
async function fromATerminal(): Promise<void> {
  const from = "https://models.test/owner/repo/resolve/main/model.gguf";
  const said = await stage.phantoma("models", "add", from, "--yes").said;
  proof.row({
    name: "`phantoma models add` shows what would be reachable, and brings the file",
    holds: /cdn\.test {2}198\.18\.0\.3 {2}port 443/.test(said) && said.includes("is stored"),
    detail: said.includes("is stored") ? "stored" : said,
  });
  const verified = await stage.phantoma("models", "verify", "model").said;
  const seen = await stage.phantoma("egress").said;
  proof.row({
    name: "`phantoma egress` shows the policy in force, `phantoma models verify` a whole file",
    holds: /policy {5}in force/.test(seen) && verified.includes("is whole"),
    detail: /attempts {3}.*/.exec(seen)?.[0] ?? seen,
  });
  await stage.phantoma("models", "remove", "model").said;
  const digest = ["--sha256", "ab".repeat(32)];
  const wrong = stage.phantoma(
    "models",
    "add",
    "https://models.test/wrong.gguf",
    "--yes",
    ...digest,
  );
  const failed = await wrong.said;
  proof.row({
    name: "`phantoma models add` says why a file did not come, and what to do",
    holds: failed.includes("did not come (ERR_DIGEST)") && failed.includes("what to do:"),
  });
  const slow = "https://models.test/endless.gguf";
  const endless = stage.phantoma("models", "add", slow, "--yes", ...digest);
  await until(async () => {
    const { transfers } = await stage.ask((session) => session.window());
    return transfers[0]?.state === "fetching" || undefined;
  });
  process.kill(endless.pid, "SIGINT");
  const interrupted = await endless.said;
  const { open } = await stage.ask((session) => session.window());
  proof.row({
    name: "Ctrl-C closes the window",
    holds:
      open === null && interrupted.startsWith("exit 130") && /closing the window/.test(interrupted),
    detail: interrupted.split("\n")[0]!,
  });
  await nothingLeft("after the terminal's windows");
}

/** The warden and the keeper are dead, their supervisor is stopped: only the kernel is left to do it. */
async function isCutAtItsDeadline(): Promise<void> {
  const lifetimeMs = 8_000;
  const deadline = await stage.open(modelAt("/endless.gguf"), lifetimeMs);
  // Not our fetcher, which would stop by itself: a program that reads on for ever.
  const download = stage.start("fetcher", downloading(places.models));
  await until(async () => download.lines.length > 0 || undefined, 5_000);
  process.kill(stage.node.pid, "SIGSTOP");
  for (const unit of ["warden", "keeper"])
    for (const pid of stage.pids(unit)) process.kill(pid, "SIGKILL");
  const dead = await until(
    async () => stage.pids("warden").length + stage.pids("keeper").length === 0 || undefined,
    2_000,
  ).catch(() => false);
  await sleep(Math.max(0, deadline - Date.now()) + 3_000);
  const after = await stage.as("fetcher", connecting(places.models));
  download.stop();
  const last = download.lines.at(-1)!;
  const lastSecond = download.lines.filter((at) => at > deadline - 1_000 && at <= deadline).length;
  proof.control(
    "the connection was alive to the end, with warden and keeper killed",
    dead && lastSecond >= 5,
    `${lastSecond} pieces in the last second`,
  );
  proof.row({
    name: "the kernel alone cuts it at the deadline, and refuses a new one",
    holds: last <= deadline + CLOCK_MS && after === "EPERM",
    detail: `last byte ${last - deadline} ms after the deadline, then ${after}`,
  });
  process.kill(stage.node.pid, "SIGCONT");
  const window = await until(async () =>
    stage.ask((session) => session.window()).catch(() => undefined),
  );
  const { policy } = await until(async () => {
    const seen = await stage.ask((session) => session.egress()).catch(() => undefined);
    return seen?.policy?.isInForce ? seen : undefined;
  });
  proof.row({
    name: "warden and keeper come back to a closed window and a policy in force",
    holds: window.open === null && policy?.isInForce === true,
  });
  await nothingLeft("after a deadline that nobody saw");
}

async function nothingLeft(when: string): Promise<void> {
  const left = await stage.remains();
  proof.row({ name: `nothing is left ${when}`, holds: left.length === 0, detail: left.join(", ") });
}

/** Prints "connected" or why not. */
function connecting(address: string): string {
  return `import { connect } from "node:net";
const socket = connect(443, "${address}", () => { console.log("connected"); socket.destroy(); });
socket.on("error", ({ code }) => console.log(code));
setTimeout(() => { console.log("nothing"); process.exit(); }, 5000).unref();`;
}

/** Prints a line for every piece that comes. */
function downloading(address: string): string {
  return `import { request } from "node:https";
const asked = request({ host: "${address}", servername: "models.test", path: "/endless.gguf", rejectUnauthorized: false });
asked.on("response", (response) => response.on("data", () => console.log("a piece")));
asked.on("error", () => undefined);
asked.end();
setInterval(() => undefined, 1000);`;
}
