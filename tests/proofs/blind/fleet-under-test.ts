/**
 * A control plane as a process, and many nodes that are only their keys, for proofs and benchmarks.
 *
 * @module
 */
import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { generateNodeIdentity, heartbeatDocument, type NodeIdentity } from "@phantoma/crypto";
import { openAuthority } from "../../../apps/control-plane/authority.ts";
import { openEmbedded } from "../../../apps/control-plane/database/embedded.ts";
import { migrate } from "../../../apps/control-plane/database/migrations.ts";
import { openPostgresql } from "../../../apps/control-plane/database/postgresql.ts";
import type { Database } from "../../../apps/control-plane/database/sql.ts";
import { Ledger } from "../../../apps/control-plane/licences/ledger.ts";

const MAIN = fileURLToPath(new URL("../../../apps/control-plane/main.ts", import.meta.url));
/** PGlite starts in seconds; on a busy machine in a minute or two. */
const START_TIMEOUT_MS = 240_000;
const DAY_MS = 86_400_000;

export class NodeKeys {
  readonly identity: NodeIdentity = generateNodeIdentity();
  sequence = 0n;
  /** The highest that was acknowledged. */
  acknowledged = 0n;
  /** The highest that had any answer, a refusal too. */
  answered = 0n;

  get key(): Buffer {
    return Buffer.from(this.identity.signing.publicKey);
  }

  next(): Buffer {
    this.sequence += 1n;
    const { publicKey, privateKey } = this.identity.signing;
    const heartbeat = {
      node: publicKey,
      sequence: this.sequence,
      nonce: randomBytes(16),
      issuedAt: Date.now(),
      release: new Uint8Array(32).fill(1),
      rootVersion: 1,
      targetsVersion: 1,
      licence: null,
      health: "good",
    } as const;
    return Buffer.from(heartbeatDocument.sign(heartbeat, privateKey));
  }
}

export class FleetUnderTest {
  readonly stateDir = mkdtempSync(join(tmpdir(), "phantoma-fleet-"));
  readonly #url: string | undefined;
  readonly #main: string;
  /** One connection per sender, as nodes have each their own. */
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  #child: ChildProcess | undefined;
  nodesPort = 0;
  operatorPort = 0;

  /** @param url of a PostgreSQL server; absent: the embedded database */
  constructor(url?: string, main = MAIN) {
    this.#url = url;
    this.#main = main;
  }

  get pid(): number {
    return this.#child!.pid!;
  }

  get token(): string {
    return readFileSync(join(this.stateDir, "operator.token"), "ascii").trim();
  }

  /** While the embedded one is not served. */
  async withDatabase<T>(work: (database: Database) => Promise<T>): Promise<T> {
    const dir = join(this.stateDir, "database");
    const database = this.#url ? await openPostgresql(this.#url) : await openEmbedded(dir);
    try {
      await migrate(database);
      return await work(database);
    } finally {
      await database.close();
    }
  }

  /** Before the start. */
  async license(nodes: readonly NodeKeys[], holder = "Ada"): Promise<void> {
    const ledger = new Ledger(openAuthority(this.stateDir));
    const now = Date.now();
    const terms = { edition: "team", devices: 3, graceDays: 30, notBefore: now } as const;
    await this.withDatabase((database) =>
      database.transaction(async (sql) => {
        for (const { key } of nodes)
          await ledger.issue(sql, key, { ...terms, holder, notAfter: now + DAY_MS }, now);
      }),
    );
  }

  async start(flags: readonly string[] = []): Promise<void> {
    this.nodesPort ||= await freePort();
    this.operatorPort ||= await freePort();
    const ports = [
      "--nodes",
      `127.0.0.1:${this.nodesPort}`,
      "--operator",
      `127.0.0.1:${this.operatorPort}`,
    ];
    const outPath = join(this.stateDir, "out");
    // Files, so that no socket of the process is one of its parent's.
    const out = openSync(outPath, "w");
    const args = [
      this.#main,
      "--state",
      this.stateDir,
      ...ports,
      "--address-rate",
      "1000000",
      ...flags,
    ];
    const env = { ...process.env, ...(this.#url ? { DATABASE_URL: this.#url } : {}) };
    this.#child = spawn(process.execPath, args, { stdio: ["ignore", out, out], env });
    closeSync(out);
    const deadline = performance.now() + START_TIMEOUT_MS;
    while (!readFileSync(outPath, "utf8").includes('"key"')) {
      if (this.#child.exitCode !== null || performance.now() > deadline)
        throw new Error(`the control plane does not start: ${readFileSync(outPath, "utf8")}`);
      await sleep(50);
    }
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await gone;
  }

  async remove(): Promise<void> {
    await this.stop();
    this.#agent.destroy();
    rmSync(this.stateDir, { recursive: true, force: true });
  }

  log(): string {
    return readFileSync(join(this.stateDir, "out"), "utf8");
  }

  /** @returns the status, 0 when no answer came */
  async send(heartbeat: Buffer): Promise<number> {
    return new Promise((resolve) => {
      const asked = request(
        {
          host: "127.0.0.1",
          port: this.nodesPort,
          path: "/v1/heartbeats",
          method: "POST",
          agent: this.#agent,
          headers: {
            "content-type": "application/octet-stream",
            "content-length": heartbeat.length,
          },
        },
        (response) => {
          response.on("error", () => resolve(0)).on("end", () => resolve(response.statusCode!));
          response.resume();
        },
      );
      asked.on("error", () => resolve(0));
      asked.end(heartbeat);
    });
  }

  /** The next heartbeat of this node; what is acknowledged is remembered. */
  async beat(node: NodeKeys): Promise<number> {
    const heartbeat = node.next();
    const { sequence } = node;
    const status = await this.send(heartbeat);
    if (sequence > node.answered) node.answered = sequence;
    if (status === 200 && sequence > node.acknowledged) node.acknowledged = sequence;
    return status;
  }

  /** Nodes of which less is kept than was acknowledged, or than was answered at all. */
  async lost(
    nodes: readonly NodeKeys[],
    what: "acknowledged" | "answered" = "acknowledged",
  ): Promise<number> {
    const rows = await this.withDatabase((database) =>
      database.query<{ key: string; sequence: string | null }>(
        "SELECT encode(key, 'hex') AS key, sequence::text AS sequence FROM nodes",
      ),
    );
    const kept = new Map(rows.map(({ key, sequence }) => [key, BigInt(sequence ?? 0)]));
    return nodes.filter((node) => (kept.get(node.key.toString("hex")) ?? 0n) < node[what]).length;
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
