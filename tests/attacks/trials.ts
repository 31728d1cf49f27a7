/**
 * What is tried beside the matrix, all under a flood: counting exactly, a crash of the warden, program swaps, a
 * cgroup made anew, and an attacker who was there before the policy.
 *
 * @module
 */
import { existsSync, mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Cells } from "./cell.ts";
import { cellOf } from "./frames.ts";
import { LineProcess } from "./lines.ts";
import type { NodeUnderAttack, Say } from "./node.ts";
import { finished, type Trial } from "./report.ts";
import type { Row } from "./rows.ts";
import type { UnitPlace } from "./stage.ts";
import { Warden } from "./warden.ts";

/** Far more than the ring holds, so that some must be lost and counted. */
const FLOOD_ATTEMPTS = 200_000;
const FLOOD_SECONDS = 60;
const SWAP_ROUNDS = 1_000;
/** Slow enough that the sniffer has told of a frame before the next: what left before and after must not mix. */
const EARLY_PAUSE_US = 500;
const floodRow: Row = { id: "37", attempt: "flood", stopper: "cgroup" };

export async function runTrials(node: NodeUnderAttack, say: Say): Promise<Trial[]> {
  const trials: Trial[] = [];
  for (const [name, trial] of [
    ["200,000 attempts …", floodIsCounted],
    ["program swaps under a flood …", swapsPassNothing],
    ["a cgroup made anew …", recreatedCgroupIsRefused],
    ["an attacker who was there before the policy …", earlierProcessIsRefused],
    ["the warden killed under a flood …", killedWardenPassesNothing],
  ] as const) {
    say(name);
    node.prepare("worker");
    trials.push(await finished(name, async () => await trial(node)));
  }
  return trials;
}

/** 37: no frame, and each attempt either logged or lost, exactly. */
async function floodIsCounted({ stage, warden, cells, place }: NodeUnderAttack): Promise<Trial> {
  const before = warden.count("worker");
  const cell = cells.make(floodRow, "worker", "policy");
  const { tried, refused } = await stage.flood(cell, place("worker"), {
    count: FLOOD_ATTEMPTS,
    seconds: FLOOD_SECONDS,
  });
  await stage.settle();
  const after = warden.count("worker");
  const attempts = after.attempts - before.attempts;
  const logged = after.logged - before.logged;
  const lost = after.lost - before.lost;
  const frames = framesOf(stage.frames, cell.number, cells);
  return {
    id: "37",
    attempt: "flood to drown the log",
    isBlocked:
      frames === 0 &&
      tried === FLOOD_ATTEMPTS &&
      refused === tried &&
      attempts === tried &&
      logged + lost === attempts,
    detail: `${tried} tried, ${refused} refused, ${frames} frames; ${attempts} counted = ${logged} logged + ${lost} lost`,
  };
}

/** An upgrade replaces each program in one step: there is no moment without one. */
async function swapsPassNothing({ stage, warden, cells, place }: NodeUnderAttack): Promise<Trial> {
  const cell = cells.make(floodRow, "worker", "policy");
  const swap = new LineProcess(stage.attempts, [
    "sabotage",
    "swap",
    warden.paths.pins,
    String(SWAP_ROUNDS),
  ]);
  const swapping = { isOver: false };
  const swapped = swap.finish().finally(() => (swapping.isOver = true));
  let tried = 0;
  let refused = 0;
  do {
    const flood = await stage.flood(cell, place("worker"), { count: 20_000, seconds: 10 });
    tried += flood.tried;
    refused += flood.refused;
  } while (!swapping.isOver);
  const said = (await swapped).at(-1) ?? swap.complaint.trim();
  await stage.settle();
  const frames = framesOf(stage.frames, cell.number, cells);
  return {
    id: "35b",
    attempt: "programs swapped under a flood",
    isBlocked: frames === 0 && refused === tried && /^swapped \d{4,}$/.test(said),
    detail: `${said}; ${tried} tried, ${refused} refused, ${frames} frames`,
  };
}

