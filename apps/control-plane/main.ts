/**
 * Runs the control plane, or backs up and restores what it knows.
 *
 * DATABASE_URL names a PostgreSQL server; without it the database is embedded and lies in the state folder. The embedded
 * one is backed up while nothing is served from it.
 *
 * @module
 */
import { mkdirSync, readFileSync } from "node:fs";
import { isIP } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { FastifyInstance } from "fastify";
import { openAuthority } from "./authority.ts";
import { ADDRESS_RATE, openControlPlane } from "./control-plane.ts";
import { backUp, restore } from "./database/backup.ts";
import { openEmbedded } from "./database/embedded.ts";
import { lockFolder } from "./database/folder-lock.ts";
import { migrate } from "./database/migrations.ts";
import { openPostgresql } from "./database/postgresql.ts";
import type { Database } from "./database/sql.ts";
import { writeLog } from "./log.ts";
import { openOperatorToken } from "./operator.ts";

const usage = `npm run control-plane -- [serve] [--state DIR] [--nodes HOST:PORT] [--operator HOST:PORT]
                         [--repository DIR] [--tls-key FILE --tls-cert FILE] [--address-rate N]
npm run control-plane -- backup FILE [--state DIR]      every row, without the signing key
npm run control-plane -- restore FILE [--state DIR]     into an empty database
`;

const { positionals, values } = readOptions();

mkdirSync(values.state, { recursive: true, mode: 0o700 });
try {
  await run(positionals);
} catch (error) {
  process.stderr.write(`phantoma control plane: ${reasonOf(error)}\n`);
  process.exit(1);
}

function readOptions() {
  try {
    const read = parseArgs({
      allowPositionals: true,
      options: {
        help: { type: "boolean", short: "h", default: false },
        state: { type: "string", default: join(homedir(), ".local/state/phantoma-control-plane") },
        nodes: { type: "string", default: "127.0.0.1:8460" },
        operator: { type: "string", default: "127.0.0.1:8461" },
        repository: { type: "string" },
        "tls-key": { type: "string" },
        "tls-cert": { type: "string" },
        // Requests a second from one address, for nodes that all stand behind one.
        "address-rate": { type: "string" },
      },
    });
    if (!read.values.help) return read;
    process.stdout.write(usage);
    return process.exit(0);
  } catch (error) {
    process.stderr.write(`phantoma control plane: ${(error as Error).message}\n\n${usage}`);
    return process.exit(2);
  }
}

async function run([command = "serve", file]: readonly string[]): Promise<void> {
  if (command === "serve") return serve();
  if (file === undefined || !["backup", "restore"].includes(command))
    throw new RangeError("use serve, backup FILE or restore FILE");
  const database = await openDatabase();
  if (command === "backup") await backUp(database, file);
  else process.stdout.write(`${await restore(database, file)} rows\n`);
  await database.close();
  process.exit(0);
}

async function serve(): Promise<void> {
  const database = await openDatabase();
  await migrate(database);
  const authority = openAuthority(values.state);
  const { tls, rate } = { tls: readTls(), rate: values["address-rate"] };
  const controlPlane = await openControlPlane({
    database,
    authority,
    operatorToken: openOperatorToken(values.state),
    ...(values.repository === undefined ? {} : { repositoryDir: values.repository }),
    ...(tls ? { tls } : {}),
    addressRate:
      rate === undefined ? ADDRESS_RATE : { burst: 2 * Number(rate), perSecond: Number(rate) },
    log: writeLog,
  });
  const nodes = await listen(controlPlane.forNodes, values.nodes);
  const operator = await listen(controlPlane.forOperator, values.operator);
  const key = Buffer.from(authority.publicKey).toString("hex");
  process.stdout.write(
    `${JSON.stringify({ nodes, operator, key, database: database.kind, tls: tls !== undefined })}\n`,
  );
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.once(signal, () => void controlPlane.close().finally(() => process.exit(0)));
}

async function openDatabase(): Promise<Database> {
  const url = process.env.DATABASE_URL;
  // What this process starts must not see it, and neither must an error report.
  delete process.env.DATABASE_URL;
  if (url) return openPostgresql(url);
  await lockFolder(values.state);
  return openEmbedded(join(values.state, "database"));
}

function readTls(): { key: Buffer; cert: Buffer } | undefined {
  const { "tls-key": key, "tls-cert": cert } = values;
  if (key !== undefined && cert !== undefined)
    return { key: readFileSync(key), cert: readFileSync(cert) };
  return undefined;
}

async function listen(app: FastifyInstance, place: string): Promise<string> {
  const [, host = "", port = ""] = /^\[?([^\]]+)\]?:(\d{1,5})$/.exec(place) ?? [];
  if (!isIP(host)) throw new RangeError(`${place} is not ADDRESS:PORT`);
  return app.listen({ host, port: Number(port) });
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}
