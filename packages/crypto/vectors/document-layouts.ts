/**
 * The layouts of all signed documents once more, as tables written from DESIGN section 3 and not
 * from the code: what makes the vectors, and what the tests alter, repeat and break.
 *
 * @module
 */

/** One place in a document: how it is written, and what it may hold. */
export type Shape =
  | { readonly kind: "bytes"; readonly length: number }
  | { readonly kind: "number"; readonly width: 2 | 4 | 8; readonly max: bigint }
  | { readonly kind: "counter" }
  | { readonly kind: "choice"; readonly names: readonly string[] }
  | { readonly kind: "text"; readonly maxBytes: number }
  | { readonly kind: "optional"; readonly inner: Shape }
  | { readonly kind: "group"; readonly fields: Layout }
  | { readonly kind: "list"; readonly max: number; readonly inner: Shape };

export type Layout = readonly (readonly [name: string, shape: Shape])[];

export interface DocumentLayout {
  readonly type: number;
  readonly version: number;
  readonly name: string;
  readonly shape: Shape;
}

const bytes = (length: number): Shape => ({ kind: "bytes", length });
const text = (maxBytes: number): Shape => ({ kind: "text", maxBytes });
const choice = (...names: string[]): Shape => ({ kind: "choice", names });
const optional = (inner: Shape): Shape => ({ kind: "optional", inner });
const list = (max: number, inner: Shape): Shape => ({ kind: "list", max, inner });
const group = (...fields: Layout): Shape => ({ kind: "group", fields });

const u16: Shape = { kind: "number", width: 2, max: 2n ** 16n - 1n };
const u32: Shape = { kind: "number", width: 4, max: 2n ** 32n - 1n };
const time: Shape = { kind: "number", width: 8, max: 2n ** 53n - 1n };
const counter: Shape = { kind: "counter" };

function layout(type: number, name: string, ...fields: Layout): DocumentLayout {
  return { type, version: 1, name, shape: group(...fields) };
}

function secondLayout(type: number, name: string, ...fields: Layout): DocumentLayout {
  return { ...layout(type, name, ...fields), version: 2 };
}

const order: Layout = [
  ["node", bytes(32)],
  ["counter", counter],
  ["notAfter", time],
  ["signer", bytes(32)],
];

const endpoint = group(["name", text(253)], ["address", bytes(16)], ["port", u16]);

const device = group(
  ["signingKey", bytes(32)],
  ["tunnelKey", bytes(32)],
  ["name", text(64)],
  ["role", choice("admin", "chat")],
  ["addedAt", time],
  ["revokedAt", optional(time)],
);

const endedTask: Layout = [
  ["node", bytes(32)],
  ["epoch", time],
  ["sequence", counter],
  ["task", bytes(32)],
  ["device", bytes(32)],
  ["workerKey", bytes(32)],
  ["model", bytes(32)],
  ["release", bytes(32)],
  ["certifiedAt", time],
  ["endedAt", time],
];

const cell = group(
  ["end", choice("finished", "timeout", "disconnected", "crashed", "killed", "memory")],
  ["wipedBytes", counter],
  ["wipedAt", time],
);

const warden = group(
  ["attempts", counter],
  ["unreported", counter],
  ["policy", bytes(32)],
  ["bootId", bytes(16)],
  ["signature", bytes(64)],
);

