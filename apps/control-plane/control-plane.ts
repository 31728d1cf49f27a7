/**
 * The control plane: two HTTP servers over one database. Nodes reach the first, an operator the second.
 *
 * Nothing in this folder opens a connection but to the database: it cannot speak to a node that has not asked.
 *
 * @module
 */
import type { FastifyInstance } from "fastify";
import type { Authority } from "./authority.ts";
import type { Database } from "./database/sql.ts";
import { fleetRoutes } from "./fleet/routes.ts";
import { receiveHeartbeat } from "./heartbeats/receive.ts";
import { Together } from "./heartbeats/together.ts";
import { openHttpServer } from "./http-server.ts";
import { Ledger } from "./licences/ledger.ts";
import { licenceRoutes } from "./licences/routes.ts";
import type { Log } from "./log.ts";
import { Metrics } from "./metrics.ts";
import { demandOperator } from "./operator.ts";
import { RateLimit, type Rate } from "./rate-limit.ts";
import { Repository } from "./releases/repository.ts";
import { releaseRoutes } from "./releases/routes.ts";

/** A heartbeat has at most 188 bytes. */
const MAX_HEARTBEAT_BYTES = 188;
/** A licence's terms, in JSON. */
const MAX_OPERATOR_BODY_BYTES = 4_096;
/** A node asks every 15 minutes and a few times more when its line is bad. */
const NODE_RATE: Rate = { burst: 10, perSecond: 1 / 60 };
/** Of one address: many nodes may stand behind one, and a release has some dozen files. */
export const ADDRESS_RATE: Rate = { burst: 200, perSecond: 20 };

/**
 * The embedded database costs two milliseconds of this process for a statement, however many heartbeats are in it, and no
 * node notices a twentieth of a second.
 */
const WITH_OTHERS = { waitMs: 50, most: 64 };
/** A server takes ten statements at once, and two that change the same rows could wait for each other in a circle. */
const ALONE = { waitMs: 0, most: 1 };

export interface ControlPlaneOptions {
  readonly database: Database;
  readonly authority: Authority;
  readonly operatorToken: string;
  /** A TUF repository; absent: nothing to serve. */
  readonly repositoryDir?: string;
  readonly tls?: { readonly key: Buffer; readonly cert: Buffer };
  readonly addressRate?: Rate;
  readonly log: Log;
  readonly now?: () => number;
}

export interface ControlPlane {
  readonly forNodes: FastifyInstance;
  readonly forOperator: FastifyInstance;
  close(): Promise<void>;
}

export async function openControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { database, authority, now = Date.now } = options;
  const metrics = new Metrics();
  const forNodes = await openForNodes(options, metrics, now);

  const title = "Phantoma control plane: for its operator";
  const forOperator = await openHttpServer({
    ...withoutTls(options),
    title,
    maxBodyBytes: MAX_OPERATOR_BODY_BYTES,
    metrics,
  });
  demandOperator(forOperator, options.operatorToken);
  licenceRoutes(forOperator, { database, ledger: new Ledger(authority), now });
  fleetRoutes(forOperator, { database, authority }, now);
  forOperator.get("/metrics", { schema: { summary: "For Prometheus" } }, async (_request, reply) =>
    reply.type("text/plain; version=0.0.4").send(metrics.text()),
  );

  return {
    forNodes,
    forOperator,
    async close() {
      await Promise.all([forNodes.close(), forOperator.close()]);
      await database.close();
    },
  };
}

async function openForNodes(
  options: ControlPlaneOptions,
  metrics: Metrics,
  now: () => number,
): Promise<FastifyInstance> {
  const { database, authority, repositoryDir, addressRate = ADDRESS_RATE } = options;
  const title = "Phantoma control plane: for nodes";
  const app = await openHttpServer({
    ...options,
    title,
    maxBodyBytes: MAX_HEARTBEAT_BYTES,
    metrics,
  });
  const perAddress = new RateLimit(addressRate);
  const perNode = new RateLimit(NODE_RATE);
  const repository = new Repository(repositoryDir);
  app.addHook("onRequest", async (request) => perAddress.take(request.ip));
  releaseRoutes(app, repository);

  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    "application/octet-stream",
    { parseAs: "buffer" },
    (_request, body, done) => done(null, body),
  );
  const receiver = {
    together: new Together(database, database.kind === "embedded" ? WITH_OTHERS : ALONE),
    authority,
    timestamp: () => repository.timestamp(),
    limitNode: (node: string) => perNode.take(node),
    now,
  };
  app.post<{ Body: Buffer }>(
    "/v1/heartbeats",
    {
      schema: {
        summary: "A signed heartbeat; answered with a signed answer, timestamp.json and licences",
        consumes: ["application/octet-stream"],
        produces: ["application/octet-stream"],
      },
    },
    async (request, reply) =>
      reply
        .type("application/octet-stream")
        .send(await receiveHeartbeat(receiver, request.body ?? Buffer.alloc(0))),
  );
  return app;
}

/** The operator's server is for this machine only; a tunnel or a proxy brings it elsewhere. */
function withoutTls({
  tls: _tls,
  ...options
}: ControlPlaneOptions): Omit<ControlPlaneOptions, "tls"> {
  return options;
}
