#!/usr/bin/env node
/**
 * The verifier's reading of Sigstore bundles as a command that Sigstore's conformance suite drives: its
 * docs/cli_protocol.md, v0.0.29.
 *
 *   sigstore-client.ts verify-bundle --bundle FILE --certificate-identity I --certificate-oidc-issuer URL
 *                      [--trusted-root FILE] FILE|sha256:DIGEST
 *   sigstore-client.ts sign-bundle [--in-toto] --identity-token TOKEN --bundle FILE FILE
 *
 * Exit code 0 when it holds, 1 when it was refused, 2 for another command line, 3 for what no release needs and is
 * therefore not done: staging without a trusted root, keys without a certificate, the digest of a file instead of the
 * file where the file was signed, other logs to sign into.
 *
 * Signing is for the suite: it uses the `sigstore` package with the public instance. Without `--trusted-root` that
 * instance's keys are fetched, which no build does.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { demandSubject, openBundle } from "../../packages/release/src/sigstore-bundle.ts";

class Refusal extends Error {
  readonly exitCode: number;

  constructor(exitCode: 2 | 3, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

try {
  const [command, ...args] = process.argv.slice(2);
  await run(command, readOptions(args));
} catch (error) {
  process.stderr.write(`sigstore-client: ${(error as Error).message}\n`);
  process.exitCode = error instanceof Refusal ? error.exitCode : 1;
}

async function run(command: string | undefined, options: Options): Promise<void> {
  if (command === "verify-bundle") await verifyBundle(options);
  else if (command === "sign-bundle") await signBundle(options);
  else throw new Refusal(2, `there is no command ${JSON.stringify(command ?? "")}`);
}

function readOptions(args: string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  const options = {
    staging: flag,
    "in-toto": flag,
    "identity-token": text,
    bundle: text,
    "certificate-identity": text,
    "certificate-oidc-issuer": text,
    key: text,
    "trusted-root": text,
    "signing-config": text,
  } as const;
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    return { values, files: positionals };
  } catch (error) {
    throw new Refusal(2, (error as Error).message);
  }
}

type Options = ReturnType<typeof readOptions>;

function need({ values }: Options, name: TextOption): string {
  const value = values[name];
  if (value === undefined) throw new Refusal(2, `--${name} is needed`);
  return value;
}

type TextOption = Exclude<keyof Options["values"], "staging" | "in-toto">;

function onlyFile({ files }: Options): string {
  if (files.length !== 1) throw new Refusal(2, "name one file");
  return files[0]!;
}

async function verifyBundle(options: Options): Promise<void> {
  const { key, staging, "trusted-root": trustedRootPath } = options.values;
  if (key !== undefined) throw new Refusal(3, "a key without a certificate vouches for nobody");
  const wanted = {
    subject: need(options, "certificate-identity"),
    issuer: need(options, "certificate-oidc-issuer"),
  };
  const untrusted = readFileSync(need(options, "bundle"));
  const { artifact, sha256 } = readArtifact(onlyFile(options));
  if (staging && trustedRootPath === undefined)
    throw new Refusal(3, "the staging instance is not known here: name a trusted root");
  if (artifact === undefined && hasSignedFile(untrusted))
    throw new Refusal(3, "the file was signed and not its digest: name the file");
  const trustedRoot =
    trustedRootPath === undefined ? await publicTrustedRoot() : readFileSync(trustedRootPath);
  const opened = openBundle(untrusted, trustedRoot, wanted, artifact);
  if (opened.content.$case === "dsseEnvelope") demandSubject(opened, { sha256 });
}

/** The digest is known for a file too; the file is not for a digest. */
function readArtifact(given: string): { readonly artifact?: Buffer; readonly sha256: string } {
  const digest = /^sha256:([0-9a-f]{64})$/.exec(given)?.[1];
  if (digest !== undefined && !existsSync(given)) return { sha256: digest };
  const artifact = readFileSync(given);
  return { artifact, sha256: createHash("sha256").update(artifact).digest("hex") };
}

function hasSignedFile(untrusted: Buffer): boolean {
  const json = JSON.parse(untrusted.toString("utf8")) as { messageSignature?: unknown };
  return json.messageSignature !== undefined;
}

async function publicTrustedRoot(): Promise<Buffer> {
  const { getTrustedRoot } = await import("@sigstore/tuf");
  const { TrustedRoot } = await import("@sigstore/protobuf-specs");
  return Buffer.from(JSON.stringify(TrustedRoot.toJSON(await getTrustedRoot())));
}

async function signBundle(options: Options): Promise<void> {
  const { staging, "in-toto": isStatement } = options.values;
  if (staging || options.values["signing-config"] !== undefined)
    throw new Refusal(3, "only the public instance is signed into");
  const [identityToken, to] = [need(options, "identity-token"), need(options, "bundle")];
  const content = readFileSync(onlyFile(options));
  const { attest, sign } = await import("sigstore");
  const bundle = isStatement
    ? await attest(content, "application/vnd.in-toto+json", { identityToken })
    : await sign(content, { identityToken });
  writeFileSync(to, JSON.stringify(bundle));
}
