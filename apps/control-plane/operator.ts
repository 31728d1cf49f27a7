/**
 * Who is the operator: whoever can read the token in the state folder. Sent as Bearer by programs, and as the password
 * of HTTP's own dialogue by a browser.
 *
 * @module
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { ControlPlaneError } from "./control-plane-error.ts";

/** Whether it works may be asked by whatever watches it. */
const OPEN_ROUTES = new Set(["/health", "/openapi.json"]);

/** Made at the first start. */
export function openOperatorToken(stateDir: string): string {
  const path = join(stateDir, "operator.token");
  try {
    return readFileSync(path, "ascii").trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const token = randomBytes(32).toString("base64url");
  writeFileSync(path, `${token}\n`, { mode: 0o600, flag: "wx", flush: true });
  return token;
}

export function demandOperator(app: FastifyInstance, token: string): void {
  const expected = digest(token);
  app.addHook("onRequest", async (request, reply) => {
    if (OPEN_ROUTES.has(request.routeOptions.url ?? "")) return;
    const given = tokenIn(request.headers.authorization);
    if (given !== undefined && timingSafeEqual(digest(given), expected)) return;
    void reply.header("www-authenticate", 'Basic realm="Phantoma operator", charset="UTF-8"');
    throw new ControlPlaneError("ERR_OPERATOR");
  });
}

function tokenIn(authorization = ""): string | undefined {
  const [scheme, value = ""] = authorization.split(" ");
  if (scheme?.toLowerCase() === "bearer") return value;
  if (scheme?.toLowerCase() !== "basic") return undefined;
  const pair = Buffer.from(value, "base64").toString("utf8");
  return pair.slice(pair.indexOf(":") + 1);
}

/** Of one length, whatever was sent. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
