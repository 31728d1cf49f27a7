/** The public vector of plain XX, through the same code that runs the tunnel's XXhfs. */
import { expect, test } from "vitest";
import vector from "../../vectors/noise-xx.json" with { type: "json" };
import { loadMlKem } from "../ml-kem.ts";
import { x25519FromPrivate } from "../x25519.ts";
import { HandshakeState, type Pattern } from "./handshake-state.ts";

const XX: Pattern = {
  protocolName: vector.protocol_name,
  messages: [["e"], ["e", "ee", "s", "es"], ["s", "se"]],
};

const mlKem = await loadMlKem();
const hex = (text: string) => Buffer.from(text, "hex");
const pair = (text: string) => x25519FromPrivate(hex(text));

function bothEnds() {
  const initiator = new HandshakeState({
    pattern: XX,
    initiator: true,
    prologue: hex(vector.init_prologue),
    localStatic: pair(vector.init_static),
    fixedEphemeral: pair(vector.init_ephemeral),
    mlKem,
  });
  const responder = new HandshakeState({
    pattern: XX,
    initiator: false,
    prologue: hex(vector.resp_prologue),
    localStatic: pair(vector.resp_static),
    fixedEphemeral: pair(vector.resp_ephemeral),
    mlKem,
  });
  return { initiator, responder };
}

test("every handshake and transport message is the public vector's", () => {
  const { initiator, responder } = bothEnds();
  for (const [index, { payload, ciphertext }] of vector.messages.slice(0, 3).entries()) {
    const [writer, reader] = index % 2 === 0 ? [initiator, responder] : [responder, initiator];
    const written = writer.writeMessage(hex(payload));
    expect(written.toString("hex")).toBe(ciphertext);
    expect(reader.readMessage(written).toString("hex")).toBe(payload);
  }
  const device = initiator.finish();
  const worker = responder.finish();
  for (const [index, { payload, ciphertext }] of vector.messages.slice(3).entries()) {
    const [from, to] = index % 2 === 0 ? [worker, device] : [device, worker];
    const sealed = from.send.seal(hex(payload));
    expect(sealed.toString("hex")).toBe(ciphertext);
    expect(to.receive.open(sealed).toString("hex")).toBe(payload);
  }
  expect(device.handshakeHash.toString("hex")).toBe(vector.handshake_hash);
  expect(worker.handshakeHash.toString("hex")).toBe(vector.handshake_hash);
});

test("each end learns the other's static key", () => {
  const { initiator, responder } = bothEnds();
  responder.readMessage(initiator.writeMessage(Buffer.alloc(0)));
  initiator.readMessage(responder.writeMessage(Buffer.alloc(0)));
  responder.readMessage(initiator.writeMessage(Buffer.alloc(0)));
  expect(initiator.remoteStatic).toEqual(Buffer.from(pair(vector.resp_static).publicKey));
  expect(responder.remoteStatic).toEqual(Buffer.from(pair(vector.init_static).publicKey));
});
