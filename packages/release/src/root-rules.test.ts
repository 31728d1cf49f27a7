/** One key under three names: what TUF's own check accepts, this one refuses, whoever signed it. */
import { Metadata, MetadataKind, Root } from "@tufjs/models";
import { expect, test } from "vitest";
import { DevelopmentTeam } from "../../../tools/release/development/team.ts";
import { addSignature, newRoot } from "../../../tools/release/new-metadata.ts";
import { makeKey } from "../../../tools/release/signing-key.ts";
import { keyId, readRoles } from "./root-rules.ts";

const nowMs = Date.now();
const team = new DevelopmentTeam(nowMs);
const own = { kind: "development", line: "0".repeat(32) } as const;

test.each([
  [
    "names of her choice",
    "ERR_KEY_ID",
    (index: number) => ({ id: `${index}`.repeat(64), more: {} }),
  ],
  [
    "true digests",
    "ERR_KEY_TWICE",
    (index: number) => ({ id: undefined, more: { x: `${index}` } }),
  ],
] as const)("one key under %s is no quorum", (_how, code, nameOf) => {
  const ada = makeKey("Ada");
  const { signed } = newRoot(1, own, team.roster, nowMs);
  const json = structuredClone(signed.toJSON()) as unknown as {
    keys: Record<string, object>;
    roles: Record<string, object>;
    "x-phantoma": { people: Record<string, string> };
  };
  const ids = team.engineers.map(({ person }, index) => {
    const { id, more } = nameOf(index + 1);
    const key = { keytype: "ed25519", scheme: "ed25519", keyval: { public: ada.public }, ...more };
    const name = id ?? keyId({ toJSON: () => key });
    json.keys[name] = key;
    json["x-phantoma"].people[name] = person;
    return name;
  });
  json.roles["root"] = { keyids: ids, threshold: 3 };
  const root = new Metadata(Root.fromJSON(json as never));
  for (const keyid of ids) addSignature(root, { ...ada, keyid });
  const read = Metadata.fromJSON(MetadataKind.Root, root.toJSON());
  expect(() => read.verifyDelegate("root", read)).not.toThrow();
  expect(() => readRoles(read.signed)).toThrow(expect.objectContaining({ code }));
});

test("a key that needs no secret, and a second spelling of one, are no keys", () => {
  const refuse = (publicKey: string) => {
    const { signed } = newRoot(
      1,
      own,
      {
        ...team.roster,
        snapshot: { keys: [{ ...makeKey("s"), public: publicKey }], threshold: 1 },
      },
      nowMs,
    );
    expect(() => readRoles(signed)).toThrow(expect.objectContaining({ code: "ERR_METADATA" }));
  };
  refuse(`01${"00".repeat(31)}`);
  refuse(makeKey("s").public.toUpperCase());
  refuse("");
});
