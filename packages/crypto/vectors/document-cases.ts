/**
 * The cases of the document vectors: what must be accepted, and what must be refused although its
 * signature is good.
 *
 * @module
 */
import { createHash, sign } from "node:crypto";
import { documentFiles, documentLayouts } from "./document-layouts.ts";
import type { DocumentFile, DocumentLayout } from "./document-layouts.ts";
import {
  bigEndian,
  bodyOf,
  digest,
  hexOf,
  keyFrom,
  partsOf,
  publicKeyOf,
  seedOf,
  signBody,
  valueOf,
  type Part,
  type Value,
} from "./document-values.ts";

/** The text of `documents/<file>.txt`. */
export function acceptedText(file: DocumentFile): string {
  const layout = documentLayouts[file];
  if (file === "device-list") return [...sizes(layout), ...deviceListChain()].join("\n");
  return sizes(layout).join("\n");
}

/** The text of `documents/<file>-witness.txt`: the warden's signature in a receipt, and what it covers. */
export function witnessText(file: "receipt" | "receipt-2"): string {
  const layout = documentLayouts[file];
  const sizes = ["smallest", "typical", "largest"] as const;
  const cases = sizes.map((size) => [size, valueOf(layout.shape, size, layout.name)] as const);
  const withoutCell = { ...valueOf(layout.shape, "typical", layout.name), cell: null };
  return [...cases, ["without-cell", withoutCell] as const]
    .map(([name, value]) => witnessCase(layout, name, value))
    .join("\n");
}

function witnessCase(layout: DocumentLayout, name: string, given: Value): string {
  const warden = valueOf(layout.shape, "typical", layout.name).warden;
  const value = {
    ...given,
    node: new Uint8Array(publicKeyOf(seedOf("node"))),
    warden: { ...(given.warden ?? warden), signature: new Uint8Array(64) },
  };
  const unsigned = bodyOf(layout, partsOf(layout.shape, value)).subarray(0, -64);
  // The part is its presence, two counters, the policy's hash and the boot's name.
  const begun = unsigned.subarray(0, unsigned.length - (1 + 8 + 8 + 32 + 16));
  const signed = Buffer.concat([Buffer.from("phantoma receipt witness v1\0"), unsigned]);
  const signature = sign(null, signed, keyFrom(seedOf("warden")));
  const witnessed = { ...value, warden: { ...value.warden, signature: new Uint8Array(signature) } };
  const body = bodyOf(layout, partsOf(layout.shape, witnessed));
  const { attempts, unreported, policy, bootId } = value.warden;
  return textOf([
    ["case", name],
    ["private-key", hexOf(seedOf("warden"))],
    ["public-key", hexOf(publicKeyOf(seedOf("warden")))],
    ["node", hexOf(value.node)],
    ["begun", hexOf(begun)],
    ["attempts", `${attempts}`],
    ["unreported", `${unreported}`],
    ["policy", hexOf(policy)],
    ["bootId", hexOf(bootId)],
    ["signed", hexOf(signed)],
    ["signature", hexOf(signature)],
    ["document", hexOf(signBody(layout, body, seedOf("node")))],
  ]);
}

/** The text of `documents/refused.txt`. */
export function refusedText(): string {
  return documentFiles.flatMap((file) => refusedCases(file)).join("\n");
}

function sizes(layout: DocumentLayout): string[] {
  return (["smallest", "typical", "largest"] as const).map((size) =>
    acceptedCase(layout, size, "node", valueOf(layout.shape, size, layout.name)),
  );
}

function acceptedCase(layout: DocumentLayout, name: string, signer: string, value: Value): string {
  const parts = partsOf(layout.shape, value);
  const document = signBody(layout, bodyOf(layout, parts), seedOf(signer));
  return textOf([
    ["case", name],
    ["private-key", hexOf(seedOf(signer))],
    ["public-key", hexOf(publicKeyOf(seedOf(signer)))],
    ["domain", hexOf(Buffer.from(`phantoma ${layout.name} v${layout.version}\0`))],
    ["type", `${layout.type}`],
    ["layout-version", `${layout.version}`],
    ...parts.map(({ name: field, line }) => [field, line] as const),
    ["document", hexOf(document)],
    ["hash", hexOf(createHash("sha256").update(document).digest())],
  ]);
}

