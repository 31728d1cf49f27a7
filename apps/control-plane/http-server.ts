/**
 * What both of the control plane's servers have in common: limits, errors with codes, the log, an API description.
 *
 * @module
 */
import fastify, { type FastifyError, type FastifyInstance } from "fastify";
import swagger from "@fastify/swagger";
import { ControlPlaneError } from "./control-plane-error.ts";
import type { Database } from "./database/sql.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";

/** Of a head and a body together; a node behind a slow line sends 200 bytes. */
const REQUEST_TIMEOUT_MS = 10_000;
/** A node asks every 15 minutes; what is left open longer is given back. */
const KEEP_ALIVE_MS = 5_000;
/** Below the usual 1,024 open files of a process. */
const MAX_CONNECTIONS = 800;
/** A target is called by its digest, a dot and a name of 128 characters. */
const MAX_NAME_LENGTH = 64 + 1 + 128;
/** How long the database may take to say that it is there. */
const HEALTH_TIMEOUT_MS = 1_000;

export interface HttpServerOptions {
  readonly title: string;
  readonly maxBodyBytes: number;
  readonly database: Database;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly tls?: { readonly key: Buffer; readonly cert: Buffer };
}

export async function openHttpServer(options: HttpServerOptions): Promise<FastifyInstance> {
  const { title, maxBodyBytes, database, metrics, log, tls } = options;
  const app: FastifyInstance = fastify({
    // Fastify's own log has addresses in it.
    logger: false,
    bodyLimit: maxBodyBytes,
    routerOptions: { maxParamLength: MAX_NAME_LENGTH },
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: true,
    // What is not in a schema is refused, never left out, and never turned into what is.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false } },
    ...(tls ? { https: { ...tls, minVersion: "TLSv1.3" } } : {}),
  }) as FastifyInstance;
  app.server.maxConnections = MAX_CONNECTIONS;

  await app.register(swagger, { openapi: { info: { title, version: "1" } } });
  app.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "none";
    const seconds = reply.elapsedTime / 1000;
    metrics.answered(route, reply.statusCode, seconds);
    if (reply.statusCode >= 500)
      log("failed", { route, status: reply.statusCode, durationMs: Math.round(reply.elapsedTime) });
  });
  app.addHook("onSend", async (_request, reply) => {
    void reply.header("x-content-type-options", "nosniff").header("referrer-policy", "no-referrer");
  });
  app.setErrorHandler<FastifyError>(async (error, _request, reply) => {
    const refusal = refusalOf(error);
    if (refusal.code === "ERR_INTERNAL") log("internal-error", { code: error.name });
    if (refusal.retryAfterSeconds !== undefined)
      void reply.header("retry-after", refusal.retryAfterSeconds);
    return reply.code(refusal.status).send({ code: refusal.code, advice: refusal.message });
  });
  app.setNotFoundHandler(() => {
    throw new ControlPlaneError("ERR_NOT_FOUND");
  });

  app.get(
    "/health",
    { schema: { summary: "Whether it works, its database included" } },
    async () => {
      const late = new Promise<never>((_resolve, reject) => {
        setTimeout(() => reject(new ControlPlaneError("ERR_DATABASE")), HEALTH_TIMEOUT_MS).unref();
      });
      await Promise.race([database.query("SELECT 1"), late]);
      return { status: "ok", database: database.kind };
    },
  );
  app.get("/openapi.json", { schema: { hide: true } }, async () => app.swagger());
  return app;
}

function refusalOf(error: FastifyError | ControlPlaneError): ControlPlaneError {
  if (error instanceof ControlPlaneError) return error;
  if (error.code === "FST_ERR_CTP_BODY_TOO_LARGE") return new ControlPlaneError("ERR_TOO_LARGE");
  const isTheirs = error.statusCode !== undefined && error.statusCode < 500;
  return new ControlPlaneError(isTheirs ? "ERR_REQUEST" : "ERR_INTERNAL");
}
