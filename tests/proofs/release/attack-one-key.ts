/**
 * One key under three names: the root in which one person is a quorum of three. TUF's own check takes it.
 *
 * @module
 */
import { keyId, parseAnchor, ReleaseError } from "@phantoma/release";
import { Metadata, MetadataKind, Root } from "@tufjs/models";
import { addSignature, newRoot } from "../../../tools/release/new-metadata.ts";
import type { SigningKey } from "../../../tools/release/signing-key.ts";
import type { Report } from "./main.ts";
import type { Stage } from "./stage.ts";

export async function attackWithOneKey(stage: Stage, { refused, shown }: Report): Promise<void> {
  const { engineers } = stage.team;
  const ada = engineers[0]!;
  for (const [how, code] of [
    ["under names of her choice", "ERR_KEY_ID"],
    ["under names that are true digests", "ERR_KEY_TWICE"],
  ] as const) {
    const tripled = oneKeyThreeNames(stage, ada, how === "under names of her choice");
    shown(`control: TUF's own check takes one key for three ${how}`, acceptedByTuf(tripled));
    const anchor = {
      kind: "development",
      builtAt: new Date(stage.nowMs).toISOString(),
      provenance: stage.anchor.provenance,
      root: tripled.toJSON(),
    };
    refused(`one key counts as three ${how}`, code, refusalOfAnchor(anchor));
    const next = oneKeyThreeNames(stage, ada, how === "under names of her choice", 2);
    for (const engineer of engineers) addSignature(next, engineer);
    refused(
      `the same as new keys, approved by everybody`,
      code,
      await stage.refusalOf(stage.forge({ root: next })),
    );
  }
}

/** A root in which Ada's one key is the whole of root and targets. */
function oneKeyThreeNames(
  stage: Stage,
  ada: SigningKey,
  isChosen: boolean,
  version = 1,
): Metadata<Root> {
  const own = { kind: "development", line: stage.anchor.line } as const;
  const honest = newRoot(
    version,
    own,
    stage.team.roster,
    stage.nowMs,
  ).signed.toJSON() as unknown as RootJson;
  const keys: RootJson["keys"] = {};
  const people: Record<string, string> = {};
  for (const id of [...honest.roles["snapshot"]!.keyids, ...honest.roles["timestamp"]!.keyids]) {
    keys[id] = honest.keys[id]!;
    people[id] = honest["x-phantoma"].people[id]!;
  }
  const names = ["Ada", "Ben", "Cleo", "Dara", "Emil"];
  const ids = names.map((person, index) => {
    const key = {
      keytype: "ed25519",
      scheme: "ed25519",
      keyval: { public: ada.public },
      ...(isChosen ? {} : { x: String(index) }),
    };
    const id = isChosen ? String(index + 1).repeat(64) : keyId({ toJSON: () => key });
    keys[id] = key;
    people[id] = person;
    return id;
  });
  const role = (threshold: number) => ({ keyids: ids, threshold });
  const roles = { ...honest.roles, root: role(3), targets: role(2) };
  const root = Root.fromJSON({ ...honest, keys, roles, "x-phantoma": { ...own, people } } as never);
  const file = new Metadata(root);
  for (const keyid of ids) addSignature(file, { ...ada, keyid });
  return file;
}

interface RootJson {
  keys: Record<string, object>;
  roles: Record<string, { keyids: string[]; threshold: number }>;
  "x-phantoma": { people: Record<string, string> };
}

function acceptedByTuf(root: Metadata<Root>): boolean {
  try {
    const read = Metadata.fromJSON(MetadataKind.Root, root.toJSON());
    read.verifyDelegate("root", read);
    return true;
  } catch {
    return false;
  }
}

function refusalOfAnchor(anchor: object): string | undefined {
  try {
    parseAnchor(anchor);
    return undefined;
  } catch (error) {
    if (error instanceof ReleaseError) return error.code;
    throw error;
  }
}
