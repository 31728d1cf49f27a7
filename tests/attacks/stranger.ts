/**
 * Somebody else's attack program in the worker's place: its cgroup, its sandbox, and a sniffer outside.
 *
 * @module
 */
import { accessSync, constants } from "node:fs";
import { resolve } from "node:path";
import { isLinkNoise } from "./frames.ts";
import type { NativeNode } from "./native.ts";

/** @returns the exit code: 1 when any frame left */
export async function runStranger(
  { stage, warden, cells, place }: NativeNode,
  file: string,
  say: (text: string) => void,
): Promise<number> {
  const program = resolve(file);
  accessSync(program, constants.X_OK);
  let passed = 0;
  let logged = 0;
  // With the whole network first: what the empty namespace would hide is the policy's to stop as well.
  for (const mode of ["policy", "sandbox"] as const) {
    const before = stage.frames.length;
    const counted = warden.count("worker");
    const cell = cells.make({ id: "-", attempt: program, stopper: "cgroup" }, "worker", mode);
    for (const line of await stage.runStranger(cell, place("worker"), program)) say(`  > ${line}`);
    await stage.settle();
    await warden.settle();
    const frames = stage.frames.slice(before).filter((frame) => !isLinkNoise(frame)).length;
    const { attempts, logged: told, lost } = warden.count("worker");
    passed += frames;
    logged += told - counted.logged;
    say(
      `${mode}: ${frames} frames; ${attempts - counted.attempts} attempts refused, ${told - counted.logged} logged, ${lost - counted.lost} lost`,
    );
  }
  for (const { hook, address, port } of warden.events
    .filter(({ unit }) => unit === "worker")
    .slice(-20))
    say(`  ${hook} ${address}${port ? ` port ${port}` : ""}`);
  say(`${passed} frames passed, ${logged} attempts logged`);
  return passed === 0 ? 0 : 1;
}
