/**
 * What only systemd can do to a policy, under a flood from a real unit with a network: reloads, a crash of the
 * warden, program swaps, and the whole slice stopped and made anew.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { lineOf, type Cell } from "./cell.ts";
import { cellOf } from "./frames.ts";
import type { NodeUnderAttack, Say } from "./node.ts";
import { finished, type Trial } from "./report.ts";
import type { Row } from "./rows.ts";
import { writeDropIn } from "./systemd-node.ts";
import { systemctl } from "./warden.ts";

const SERVICE = "phantoma-gateway.service";
const IN_PATH = "/run/phantoma-attack/flood.in";
const OUT_PATH = "/run/phantoma-attack/flood.out";
/** Thousands of attempts a second, and PID 1 still gets its turns on an emulated processor. */
const PAUSE_US = "100";
/** Without the rest of the node: its units would only wait for each other. */
const ALONE = "--job-mode=ignore-dependencies";
const RELOADS = 15;
const REEXECS = 5;
const SWAP_ROUNDS = 1_000;
/** A warden that systemd starts again has attached and probed by then, on an emulated processor. */
const RESTART_MS = 60_000;
const floodRow: Row = { id: "36s", attempt: "flood", stopper: "cgroup" };

export async function runSystemdTrials(node: NodeUnderAttack, say: Say): Promise<Trial[]> {
  const { stage, warden } = node;
  const trials: Trial[] = [];
  for (const [id, attempt, disturb] of [
    ["36a", `${RELOADS} daemon-reloads under a flood`, () => repeat(RELOADS, "daemon-reload")],
    ["36b", `${REEXECS} daemon-reexecs under a flood`, () => repeat(REEXECS, "daemon-reexec")],
    [
      "36c",
      `${SWAP_ROUNDS} program swaps under a flood`,
      () => {
        const args = ["sabotage", "swap", warden.paths.pins, String(SWAP_ROUNDS)];
        const { status, stdout, stderr } = spawnSync(stage.attempts, args, { encoding: "utf8" });
        if (status !== 0) throw new Error(stderr);
        return stdout.trim();
      },
    ],
    [
      "36d",
      "kill -9 of the warden under a flood",
      () => systemctl("kill", "--signal=KILL", "phantoma-warden"),
    ],
  ] as const) {
    say(`${attempt} …`);
    trials.push(await finished(attempt, async () => await underFlood(node, id, attempt, disturb)));
  }
  say("the slice stopped and made anew …");
  trials.push(await finished("slice", async () => await sliceIsMadeAnew(node)));
  say("units without a policy …");
  trials.push(await finished("units", async () => await unitsDoNotStart(node)));
  return trials;
}

async function underFlood(
  node: NodeUnderAttack,
  id: string,
  attempt: string,
  disturb: () => string | undefined,
): Promise<Trial> {
  const cell = startFlood(node);
  await sleep(1_000);
  const isFlooding = isActive();
  const said = disturb();
  await sleep(1_000);
  const { tried, refused } = endFlood();
  const frames = await framesOf(node, cell);
  return {
    id,
    attempt,
    isBlocked: isFlooding && frames === 0 && tried > 0 && refused === tried,
    detail: `${said ? `${said}; ` : ""}${tried} tried, ${refused} refused, ${frames} frames`,
  };
}

/**
 * The cgroup is gone and with it every link, though the pins are still there. The flood may start again only under
 * a policy that was attached anew.
 */
