/**
 * The operator's page and the same as JSON. The database keeps the counts, so each is as of now; those who ask at the same
 * time are given the same.
 *
 * @module
 */
import type { FastifyInstance } from "fastify";
import { PAGE_POLICY, pageOf } from "./page.ts";
import { summarise, type Fleet, type Summary } from "./summary.ts";

export function fleetRoutes(app: FastifyInstance, fleet: Fleet, now: () => number): void {
  let counting: Promise<Summary> | undefined;
  const current = (): Promise<Summary> =>
    (counting ??= summarise(fleet, now()).finally(() => (counting = undefined)));

  app.get("/v1/fleet", { schema: { summary: "The fleet in numbers" } }, current);
  app.get("/fleet", { schema: { summary: "The same as a page" } }, async (_request, reply) =>
    reply
      .type("text/html; charset=utf-8")
      .header("content-security-policy", PAGE_POLICY)
      .send(pageOf(await current())),
  );
}
