/** The herald as a process between a keeper's reporting and a real control plane over TLS; and what it refuses. */
import { spawn } from "node:child_process";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  addressBytes,
  generateNodeIdentity,
  licenceDocument,
  standingOrderDocument,
  type StandingOrder,
} from "@phantoma/crypto";
import { parseAnchor, ReleaseFolder, verifyRelease } from "@phantoma/release";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { openControlPlane } from "../../control-plane/control-plane.ts";
import { openEmbedded } from "../../control-plane/database/embedded.ts";
import { migrate } from "../../control-plane/database/migrations.ts";
import { Ledger } from "../../control-plane/licences/ledger.ts";
import { Publisher } from "../../../tests/proofs/update/publisher.ts";
import { TestAuthority } from "../fetcher/test-model-host.ts";
import { Reporting } from "../keeper/reporting.ts";
import { readStandingOrder } from "./order.ts";
import { statePaths } from "../setup/paths.ts";
import { temporaryDir, TestNode } from "../test-node.ts";

const NAME = "plane.test";
const DAY_MS = 86_400_000;
const controlPlane = generateNodeIdentity().signing;
let authority: TestAuthority;
let tls: { key: Buffer; cert: Buffer };

beforeAll(async () => {
  authority = await TestAuthority.make();
  const { key, cert } = await authority.issue(NAME);
  tls = { key: Buffer.from(key), cert: Buffer.from(cert) };
});

function stage(port: number, change: Partial<StandingOrder> = {}) {
  const node = new TestNode();
  const paths = statePaths(node.dir);
  for (const dir of [paths.keeperDir, paths.ordersDir, paths.heraldDir]) mkdirSync(dir);
  writeFileSync(join(paths.devicesDir, "node.pub"), Buffer.from(node.key).toString("hex"));
  const reporting = new Reporting({
    ...paths,
    identity: node.identity,
    release: new Uint8Array(32),
    devices: () => node.devices,
    health: async () => "good",
    log: () => undefined,
  });
  onTestFinished(() => reporting.stop());
  const order: StandingOrder = {
    node: node.key,
    counter: 1n,
    notAfter: Date.now() + DAY_MS,
    signer: node.admin.signing.publicKey,
    endpoints: [{ name: NAME, address: addressBytes("127.0.0.1"), port }],
    controlPlane: controlPlane.publicKey,
    ...change,
  };
  const signed = standingOrderDocument.sign(order, node.admin.signing.privateKey);
  const outcome = () => reporting.state(Date.now()).sent[0]?.outcome;
  return { node, paths, reporting, signed, outcome };
}

