/**
 * Attacks on what is signed: old, frozen and mixed metadata, too few people, and keys that are not what they seem.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, rmSync, symlinkSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { parseMetadata, ReleaseFolder } from "@phantoma/release";
import { Metadata, type Root } from "@tufjs/models";
import { draftKeyChange } from "../../../tools/release/change-keys.ts";
import {
  addSignature,
  newRoot,
  newTargets,
  newTimestamp,
} from "../../../tools/release/new-metadata.ts";
import { publish } from "../../../tools/release/publish.ts";
import { makeKey, type SigningKey } from "../../../tools/release/signing-key.ts";
import type { Report } from "./main.ts";
import type { Stage } from "./stage.ts";

const HOUR_MS = 3_600_000;
/** A hole in a file, which takes no room. */
const HUGE_BYTES = 10 ** 12;

export async function attackTime(stage: Stage, { refused }: Report): Promise<void> {
  refused(
    "rollback: the whole repository as it was",
    "ERR_ROLLBACK",
    await stage.refusalOfSeen(stage.firstDir),
  );

  const rolledBack = stage.forge({
    targets: parseMetadata("targets", stage.ceremony.published("targets", 2)),
    signers: [],
  });
  refused(
    "rollback of the list, with stolen snapshot and timestamp keys",
    "ERR_ROLLBACK",
    await stage.refusalOfSeen(rolledBack),
  );

  const later = { nowMs: stage.nowMs + 25 * HOUR_MS };
  refused("freeze: yesterday's timestamp", "ERR_EXPIRED", await stage.refusal(later));

  const eternal = stage.forge({ madeAtMs: stage.nowMs + 24 * 365 * HOUR_MS });
  const code = await stage.refusalOf(eternal);
  refused("freeze: stolen keys that claim to be of next year", "ERR_CLOCK", code);

  const ahead = stage.copy();
  const timestamp = newTimestamp(
    1000,
    parseMetadata("snapshot", stage.ceremony.published("snapshot", 3)),
    stage.nowMs,
  );
  const long = new Metadata(Object.assign(timestamp.signed, { expires: "2099-01-01T00:00:00Z" }));
  addSignature(long, stage.team.timestamp);
  stage.put(ahead, "timestamp.json", long);
  refused(
    "freeze: a stolen timestamp key that vouches until 2099",
    "ERR_EXPIRED",
    await stage.refusalOf(ahead),
  );

  const back = { stateDir: stage.seenDir, nowMs: stage.nowMs - 48 * HOUR_MS };
  refused("a clock that was set back", "ERR_CLOCK", await stage.refusal(back));

  const mixed = stage.copy();
  copyFileSync(
    join(stage.firstDir, "metadata/1.targets.json"),
    join(mixed, "metadata/3.targets.json"),
  );
  refused(
    "mix and match: an old list under the new snapshot",
    "ERR_MISMATCH",
    await stage.refusalOf(mixed),
  );

  const huge = stage.copy();
  truncateSync(join(huge, "metadata/timestamp.json"), HUGE_BYTES);
  refused("metadata of a terabyte", "ERR_TOO_LARGE", await stage.refusalOf(huge));

  const endless = stage.copy();
  rmSync(join(endless, "metadata/timestamp.json"));
  symlinkSync("/dev/zero", join(endless, "metadata/timestamp.json"));
  refused("a device that never ends as metadata", "ERR_MISSING", await stage.refusalOf(endless));

  const piped = stage.copy();
  rmSync(join(piped, "metadata/timestamp.json"));
  execFileSync("mkfifo", [join(piped, "metadata/timestamp.json")]);
  refused("a pipe that nobody writes to as metadata", "ERR_MISSING", await stage.refusalOf(piped));
}

