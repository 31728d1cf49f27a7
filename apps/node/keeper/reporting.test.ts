/** Who may switch reporting on and off, what is composed, and which answers and licences count. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  addressBytes,
  documentHash,
  generateNodeIdentity,
  heartbeatAnswerDocument,
  heartbeatDocument,
  licenceDocument,
  standingOrderDocument,
  type DeviceIdentity,
  type Licence,
  type StandingOrder,
} from "@phantoma/crypto";
import { encodeAnswerBody } from "@phantoma/protocol";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { TestNode } from "../test-node.ts";
import { MAX_STANDING_MS, Reporting } from "./reporting.ts";

const DAY_MS = 86_400_000;
const controlPlane = generateNodeIdentity().signing;
let node: TestNode;
let dirs: { keeperDir: string; ordersDir: string; heraldDir: string; outcomeDir: string };
let reporting: Reporting;

beforeEach(() => {
  node = new TestNode();
  dirs = {
    keeperDir: join(node.dir, "keeper"),
    ordersDir: join(node.dir, "orders"),
    heraldDir: join(node.dir, "herald"),
    outcomeDir: join(node.dir, "outcome"),
  };
  for (const dir of Object.values(dirs)) mkdirSync(dir);
  reporting = start();
});

function start(): Reporting {
  const started = new Reporting({
    ...dirs,
    identity: node.identity,
    release: new Uint8Array(32).fill(3),
    devices: () => node.devices,
    health: async () => "good",
    log: () => undefined,
  });
  onTestFinished(() => started.stop());
  return started;
}

const endpoint = { name: "plane.example", address: addressBytes("192.0.2.1"), port: 443 };

function order(change: Partial<StandingOrder> = {}, by: DeviceIdentity = node.admin): Uint8Array {
  const fields: StandingOrder = {
    node: node.key,
    counter: 5n,
    notAfter: Date.now() + DAY_MS,
    signer: by.signing.publicKey,
    endpoints: [endpoint],
    controlPlane: controlPlane.publicKey,
  };
  return standingOrderDocument.sign({ ...fields, ...change }, by.signing.privateKey);
}

function licence(change: Partial<Licence> = {}, key = controlPlane.privateKey): Uint8Array {
  const now = Date.now();
  const fields: Licence = {
    id: new Uint8Array(16).fill(1),
    sequence: 2n,
    node: node.key,
    holder: "Ada",
    edition: "team",
    devices: 3,
    issuedAt: now,
    notBefore: now - DAY_MS,
    notAfter: now + DAY_MS,
    graceDays: 30,
  };
  return licenceDocument.sign({ ...fields, ...change }, key);
}

const published = (name: string) => join(dirs.ordersDir, name);
const heartbeatNow = () =>
  heartbeatDocument.open(readFileSync(published("heartbeat")), ({ node: key }) => key);
const outcome = () => reporting.state(Date.now()).sent[0]?.outcome;

async function reported() {
  expect(reporting.submitOrder(order(), Date.now())).toBeUndefined();
  await expect.poll(() => existsSync(published("heartbeat"))).toBe(true);
  return heartbeatNow();
}

/** As the herald leaves it. */
function answer(body: Uint8Array): void {
  writeFileSync(join(dirs.heraldDir, "answer"), body);
  const hash = documentHash(readFileSync(published("heartbeat")));
  writeFileSync(join(dirs.heraldDir, "outcome"), `${Buffer.from(hash).toString("hex")} answered`);
}

function goodAnswer(nonce: Uint8Array, licences: readonly Uint8Array[], time = Date.now()): Buffer {
  const signed = heartbeatAnswerDocument.sign(
    {
      node: node.key,
      nonce,
      time,
      timestamp: null,
      licences: licences.map((one) => documentHash(one)),
    },
    controlPlane.privateKey,
  );
  return encodeAnswerBody({ answer: signed, timestamp: new Uint8Array(0), licences });
}

test("nothing is published before an admin's order", () => {
  expect(reporting.state(Date.now())).toEqual({
    order: null,
    highestCounter: "0",
    sent: [],
    licences: [],
  });
  expect(
    ["heartbeat", "standing.order", "licensed"].filter((name) => existsSync(published(name))),
  ).toEqual([]);
});

test("an order publishes itself and a signed heartbeat with what is known and nothing else", async () => {
  mkdirSync(join(dirs.heraldDir, "metadata"));
  for (const name of ["2.root.json", "11.root.json", "7.targets.json", "x.root.json"])
    writeFileSync(join(dirs.heraldDir, "metadata", name), "");
  expect(await reported()).toEqual({
    node: node.key,
    sequence: expect.any(BigInt),
    nonce: expect.any(Uint8Array),
    issuedAt: expect.any(Number),
    release: new Uint8Array(32).fill(3),
    rootVersion: 11,
    targetsVersion: 7,
    licence: null,
    health: "good",
  });
  expect(readFileSync(published("standing.order"))).toEqual(
    readFileSync(published("standing.order")),
  );
  expect(reporting.state(Date.now())).toMatchObject({
    highestCounter: "5",
    order: { endpoints: [{ name: "plane.example", address: "192.0.2.1", port: 443 }] },
    sent: [
      { document: readFileSync(published("heartbeat")).toString("base64"), outcome: "waiting" },
    ],
  });
});

