/**
 * The cases of `xxhfs.json`: their inputs, and how the product's handshake turns them into bytes.
 *
 * @module
 */
import { HandshakeState, XXHFS } from "../src/noise/handshake-state.ts";
import { Session } from "../src/noise/session.ts";
import type { MlKem } from "../src/ml-kem.ts";
import { x25519FromPrivate } from "../src/x25519.ts";
import { libsodiumFrom } from "./derandomised-ml-kem.ts";
import { digest } from "./document-values.ts";

/** As in the public Noise vectors; every value but `name` and `from` is hex. */
export interface XxhfsCase {
  readonly name: string;
  readonly init_prologue: string;
  readonly init_static: string;
  readonly init_ephemeral: string;
  /** d and z of FIPS 203, 64 bytes. */
  readonly init_kem_seed: string;
  readonly resp_prologue: string;
  readonly resp_static: string;
  readonly resp_ephemeral: string;
  /** m of FIPS 203, 32 bytes. */
  readonly resp_kem_seed: string;
  readonly handshake_hash: string;
  readonly messages: readonly { readonly payload: string; readonly ciphertext: string }[];
  readonly records: readonly XxhfsRecord[];
}

/** Records that are not listed are empty. */
export interface XxhfsRecord {
  readonly from: "initiator" | "responder";
  readonly index: number;
  readonly payload: string;
  readonly ciphertext: string;
}

interface Plan {
  readonly name: string;
  readonly prologue: Uint8Array;
  readonly certificate: Uint8Array;
  readonly records: readonly number[];
}

const fewRecords = [0, 1, 2];

const plans: readonly Plan[] = [
  {
    name: "no prologue, no certificate",
    prologue: new Uint8Array(0),
    certificate: new Uint8Array(0),
    records: fewRecords,
  },
  {
    name: "a certificate of one byte",
    prologue: Buffer.from("phantoma tunnel v1"),
    certificate: Buffer.of(0xc0),
    records: fewRecords,
  },
  {
    name: "a certificate that makes message 2 as long as message 1",
    prologue: digest("prologue", 32),
    certificate: digest("certificate", 16),
    records: fewRecords,
  },
  {
    name: "a certificate of usual length and a rekey in each direction",
    prologue: digest("prologue", 133),
    certificate: digest("certificate", 315),
    records: [...fewRecords, 65_535, 65_536, 65_537],
  },
  {
    name: "a certificate with evidence",
    prologue: digest("prologue", 1_000),
    certificate: digest("certificate", 3_000),
    records: fewRecords,
  },
];

export async function xxhfsCases(): Promise<XxhfsCase[]> {
  return Promise.all(plans.map((plan) => runPlan(plan)));
}

async function runPlan({ name, prologue, certificate, records }: Plan): Promise<XxhfsCase> {
  const drawn = (label: string, length: number): string =>
    digest(`${name} ${label}`, length).toString("hex");
  const inputs = {
    name,
    init_prologue: hex(prologue),
    init_static: drawn("initiator static", 32),
    init_ephemeral: drawn("initiator ephemeral", 32),
    init_kem_seed: drawn("initiator KEM", 64),
    resp_prologue: hex(prologue),
    resp_static: drawn("responder static", 32),
    resp_ephemeral: drawn("responder ephemeral", 32),
    resp_kem_seed: drawn("responder KEM", 32),
  };
  const { initiator, responder } = await statesOf(inputs);
  const payloads = [new Uint8Array(0), certificate, new Uint8Array(0)];
  const messages = payloads.map((payload, index) => {
    const [writer, reader] = index === 1 ? [responder, initiator] : [initiator, responder];
    const ciphertext = writer.writeMessage(payload);
    reader.readMessage(ciphertext);
    return { payload: hex(payload), ciphertext: hex(ciphertext) };
  });
  const sessions = {
    initiator: new Session(initiator.finish()),
    responder: new Session(responder.finish()),
  };
  return {
    ...inputs,
    handshake_hash: hex(sessions.initiator.handshakeHash),
    messages,
    records: (["initiator", "responder"] as const).flatMap((from) =>
      recordsOf(sessions[from], from, records),
    ),
  };
}

function recordsOf(
  session: Session,
  from: XxhfsRecord["from"],
  listed: readonly number[],
): XxhfsRecord[] {
  const records: XxhfsRecord[] = [];
  for (let index = 0; index <= listed.at(-1)!; index += 1) {
    const isListed = listed.includes(index);
    const payload = isListed ? Buffer.from(`${from} ${index}`) : new Uint8Array(0);
    const ciphertext = session.seal(payload);
    if (isListed) records.push({ from, index, payload: hex(payload), ciphertext: hex(ciphertext) });
  }
  return records;
}

type Inputs = Omit<XxhfsCase, "handshake_hash" | "messages" | "records">;

/** Both ends of a case before message 1; `mlKem` replaces libsodium by another implementation. */
export async function statesOf(
  inputs: Inputs,
  mlKem?: MlKem,
): Promise<{ initiator: HandshakeState; responder: HandshakeState }> {
  const kem =
    mlKem ??
    (await libsodiumFrom({
      keySeed: Buffer.from(inputs.init_kem_seed, "hex"),
      encapsulationSeed: Buffer.from(inputs.resp_kem_seed, "hex"),
    }));
  const pair = (privateHex: string) => x25519FromPrivate(Buffer.from(privateHex, "hex"));
  const state = (initiator: boolean, prologue: string, fixedStatic: string, ephemeral: string) =>
    new HandshakeState({
      pattern: XXHFS,
      initiator,
      prologue: Buffer.from(prologue, "hex"),
      localStatic: pair(fixedStatic),
      fixedEphemeral: pair(ephemeral),
      mlKem: kem,
    });
  return {
    initiator: state(true, inputs.init_prologue, inputs.init_static, inputs.init_ephemeral),
    responder: state(false, inputs.resp_prologue, inputs.resp_static, inputs.resp_ephemeral),
  };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
