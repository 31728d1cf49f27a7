/**
 * A Sigstore bundle, verified offline: who signed, and about which file.
 *
 * `@sigstore/verify` 4.1.3 leaves three things to its caller, and all are done here: it does not compare the statement's
 * subject with the file; without a policy it takes any identity; and it takes the wanted identity as a pattern that
 * may match anywhere.
 *
 * @module
 */
import { bundleFromJSON, type Bundle } from "@sigstore/bundle";
import { TrustedRoot } from "@sigstore/protobuf-specs";
import { toSignedEntity, toTrustMaterial, Verifier, type Signer } from "@sigstore/verify";
import { z } from "zod";
import { ReleaseError } from "./release-error.ts";

export interface SignerIdentity {
  /** Who vouched for the signer, as an https address. */
  readonly issuer: string;
  /** Whole: no pattern. */
  readonly subject: string;
}

export interface OpenedBundle {
  readonly content: Bundle["content"];
  readonly signer: Signer;
}

const PAYLOAD_TYPE = "application/vnd.in-toto+json";

const Statement = z.looseObject({
  _type: z.literal("https://in-toto.io/Statement/v1"),
  predicateType: z.literal("https://slsa.dev/provenance/v1"),
  subject: z.array(
    z.looseObject({ name: z.string(), digest: z.looseObject({ sha256: z.string().optional() }) }),
  ),
});

/**
 * @param artifact what was signed, where the bundle has a signature over a file and no statement about one
 * @throws {@link ReleaseError} `ERR_POLICY`, `ERR_PROVENANCE`, `ERR_PROVENANCE_IDENTITY`
 */
export function openBundle(
  untrusted: Uint8Array,
  trustedRoot: Uint8Array,
  wanted: SignerIdentity,
  artifact?: Buffer,
): OpenedBundle {
  // The types say so too; an identity that was lost on the way must not become "anybody".
  if (!wanted.issuer || !wanted.subject)
    throw new ReleaseError("ERR_POLICY", "issuer or subject is not named");
  let bundle: Bundle;
  let signer: Signer;
  try {
    bundle = bundleFromJSON(JSON.parse(Buffer.from(untrusted).toString("utf8")));
    const verifier = new Verifier(toTrustMaterial(readTrustedRoot(trustedRoot)), {
      ctlogThreshold: 1,
      tlogThreshold: 1,
      timestampThreshold: 1,
    });
    // With no policy here: the identity is compared below, whole and without patterns.
    signer = verifier.verify(toSignedEntity(bundle, artifact));
  } catch (error) {
    throw new ReleaseError("ERR_PROVENANCE", `Sigstore: ${(error as Error).message}`);
  }
  const { subjectAlternativeName, extensions } = signer.identity ?? {};
  if (subjectAlternativeName !== wanted.subject)
    throw new ReleaseError("ERR_PROVENANCE_IDENTITY", `it was not made by ${wanted.subject}`);
  if (extensions?.issuer !== wanted.issuer)
    throw new ReleaseError("ERR_PROVENANCE_IDENTITY", `its issuer is not ${wanted.issuer}`);
  return { content: bundle.content, signer };
}

/**
 * The signature was verified over exactly this payload.
 *
 * @param name the file's; without one only its digest counts
 * @throws {@link ReleaseError} `ERR_PROVENANCE`, `ERR_PROVENANCE_SUBJECT`
 */
export function demandSubject(
  { content }: OpenedBundle,
  { sha256, name }: { readonly sha256: string; readonly name?: string },
): void {
  const envelope = content.$case === "dsseEnvelope" ? content.dsseEnvelope : undefined;
  if (envelope?.payloadType !== PAYLOAD_TYPE)
    throw new ReleaseError("ERR_PROVENANCE", "it is no statement about a build");
  let json: unknown;
  try {
    json = JSON.parse(envelope.payload.toString("utf8"));
  } catch {
    throw new ReleaseError("ERR_PROVENANCE", "its statement is no JSON");
  }
  const statement = Statement.safeParse(json);
  if (!statement.success)
    throw new ReleaseError("ERR_PROVENANCE", "its statement is no SLSA provenance, version 1");
  const isAbout = statement.data.subject.some(
    (subject) => (name === undefined || subject.name === name) && subject.digest.sha256 === sha256,
  );
  if (!isAbout)
    throw new ReleaseError("ERR_PROVENANCE_SUBJECT", `it is not about this ${name ?? "file"}`);
}

function readTrustedRoot(bytes: Uint8Array): TrustedRoot {
  return TrustedRoot.fromJSON(JSON.parse(Buffer.from(bytes).toString("utf8")));
}
