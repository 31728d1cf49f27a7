/**
 * The operator's page and the same as JSON. Counted at most every few seconds, whoever asks: at a million nodes a count
 * takes a second, and the page does not wait for it twice.
 *
 * @module
 */
import type { FastifyInstance } from "fastify";
import { PAGE_POLICY, pageOf } from "./page.ts";
import { summarise, type Fleet, type Summary } from "./summary.ts";

/** A person who reloads sees a new count; a wall of screens costs one. */
const FRESH_MS = 10_000;

export function fleetRoutes(app: FastifyInstance, fleet: Fleet, now: () => number): void {
  let last: Summary | undefined;
  let counting: Promise<Summary> | undefined;

  const count = (): Promise<Summary> =>
    (counting ??= summarise(fleet, now())
      .then((summary) => (last = summary))
      .finally(() => (counting = undefined)));

  /** What was counted before is shown while it is counted anew; the page says when that was. */
  const current = async (): Promise<Summary> => {
    if (!last) return count();
    if (now() - last.at >= FRESH_MS) count().catch(() => undefined);
    return last;
  };

  app.get("/v1/fleet", { schema: { summary: "The fleet in numbers" } }, current);
  app.get("/fleet", { schema: { summary: "The same as a page" } }, async (_request, reply) =>
    reply
      .type("text/html; charset=utf-8")
      .header("content-security-policy", PAGE_POLICY)
      .send(pageOf(await current())),
  );
}
