/**
 * Licences: issued, renewed and revoked, each time as a document with the next sequence number. A revoked licence is a
 * document that has ended and has no days of grace, so that a node needs to understand nothing else.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { licenceDocument, type Licence } from "@phantoma/crypto";
import type { Authority } from "../authority.ts";
import { ControlPlaneError } from "../control-plane-error.ts";
import type { Sql } from "../database/sql.ts";

/** How long a licence goes on without a word from here, unless the operator says otherwise. */
export const DEFAULT_GRACE_DAYS = 30;

export interface LicenceTerms {
  readonly holder: string;
  readonly edition: Licence["edition"];
  /** How many devices it is for. */
  readonly devices: number;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly graceDays: number;
}

export interface Issued {
  readonly id: string;
  readonly sequence: string;
  readonly notAfter: number;
  /** The signed document in base64, for a node without a network. */
  readonly document: string;
}

export class Ledger {
  readonly #authority: Authority;

  constructor(authority: Authority) {
    this.#authority = authority;
  }

  /** @param node its Ed25519 key: the licence is good for no other */
  async issue(sql: Sql, node: Buffer, terms: LicenceTerms, now: number): Promise<Issued> {
    await sql.query(
      "INSERT INTO nodes (key, added_at) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING",
      [node, now],
    );
    const licence = { ...terms, id: randomBytes(16), sequence: 1n, node, issuedAt: now };
    const document = this.#sign(licence);
    await sql.query(
      `INSERT INTO licences (id, node, sequence, document, not_after, grace_days)
       VALUES ($1, $2, 1, $3, $4, $5)`,
      [licence.id, node, document, terms.notAfter, terms.graceDays],
    );
    return answerOf(licence, document);
  }

  /** @throws {@link ControlPlaneError} `ERR_LICENCE_UNKNOWN`, `ERR_LICENCE_REVOKED` */
  async renew(sql: Sql, id: Buffer, change: Partial<LicenceTerms>, now: number): Promise<Issued> {
    return this.#replace(sql, id, { ...change, issuedAt: now }, null);
  }

  /** @throws {@link ControlPlaneError} `ERR_LICENCE_UNKNOWN`, `ERR_LICENCE_REVOKED` */
  async revoke(sql: Sql, id: Buffer, now: number): Promise<Issued> {
    return this.#replace(sql, id, { issuedAt: now, notAfter: now, graceDays: 0 }, now);
  }

  async #replace(
    sql: Sql,
    id: Buffer,
    change: Partial<Licence>,
    revokedAt: number | null,
  ): Promise<Issued> {
    const [row] = await sql.query<{ document: Uint8Array; revoked: boolean }>(
      "SELECT document, revoked_at IS NOT NULL AS revoked FROM licences WHERE id = $1 FOR UPDATE",
      [id],
    );
    if (!row) throw new ControlPlaneError("ERR_LICENCE_UNKNOWN");
    if (row.revoked) throw new ControlPlaneError("ERR_LICENCE_REVOKED");
    const before = licenceDocument.open(row.document, () => this.#authority.publicKey);
    const licence = { ...before, ...change, sequence: before.sequence + 1n };
    const document = this.#sign(licence);
    await sql.query(
      `UPDATE licences SET sequence = $2::text::numeric, document = $3, not_after = $4, grace_days = $5,
       revoked_at = $6 WHERE id = $1`,
      [id, String(licence.sequence), document, licence.notAfter, licence.graceDays, revokedAt],
    );
    return answerOf(licence, document);
  }

  #sign(licence: Licence): Buffer {
    return Buffer.from(licenceDocument.sign(licence, this.#authority.privateKey));
  }
}

function answerOf({ id, sequence, notAfter }: Licence, document: Buffer): Issued {
  return {
    id: Buffer.from(id).toString("hex"),
    sequence: String(sequence),
    notAfter,
    document: document.toString("base64"),
  };
}
