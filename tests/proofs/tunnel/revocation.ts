/**
 * A device that is revoked in the middle of an answer, and one that would revoke others.
 *
 * @module
 */
import { ControlSession, Conversation, describeDevice } from "@phantoma/client";
import { signAddedDevice, signRevokedDevice, type NodeProfile } from "@phantoma/client";
import { generateDeviceIdentity, openNextDeviceList } from "@phantoma/crypto";
import type { DeviceIdentity, VerifiedDeviceList } from "@phantoma/crypto";
import { expect, expectEqual, expectRefusal, PATIENCE_MS, until, within } from "./expect.ts";
import { knock, makeTicket, upgradeRequest } from "./raw-client.ts";
import type { Stage } from "./stage.ts";

export async function attackByRevokedDevice(stage: Stage): Promise<void> {
  const { peer, model } = stage;
  const device = generateDeviceIdentity();
  const control = await ControlSession.open(peer);
  const lists = new Lists(stage, control);
  const submit = (list: Uint8Array) => lists.submit(list);
  const chat = { profile: peer.profile, device };
  await submit(
    signAddedDevice(
      stage.device,
      lists.current,
      describeDevice(device, "lost", "chat"),
      Date.now(),
    ),
  );
  await stage.control("an added device is served", async () => {
    await until(async () => (await knockAs(stage, device)) === "", "the gateway's knowing it");
    const conversation = await Conversation.open({ ...chat, model });
    await conversation.ask(stage.turn);
    await conversation.end();
  });
  await stage.attack("a chat device cannot sign the next device list", async () => {
    const own = await ControlSession.open(chat);
    const forged = signRevokedDevice(
      device,
      lists.current,
      stage.device.signing.publicKey,
      Date.now(),
    );
    const code = await expectRefusal("ERR_DOCUMENT_REFUSED", own.submitDeviceList(forged));
    own.close();
    return code;
  });
  await stage.attack("a chat device sees no other device's receipts", async () => {
    const own = await ControlSession.open(chat);
    const receipts = await own.receipts({ limit: 100 });
    own.close();
    const isOwn = receipts.every(
      ({ receipt }) => hex(receipt.device) === hex(device.signing.publicKey),
    );
    expect(isOwn && receipts.length > 0, "it sees others' receipts, or not its own");
    return `${receipts.length} of its own`;
  });
  await revokeInMidAnswer(stage, chat, () =>
    submit(signRevokedDevice(stage.device, lists.current, device.signing.publicKey, Date.now())),
  );
  await stage.attack("a revoked device's later tickets are refused", async () => {
    // The gateway reads the list by itself; before that the keeper refuses, with less to say.
    const isKnown = async () => (await knockAs(stage, device)) === "ERR_DEVICE_REVOKED";
    await until(isKnown, "the gateway's knowing it");
    return expectRefusal("ERR_DEVICE_REVOKED", Conversation.open({ ...chat, model }));
  });
  await stage.attack("a revoked device opens no control session", () =>
    expectRefusal("ERR_DEVICE_REVOKED", ControlSession.open(chat)),
  );
  await stage.attack("an old device list cannot be put in force again", async () => {
    const old = Buffer.from(await control.deviceList());
    return expectRefusal("ERR_DOCUMENT_REFUSED", control.submitDeviceList(old));
  });
  control.close();
}

async function revokeInMidAnswer(
  stage: Stage,
  chat: { profile: NodeProfile; device: DeviceIdentity },
  revoke: () => Promise<void>,
): Promise<void> {
  await stage.attack("a revoked device's sessions end within a second", async () => {
    const conversation = await Conversation.open({ ...chat, model: stage.model });
    const idle = await ControlSession.open(chat);
    const endless = { text: "on and on", sampling: { maxTokens: 100_000 } };
    const turn = conversation.turn(endless);
    await turn.next();
    const startedAt = performance.now();
    const cut = expectRefusal("ERR_DEVICE_REVOKED", drain(turn));
    await revoke();
    await within(PATIENCE_MS, conversation.closed, "the end of the session");
    const tookMs = performance.now() - startedAt;
    await cut;
    // A control session of its own ends too; what it asks after that is not answered.
    await expectRefusal("ERR_DEVICE_REVOKED", idle.status());
    expect(tookMs < 1_000, `it took ${tookMs.toFixed(0)} ms`);
    return `${tookMs.toFixed(0)} ms after the list was submitted, ERR_DEVICE_REVOKED`;
  });
}

/** The chain as the admin knows it. */
class Lists {
  readonly #control: ControlSession;
  current: VerifiedDeviceList;

  constructor(stage: Stage, control: ControlSession) {
    this.#control = control;
    this.current = stage.node.devices;
  }

  async submit(list: Uint8Array): Promise<void> {
    await this.#control.submitDeviceList(list);
    this.current = openNextDeviceList(list, this.current);
    expectEqual(hex(await this.#control.deviceList()), hex(list), "the list in force");
  }
}

/** @returns the code of a refusal; empty where the device is let in */
async function knockAs(stage: Stage, device: DeviceIdentity): Promise<string> {
  const ticket = makeTicket(stage, { service: "control" }, device);
  return (await knock(stage.node.profile, upgradeRequest(ticket))).code;
}

async function drain(events: AsyncIterable<unknown>): Promise<void> {
  for await (const event of events) void event;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
