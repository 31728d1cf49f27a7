/** XXhfs: our vectors, the oracle that confirms them, and all ML-KEM implementations together. */
import { describe, expect, test } from "vitest";
import file from "../../vectors/xxhfs.json" with { type: "json" };
import { libsodiumFrom, nobleFrom } from "../../vectors/derandomised-ml-kem.ts";
import { straightLineXxhfs } from "../../vectors/straight-line-xxhfs.ts";
import { statesOf, xxhfsCases, type XxhfsCase } from "../../vectors/xxhfs-cases.ts";
import { loadMlKem, type MlKem } from "../ml-kem.ts";
import { generateX25519 } from "../x25519.ts";
import { startInitiator, startResponder } from "./handshake.ts";
import { Session } from "./session.ts";

const vectors = file.vectors as readonly XxhfsCase[];
const hex = (text: string) => Buffer.from(text, "hex");

function seedsOf(vector: XxhfsCase) {
  return { keySeed: hex(vector.init_kem_seed), encapsulationSeed: hex(vector.resp_kem_seed) };
}

test("the committed vectors are what the generator makes", async () => {
  expect(await xxhfsCases()).toEqual(vectors);
});

describe.each(vectors)("$name", (vector) => {
  test.each(["libsodium", "noble"])("the handshake reproduces it with %s", async (engine) => {
    const seeds = seedsOf(vector);
    const mlKem = engine === "noble" ? nobleFrom(seeds) : await libsodiumFrom(seeds);
    const { initiator, responder } = await statesOf(vector, mlKem);
    for (const [index, { payload, ciphertext }] of vector.messages.entries()) {
      const [writer, reader] = index === 1 ? [responder, initiator] : [initiator, responder];
      expect(writer.writeMessage(hex(payload)).toString("hex")).toBe(ciphertext);
      expect(reader.readMessage(hex(ciphertext)).toString("hex")).toBe(payload);
    }
    const ends = { initiator: initiator.finish(), responder: responder.finish() };
    expect(ends.initiator.handshakeHash.toString("hex")).toBe(vector.handshake_hash);
    expect(ends.responder.handshakeHash.toString("hex")).toBe(vector.handshake_hash);
    expectRecords(vector, new Session(ends.initiator), new Session(ends.responder));
  });

  test("the oracle confirms it", () => {
    const oracle = straightLineXxhfs({
      prologue: hex(vector.init_prologue),
      initiatorStatic: hex(vector.init_static),
      initiatorEphemeral: hex(vector.init_ephemeral),
      initiatorKemSeed: hex(vector.init_kem_seed),
      responderStatic: hex(vector.resp_static),
      responderEphemeral: hex(vector.resp_ephemeral),
      responderKemSeed: hex(vector.resp_kem_seed),
      certificate: hex(vector.messages[1]!.payload),
    });
    expect(oracle.messages.map((m) => m.toString("hex"))).toEqual(
      vector.messages.map((m) => m.ciphertext),
    );
    expect(oracle.handshakeHash.toString("hex")).toBe(vector.handshake_hash);
    for (const { from, index, payload, ciphertext } of vector.records)
      expect(oracle.record(from, index, hex(payload)).toString("hex")).toBe(ciphertext);
  });
});

/** Seals and opens all records up to the last that is listed; those between are empty. */
function expectRecords(vector: XxhfsCase, initiator: Session, responder: Session): void {
  for (const side of ["initiator", "responder"] as const) {
    const [from, to] = side === "initiator" ? [initiator, responder] : [responder, initiator];
    const listed = new Map(vector.records.filter((r) => r.from === side).map((r) => [r.index, r]));
    for (let index = 0; index <= Math.max(...listed.keys()); index += 1) {
      const record = listed.get(index);
      const payload = hex(record?.payload ?? "");
      const sealed = from.seal(payload);
      if (record) expect(sealed.toString("hex")).toBe(record.ciphertext);
      if (!to.open(sealed).equals(payload)) expect.fail(`record ${index} was changed`);
    }
  }
}

const engines: readonly { name: string; load: () => Promise<MlKem> }[] = [
  { name: "native", load: () => loadMlKem("native") },
  { name: "libsodium", load: () => loadMlKem("libsodium") },
  { name: "noble", load: async () => nobleFrom() },
];
const pairs = engines.flatMap((device) =>
  engines.map((worker) => ({ device, worker, name: `${device.name} with ${worker.name}` })),
);

test.each(pairs)("a device and a worker agree: $name", async ({ device, worker }) => {
  const [deviceKey, workerKey] = [generateX25519(), generateX25519()];
  const prologue = Buffer.from("prologue");
  const { message1, next: expect2 } = await startInitiator({
    localStatic: deviceKey,
    prologue,
    mlKem: await device.load(),
  });
  const responder = await startResponder({
    localStatic: workerKey,
    prologue,
    mlKem: await worker.load(),
  });
  const { message2, next: expect3 } = responder.read(message1).write(Buffer.from("certificate"));
  const read2 = expect2.read(message2);
  const { message3, session: ours } = read2.next.write();
  const { deviceKey: seen, session: theirs } = expect3.read(message3);

  expect(read2.certificate.toString()).toBe("certificate");
  expect(Buffer.from(read2.responderKey)).toEqual(Buffer.from(workerKey.publicKey));
  expect(Buffer.from(seen)).toEqual(Buffer.from(deviceKey.publicKey));
  expect(ours.handshakeHash).toEqual(theirs.handshakeHash);
  expect(theirs.open(ours.seal(Buffer.from("question"))).toString()).toBe("question");
  expect(ours.open(theirs.seal(Buffer.from("answer"))).toString()).toBe("answer");
});

test("the runtime's own ML-KEM is preferred, and both can be had", async () => {
  expect((await loadMlKem()).name).toBe("native");
  expect((await loadMlKem("libsodium")).name).toBe("libsodium");
});