test.each<[string, () => Uint8Array, string]>([
  ["of a chat device", () => order({}, node.chat), "ERR_NOT_AUTHORISED"],
  ["of a stranger", () => order({}, node.stranger), "ERR_NOT_AUTHORISED"],
  [
    "that a chat device signed as the admin",
    () => order({ signer: node.admin.signing.publicKey }, node.chat),
    "ERR_AUTHENTICATION",
  ],
  ["for another node", () => order({ node: new Uint8Array(32) }), "ERR_ORDER_NODE"],
  ["that has ended", () => order({ notAfter: Date.now() - 1 }), "ERR_ORDER_EXPIRED"],
  [
    "past the longest",
    () => order({ notAfter: Date.now() + MAX_STANDING_MS + 60_000 }),
    "ERR_ORDER_TOO_LONG",
  ],
  [
    "with a port of 0",
    () => order({ endpoints: [{ ...endpoint, port: 0 }] }),
    "ERR_DOCUMENT_FIELD",
  ],
  ["that is cut", () => order().subarray(1), "ERR_DOCUMENT_TYPE"],
])("an order %s changes nothing", (_name, make, code) => {
  expect(reporting.submitOrder(make(), Date.now())).toBe(code);
  expect(reporting.state(Date.now()).order).toBeNull();
});

test("the longest order is taken, and none twice or older", () => {
  const now = Date.now();
  expect(reporting.submitOrder(order({ notAfter: now + MAX_STANDING_MS }), now)).toBeUndefined();
  for (const counter of [5n, 4n])
    expect(reporting.submitOrder(order({ counter }), now)).toBe("ERR_ORDER_REPLAYED");
});

test("an order without a place ends reporting, and keeps whose licences count", async () => {
  await reported();
  expect(reporting.submitOrder(order({ counter: 6n, endpoints: [] }), Date.now())).toBeUndefined();
  expect(existsSync(published("heartbeat"))).toBe(false);
  expect(reporting.submitLicence(licence(), Date.now())).toBe(true);
  expect(reporting.state(Date.now()).licences).toMatchObject([{ standing: "valid" }]);
  // Nobody fetches anything for a node that reports to nobody.
  expect(existsSync(published("licensed"))).toBe(false);
});

test("a sequence is never used twice, also after a restart", async () => {
  const first = await reported();
  reporting.stop();
  reporting = start();
  await expect.poll(() => heartbeatNow().sequence > first.sequence).toBe(true);
  expect(reporting.state(Date.now()).highestCounter).toBe("5");
});

test("when the admin is revoked, reporting ends", async () => {
  await reported();
  node.devices = {
    ...node.devices,
    devices: node.devices.devices.map((one) => ({ ...one, revokedAt: 1 })),
  };
  reporting.devicesChanged();
  expect(existsSync(published("standing.order"))).toBe(false);
  expect(existsSync(published("heartbeat"))).toBe(false);
});

test("a good answer brings a licence, and with it the right to fetch updates", async () => {
  const { nonce } = await reported();
  expect(existsSync(published("licensed"))).toBe(false);
  answer(goodAnswer(nonce, [licence()]));
  await expect.poll(outcome).toBe("answered");
  expect(reporting.state(Date.now()).licences).toMatchObject([{ standing: "valid" }]);
  expect(existsSync(published("licensed"))).toBe(true);
});

test("an answer with an old nonce, of somebody else, or with more in it, changes nothing and is named", async () => {
  const { nonce } = await reported();
  const good = goodAnswer(nonce, [licence()]);
  const bad: [Uint8Array, string][] = [
    [goodAnswer(new Uint8Array(16), [licence()]), "ERR_UNEXPECTED"],
    [Buffer.concat([good, Buffer.from("\0\x06update")]), "ERR_UNEXPECTED"],
    [goodAnswer(nonce, [licence({ node: new Uint8Array(32) })]), "ERR_UNEXPECTED"],
    [goodAnswer(nonce, [licence({}, node.identity.signing.privateKey)]), "ERR_AUTHENTICATION"],
    [Buffer.alloc(70_000), "ERR_TOO_LONG"],
  ];
  for (const [body, code] of bad) {
    answer(body);
    await expect.poll(outcome).toBe(code);
    expect(reporting.state(Date.now()).licences).toEqual([]);
  }
  expect(existsSync(published("licensed"))).toBe(false);
});

