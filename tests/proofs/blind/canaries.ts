/**
 * A word in every field that a person can write on a node, and none of it in anything that the herald says.
 *
 * @module
 */
import { randomBytes, randomInt } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  ClientError,
  ControlSession,
  Conversation,
  describeDevice,
  openModelFile,
  pushModel,
  signAddedDevice,
  signStandingOrder,
} from "@phantoma/client";
import {
  addressBytes,
  generateDeviceIdentity,
  generateNodeIdentity,
  heartbeatDocument,
  licenceDocument,
  openNextDeviceList,
  standingOrderDocument,
  windowOrderDocument,
  type VerifiedDeviceList,
} from "@phantoma/crypto";
import { openAuthority } from "../../../apps/control-plane/authority.ts";
import { Reporting } from "../../../apps/node/keeper/reporting.ts";
import { startNode } from "../../node-under-test.ts";
import type { Proof } from "../../proof.ts";
import { startPostgresql } from "../../postgresql.ts";
import { leaks, newCanary } from "./canary.ts";
import { FleetUnderTest, NodeKeys } from "./fleet-under-test.ts";
import { PLANE_NAME, Recorder } from "./recorder.ts";

/** Below what one node may send at once. */
const ROUNDS = 6;
const FUZZED = 200;
const DAY_MS = 86_400_000;
const CARRY_TIMEOUT_MS = 60_000;
/** Without a licence, and with one. */
const HEARTBEAT_SIZES = [172, 188];

export async function proveCanaries(proof: Proof): Promise<void> {
  const server = await startPostgresql();
  const fleet = new FleetUnderTest(server.url);
  await fleet.license([new NodeKeys()]);
  await fleet.start();
  const recorder = await Recorder.start(fleet.nodesPort);
  const caPath = join(fleet.stateDir, "ca.pem");
  writeFileSync(caPath, recorder.authorityPem);
  process.env.NODE_EXTRA_CA_CERTS = caPath;
  const under = await startNode({ models: ["echo"], isWithoutPolicy: true });
  delete process.env.NODE_EXTRA_CA_CERTS;
  try {
    const person = new Person(under, recorder, fleet);
    for (let round = 0; round < ROUNDS; round += 1) await person.round();
    const all = recorder.bytes;
    const found = person.canaries.filter((canary) => leaks(canary, all));
    const sizes = new Set(recorder.heartbeats.map(({ length }) => length));
    proof.row({
      name: "a word in every field of a real node, none in what its herald says",
      holds:
        found.length === 0 && recorder.heartbeats.length >= ROUNDS && person.answers === ROUNDS,
      detail: `${person.canaries.length} words, ${recorder.heartbeats.length} heartbeats, ${recorder.requests.length} requests, ${all.length} bytes, ${found.length} found`,
    });
    proof.row({
      name: "every heartbeat has one of two sizes and opens under the closed layout",
      holds:
        [...sizes].every((size) => HEARTBEAT_SIZES.includes(size)) &&
        recorder.heartbeats.every((bytes) => isHeartbeat(bytes, under.node.profile.nodeKey)),
      detail: [...sizes].join(" and "),
    });
    proof.row({
      name: "what the node shows as sent is what was sent, byte for byte",
      holds: (await person.shown()).every((one) =>
        recorder.heartbeats.some((sent) => sent.equals(one)),
      ),
    });
    const leaking = Buffer.concat([all, Buffer.from(person.canaries[0]!).subarray(5, 17)]);
    proof.control(
      "half of one word among those bytes is found",
      leaks(person.canaries[0]!, leaking),
    );
    const coded = Buffer.from(`x${person.canaries[1]}`).toString("base64");
    proof.control("one word in base64 is found", leaks(person.canaries[1]!, Buffer.from(coded)));
  } finally {
    await under.node.stop();
    recorder.stop();
    await fleet.remove();
    await server.stop();
  }
  await fuzz(proof);
}

