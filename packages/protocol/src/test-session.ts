/**
 * Both ends of a finished handshake, for the tests of this folder. Not part of the product.
 *
 * @module
 */
import { generateX25519, startInitiator, startResponder, type Session } from "@phantoma/crypto";

export async function sessionPair(): Promise<{ device: Session; worker: Session }> {
  const prologue = Buffer.from("test");
  const { message1, next } = await startInitiator({ localStatic: generateX25519(), prologue });
  const responder = await startResponder({ localStatic: generateX25519(), prologue });
  const { message2, next: last } = responder.read(message1).write(new Uint8Array(0));
  const { message3, session: device } = next.read(message2).next.write();
  return { device, worker: last.read(message3).session };
}
