/**
 * One whole turn that a worker plays with itself before it says that it is ready.
 *
 * A single-use process would otherwise meet every line of its code for the first time while somebody
 * waits; and a model that cannot answer is found out here, not in a task. Nobody's words are in it.
 *
 * @module
 */
import { generateX25519, startInitiator, startResponder, type Session } from "@phantoma/crypto";
import {
  encodeJson,
  MAX_REQUEST_BYTES,
  MAX_RESPONSE_BYTES,
  SecureChannel,
  TaskKind,
  type OpenRequest,
  type TurnRequest,
} from "@phantoma/protocol";
import { decodeNumber, FromProcess, ToProcess } from "../ipc/process-link.ts";
import { Conversation } from "./conversation.ts";
import type { Engine } from "./engine/engine.ts";

const OPEN: OpenRequest = { mode: "turn", steady: true, history: [] };
const TURN: TurnRequest = { text: "ready?", sampling: { temperature: 0, maxTokens: 2 } };
const NOTHING = Buffer.alloc(0);

/** Rejects when the model cannot answer. The engine has forgotten everything afterwards. */
export async function rehearse(engine: Engine): Promise<void> {
  const sessions = await handshakeWithOneself();
  const device = new SecureChannel(sessions.device, MAX_RESPONSE_BYTES);
  const ended = Promise.withResolvers<void>();
  let isPaced = false;
  let finished = false;

  const conversation: Conversation = new Conversation(engine, {
    channel: new SecureChannel(sessions.worker, MAX_REQUEST_BYTES),
    link: {
      send(kind, body = NOTHING) {
        if (kind === FromProcess.data || kind === FromProcess.steady) hear(Buffer.from(body));
        if (kind === FromProcess.pace) isPaced = decodeNumber(Buffer.from(body)) === 1;
        if (kind === FromProcess.turn && decodeNumber(Buffer.from(body)) === 1)
          setImmediate(() => conversation.handle({ kind: ToProcess.go, body: NOTHING }));
        if (kind === FromProcess.pace && isPaced) setImmediate(ask);
      },
    },
    async leave() {
      ended.resolve();
      return new Promise(() => undefined);
    },
  });

  device.outbox.push(0, encodeJson(TaskKind.open, OPEN));
  device.outbox.push(1, encodeJson(TaskKind.turn, TURN));
  device.outbox.end(1);
  for (const body of device.flush()) conversation.handle({ kind: ToProcess.data, body });
  await ended.promise;
  conversation.erase();
  engine.forget();
  if (!finished) throw new Error("the model did not finish an answer");

  function ask(): void {
    if (!isPaced) return;
    conversation.handle({ kind: ToProcess.ask, body: NOTHING });
    setImmediate(ask);
  }

  function hear(sealed: Buffer): void {
    for (const received of device.receive(sealed))
      if (received.type === "message" && received.bytes[0] === TaskKind.finish) finished = true;
  }
}

async function handshakeWithOneself(): Promise<{ device: Session; worker: Session }> {
  const prologue = Buffer.from("rehearsal", "ascii");
  const party = () => ({ localStatic: generateX25519(), prologue });
  const responder = await startResponder(party());
  const { message1, next: expect2 } = await startInitiator(party());
  const { message2, next: expect3 } = responder.read(message1).write(NOTHING);
  const { message3, session } = expect2.read(message2).next.write();
  return { device: session, worker: expect3.read(message3).session };
}
