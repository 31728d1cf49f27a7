/**
 * Somebody else's attack program in the worker's place: its cgroup, its sandbox, and a sniffer outside.
 *
 * Everything that it sends, to whatever address, ends at the sniffer: no real network is in reach.
 *
 * @module
 */
import { accessSync, constants } from "node:fs";
import { resolve } from "node:path";
import { isLinkNoise } from "./frames.ts";
import type { NodeUnderAttack, Say } from "./node.ts";
import type { UnitPlace } from "./stage.ts";

/** The last refusals are shown; the log has them all. */
const SHOWN_EVENTS = 20;

/** @returns the exit code: 1 when any frame left */
export async function runStranger(
  { stage, warden, cells, place }: NodeUnderAttack,
  file: string,
  say: Say,
): Promise<number> {
  const program = resolve(file);
  accessSync(program, constants.X_OK);
  const control: UnitPlace = {
    ...place("worker"),
    cgroup: stage.makeCgroup(`phantoma-control-${stage.id}`),
  };
  let passed = 0;
  let logged = 0;
  // Without any policy; with the whole network; and as a worker is.
  for (const mode of ["control", "policy", "sandbox"] as const) {
    const before = stage.frames.length;
    const counted = warden.count("worker");
    const cell = cells.make({ id: "-", attempt: program, stopper: "cgroup" }, "worker", mode);
    const { output, complaint } = await stage.runStranger(
      cell,
      mode === "control" ? control : place("worker"),
      program,
    );
    await stage.settle();
    await warden.settle();
    const frames = stage.frames.slice(before).filter((frame) => !isLinkNoise(frame)).length;
    const after = warden.count("worker");
    say(
      `${mode.padEnd(8)} ${frames} frames; ${after.attempts - counted.attempts} attempts refused, ` +
        `${after.logged - counted.logged} logged, ${after.lost - counted.lost} lost`,
    );
    for (const line of [...output, ...complaint.split("\n").filter(Boolean)]) say(`  > ${line}`);
    if (mode === "control") {
      if (frames === 0) say("control did not leak: what follows proves nothing about this program");
      continue;
    }
    passed += frames;
    logged += after.logged - counted.logged;
  }
  const events = warden.events.filter(({ unit }) => unit === "worker").slice(-SHOWN_EVENTS);
  for (const { hook, address, port } of events)
    say(`  ${hook} ${address}${port ? ` port ${port}` : ""}`);
  say(`${passed} frames passed, ${logged} attempts logged`);
  return passed === 0 ? 0 : 1;
}
