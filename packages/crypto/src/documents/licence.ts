/**
 * A licence: checked offline, gates updates, never data or chat.
 *
 * @module
 */
import { documentKind } from "./document.ts";
import { bytes, choice, counter, text, time, unsigned, type ValuesOf } from "./fields.ts";

const layout = {
  id: bytes(16),
  /** Of two licences with one id the higher sequence counts, so an older, wider one is no use. */
  sequence: counter,
  /** The node it is bound to, by its Ed25519 key. */
  node: bytes(32),
  holder: text(128),
  edition: choice({ personal: 1, team: 2, enterprise: 3 }),
  devices: unsigned(2),
  issuedAt: time,
  notBefore: time,
  notAfter: time,
  graceDays: unsigned(2),
} as const;

export type Licence = ValuesOf<typeof layout>;
export const licenceDocument = documentKind(8, 1, "licence", layout);
