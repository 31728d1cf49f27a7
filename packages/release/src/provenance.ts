/**
 * Where a file was built: a Sigstore bundle, verified offline, about this file and from exactly this identity.
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
import type { ProvenancePolicy } from "./anchor.ts";
import { ReleaseError } from "./release-error.ts";

export interface ExpectedBuild {
  readonly name: string;
  readonly sha256: string;
  readonly version: string;
  readonly policy: ProvenancePolicy;
}

/** Fulcio's certificate extensions, as UTF-8 strings: github.com/sigstore/fulcio, docs/oid-info.md. */
const FULCIO = "1.3.6.1.4.1.57264.1.";
const PAYLOAD_TYPE = "application/vnd.in-toto+json";

const Statement = z.looseObject({
  _type: z.literal("https://in-toto.io/Statement/v1"),
  predicateType: z.literal("https://slsa.dev/provenance/v1"),
  subject: z.array(
    z.looseObject({ name: z.string(), digest: z.looseObject({ sha256: z.string().optional() }) }),
  ),
});

/**
 * @returns the identity that built it
 * @throws {@link ReleaseError} `ERR_POLICY`, `ERR_PROVENANCE`, `ERR_PROVENANCE_SUBJECT`, `ERR_PROVENANCE_IDENTITY`
 */
export function verifyProvenance(
  untrusted: Uint8Array,
  trustedRoot: Uint8Array,
  expected: ExpectedBuild,
): string {
  const wanted = wantedIdentity(expected);
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
    signer = verifier.verify(toSignedEntity(bundle));
  } catch (error) {
    throw new ReleaseError("ERR_PROVENANCE", `Sigstore: ${(error as Error).message}`);
  }
  demandIdentity(signer, wanted);
  demandSubject(bundle, expected);
  return wanted.subject;
}

interface WantedIdentity {
  readonly issuer: string;
  readonly subject: string;
  readonly extensions: Readonly<Record<string, readonly [string, string]>>;
}

function wantedIdentity({ policy, version }: ExpectedBuild): WantedIdentity {
  const { issuer, repository, workflow } = policy;
  // The types say so too; a policy that was lost on the way must not become "anybody".
  if (!issuer || !repository || !workflow)
    throw new ReleaseError("ERR_POLICY", "issuer, repository or workflow is not named");
  const ref = `refs/tags/v${version}`;
  const subject = `${repository}/${workflow}@${ref}`;
  return {
    issuer,
    subject,
    extensions: {
      "8": ["issuer", issuer],
      "9": ["build signer", subject],
      "12": ["repository", repository],
      "14": ["source ref", ref],
      "18": ["workflow", subject],
    },
  };
}

function demandIdentity({ identity }: Signer, wanted: WantedIdentity): void {
  for (const [number, [name, value]] of Object.entries(wanted.extensions)) {
    const found = identity?.oids?.filter(({ oid }) => oid?.id.join(".") === FULCIO + number) ?? [];
    if (found.length !== 1 || !derText(value).equals(found[0]!.value))
      throw new ReleaseError("ERR_PROVENANCE_IDENTITY", `its ${name} is not ${value}`);
  }
  const { subjectAlternativeName, extensions } = identity ?? {};
  if (subjectAlternativeName !== wanted.subject)
    throw new ReleaseError("ERR_PROVENANCE_IDENTITY", `it was not built by ${wanted.subject}`);
  if (extensions?.issuer !== wanted.issuer)
    throw new ReleaseError("ERR_PROVENANCE_IDENTITY", `its issuer is not ${wanted.issuer}`);
}

/** The signature was verified over exactly this payload. */
function demandSubject({ content }: Bundle, { name, sha256 }: ExpectedBuild): void {
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
    (subject) => subject.name === name && subject.digest.sha256 === sha256,
  );
  if (!isAbout) throw new ReleaseError("ERR_PROVENANCE_SUBJECT", `it is not about this ${name}`);
}

function readTrustedRoot(bytes: Uint8Array): TrustedRoot {
  return TrustedRoot.fromJSON(JSON.parse(Buffer.from(bytes).toString("utf8")));
}

/** A UTF8String in DER: tag, length, text. */
function derText(text: string): Buffer {
  const bytes = Buffer.from(text, "utf8");
  const length = bytes.length < 128 ? [bytes.length] : [0x81, bytes.length];
  return Buffer.concat([Buffer.from([0x0c, ...length]), bytes]);
}
