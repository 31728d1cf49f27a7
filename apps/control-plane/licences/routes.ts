/**
 * What an operator does with licences. Every change needs an Idempotency-Key.
 *
 * @module
 */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { MAX_DEVICES } from "@phantoma/crypto";
import { ControlPlaneError } from "../control-plane-error.ts";
import type { Database } from "../database/sql.ts";
import { DEFAULT_GRACE_DAYS, type Issued, type Ledger, type LicenceTerms } from "./ledger.ts";
import { once } from "./once.ts";

/** The layout's: what fits into one line. */
const MAX_HOLDER_BYTES = 128;
/** A person's calendar, in milliseconds since 1970: the year 9999. */
const LAST_TIME = 253_402_300_799_000;

const time = { type: "integer", minimum: 0, maximum: LAST_TIME };
const terms = {
  holder: { type: "string", minLength: 1, maxLength: MAX_HOLDER_BYTES },
  edition: { enum: ["personal", "team", "enterprise"] },
  devices: { type: "integer", minimum: 1, maximum: MAX_DEVICES },
  notBefore: time,
  notAfter: time,
  graceDays: { type: "integer", minimum: 0, maximum: 365 },
} as const;
const headers = {
  type: "object",
  required: ["idempotency-key"],
  properties: { "idempotency-key": { type: "string", minLength: 8, maxLength: 128 } },
} as const;
const params = {
  type: "object",
  properties: { id: { type: "string", pattern: "^[0-9a-f]{32}$" } },
} as const;
const issued = {
  200: {
    type: "object",
    required: ["id", "sequence", "notAfter", "document"],
    properties: {
      id: { type: "string" },
      sequence: { type: "string" },
      notAfter: { type: "integer" },
      document: { type: "string", description: "the signed licence in base64" },
    },
  },
} as const;

type Issue = {
  Body: { node: string } & Omit<LicenceTerms, "notBefore" | "graceDays"> & Partial<LicenceTerms>;
};
type Change = { Params: { id: string }; Body: Partial<LicenceTerms> };

export interface LicenceRoutes {
  readonly database: Database;
  readonly ledger: Ledger;
  readonly now: () => number;
}

export function licenceRoutes(
  app: FastifyInstance,
  { database, ledger, now }: LicenceRoutes,
): void {
  const asked = (request: FastifyRequest) => ({
    key: request.headers["idempotency-key"] as string,
    request: [request.routeOptions.url, request.params, request.body],
    now: now(),
  });

  const node = { type: "string", pattern: "^[0-9a-f]{64}$" };
  const required = ["node", "holder", "edition", "devices", "notAfter"];
  const issueBody = {
    type: "object",
    additionalProperties: false,
    required,
    properties: { node, ...terms },
  };
  app.post<Issue>(
    "/v1/licences",
    {
      schema: { summary: "Issue a licence to a node", headers, body: issueBody, response: issued },
    },
    (request): Promise<Issued> => {
      const { node, ...given } = request.body;
      const complete = { notBefore: now(), graceDays: DEFAULT_GRACE_DAYS, ...given };
      return once(database, asked(request), (sql) =>
        fitting(() => ledger.issue(sql, Buffer.from(node, "hex"), complete, now())),
      );
    },
  );

  const renewBody = {
    type: "object",
    additionalProperties: false,
    required: ["notAfter"],
    properties: terms,
  };
  app.post<Change>(
    "/v1/licences/:id/renew",
    {
      schema: {
        summary: "Renew or change a licence",
        headers,
        params,
        body: renewBody,
        response: issued,
      },
    },
    (request): Promise<Issued> =>
      once(database, asked(request), (sql) =>
        fitting(() =>
          ledger.renew(sql, Buffer.from(request.params.id, "hex"), request.body, now()),
        ),
      ),
  );

  app.post<Change>(
    "/v1/licences/:id/revoke",
    { schema: { summary: "Revoke a licence", headers, params, response: issued } },
    (request): Promise<Issued> =>
      once(database, asked(request), (sql) =>
        ledger.revoke(sql, Buffer.from(request.params.id, "hex"), now()),
      ),
  );
}

/** A holder that fits into no document, such as one with control characters. */
async function fitting<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if ((error as { code?: string }).code !== "ERR_DOCUMENT_FIELD") throw error;
    throw new ControlPlaneError("ERR_REQUEST");
  }
}
