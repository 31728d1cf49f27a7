/**
 * The tunnel under attack: every attack for real, against real processes, with an honest client
 * that chats all the while and loses nothing.
 *
 *   main.ts [--json] [--canary TEXT] [--only GROUP] [--log]
 *
 * Linux only: it counts, stops and kills the node's processes.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { argumentsOf, flag, oneOf, text } from "../../arguments.ts";
import { Proof } from "../../proof.ts";
import { attackConnections } from "./connections.ts";
import { attackAsImpostor } from "./impostors.ts";
import { attackAsLiar } from "./liars.ts";
import { attackFromInside } from "./inside.ts";
import { attackInTheMiddle } from "./middle.ts";
import { attackProcesses } from "./processes.ts";
import { attackByRevokedDevice } from "./revocation.ts";
import { attackWithRequests } from "./requests.ts";
import { searchForRemains, searchForSecrets } from "./secrets.ts";
import { attackQueue, attackWithLyingModels } from "./small-node.ts";
import { makeLies, SMALL_NODE_FLAGS } from "./small-node.ts";
import { beginStalling, stall } from "./stalling.ts";
import { Stage } from "./stage.ts";
import { attackAsStrangers, attackTickets } from "./tickets.ts";
import { Trace } from "./trace.ts";

const values = argumentsOf({
  canary: text,
  only: text,
  log: flag,
  json: flag,
});

type Groups = Readonly<Record<string, (stage: Stage) => Promise<void>>>;

/** In this order: what ends every session comes last. */
const groups: Groups = {
  connections: attackConnections,
  stalling: stall,
  tickets: attackTickets,
  strangers: attackAsStrangers,
  revocation: attackByRevokedDevice,
  requests: attackWithRequests,
  middle: attackInTheMiddle,
  impostors: attackAsImpostor,
  liars: attackAsLiar,
  inside: attackFromInside,
  processes: attackProcesses,
};
/** On a node of its own, with room for two. */
const smallNodeGroups: Groups = { models: attackWithLyingModels, queue: attackQueue };

const names = [...Object.keys(groups), "secrets", ...Object.keys(smallNodeGroups)];
oneOf("only", values.only, names);
const proof = new Proof("The tunnel under attack", values.json);
/** Everything that the nodes and this program keep for a while lies under it. */
const temporary = mkdtempSync(join(tmpdir(), "phantoma-attacks-"));
process.env["TMPDIR"] = temporary;
const canary = values.canary ?? `canary-${randomBytes(8).toString("hex")}`;
const trace = new Trace(canary, values.log);
try {
  if (Object.keys(groups).some(isWanted) || isWanted("secrets")) await attackNode();
  if (Object.keys(smallNodeGroups).some(isWanted)) await attackSmallNode();
} finally {
  trace.close();
  rmSync(temporary, { recursive: true, force: true });
}
process.exitCode = proof.finish();

async function attackNode(): Promise<void> {
  const stage = await Stage.open(proof, trace, ["echo"], ["--warm", "1", "--max-live", "8"]);
  try {
    const judgeStalling = isWanted("stalling") ? await beginStalling(stage) : undefined;
    await run(groups, stage);
    await judgeStalling?.();
    proof.say("\nsecrets");
    await searchForSecrets(stage, temporary);
  } finally {
    await stage.node.stop();
  }
  await searchForRemains(stage, temporary);
}

async function attackSmallNode(): Promise<void> {
  const liesDir = mkdtempSync(join(temporary, "lies-"));
  const models = ["echo" as const, ...(await makeLies(liesDir))];
  const stage = await Stage.open(proof, trace, models, SMALL_NODE_FLAGS);
  try {
    await run(smallNodeGroups, stage);
  } finally {
    await stage.node.stop();
    rmSync(liesDir, { recursive: true });
  }
  await searchForRemains(stage, temporary);
}

async function run(attacks: Groups, stage: Stage): Promise<void> {
  for (const [name, attack] of Object.entries(attacks)) {
    if (!isWanted(name)) continue;
    proof.say(`\n${name}`);
    try {
      await attack(stage);
      await stage.servesNewcomers();
    } catch (error) {
      proof.row({ name: `${name}: all was tried`, holds: false, detail: (error as Error).message });
    }
  }
}

function isWanted(group: string): boolean {
  return values.only === undefined || values.only === group;
}