function startHerald(dir: string, ca = authority.pem): Promise<number | null> {
  const caPath = join(temporaryDir(), "ca.pem");
  writeFileSync(caPath, ca);
  const entry = fileURLToPath(new URL("main.ts", import.meta.url));
  const child = spawn(process.execPath, [entry, "--state", dir], {
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    env: { ...process.env, NODE_EXTRA_CA_CERTS: caPath },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return new Promise((resolve) => child.once("exit", resolve));
}

async function startControlPlane(repositoryDir: string, node: Uint8Array) {
  const database = await openEmbedded(undefined);
  await migrate(database);
  const terms = { holder: "Ada", edition: "team", devices: 3, graceDays: 30 } as const;
  const now = Date.now();
  const plane = await openControlPlane({
    database,
    authority: controlPlane,
    operatorToken: "token",
    repositoryDir,
    tls,
    log: () => undefined,
  });
  await plane.forNodes.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => plane.close());
  const { port } = plane.forNodes.server.address() as AddressInfo;
  const issue = () =>
    new Ledger(controlPlane).issue(
      database,
      Buffer.from(node),
      { ...terms, notBefore: now - DAY_MS, notAfter: now + DAY_MS },
      now,
    );
  return { port, issue, database };
}

/** Answers every request the same. */
async function startLiar(status: number, body: Buffer, headers = {}): Promise<number> {
  const server = createServer({ ...tls }, (_request, response) =>
    response.writeHead(status, headers).end(body),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

test("a node reports, is licensed, and has a release that the verifier takes; then its order ends it", async () => {
  const dir = join(temporaryDir(), "published");
  const publisher = await Publisher.begin(dir);
  const bundlePath = join(temporaryDir(), "bundle");
  writeFileSync(bundlePath, Buffer.alloc(300_000, 7));
  await publisher.release({ path: bundlePath, manifest: { version: "0.2.0" } } as never);

  const { node, paths, reporting, outcome, signed } = stage(1);
  const plane = await startControlPlane(join(dir, "ceremony/repository"), node.key);
  const { id } = await plane.issue();
  const order = standingOrderDocument.open(signed, () => node.admin.signing.publicKey);
  const endpoints = [{ ...order.endpoints[0]!, port: plane.port }];
  const there = standingOrderDocument.sign({ ...order, endpoints }, node.admin.signing.privateKey);
  expect(reporting.submitOrder(there, Date.now())).toBeUndefined();
  const ended = startHerald(node.dir);

  await expect.poll(outcome, { timeout: 30_000 }).toBe("answered");
  const held = reporting.state(Date.now()).licences;
  expect(held).toMatchObject([{ standing: "valid" }]);
  const document = Buffer.from(held[0]!.document, "base64");
  const licence = licenceDocument.open(document, () => controlPlane.publicKey);
  expect(Buffer.from(licence.id).toString("hex")).toBe(id);
  const seen = await plane.database.query("SELECT key FROM nodes WHERE seen_at IS NOT NULL");
  expect(seen).toHaveLength(1);

  const name = "phantoma-node-0.2.0-linux-x64.tar.gz";
  const found = () => readTargets(paths.heraldDir).find((one) => one.endsWith(name));
  await expect.poll(found, { timeout: 30_000 }).toBeDefined();
  const report = await verifyRelease({
    anchor: parseAnchor(JSON.parse(readFileSync(publisher.anchorPath, "utf8"))),
    source: new ReleaseFolder(paths.heraldDir),
    stateDir: temporaryDir(),
    filePath: join(paths.heraldDir, "targets", found()!),
  });
  expect(report.record.version).toBe("0.2.0");

  const off = standingOrderDocument.sign(
    { ...order, counter: 2n, endpoints: [] },
    node.admin.signing.privateKey,
  );
  expect(reporting.submitOrder(off, Date.now())).toBeUndefined();
  expect(await ended).toBe(0);
}, 300_000);

test.each<[string, string, () => Promise<number>]>([
  ["nobody answers", "ERR_UNREACHABLE", async () => 1],
  ["a command", "ERR_UNEXPECTED", () => startLiar(200, Buffer.from('{"command":"update"}'))],
  ["an answer without an end", "ERR_TOO_LONG", () => startLiar(200, Buffer.alloc(70_000))],
  ["an error", "ERR_STATUS", () => startLiar(503, Buffer.alloc(0))],
  [
    "a redirect",
    "ERR_STATUS",
    () => startLiar(302, Buffer.alloc(0), { location: "https://elsewhere.test/" }),
  ],
])(
  "%s is named, and changes nothing",
  async (_name, code, start) => {
    const { node, paths, reporting, outcome, signed } = stage(await start());
    reporting.submitOrder(signed, Date.now());
    void startHerald(node.dir);
    await expect.poll(outcome, { timeout: 30_000 }).toBe(code);
    expect(reporting.state(Date.now()).licences).toEqual([]);
    expect(existsSync(join(paths.ordersDir, "licensed"))).toBe(false);
  },
  60_000,
);

test("a certificate of an authority that nobody trusts is refused before anything is sent", async () => {
  const { node, reporting, outcome, signed } = stage(await startLiar(200, Buffer.alloc(0)));
  reporting.submitOrder(signed, Date.now());
  void startHerald(node.dir, (await TestAuthority.make()).pem);
  await expect.poll(outcome, { timeout: 30_000 }).toBe("ERR_TLS");
}, 60_000);

test("the herald reads the order for itself: a keeper that was taken over sends it nowhere", () => {
  const { node, paths, signed } = stage(443);
  const path = join(paths.ordersDir, "standing.order");
  const read = () => readStandingOrder(path, paths.devicesDir);
  expect(read).toThrow();
  writeFileSync(path, signed);
  expect(read().origins).toEqual([`https://${NAME}:443`]);
  const order = standingOrderDocument.open(signed, () => node.admin.signing.publicKey);
  for (const [change, by] of [
    [{}, node.identity],
    [{}, node.chat],
    [{ node: new Uint8Array(32) }, node.admin],
  ] as const) {
    writeFileSync(path, standingOrderDocument.sign({ ...order, ...change }, by.signing.privateKey));
    expect(read).toThrow();
  }
  rmSync(path);
});

function readTargets(dir: string): string[] {
  return existsSync(join(dir, "targets")) ? readdirSync(join(dir, "targets")) : [];
}