/** Ada sets up alone; she adds Bob as admin and Cy; Bob revokes Cy and puts a new device there. */
function deviceListChain(): string[] {
  const layout = documentLayouts["device-list"];
  const device = (name: string, role: string, revokedAt: number | null = null): Value => ({
    signingKey: new Uint8Array(publicKeyOf(seedOf(name))),
    tunnelKey: new Uint8Array(digest(`tunnel ${name}`, 32)),
    name,
    role,
    addedAt: 1_790_000_000_000,
    revokedAt,
  });
  const ada = device("ada", "admin");
  const bob = device("bob", "admin");
  const steps = [
    { signer: "ada", devices: [ada] },
    { signer: "ada", devices: [ada, bob, device("cy", "chat")] },
    {
      signer: "bob",
      devices: [ada, bob, device("cy", "chat", 1_790_000_120_000), device("di", "chat")],
    },
  ];
  let previous = Buffer.alloc(32);
  return steps.map(({ signer, devices }, index) => {
    const value = {
      node: new Uint8Array(publicKeyOf(seedOf("node"))),
      version: index + 1,
      previous: new Uint8Array(previous),
      issuedAt: 1_790_000_000_000 + 60_000 * index,
      signer: new Uint8Array(publicKeyOf(seedOf(signer))),
      devices,
    };
    const body = bodyOf(layout, partsOf(layout.shape, value));
    previous = createHash("sha256")
      .update(signBody(layout, body, seedOf(signer)))
      .digest();
    return acceptedCase(layout, `chain-${index + 1}`, signer, value);
  });
}

function refusedCases(file: DocumentFile): string[] {
  const layout = documentLayouts[file];
  const parts = partsOf(layout.shape, valueOf(layout.shape, "typical", layout.name));
  const body = bodyOf(layout, parts);
  const refused = (name: string, error: string, bad: Uint8Array): string =>
    textOf([
      ["case", `${file}/${name}`],
      ["file", file],
      ["error", error],
      ["public-key", hexOf(publicKeyOf(seedOf("node")))],
      ["document", hexOf(signBody(layout, bad, seedOf("node")))],
    ]);
  const fields = parts.flatMap((part, index) =>
    wrongWires(part).map(([name, wire]) => {
      const bad = [...parts.slice(0, index), { ...part, wire }, ...parts.slice(index + 1)];
      return refused(`${part.name}/${name}`, "ERR_DOCUMENT_FIELD", bodyOf(layout, bad));
    }),
  );
  return [
    refused("other-type", "ERR_DOCUMENT_TYPE", altered(body, 0, layout.type + 1)),
    refused("type-zero", "ERR_DOCUMENT_TYPE", altered(body, 0, 0)),
    refused("version-zero", "ERR_DOCUMENT_TYPE", altered(body, 1, 0)),
    layout.version === 1
      ? refused("version-two", "ERR_DOCUMENT_TYPE", altered(body, 1, 2))
      : refused("version-one", "ERR_DOCUMENT_TYPE", altered(body, 1, 1)),
    refused("a-byte-more", "ERR_LENGTH", Buffer.concat([body, Buffer.of(0)])),
    refused("a-byte-less", "ERR_LENGTH", body.subarray(0, -1)),
    refused("header-only", "ERR_LENGTH", body.subarray(0, 2)),
    ...fields,
  ];
}

/** What this place in a document must never hold, although its length would allow it. */
function wrongWires({ shape }: Part): (readonly [name: string, wire: Buffer])[] {
  switch (shape.kind) {
    case "number":
      return shape.width === 8 ? [["beyond-2^53", bigEndian(2n ** 53n, 8)]] : [];
    case "choice":
      return [
        ["zero", Buffer.of(0)],
        ["one-past-the-list", Buffer.of(shape.names.length + 1)],
        ["255", Buffer.of(255)],
      ];
    case "optional":
      return [
        ["presence-2", Buffer.of(2)],
        ["presence-255", Buffer.of(255)],
      ];
    case "list": {
      // One entry follows already.
      const extra = Array.from({ length: shape.max }, (_, i) =>
        partsOf(shape.inner, valueOf(shape.inner, "smallest", `${i}`)).map((p) => p.wire),
      );
      return [
        ["one-entry-too-many", Buffer.concat([bigEndian(shape.max + 1, 2), ...extra.flat()])],
      ];
    }
    case "text":
      return [
        ["one-byte-too-long", lengthPrefixed(Buffer.alloc(shape.maxBytes + 1, "a"))],
        ...Object.entries(badTexts).map(([name, hex]) => {
          return [name, lengthPrefixed(Buffer.from(hex, "hex"))] as const;
        }),
      ];
    case "bytes":
    case "counter":
    case "group":
      return [];
  }
}

/** Bytes that are no UTF-8, and characters that would steer a terminal. */
const badTexts = {
  "lone-ff": "61ff",
  "lone-continuation": "80",
  "cut-off": "e282",
  "overlong-slash": "c0af",
  "overlong-nul": "c080",
  surrogate: "eda080",
  "beyond-unicode": "f4908080",
  nul: "6100",
  newline: "610a62",
  escape: "1b5b324a",
  delete: "7f",
  "c1-csi": "c29b",
};

function lengthPrefixed(encoded: Buffer): Buffer {
  return Buffer.concat([bigEndian(encoded.length, 2), encoded]);
}

function altered(body: Buffer, index: number, value: number): Buffer {
  return Buffer.from(body).fill(value, index, index + 1);
}

function textOf(lines: readonly (readonly [name: string, value: string])[]): string {
  return lines.map(([name, value]) => `${name} ${value}\n`).join("");
}