async function sliceIsMadeAnew(node: NodeUnderAttack): Promise<Trial> {
  const { warden } = node;
  const cell = startFlood(node);
  await sleep(1_000);
  systemctl("stop", "phantoma.slice");
  // At once, and without what it is ordered after: the unit's own check is all that stands in the way.
  const early = start(ALONE, SERVICE);
  const framesEarly = await framesOf(node, cell);
  const isRunningUnchecked = early === "" && warden.verify() !== "";
  if (early === "") systemctl("stop", SERVICE);
  systemctl("start", "phantoma-hold", "phantoma-warden");
  const verified = await inForce(node);
  const again = start(ALONE, SERVICE);
  await sleep(1_000);
  const { tried, refused } = endFlood();
  const frames = await framesOf(node, cell);
  await warden.connect();
  return {
    id: "36e",
    attempt: "slice stopped and made anew under a flood",
    isBlocked:
      frames === 0 &&
      framesEarly === 0 &&
      !isRunningUnchecked &&
      verified === "" &&
      again === "" &&
      tried > 0 &&
      refused === tried,
    detail:
      `started at once: ${early || "yes, under the policy"}; afterwards: ${verified || "in force"}, ` +
      `${again || "started"}; ${tried} tried, ${refused} refused, ${frames} frames`,
  };
}

/** A pin is gone: no unit starts, and the journal says why. */
async function unitsDoNotStart({ warden }: NodeUnderAttack): Promise<Trial> {
  rmSync(join(warden.paths.pins, "link_egress"));
  const refusals = ["phantoma-keeper", "phantoma-gateway", "phantoma-worker@fault"].map((unit) => ({
    unit,
    why: start(ALONE, unit),
  }));
  const started = refusals.filter(({ why }) => why === "").map(({ unit }) => unit);
  const words = spawnSync(
    "sh",
    ["-c", "journalctl -q --no-pager -n 200; journalctl -q --namespace=phantoma --no-pager -n 200"],
    { encoding: "utf8" },
  );
  const reason = /ERR_LINK_MISSING.*/.exec(words.stdout)?.[0] ?? "";
  return {
    id: "fault",
    attempt: "keeper, gateway and worker without a pin",
    isBlocked: started.length === 0 && reason !== "",
    detail: started.length > 0 ? `${started.join(" ")} started` : reason || "nobody says why",
  };
}

function startFlood({ cells, stage }: NodeUnderAttack): Cell {
  const cell = cells.make(floodRow, "gateway", "sandbox");
  mkdirSync("/run/phantoma-attack", { recursive: true });
  writeFileSync(IN_PATH, `${lineOf({ ...cell, row: { ...floodRow, id: "37" } })}\n`);
  writeFileSync(OUT_PATH, "");
  const program = [stage.attempts, "flood", String(Number.MAX_SAFE_INTEGER), "600", "0", PAUSE_US];
  writeDropIn(SERVICE, program, [
    `StandardInput=file:${IN_PATH}`,
    `StandardOutput=append:${OUT_PATH}`,
  ]);
  systemctl("start", ALONE, SERVICE);
  return cell;
}

/** @returns what its last run said */
function endFlood(): { tried: number; refused: number } {
  systemctl("stop", SERVICE);
  const said = [...readFileSync(OUT_PATH, "utf8").matchAll(/^flood (\d+) (\d+)$/gm)].at(-1);
  return { tried: Number(said?.[1] ?? 0), refused: Number(said?.[2] ?? 0) };
}

async function framesOf({ stage, cells }: NodeUnderAttack, { number }: Cell): Promise<number> {
  await stage.settle();
  return stage.frames.filter((frame) => cellOf(frame, cells.byCanary)?.number === number).length;
}

async function inForce({ warden }: NodeUnderAttack): Promise<string> {
  const deadline = Date.now() + RESTART_MS;
  for (;;) {
    const why = warden.verify();
    if (why === "" || Date.now() > deadline) return why;
    await sleep(500);
  }
}

/** @returns "" when it started, else systemd's words */
function start(...args: string[]): string {
  try {
    systemctl("start", ...args);
    return isActive(args.at(-1)) ? "" : "ended at once";
  } catch (error) {
    return (error as Error).message.split("\n", 1)[0]!;
  }
}

function isActive(service = SERVICE): boolean {
  return spawnSync("systemctl", ["is-active", "-q", service]).status === 0;
}

function repeat(times: number, command: string): string {
  for (let i = 0; i < times; i++) systemctl(command);
  return `${times} times`;
}