/** Who uses the node, and writes a new word everywhere each time. */
class Person {
  readonly canaries: string[] = [];
  answers = 0;
  readonly #under: Awaited<ReturnType<typeof startNode>>;
  readonly #recorder: Recorder;
  readonly #fleet: FleetUnderTest;
  #devices: VerifiedDeviceList;

  constructor(
    under: Awaited<ReturnType<typeof startNode>>,
    recorder: Recorder,
    fleet: FleetUnderTest,
  ) {
    this.#under = under;
    this.#recorder = recorder;
    this.#fleet = fleet;
    this.#devices = under.node.devices;
  }

  get #peer() {
    return { profile: this.#under.node.profile, device: this.#under.device };
  }

  get #node(): Buffer {
    return Buffer.from(this.#under.node.profile.nodeKey, "hex");
  }

  #word(): string {
    const canary = newCanary();
    this.canaries.push(canary);
    return canary;
  }

  async round(): Promise<void> {
    await this.#chat();
    await this.#pushModel();
    const session = await ControlSession.open(this.#peer);
    try {
      await this.#nameDevice(session);
      await this.#askForWindow(session);
      await this.#report(session);
      await this.#takeLicence(session);
    } finally {
      session.close();
    }
  }

  /** As the node says it. */
  async shown(): Promise<Buffer[]> {
    const session = await ControlSession.open(this.#peer);
    const { sent } = await session.reporting();
    session.close();
    return sent
      .filter(({ outcome }) => outcome === "answered")
      .map(({ document }) => Buffer.from(document, "base64"));
  }

  async #chat(): Promise<void> {
    const model = Buffer.from(this.#under.node.models[0]!.digest, "hex");
    const history = [{ role: "system", text: this.#word() }] as const;
    const conversation = await Conversation.open({ ...this.#peer, model, history });
    const question = this.#word();
    let answer = "";
    for await (const event of conversation.turn({ text: question }))
      if (event.type === "delta") answer += event.text;
    await conversation.end();
    if (answer.includes(question)) this.answers += 1;
  }

  async #pushModel(): Promise<void> {
    const path = join(this.#fleet.stateDir, `${this.#word()}.gguf`);
    writeFileSync(path, this.#word());
    const file = await openModelFile(path);
    await pushModel(file, this.#peer);
    await file.close();
  }

  async #nameDevice(session: ControlSession): Promise<void> {
    const added = describeDevice(generateDeviceIdentity(), this.#word(), "chat");
    const list = signAddedDevice(this.#under.device, this.#devices, added, Date.now());
    await session.submitDeviceList(list);
    this.#devices = openNextDeviceList(list, this.#devices);
  }

  /** It is refused here, where there is no policy; what it says has reached the keeper all the same. */
  async #askForWindow(session: ControlSession): Promise<void> {
    const { signing } = this.#under.device;
    const order = windowOrderDocument.sign(
      {
        node: this.#node,
        counter: BigInt(Date.now()),
        notAfter: Date.now() + 60_000,
        signer: signing.publicKey,
        endpoints: [{ name: this.#word(), address: addressBytes("192.0.2.1"), port: 443 }],
        files: [{ name: `/${this.#word()}`, digest: randomBytes(32), size: 1n }],
      },
      signing.privateKey,
    );
    await session.openWindow(order).catch((error: unknown) => {
      if (!(error instanceof ClientError)) throw error;
    });
  }

  /** A new standing order sends a heartbeat at once. */
  async #report(session: ControlSession): Promise<void> {
    const before = this.#recorder.heartbeats.length;
    const { nodeTime } = await session.status();
    const { highestCounter } = await session.reporting();
    const here = { name: PLANE_NAME, address: "127.0.0.1", port: this.#recorder.port };
    const elsewhere = { name: `${this.#word()}.test`, address: "127.0.0.1", port: 9 };
    const order = signStandingOrder(this.#under.device, {
      node: this.#node,
      endpoints: [here, elsewhere],
      controlPlane: openAuthority(this.#fleet.stateDir).publicKey,
      highestCounter,
      lifetimeMs: DAY_MS,
      nodeTime,
    });
    await session.submitStandingOrder(order);
    const deadline = performance.now() + CARRY_TIMEOUT_MS;
    while (
      this.#recorder.heartbeats.length === before ||
      (await session.reporting()).sent[0]?.outcome !== "answered"
    ) {
      if (performance.now() > deadline) throw new Error("the herald does not carry");
      await sleep(200);
    }
  }

  /** Whose holder is a word: the next heartbeat names this licence. */
  async #takeLicence(session: ControlSession): Promise<void> {
    const now = Date.now();
    const licence = licenceDocument.sign(
      {
        id: randomBytes(16),
        sequence: 1n,
        node: this.#node,
        holder: this.#word(),
        edition: "team",
        devices: 3,
        issuedAt: now,
        notBefore: now,
        notAfter: now + DAY_MS,
        graceDays: 30,
      },
      openAuthority(this.#fleet.stateDir).privateKey,
    );
    await session.submitLicence(licence);
  }
}

function isHeartbeat(bytes: Buffer, nodeKey: string): boolean {
  const { node } = heartbeatDocument.open(bytes, (unverified) => unverified.node);
  return Buffer.from(node).toString("hex") === nodeKey;
}

/** The composer alone, with words wherever it looks, many times. */
async function fuzz(proof: Proof): Promise<void> {
  let found = 0;
  let composed = 0;
  for (let run = 0; run < FUZZED; run += 1) {
    const dir = mkdtempSync(join(tmpdir(), "phantoma-blind-"));
    const { bytes, canaries } = await composeOnce(dir);
    rmSync(dir, { recursive: true, force: true });
    composed += 1;
    if (canaries.some((canary) => leaks(canary, bytes))) found += 1;
  }
  proof.row({
    name: "fuzzed: names of files, devices, hosts and holders, none in a heartbeat",
    holds: found === 0 && composed === FUZZED,
    detail: `${composed} heartbeats, ${found} with a word`,
  });
}

async function composeOnce(dir: string): Promise<{ bytes: Buffer; canaries: string[] }> {
  const canaries: string[] = [];
  const word = () => {
    canaries.push(newCanary());
    return canaries.at(-1)!;
  };
  const paths = {
    keeperDir: join(dir, "keeper"),
    ordersDir: join(dir, "orders"),
    heraldDir: join(dir, "herald"),
    outcomeDir: join(dir, "outcome"),
  };
  for (const path of [...Object.values(paths), join(paths.heraldDir, "metadata")]) mkdirSync(path);
  for (const name of [
    `${word()}.root.json`,
    `${randomInt(9)}${word()}.targets.json`,
    `7.root.json.${word()}`,
  ])
    writeFileSync(join(paths.heraldDir, "metadata", name), word());
  const identity = generateNodeIdentity();
  const admin = generateDeviceIdentity();
  const device = { ...describeDevice(admin, word(), "admin"), addedAt: 1, revokedAt: null };
  const devices = {
    devices: [device],
    node: identity.signing.publicKey,
  } as unknown as VerifiedDeviceList;
  const controlPlane = generateNodeIdentity().signing;
  const reporting = new Reporting({
    ...paths,
    identity,
    release: randomBytes(32),
    devices: () => devices,
    log: () => undefined,
    health: async () => (["good", "degraded", "failing"] as const)[randomInt(3)]!,
  });
  const order = standingOrderDocument.sign(
    {
      node: identity.signing.publicKey,
      counter: 1n,
      notAfter: Date.now() + DAY_MS,
      signer: admin.signing.publicKey,
      endpoints: [{ name: word(), address: randomBytes(16), port: 1 + randomInt(65_535) }],
      controlPlane: controlPlane.publicKey,
    },
    admin.signing.privateKey,
  );
  reporting.submitOrder(order, Date.now());
  const path = join(paths.ordersDir, "heartbeat");
  for (;;) {
    try {
      return { bytes: readFileSync(path), canaries };
    } catch {
      await sleep(2);
    } finally {
      reporting.stop();
    }
  }
}
