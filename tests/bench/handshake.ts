/**
 * What a session costs before its first request: processor time of both sides, and time.
 *
 * @module
 */
import { diffieHellman, generateKeyPairSync, randomBytes, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import { Conversation } from "@phantoma/client";
import { generateX25519, loadMlKem, startInitiator, startResponder } from "@phantoma/crypto";
import { tunnelPrologue } from "@phantoma/protocol";
import type { NodeUnderTest } from "../node-under-test.ts";
import { cpuMicros, interleaved } from "./interleaved.ts";
import { row, type Benchmark, type Setting } from "./row.ts";
import { median } from "./statistics.ts";
import { modelDigest } from "./through-tunnel.ts";

const CPU_BUDGET_MS = 2;
const READY_BUDGET_MS = 5;

export const handshake: Benchmark = { name: "handshake", run };

async function* run({ isQuick, standing }: Setting) {
  yield processorTime(isQuick ? 60 : 400);
  yield sessionReady(await standing(), isQuick ? 3 : 40);
}

/** A certificate is about this long. */
const CERTIFICATE = randomBytes(314);

async function processorTime(rounds: number) {
  const primitives = await bareHandshake();
  const device = generateX25519();
  const prologue = tunnelPrologue(randomBytes(32), randomBytes(32));
  const samples = { value: [] as number[], baseline: [] as number[] };
  for (let round = -20; round < rounds; round += 1) {
    const before = process.cpuUsage();
    // A worker makes its one-time key for the one handshake it has.
    const responder = await startResponder({ localStatic: generateX25519(), prologue });
    const { message1, next } = await startInitiator({ localStatic: device, prologue });
    const offer = responder.read(message1).write(CERTIFICATE);
    const { message3, session } = next.read(offer.message2).next.write();
    offer.next.read(message3).session.erase();
    session.erase();
    const micros = cpuMicros(before);
    if (round < 0) continue;
    samples.value.push(micros / 1000);
    samples.baseline.push(primitives() / 1000);
  }
  const value = median(samples.value);
  return row({
    name: "handshake, processor time of both sides",
    value,
    unit: "ms",
    // The key agreements and nothing else: what is above it is hashing, sealing and our own code.
    baseline: median(samples.baseline),
    budget: `≤ ${CPU_BUDGET_MS} ms`,
    holds: value <= CPU_BUDGET_MS,
    samples,
  });
}

/** The same key generations and agreements on node:crypto. @returns microseconds of one set */
async function bareHandshake(): Promise<() => number> {
  const mlKem = await loadMlKem();
  const set = () => {
    const pairs = [1, 2, 3].map(() => generateKeyPairSync("x25519"));
    for (let agreement = 0; agreement < 6; agreement += 1)
      diffieHellman({
        privateKey: pairs[agreement % 3]!.privateKey,
        publicKey: pairs[(agreement + 1) % 3]!.publicKey,
      });
    const pair = mlKem.generate();
    pair.decapsulate(mlKem.encapsulate(pair.publicKey).ciphertext);
  };
  interleaved({ set }, 1);
  return () => {
    const before = process.cpuUsage();
    set();
    return cpuMicros(before);
  };
}

/** Until a used worker is replaced and the machine is quiet again. */
const PAUSE_MS = 700;

/** From `connect` to the worker's first word, with a warm worker; TLS alone is the baseline. */
async function sessionReady(underTest: NodeUnderTest, rounds: number) {
  const { node, device } = underTest;
  const model = modelDigest(underTest, "tiny");
  const samples = { value: [] as number[], baseline: [] as number[], added: [] as number[] };
  for (let round = -1; samples.value.length < rounds; round += 1) {
    await sleep(PAUSE_MS);
    const tlsMs = await tlsConnectMs(underTest);
    let hadToWait = false;
    const onNote = ({ note }: { note: string }) => (hadToWait ||= note === "queued");
    const startedAt = performance.now();
    const conversation = await Conversation.open({ profile: node.profile, device, model, onNote });
    const readyMs = performance.now() - startedAt;
    await conversation.end();
    // A worker that was still warming up is the warm pool's matter.
    if (hadToWait || round < 0) continue;
    samples.value.push(readyMs);
    samples.baseline.push(tlsMs);
    samples.added.push(readyMs - tlsMs);
  }
  const added = median(samples.added);
  return row({
    name: "session ready, connect to the worker's first word, p50",
    value: median(samples.value),
    unit: "ms",
    baseline: median(samples.baseline),
    budget: `≤ TLS + ${READY_BUDGET_MS} ms (${added.toFixed(1)})`,
    holds: added <= READY_BUDGET_MS,
    samples,
  });
}

async function tlsConnectMs({ node }: NodeUnderTest): Promise<number> {
  const { tlsCertificate: ca, url } = node.profile;
  const pinned = new X509Certificate(ca).fingerprint256;
  const startedAt = performance.now();
  const socket = connect({
    host: "127.0.0.1",
    port: Number(new URL(url).port),
    ca,
    minVersion: "TLSv1.3",
    checkServerIdentity: (_host, { fingerprint256 }) =>
      fingerprint256 === pinned ? undefined : new Error("not the pinned certificate"),
  });
  await once(socket, "secureConnect");
  const connectedMs = performance.now() - startedAt;
  socket.destroy();
  return connectedMs;
}