test("of two licences with one id the older, wider one is no use", () => {
  reporting.submitOrder(order(), Date.now());
  const now = Date.now();
  expect(reporting.submitLicence(licence({ sequence: 3n, devices: 1 }), now)).toBe(true);
  expect(
    reporting.submitLicence(
      licence({ sequence: 2n, devices: 60, notAfter: now + 999 * DAY_MS }),
      now,
    ),
  ).toBe(false);
  expect(reporting.submitLicence(licence({ node: new Uint8Array(32) }), now)).toBe(false);
  expect(
    reporting.submitLicence(licence({ sequence: 9n }, node.identity.signing.privateKey), now),
  ).toBe(false);
  expect(reporting.submitLicence(Buffer.alloc(200), now)).toBe(false);
  reporting.stop();
  reporting = start();
  expect(reporting.submitLicence(licence({ sequence: 2n }), now)).toBe(false);
  expect(reporting.state(now).licences).toHaveLength(1);
});

test("a revoked licence ends at once; another one runs into its days of grace", () => {
  const now = Date.now();
  reporting.submitOrder(order(), now);
  reporting.submitLicence(licence(), now);
  const standing = (at: number) => reporting.state(at).licences[0]?.standing;
  expect([standing(now - 2 * DAY_MS), standing(now)]).toEqual(["early", "valid"]);
  expect([standing(now + 31 * DAY_MS - 1_000), standing(now + 31 * DAY_MS + 1_000)]).toEqual([
    "grace",
    "ended",
  ]);
  reporting.submitLicence(licence({ sequence: 3n, notAfter: now - 1, graceDays: 0 }), now);
  expect(standing(now)).toBe("ended");
  expect(existsSync(published("licensed"))).toBe(false);
});

test("a clock that is set back does not make a licence young again", async () => {
  const { nonce } = await reported();
  const later = Date.now() + 60 * DAY_MS;
  answer(goodAnswer(nonce, [licence()], later));
  await expect.poll(outcome).toBe("answered");
  expect(reporting.state(Date.now()).licences).toMatchObject([{ standing: "ended" }]);
  expect(existsSync(published("licensed"))).toBe(false);
});

/** As the installer leaves what the quorum listed. */
function list(...keys: readonly { readonly publicKey: Uint8Array }[]): void {
  const hex = keys.map(({ publicKey }) => Buffer.from(publicKey).toString("hex"));
  writeFileSync(join(dirs.outcomeDir, "licence-keys.json"), JSON.stringify({ keys: hex }));
}

test("where the quorum listed keys, a licence of one counts without an order, and no other does", () => {
  const now = Date.now();
  const [first, next] = [generateNodeIdentity().signing, generateNodeIdentity().signing];
  list(first);
  expect(reporting.submitLicence(licence({}, first.privateKey), now)).toBe(true);
  expect(reporting.submitLicence(licence({ sequence: 3n }, next.privateKey), now)).toBe(false);
  reporting.submitOrder(order(), now);
  expect(reporting.submitLicence(licence({ sequence: 3n }), now)).toBe(false);
  expect(reporting.state(now).licences).toMatchObject([{ standing: "valid" }]);
});

test("a key that came into the list counts at once, one that left it no longer than to the next heartbeat", () => {
  const now = Date.now();
  const [first, next] = [generateNodeIdentity().signing, generateNodeIdentity().signing];
  list(first);
  expect(reporting.submitLicence(licence({}, first.privateKey), now)).toBe(true);
  list(first, next);
  const second = licence({ id: new Uint8Array(16).fill(2) }, next.privateKey);
  expect(reporting.submitLicence(second, now)).toBe(true);
  expect(reporting.state(now).licences).toHaveLength(2);
  list(next);
  expect(reporting.submitLicence(licence({ sequence: 9n }, first.privateKey), now)).toBe(false);
  reporting.stop();
  reporting = start();
  expect(reporting.state(now).licences.map(({ document }) => document)).toEqual([
    Buffer.from(second).toString("base64"),
  ]);
});

test("an answer with a licence of a key that is not listed is refused, and one with a listed key's is taken", async () => {
  const listed = generateNodeIdentity().signing;
  list(listed);
  const { nonce } = await reported();
  answer(goodAnswer(nonce, [licence()]));
  await expect.poll(outcome).toBe("ERR_AUTHENTICATION");
  expect(existsSync(published("licensed"))).toBe(false);
  answer(goodAnswer(nonce, [licence({}, listed.privateKey)]));
  await expect.poll(outcome).toBe("answered");
  expect(existsSync(published("licensed"))).toBe(true);
});

test("a list that cannot be read makes nobody's licence count, and none that of the order's key", () => {
  const now = Date.now();
  reporting.submitOrder(order(), now);
  writeFileSync(join(dirs.outcomeDir, "licence-keys.json"), "{}");
  expect(reporting.submitLicence(licence(), now)).toBe(false);
  rmSync(join(dirs.outcomeDir, "licence-keys.json"));
  expect(reporting.submitLicence(licence(), now)).toBe(true);
});