/** 36: a new cgroup of the old name is nobody the policy knows. */
async function recreatedCgroupIsRefused({
  stage,
  warden,
  cells,
  place,
}: NodeUnderAttack): Promise<Trial> {
  const { cgroup } = place("keeper");
  if (existsSync(cgroup)) rmdirSync(cgroup);
  mkdirSync(cgroup);
  const before = warden.count("unknown").attempts;
  const cell = cells.make({ ...floodRow, id: "36" }, "keeper", "policy");
  const { tried, refused } = await stage.flood(cell, place("keeper"), {
    count: 3_000,
    seconds: 10,
  });
  const counted = warden.count("unknown").attempts - before;
  warden.admit("keeper", cgroup);
  await stage.settle();
  const frames = framesOf(stage.frames, cell.number, cells);
  return {
    id: "36",
    attempt: "cgroup removed and made anew",
    isBlocked: frames === 0 && refused === tried && counted >= tried,
    detail: `${tried} tried, ${refused} refused, ${counted} counted as unknown, ${frames} frames`,
  };
}

/** 42: its socket is older than the policy, its cgroup is not; from "ready" on nothing leaves. */
async function earlierProcessIsRefused({ stage, warden, cells }: NodeUnderAttack): Promise<Trial> {
  const cgroup = join(stage.mount, `phantoma-early-${stage.id}`);
  const early = new Warden({
    ...warden.paths,
    cgroup,
    pins: `${warden.paths.pins}-early`,
    state: join(stage.dir, "early"),
    socket: join(stage.dir, "early.sock"),
    identity: join(stage.dir, "early-devices"),
  });
  const cell = cells.make({ ...floodRow, id: "42" }, "worker", "policy");
  const place: UnitPlace = {
    unit: "worker",
    cgroup: join(cgroup, "worker"),
    pins: early.paths.pins,
    wardenPid: 0,
  };
  mkdirSync(cgroup);
  mkdirSync(place.cgroup);
  try {
    const flood = stage.flood(cell, place, { seconds: 3, pauseUs: EARLY_PAUSE_US });
    await sleep(200);
    await early.start(["--make-cgroup"]);
    await stage.settle();
    const seen = stage.frames.length;
    const before = framesOf(stage.frames, cell.number, cells);
    const { tried, refused } = await flood;
    await stage.settle();
    const after = framesOf(stage.frames.slice(seen), cell.number, cells);
    return {
      id: "42",
      attempt: "a process that was there before the policy",
      isBlocked: before > 0 && after === 0 && refused > 0,
      detail: `${before} frames until the policy was in force, ${after} after; ${refused} of ${tried} refused`,
    };
  } finally {
    await early.end();
    for (const path of [place.cgroup, cgroup]) if (existsSync(path)) rmdirSync(path);
  }
}

/** 35: links are pinned, so nobody has to be alive for them. Last, because the warden is a new one afterwards. */
async function killedWardenPassesNothing({
  stage,
  warden,
  cells,
  place,
}: NodeUnderAttack): Promise<Trial> {
  const cell = cells.make(floodRow, "worker", "policy");
  const flood = stage.flood(cell, place("worker"), { seconds: 3 });
  await sleep(700);
  await warden.kill();
  const { tried, refused } = await flood;
  const verdictWithout = warden.verify();
  await warden.start(["--make-cgroup"]);
  await stage.settle();
  const frames = framesOf(stage.frames, cell.number, cells);
  return {
    id: "35",
    attempt: "the warden killed under a flood",
    isBlocked: frames === 0 && refused === tried && verdictWithout === "",
    detail: `${tried} tried, ${refused} refused, ${frames} frames; without a warden verify says ${verdictWithout || "in force"}`,
  };
}

function framesOf(frames: readonly string[], number: number, { byCanary }: Cells): number {
  return frames.filter((frame) => cellOf(frame, byCanary)?.number === number).length;
}
