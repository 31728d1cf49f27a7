/**
 * What signing, checking and sealing cost beside the bare primitive of node:crypto.
 *
 * @module
 */
import {
  createCipheriv,
  createPublicKey,
  createSecretKey,
  randomBytes,
  sign,
  verify,
} from "node:crypto";
import {
  generateDeviceIdentity,
  generateX25519,
  openBytes,
  sealBytes,
  Secret,
  startInitiator,
  startResponder,
  ticketDocument,
  type Session,
} from "@phantoma/crypto";
import { interleaved } from "./interleaved.ts";
import { row, type Benchmark, type Setting } from "./row.ts";
import { median } from "./statistics.ts";

export const documents: Benchmark = { name: "documents", run };

async function* run({ isQuick }: Setting) {
  const rounds = isQuick ? 20 : 100;
  const { signing } = generateDeviceIdentity();
  const publicKey = createPublicKey(signing.privateKey);
  const fields = {
    node: randomBytes(32),
    device: signing.publicKey,
    service: "task",
    model: randomBytes(32),
    nonce: randomBytes(16),
    issuedAt: Date.now(),
  } as const;
  const ticket = ticketDocument.sign(fields, signing.privateKey);
  const bare = ticket.subarray(0, -64);
  const signature = sign(null, bare, signing.privateKey);
  const signed = interleaved(
    {
      sign: () => ticketDocument.sign(fields, signing.privateKey),
      bareSign: () => sign(null, bare, signing.privateKey),
      open: () => ticketDocument.open(ticket, () => signing.publicKey),
      bareVerify: () => verify(null, bare, publicKey, signature),
    },
    rounds,
  );
  yield cost("a ticket is signed (Ed25519 alone)", signed.sign, signed.bareSign);
  yield cost("a ticket is read and verified (Ed25519 alone)", signed.open, signed.bareVerify);

  const { device, worker } = await session();
  const record = randomBytes(256);
  const records = interleaved(
    { both: () => worker.open(device.seal(record)), bare: () => bareGcm(record) },
    rounds,
  );
  yield cost("a record of 256 B is sealed and opened (2 × AES-GCM)", records.both, records.bare, 2);

  const chunk = randomBytes(1 << 20);
  const key = new Secret(randomBytes(32));
  const context = Buffer.from("bench");
  const sealed = sealBytes(key, context, chunk);
  const files = interleaved(
    {
      seal: () => sealBytes(key, context, chunk),
      open: () => openBytes(key, context, sealed),
      bare: () => bareGcm(chunk),
    },
    rounds,
  );
  yield cost("1 MiB is sealed for a file (AES-GCM)", files.seal, files.bare);
  yield cost("1 MiB of a file is opened (AES-GCM)", files.open, files.bare);
}

/** @param times how often the operation does what the baseline does once */
function cost(name: string, samples: readonly number[], bare: readonly number[], times = 1) {
  return row({
    name,
    value: median(samples),
    unit: "µs",
    baseline: times * median(bare),
    samples: { value: samples, bare },
  });
}

const bareKey = createSecretKey(randomBytes(32));

function bareGcm(plaintext: Uint8Array): Buffer {
  const cipher = createCipheriv("aes-256-gcm", bareKey, nextNonce(), { authTagLength: 16 });
  const sealed = cipher.update(plaintext);
  cipher.final();
  cipher.getAuthTag();
  return sealed;
}

let nonces = 0;

function nextNonce(): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE((nonces += 1), 8);
  return nonce;
}

async function session(): Promise<{ device: Session; worker: Session }> {
  const prologue = randomBytes(32);
  const responder = await startResponder({ localStatic: generateX25519(), prologue });
  const { message1, next } = await startInitiator({ localStatic: generateX25519(), prologue });
  const offer = responder.read(message1).write(randomBytes(300));
  const { message3, session: device } = next.read(offer.message2).next.write();
  return { device, worker: offer.next.read(message3).session };
}
