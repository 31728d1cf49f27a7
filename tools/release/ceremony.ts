/**
 * The folder of a ceremony. It travels between the engineers' machines; nothing in it is secret.
 *
 *   DIR/repository/metadata/   what was published
 *   DIR/repository/targets/    files by digest and name, also of drafts
 *   DIR/draft/root.json        what waits for signatures, and has those that were merged
 *   DIR/draft/targets.json
 *   DIR/policy.json            who may have built a release
 *   DIR/anchor.json            what a build needs to verify; written with the first release
 *
 * @module
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import {
  isSignature,
  parseMetadata,
  type ProvenancePolicy,
  type Quorum,
  readQuorum,
  readRoles,
  type RoleName,
} from "@phantoma/release";
import { type Metadata, type Root, Signature, type Targets } from "@tufjs/models";
import { z } from "zod";
import { type AnyRole, addSignature, fileBytes, signedBytes } from "./new-metadata.ts";
import { json, type SigningKey } from "./signing-key.ts";

export type DraftRole = "root" | "targets";
interface DraftOf {
  root: Root;
  targets: Targets;
}
export const draftRoles: readonly DraftRole[] = ["root", "targets"];

/** What one engineer's machine gives back. */
const SignatureFile = z.strictObject({
  role: z.enum(["root", "targets"]),
  version: z.int().min(1),
  keyid: z.string(),
  sig: z.string(),
});
export type SignatureFile = z.infer<typeof SignatureFile>;

export class Ceremony {
  readonly dir: string;

  constructor(dir: string) {
    this.dir = dir;
  }

  get metadataDir(): string {
    return join(this.dir, "repository/metadata");
  }

  get policy(): ProvenancePolicy {
    return JSON.parse(readFileSync(join(this.dir, "policy.json"), "utf8")) as ProvenancePolicy;
  }

  begin(policy: ProvenancePolicy): void {
    if (existsSync(join(this.dir, "policy.json"))) throw new Error(`${this.dir} has begun already`);
    for (const dir of ["repository/metadata", "repository/targets", "draft"])
      mkdirSync(join(this.dir, dir), { recursive: true });
    writeFileSync(join(this.dir, "policy.json"), json(policy));
  }

  /** The newest published root, or the draft where there is none yet. */
  get root(): Metadata<Root> {
    const root = this.publishedRoot ?? this.draft("root");
    if (root === undefined) throw new Error(`${this.dir} has no root: begin with init`);
    return root;
  }

  get publishedRoot(): Metadata<Root> | undefined {
    return this.#newest("root");
  }

  /** The newest published list, or the draft where there is none yet. */
  get targets(): Metadata<Targets> | undefined {
    return this.#newest("targets") ?? this.draft("targets");
  }

  published(role: Exclude<RoleName, "timestamp">, version: number): Buffer {
    return readFileSync(join(this.metadataDir, `${version}.${role}.json`));
  }

  newestVersion(role: Exclude<RoleName, "timestamp">): number {
    const pattern = new RegExp(`^(\\d+)\\.${role}\\.json$`);
    const versions = readdirSync(this.metadataDir).map((name) =>
      Number(pattern.exec(name)?.[1] ?? 0),
    );
    return Math.max(0, ...versions);
  }

  draft<R extends DraftRole>(role: R): Metadata<DraftOf[R]> | undefined {
    const path = this.#draftPath(role);
    return existsSync(path) ? parseMetadata<R>(role, readFileSync(path)) : undefined;
  }

  /** A changed draft has no signatures: who signed the old one did not sign this. */
  writeDraft(role: DraftRole, file: Metadata<AnyRole>): void {
    replace(this.#draftPath(role), fileBytes(file));
  }

  dropDrafts(): void {
    for (const role of draftRoles) rmSync(this.#draftPath(role), { force: true });
  }

  /** Who has signed a draft and who must: of the roster before the change and of the one after it. */
  quorums(role: DraftRole): Quorum[] {
    const draft = this.draft(role);
    if (draft === undefined) return [];
    const next = this.draft("root") ?? this.root;
    const rosters = role === "root" && this.publishedRoot ? [this.publishedRoot, next] : [next];
    return rosters.map((root) => readQuorum(readRoles(root.signed), role, draft));
  }

  /** Signs every draft that this key may sign. */
  sign(key: SigningKey): SignatureFile[] {
    return draftRoles.flatMap((role) => {
      const draft = this.draft(role);
      if (draft === undefined || !this.#mayUse(role, key.keyid)) return [];
      addSignature(draft, key);
      const { sig } = draft.signatures[key.keyid]!;
      return [{ role, version: draft.signed.version, keyid: key.keyid, sig }];
    });
  }

  /** Takes signatures from other machines; one that is not of this draft is refused. */
  merge(untrusted: unknown): SignatureFile {
    const { role, version, keyid, sig } = SignatureFile.parse(untrusted);
    const draft = this.draft(role);
    if (draft === undefined || draft.signed.version !== version)
      throw new Error(`there is no draft of ${role} ${version}`);
    const publicKey = this.#mayUse(role, keyid);
    if (!publicKey) throw new Error(`key ${keyid.slice(0, 16)} may not sign ${role}`);
    if (!isSignature(publicKey, signedBytes(draft), sig))
      throw new Error(
        `the signature is not over this draft of ${role}: it was changed, or is another`,
      );
    draft.signatures[keyid] = new Signature({ keyID: keyid, sig });
    this.writeDraft(role, draft);
    return { role, version, keyid, sig };
  }

  /** @returns the public key, if a roster lets it sign this */
  #mayUse(role: DraftRole, keyid: string): string | undefined {
    const rosters = [this.draft("root"), this.publishedRoot].filter((root) => root !== undefined);
    for (const root of rosters) {
      const key = readRoles(root.signed)
        .role(role)
        .keys.find(({ id }) => id === keyid);
      if (key !== undefined) return key.publicKey;
    }
    return undefined;
  }

  #newest<R extends DraftRole>(role: R): Metadata<DraftOf[R]> | undefined {
    if (!existsSync(this.metadataDir)) return undefined;
    const version = this.newestVersion(role);
    return version === 0 ? undefined : parseMetadata<R>(role, this.published(role, version));
  }

  #draftPath(role: DraftRole): string {
    return join(this.dir, "draft", `${role}.json`);
  }
}

/** In one step: a reader has the old file or the new one. */
export function replace(path: string, bytes: Uint8Array): void {
  writeFileSync(`${path}.new`, bytes, { flush: true });
  renameSync(`${path}.new`, path);
}
