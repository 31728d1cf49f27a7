/**
 * Where a file was built: a Sigstore bundle about this file, from exactly this repository's workflow at this tag.
 *
 * @module
 */
import type { Signer } from "@sigstore/verify";
import type { ProvenancePolicy } from "./anchor.ts";
import { ReleaseError } from "./release-error.ts";
import { demandSubject, openBundle, type SignerIdentity } from "./sigstore-bundle.ts";

export interface ExpectedBuild {
  readonly name: string;
  readonly sha256: string;
  readonly version: string;
  readonly policy: ProvenancePolicy;
}

/** Fulcio's certificate extensions, as UTF-8 strings: github.com/sigstore/fulcio, docs/oid-info.md. */
const FULCIO = "1.3.6.1.4.1.57264.1.";

/**
 * @returns the identity that built it
 * @throws {@link ReleaseError} `ERR_POLICY`, `ERR_PROVENANCE`, `ERR_PROVENANCE_SUBJECT`, `ERR_PROVENANCE_IDENTITY`
 */
export function verifyProvenance(
  untrusted: Uint8Array,
  trustedRoot: Uint8Array,
  expected: ExpectedBuild,
): string {
  const wanted = wantedBuild(expected);
  const opened = openBundle(untrusted, trustedRoot, wanted);
  demandExtensions(opened.signer, wanted);
  demandSubject(opened, expected);
  return wanted.subject;
}

interface WantedBuild extends SignerIdentity {
  readonly extensions: Readonly<Record<string, readonly [string, string]>>;
}

function wantedBuild({ policy, version }: ExpectedBuild): WantedBuild {
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

function demandExtensions({ identity }: Signer, wanted: WantedBuild): void {
  for (const [number, [name, value]] of Object.entries(wanted.extensions)) {
    const found = identity?.oids?.filter(({ oid }) => oid?.id.join(".") === FULCIO + number) ?? [];
    if (found.length !== 1 || !derText(value).equals(found[0]!.value))
      throw new ReleaseError("ERR_PROVENANCE_IDENTITY", `its ${name} is not ${value}`);
  }
}

/** A UTF8String in DER: tag, length, text. */
function derText(text: string): Buffer {
  const bytes = Buffer.from(text, "utf8");
  const length = bytes.length < 128 ? [bytes.length] : [0x81, bytes.length];
  return Buffer.concat([Buffer.from([0x0c, ...length]), bytes]);
}
