/**
 * Whether the process at the other end is the one that this device asked for. This file decides;
 * `tunnel.ts` reveals the device only after it agreed.
 *
 * @module
 */
import { certificateDocument, CryptoError, sameBytes, type Certificate } from "@phantoma/crypto";
import { ClientError } from "./client-error.ts";

export interface ExpectedProcess {
  /** The node's Ed25519 key. */
  readonly node: Uint8Array;
  /** SHA-256 of our own ticket: what makes the certificate fresh. */
  readonly ticket: Uint8Array;
  /** Our own X25519 key. */
  readonly device: Uint8Array;
  /** The static key of this very handshake. */
  readonly responderKey: Uint8Array;
  readonly role: Certificate["role"];
  readonly model: Uint8Array;
  readonly starter: Certificate["starter"];
  readonly policy: Certificate["policy"];
  readonly release: Uint8Array;
  /** One that an admin of this device approved, which may run by now; `any`: the caller judges it. */
  readonly otherRelease?: Uint8Array | "any";
}

/** @throws {@link ClientError} `ERR_NODE_IDENTITY`, or `ERR_OTHER_RELEASE` where nothing else is wrong */
export function checkCertificate(untrusted: Uint8Array, expected: ExpectedProcess): Certificate {
  const certificate = open(untrusted, expected.node);
  const faults = [
    sameBytes(certificate.node, expected.node) || "another node's",
    sameBytes(certificate.ticket, expected.ticket) || "for another ticket",
    sameBytes(certificate.device, expected.device) || "for another device",
    sameBytes(certificate.key, expected.responderKey) || "for another process",
    certificate.role === expected.role || "for another role",
    sameBytes(certificate.model, expected.model) || "for another model",
    certificate.starter === expected.starter || "of a process started another way",
    certificate.policy === expected.policy || "under another kernel policy",
    isTaken(certificate.release, expected) || OTHER_RELEASE,
  ].filter((fault) => fault !== true);
  if (faults.length === 1 && faults[0] === OTHER_RELEASE)
    throw new ClientError("ERR_OTHER_RELEASE", `the certificate is ${OTHER_RELEASE}`);
  if (faults.length > 0)
    throw new ClientError("ERR_NODE_IDENTITY", `the certificate is ${faults.join(", ")}`);
  return certificate;
}

const OTHER_RELEASE = "of another release";

function isTaken(
  release: Uint8Array,
  { release: known, otherRelease }: Pick<ExpectedProcess, "release" | "otherRelease">,
): boolean {
  if (sameBytes(release, known) || otherRelease === "any") return true;
  return otherRelease !== undefined && sameBytes(release, otherRelease);
}

function open(untrusted: Uint8Array, node: Uint8Array): Certificate {
  try {
    return certificateDocument.open(untrusted, () => node);
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    throw new ClientError("ERR_NODE_IDENTITY", "the certificate is not signed by the node");
  }
}
