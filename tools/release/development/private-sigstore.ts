/**
 * A Sigstore of one's own: authority, certificate log and transparency log in memory, with throw-away keys.
 *
 * What it makes is verified by the same code as what the public instance makes. It vouches for nobody: it signs
 * whatever identity it is asked for, so its trusted root belongs into development releases and tests only.
 *
 * @module
 */
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import {
  type Authority,
  type BuildIdentity,
  keyHash,
  leafCertificate,
  rootCertificate,
  spki,
} from "./certificate.ts";

export interface Built {
  readonly name: string;
  readonly sha256: string;
  readonly identity: BuildIdentity;
}

const PAYLOAD_TYPE = "application/vnd.in-toto+json";
const LOG_NAME = "log.development.invalid";

export class PrivateSigstore {
  readonly #authority = newAuthority();
  readonly #certificateLog = newAuthority();
  readonly #transparencyLog = newAuthority();
  readonly #nowMs: number;
  readonly #root: Buffer;

  constructor(nowMs: number) {
    this.#nowMs = nowMs;
    this.#root = rootCertificate(this.#authority, nowMs);
  }

  /** Its keys, in the form of Sigstore's `trusted_root.json`. */
  get trustedRoot(): object {
    const start = new Date(this.#nowMs - 1000).toISOString();
    const log = ({ publicKey }: Authority) => ({
      baseUrl: `https://${LOG_NAME}`,
      hashAlgorithm: "SHA2_256",
      publicKey: {
        rawBytes: base64(spki(publicKey)),
        keyDetails: "PKIX_ECDSA_P256_SHA_256",
        validFor: { start },
      },
      logId: { keyId: base64(keyHash(publicKey)) },
    });
    return {
      mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
      tlogs: [log(this.#transparencyLog)],
      certificateAuthorities: [
        {
          subject: { organization: "", commonName: "phantoma development authority" },
          uri: "https://authority.development.invalid",
          certChain: { certificates: [{ rawBytes: base64(this.#root) }] },
          validFor: { start },
        },
      ],
      ctlogs: [log(this.#certificateLog)],
      timestampAuthorities: [],
    };
  }

  /** A bundle, version 0.3, that says: this identity built this file. */
  attest({ name, sha256, identity }: Built): object {
    const key = newAuthority();
    const certificate = leafCertificate(
      this.#authority,
      this.#certificateLog,
      key.publicKey,
      identity,
      this.#nowMs,
    );
    const payload = Buffer.from(JSON.stringify(statement(name, sha256, identity)), "utf8");
    const signature = sign("sha256", preAuthenticated(payload), key.privateKey);
    return {
      mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
      verificationMaterial: {
        certificate: { rawBytes: base64(certificate) },
        tlogEntries: [this.#logEntry(payload, signature, certificate)],
      },
      dsseEnvelope: {
        payload: base64(payload),
        payloadType: PAYLOAD_TYPE,
        signatures: [{ sig: base64(signature), keyid: "" }],
      },
    };
  }

  /** The first and only entry of a log of one: its hash is the tree's. */
  #logEntry(payload: Buffer, signature: Buffer, certificate: Buffer): object {
    const body = Buffer.from(
      JSON.stringify({
        apiVersion: "0.0.1",
        kind: "dsse",
        spec: {
          payloadHash: { algorithm: "sha256", value: sha256Of(payload).toString("hex") },
          signatures: [{ signature: base64(signature), verifier: base64(certificate) }],
        },
      }),
      "utf8",
    );
    const { privateKey, publicKey } = this.#transparencyLog;
    const logId = keyHash(publicKey);
    const integratedTime = Math.floor(this.#nowMs / 1000);
    const promised = {
      body: base64(body),
      integratedTime,
      logID: logId.toString("hex"),
      logIndex: 0,
    };
    const rootHash = sha256Of(Buffer.concat([Buffer.of(0), body]));
    const note = `${LOG_NAME}\n1\n${base64(rootHash)}\n`;
    const noteSignature = Buffer.concat([
      logId.subarray(0, 4),
      sign("sha256", Buffer.from(note), privateKey),
    ]);
    return {
      logIndex: "0",
      logId: { keyId: base64(logId) },
      kindVersion: { kind: "dsse", version: "0.0.1" },
      integratedTime: String(integratedTime),
      inclusionPromise: {
        signedEntryTimestamp: base64(
          sign("sha256", Buffer.from(JSON.stringify(promised)), privateKey),
        ),
      },
      inclusionProof: {
        logIndex: "0",
        rootHash: base64(rootHash),
        treeSize: "1",
        hashes: [],
        checkpoint: { envelope: `${note}\n\u2014 ${LOG_NAME} ${base64(noteSignature)}\n` },
      },
      canonicalizedBody: base64(body),
    };
  }
}

function statement(
  name: string,
  sha256: string,
  { repository, workflow, ref }: BuildIdentity,
): object {
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name, digest: { sha256 } }],
    predicateType: "https://slsa.dev/provenance/v1",
    predicate: {
      buildDefinition: {
        buildType: "https://actions.github.io/buildtypes/workflow/v1",
        externalParameters: { workflow: { ref, repository, path: workflow } },
      },
      runDetails: { builder: { id: workflow } },
    },
  };
}

/** DSSE's encoding of what is signed. */
function preAuthenticated(payload: Buffer): Buffer {
  const head = `DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

function newAuthority(): Authority {
  return generateKeyPairSync("ec", { namedCurve: "P-256" });
}

function sha256Of(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
