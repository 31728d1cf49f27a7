/**
 * A gateway that was taken over tries to put itself, or another process, in the worker's place.
 *
 * What counts is message 3: with it the device reveals who it is, so it must never be sent to anyone
 * whose certificate is not the one that was asked for.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { Conversation, type ClientErrorCode } from "@phantoma/client";
import { generateNodeIdentity, generateX25519 } from "@phantoma/crypto";
import { documentHash, NO_MODEL, startInitiator, type Certificate } from "@phantoma/crypto";
import { tunnelPrologue } from "@phantoma/protocol";
import { makeTlsIdentity } from "../../../apps/node/setup/tls-identity.ts";
import { expect, expectEqual, expectRefusal, until } from "./expect.ts";
import { HostileGateway, poseAsWorker, relay } from "./hostile-gateway.ts";
import type { DeviceEnd, Forgery } from "./hostile-gateway.ts";
import { makeTicket } from "./raw-client.ts";
import { dial } from "./raw-tunnel.ts";
import type { Stage } from "./stage.ts";

export async function attackAsImpostor(stage: Stage): Promise<void> {
  await stage.control("the double with a genuine certificate is told who calls", async () => {
    let wasRevealed = false;
    await using gateway = await HostileGateway.open(stage, async (device) => {
      await poseAsWorker(stage, device);
      wasRevealed = true;
      device.end.socket.terminate();
    });
    await expectRefusal("ERR_CONNECTION_LOST", open(stage, gateway));
    expect(wasRevealed, "message 3 did not come");
  });
  await forgeCertificates(stage);
  await forgeHandshakes(stage);
  await swapWorkers(stage);
  await changePin(stage);
}

async function forgeCertificates(stage: Stage): Promise<void> {
  const self = generateNodeIdentity();
  const fields: readonly (readonly [string, Partial<Certificate>])[] = [
    ["another node", { node: self.signing.publicKey }],
    ["a clerk", { role: "clerk" }],
    ["a clerk without a model", { role: "clerk", model: NO_MODEL }],
    ["another model", { model: randomBytes(32) }],
    ["another starter", { starter: "systemd" }],
    ["another ticket", { ticket: randomBytes(32) }],
    ["another device", { device: generateX25519().publicKey }],
    ["another process", { key: generateX25519().publicKey }],
  ];
  for (const [name, certificate] of fields)
    await refuses(stage, `a genuine certificate of ${name}`, "ERR_NODE_IDENTITY", { certificate });
  await refuses(stage, "a self-made certificate in the node's name", "ERR_NODE_IDENTITY", {
    signer: self.signing.privateKey,
  });
  await refuses(stage, "a self-made certificate in its own name", "ERR_NODE_IDENTITY", {
    signer: self.signing.privateKey,
    certificate: { node: self.signing.publicKey },
  });
  await refuses(stage, "no certificate at all", "ERR_NODE_IDENTITY", {
    certificateBytes: new Uint8Array(0),
  });
  await refuses(stage, "a ticket in the certificate's place", "ERR_NODE_IDENTITY", {
    certificateBytes: makeTicket(stage),
  });
  const real = await captureCertificate(stage);
  await refuses(stage, "a real worker's certificate, and a key of its own", "ERR_NODE_IDENTITY", {
    certificateBytes: real,
  });
}

async function forgeHandshakes(stage: Stage): Promise<void> {
  const node = stage.identity.signing.publicKey;
  await refusedBy(stage, "a prologue of an older version", "ERR_HANDSHAKE", (device) => {
    const prologue = Buffer.from(tunnelPrologue(node, documentHash(device.ticket)));
    prologue[prologue.indexOf("/") + 1] = "0".charCodeAt(0);
    return poseAsWorker(stage, device, { prologue });
  });
  await refusedBy(stage, "a prologue of another ticket", "ERR_HANDSHAKE", (device) =>
    poseAsWorker(stage, device, { prologue: tunnelPrologue(node, randomBytes(32)) }),
  );
  const recorded = await recordMessage2(stage);
  await refusedBy(stage, "an earlier message 2 with its certificate", "ERR_HANDSHAKE", (device) =>
    device.end.send(recorded),
  );
  await refusedBy(stage, "noise for message 2", "ERR_HANDSHAKE", ({ end }) =>
    end.send(randomBytes(recorded.length)),
  );
  await refusedBy(stage, "message 1 sent back", "ERR_HANDSHAKE", async ({ end }) =>
    end.send(await end.next()),
  );
  await refusedBy(stage, "an empty message 2", "ERR_HANDSHAKE", ({ end }) =>
    end.send(Buffer.alloc(0)),
  );
  await refusedBy(stage, "a message 2 of 65,535 bytes", "ERR_HANDSHAKE", ({ end }) =>
    end.send(Buffer.alloc(65_535)),
  );
  await stage.attack("message 2 is sent twice", async () => {
    await using gateway = await HostileGateway.open(stage, (device) =>
      relay(stage, device, {
        down: (message, index) => (index === 0 ? [message, message] : [message]),
      }),
    );
    // The device has seen a genuine worker by then; the copy is no record of the session.
    return await expectRefusal("ERR_HANDSHAKE", open(stage, gateway));
  });
}

async function swapWorkers(stage: Stage): Promise<void> {
  await stage.attack("two devices' workers are swapped", async () => {
    const waiting: DeviceEnd[] = [];
    const cross = async (device: DeviceEnd) => {
      waiting.push(device);
      if (waiting.length < 2) return;
      const [first, second] = waiting as [DeviceEnd, DeviceEnd];
      await relay(stage, { end: first.end, ticket: second.ticket });
      await relay(stage, { end: second.end, ticket: first.ticket });
    };
    await using gateway = await HostileGateway.open(stage, cross);
    const attempts = [open(stage, gateway), open(stage, gateway)];
    await Promise.all(attempts.map((attempt) => expectRefusal("ERR_HANDSHAKE", attempt)));
    await expectUnrevealed(gateway);
    return "both are told, neither was revealed";
  });
}

async function changePin(stage: Stage): Promise<void> {
  const other = await makeTlsIdentity();
  const tls = { key: other.keyPem, cert: other.certificatePem };
  await stage.attack("another TLS certificate is shown", async () => {
    await using gateway = await HostileGateway.open(stage, () => undefined, tls);
    const code = await expectRefusal("ERR_PIN_MISMATCH", open(stage, gateway));
    expectEqual(gateway.requests, 0, "the number of requests, each with a ticket,");
    return `${code}, no ticket was sent`;
  });
  await stage.control("the same server with the pinned certificate gets a ticket", async () => {
    await using gateway = await HostileGateway.open(stage, ({ end }) => end.socket.terminate());
    await expectRefusal("ERR_CONNECTION_LOST", open(stage, gateway));
    expectEqual(gateway.requests, 1, "the number of requests");
  });
}

function refuses(stage: Stage, name: string, code: ClientErrorCode, forgery: Forgery) {
  return refusedBy(stage, name, code, (device) => poseAsWorker(stage, device, forgery));
}

async function refusedBy(
  stage: Stage,
  name: string,
  code: ClientErrorCode,
  behave: (device: DeviceEnd) => unknown,
): Promise<void> {
  await stage.attack(`impostor: ${name}`, async () => {
    await using gateway = await HostileGateway.open(stage, behave);
    await expectRefusal(code, open(stage, gateway));
    await expectUnrevealed(gateway);
    return `${code}, message 3 was not sent`;
  });
}

/** Message 1 came and nothing after it, though the device has hung up. */
async function expectUnrevealed({ devices }: HostileGateway): Promise<void> {
  for (const { end } of devices) {
    await until(() => end.socket.readyState === end.socket.CLOSED, "the device's hanging up");
    expect(end.count <= 1, "the device revealed itself");
  }
}

function open(stage: Stage, { profile }: HostileGateway): Promise<Conversation> {
  return Conversation.open({ profile, device: stage.device, model: stage.model });
}

/** Message 2 of a genuine session, as a relay sees it. */
async function recordMessage2(stage: Stage): Promise<Buffer> {
  let recorded: Buffer | undefined;
  await using gateway = await HostileGateway.open(stage, (device) =>
    relay(stage, device, {
      down(message, index) {
        if (index === 0) recorded = message;
        return [message];
      },
    }),
  );
  const conversation = await open(stage, gateway);
  await conversation.end();
  return recorded!;
}

/** The certificate of a real worker, got with a device's ticket and a key that is not the device's. */
async function captureCertificate(stage: Stage): Promise<Uint8Array> {
  const ticket = makeTicket(stage);
  const end = await dial(stage.node.profile, ticket);
  const { message1, next } = await startInitiator({
    localStatic: generateX25519(),
    prologue: tunnelPrologue(stage.identity.signing.publicKey, documentHash(ticket)),
  });
  end.send(message1);
  const { certificate } = next.read(await end.next());
  end.socket.terminate();
  return certificate;
}