/** By the name of the vector file. A choice's first name is 1 on the wire, the next 2, and so on. */
export const documentLayouts = {
  ticket: layout(
    1,
    "ticket",
    ["node", bytes(32)],
    ["device", bytes(32)],
    ["service", choice("task", "control")],
    ["model", bytes(32)],
    ["nonce", bytes(16)],
    ["issuedAt", time],
  ),
  certificate: layout(
    2,
    "certificate",
    ["role", choice("worker", "clerk")],
    ["node", bytes(32)],
    ["key", bytes(32)],
    ["ticket", bytes(32)],
    ["device", bytes(32)],
    ["model", bytes(32)],
    ["release", bytes(32)],
    ["starter", choice("systemd", "gateway")],
    ["policy", choice("none", "demo", "enforced")],
    ["issuedAt", time],
    ["expiresAt", time],
  ),
  "device-list": layout(
    3,
    "device list",
    ["node", bytes(32)],
    ["version", u32],
    ["previous", bytes(32)],
    ["issuedAt", time],
    ["signer", bytes(32)],
    ["devices", list(64, device)],
  ),
  "window-order": layout(
    4,
    "window order",
    ...order,
    ["endpoints", list(64, endpoint)],
    ["files", list(64, group(["name", text(255)], ["digest", bytes(32)], ["size", counter]))],
  ),
  "update-approval": layout(
    5,
    "update approval",
    ...order,
    ["release", bytes(32)],
    ["version", text(32)],
  ),
  receipt: layout(
    6,
    "receipt",
    ...endedTask,
    ["cell", optional(cell)],
    ["warden", optional(warden)],
  ),
  heartbeat: layout(
    7,
    "heartbeat",
    ["node", bytes(32)],
    ["sequence", counter],
    ["nonce", bytes(16)],
    ["issuedAt", time],
    ["release", bytes(32)],
    ["rootVersion", u32],
    ["targetsVersion", u32],
    ["licence", optional(bytes(16))],
    ["health", choice("good", "degraded", "failing")],
  ),
  licence: layout(
    8,
    "licence",
    ["id", bytes(16)],
    ["sequence", counter],
    ["node", bytes(32)],
    ["holder", text(128)],
    ["edition", choice("personal", "team", "enterprise")],
    ["devices", u16],
    ["issuedAt", time],
    ["notBefore", time],
    ["notAfter", time],
    ["graceDays", u16],
  ),
  "standing-order": layout(
    9,
    "standing order",
    ...order,
    ["endpoints", list(8, endpoint)],
    ["controlPlane", bytes(32)],
  ),
  "heartbeat-answer": layout(
    10,
    "heartbeat answer",
    ["node", bytes(32)],
    ["nonce", bytes(16)],
    ["time", time],
    ["timestamp", optional(bytes(32))],
    ["licences", list(8, bytes(32))],
  ),
  "receipt-2": secondLayout(
    6,
    "receipt",
    ...endedTask,
    ["grade", choice("A", "B", "C")],
    ["cell", optional(cell)],
    ["warden", optional(warden)],
  ),
  "update-policy": layout(11, "update policy", ...order, ["mode", choice("ask", "automatic")]),
  "vault-card": layout(
    12,
    "vault card",
    ["node", bytes(32)],
    ["device", bytes(32)],
    ["key", bytes(1216)],
    ["issuedAt", time],
  ),
  "vault-epoch": layout(
    13,
    "vault epoch",
    ["node", bytes(32)],
    ["vault", bytes(16)],
    ["epoch", u32],
    ["previous", bytes(32)],
    ["since", u32],
    ["issuedAt", time],
    ["signer", bytes(32)],
    ["carriedKey", optional(bytes(128))],
    ["members", list(16, group(["device", bytes(32)], ["wrap", bytes(32)]))],
  ),
  "vault-head": layout(
    14,
    "vault head",
    ["node", bytes(32)],
    ["vault", bytes(16)],
    ["version", u32],
    ["previous", bytes(32)],
    ["epoch", u32],
    ["epochDocument", bytes(32)],
    ["objects", u32],
    ["root", bytes(32)],
    ["issuedAt", time],
    ["signer", bytes(32)],
  ),
  "node-succession": layout(
    15,
    "node succession",
    ["from", bytes(32)],
    ["to", bytes(32)],
    ["devices", bytes(32)],
    ["issuedAt", time],
    ["admin", bytes(32)],
    ["approval", bytes(64)],
  ),
} as const satisfies Record<string, DocumentLayout>;

export type DocumentFile = keyof typeof documentLayouts;
export const documentFiles = Object.keys(documentLayouts) as DocumentFile[];