export async function attackQuorum(stage: Stage, { refused }: Report): Promise<void> {
  const { engineers, snapshot, timestamp } = stage.team;
  const [ada, ben] = [engineers[0]!, engineers[1]!];
  const alone = stage.forge({ signers: [ada] });
  refused("one engineer signs alone", "ERR_QUORUM", await stage.refusalOf(alone));

  const machines = stage.forge({ signers: [snapshot, timestamp] });
  refused(
    "stolen snapshot and timestamp keys sign the list",
    "ERR_QUORUM",
    await stage.refusalOf(machines),
  );

  const list = newTargets(4, stage.files, stage.nowMs);
  addSignature(list, ada);
  const old = parseMetadata("targets", stage.ceremony.published("targets", 3));
  list.signatures[ben.keyid] = old.signatures[ben.keyid]!;
  const replayed = stage.forge({ targets: list, signers: [] });
  refused(
    "another engineer's signature, replayed from the last list",
    "ERR_QUORUM",
    await stage.refusalOf(replayed),
  );

  const twice = newTargets(4, stage.files, stage.nowMs);
  addSignature(twice, ada);
  addSignature(twice, { ...ada, keyid: ada.keyid.toUpperCase() });
  const upper = stage.forge({ targets: twice, signers: [] });
  refused(
    "one signature again under the key's name in capitals",
    "ERR_QUORUM",
    await stage.refusalOf(upper),
  );

  const { roster } = stage.team;
  const own = { kind: "development", line: stage.anchor.line } as const;
  const strangers = ["Faye", "Gil", "Hana", "Ivo", "June"].map(makeKey);
  const theirs = {
    ...roster,
    root: { keys: strangers, threshold: 3 },
    targets: { keys: strangers, threshold: 2 },
  };
  const root = signedBy(newRoot(2, own, theirs, stage.nowMs), [...strangers, ada, ben]);
  const taken = stage.forge({ root, signers: strangers });
  refused(
    "new keys, approved by 2 of the 3 that it takes",
    "ERR_QUORUM",
    await stage.refusalOf(taken),
  );

  const skipped = signedBy(newRoot(3, own, theirs, stage.nowMs), [...strangers, ...engineers]);
  const jumped = stage.forge({ root: skipped, signers: strangers });
  refused("new keys that skip a version", "ERR_QUORUM", await stage.refusalOf(jumped));

  const lowered = { ...roster, targets: { keys: engineers, threshold: 1 } };
  const weak = signedBy(newRoot(2, own, lowered, stage.nowMs), engineers);
  const floor = stage.forge({ root: weak, signers: [ada] });
  refused("a quorum of 1, approved by everybody", "ERR_TOO_FEW_KEYS", await stage.refusalOf(floor));

  const machine = { ...roster, timestamp: { keys: [ada], threshold: 1 } };
  const shared = signedBy(newRoot(2, own, machine, stage.nowMs), engineers);
  refused(
    "an engineer's key on the timestamp machine",
    "ERR_KEY_TWICE",
    await stage.refusalOf(stage.forge({ root: shared })),
  );

  const several = [ada, { ...makeKey("Ada") }, { ...makeKey("ada ") }, ben, engineers[2]!];
  const one = signedBy(
    newRoot(2, own, { ...roster, targets: { keys: several, threshold: 2 } }, stage.nowMs),
    engineers,
  );
  refused(
    "one engineer with three keys",
    "ERR_KEY_TWICE",
    await stage.refusalOf(stage.forge({ root: one })),
  );
}

/** The ceremony for real: Ada is revoked, Faye comes, and the release stands without Ada. */
export async function attackAsRevoked(stage: Stage, { refused, shown }: Report): Promise<void> {
  const { engineers } = stage.team;
  const faye = makeKey("Faye");
  const [ada, ben, cleo, dara] = engineers as [SigningKey, SigningKey, SigningKey, SigningKey];
  const honest = stage.copy();
  draftKeyChange(
    stage.ceremony,
    { remove: ["Ada"], add: [{ key: faye, roles: ["root", "targets"] }] },
    stage.nowMs,
  );
  const quorums = () => stage.ceremony.quorums("root").map(({ signers }) => signers.length);
  stage.team.sign(stage.ceremony, [ben, cleo]);
  const early = await publish(stage.ceremony, stage.team, stage.nowMs).then(
    () => "published",
    () => "refused",
  );
  shown(
    "two signatures do not revoke anybody",
    early === "refused",
    `root has ${quorums().join(" and ")}`,
  );
  stage.team.sign(stage.ceremony, [dara, faye]);
  await publish(stage.ceremony, stage.team, stage.nowMs);
  shown(
    "an engineer is revoked and the release stands without her",
    (await stage.refusalOfSeen(stage.repository)) === undefined,
  );

  const late = stage.forge({ signers: [ada, ben] });
  refused("a revoked engineer signs with another", "ERR_QUORUM", await stage.refusalOf(late));
  const stateDir = stage.newDir("state");
  await stage.refusal({ stateDir });
  refused(
    "what was valid before she was revoked, to who saw it",
    "ERR_ROLLBACK",
    await stage.refusal({ source: new ReleaseFolder(honest), stateDir }),
  );
}

function signedBy(root: Metadata<Root>, keys: readonly SigningKey[]): Metadata<Root> {
  for (const key of keys) addSignature(root, key);
  return root;
}
