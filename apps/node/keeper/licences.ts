/**
 * The licences that this node was given: of each the newest, and how it stands. They are asked only before an update is
 * fetched from a control plane; nobody asks them about prompts, models or data.
 *
 * @module
 */
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CryptoError, MAX_ANSWERED_LICENCES, sameBytes, type Licence } from "@phantoma/crypto";
import { openLicence, type Reporting } from "@phantoma/protocol";
import { writePublicFile } from "../setup/public-file.ts";

const DAY_MS = 86_400_000;
const NAME = /^[0-9a-f]{32}$/;

export type Standing = Reporting["licences"][number]["standing"];

export interface Held {
  readonly licence: Licence;
  readonly document: Uint8Array;
}

export function standingOf(licence: Licence, now: number): Standing {
  if (now < licence.notBefore) return "early";
  if (now <= licence.notAfter) return "valid";
  return now <= licence.notAfter + licence.graceDays * DAY_MS ? "grace" : "ended";
}

export class Licences {
  readonly #dir: string;
  readonly #node: Uint8Array;
  #held = new Map<string, Held>();

  /** @param dir the keeper's own */
  constructor(dir: string, node: Uint8Array) {
    this.#dir = dir;
    this.#node = node;
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  }

  /** Those that one of these signed; another one's are kept and do not count. */
  readSignedBy(issuers: readonly Uint8Array[]): void {
    this.#held = new Map();
    for (const name of readdirSync(this.#dir).filter((one) => NAME.test(one))) {
      const held = this.#open(readFileSync(join(this.#dir, name)), issuers);
      if (held) this.#held.set(name, held);
    }
  }

  /** @returns whether it is good and not older than the one of the same id that is here */
  take(untrusted: Uint8Array, issuers: readonly Uint8Array[]): boolean {
    const held = this.#open(untrusted, issuers);
    if (!held) return false;
    const id = Buffer.from(held.licence.id).toString("hex");
    const before = this.#held.get(id);
    if (before && held.licence.sequence < before.licence.sequence) return false;
    if (before?.licence.sequence === held.licence.sequence) return true;
    writePublicFile(join(this.#dir, id), untrusted);
    this.#held.set(id, held);
    if (this.#held.size > MAX_ANSWERED_LICENCES) this.#dropShortest();
    return true;
  }

  /** The one that is good for longest first. */
  get all(): readonly Held[] {
    return [...this.#held.values()].toSorted((a, b) => endOf(b.licence) - endOf(a.licence));
  }

  #open(untrusted: Uint8Array, issuers: readonly Uint8Array[]): Held | undefined {
    try {
      const licence = openLicence(untrusted, issuers);
      return sameBytes(licence.node, this.#node) ? { licence, document: untrusted } : undefined;
    } catch (error) {
      if (error instanceof CryptoError) return undefined;
      throw error;
    }
  }

  #dropShortest(): void {
    const id = Buffer.from(this.all.at(-1)!.licence.id).toString("hex");
    this.#held.delete(id);
    rmSync(join(this.#dir, id), { force: true });
  }
}

function endOf({ notAfter, graceDays }: Licence): number {
  return notAfter + graceDays * DAY_MS;
}
