/**
 * What a role lets a device do, what a revocation ends, and what stays an admin's.
 *
 * @module
 */
import {
  ControlSession,
  Conversation,
  signAddedDevice,
  signRevokedDevice,
  describeDevice,
  type LocalNode,
} from "@phantoma/client";
import { generateDeviceIdentity } from "@phantoma/crypto";
import type { Proof } from "../../proof.ts";
import { codeOf, type Machine } from "./machine.ts";
import { current } from "./pairing.ts";

/** A revocation reaches live sessions within a second; a busy machine of two cores is given three. */
const REVOKED_MS = 3_000;

export async function showRoles(
  proof: Proof,
  node: LocalNode,
  desk: Machine,
  phone: Machine,
): Promise<void> {
  const { profile } = node;
  const list = await current(node, desk);
  const chat = await ControlSession.open({ profile, device: phone.device });
  const friend = describeDevice(generateDeviceIdentity(), "friend", "admin");
  const own = signAddedDevice(phone.device, list, friend, Date.now());
  const coup = signRevokedDevice(phone.device, list, desk.device.signing.publicKey, Date.now());
  const refusals = {
    "its own list": await refusalOf(chat.submitDeviceList(own)),
    "a list without the admin": await refusalOf(chat.submitDeviceList(coup)),
    "last seen": await refusalOf(chat.lastSeen()),
    "removing a model": await refusalOf(chat.removeModel("ab".repeat(32))),
  };
  chat.close();
  proof.row({
    name: "a device that may chat changes nothing",
    holds: Object.values(refusals).join() === LIMITS,
    detail: Object.entries(refusals)
      .map(([what, code]) => `${what}: ${code}`)
      .join(", "),
  });

  const admin = await ControlSession.open({ profile, device: desk.device });
  const seen = await admin.lastSeen();
  admin.close();
  const phoneKey = Buffer.from(phone.device.signing.publicKey).toString("hex");
  const hour = seen.find(({ device }) => device === phoneKey)?.hour;
  proof.row({
    name: "an admin is told in which hour a device was last seen, and no finer",
    holds: hour !== undefined && hour % 3_600_000 === 0 && Date.now() - hour < 2 * 3_600_000,
    detail: hour === undefined ? "not told" : new Date(hour).toISOString(),
  });

  const raised = await desk.run(["devices", "role", "phone", "admin"]);
  const asAdmin = await phone.run(["devices", "rename", "phone", "telephone"]);
  const lowered = await desk.run(["devices", "role", "telephone", "chat"]);
  const asChat = await phone.run(["devices", "rename", "telephone", "phone"]);
  proof.row({
    name: "a role is given and taken by the list, at once",
    holds:
      [raised, asAdmin, lowered].every(({ exitCode }) => exitCode === 0) &&
      codeOf(asChat) === "ERR_DOCUMENT_REFUSED",
    detail: `as admin it renamed itself; as chat: ${codeOf(asChat)}`,
  });

  const numbers = await Promise.all([
    desk.run(["devices", "compare", "telephone"]),
    phone.run(["devices", "compare", "this machine"]),
  ]);
  const [ours, theirs] = numbers.map(
    ({ said }) => (said[0] as unknown as { digits: string }).digits,
  );
  proof.row({
    name: "two devices show the same safety number for each other",
    holds: ours !== undefined && ours === theirs,
    detail: String(ours),
  });

  const last = await desk.run(["devices", "revoke", "this machine", "--yes"]);
  const demoted = await desk.run(["devices", "role", "this machine", "chat"]);
  proof.row({
    name: "the last admin is not revoked and not demoted by accident",
    holds: [last, demoted].every((one) => codeOf(one) === "ERR_LAST_ADMIN"),
    detail: `${codeOf(last)}, ${codeOf(demoted)}`,
  });

  await showRevocation(proof, node, desk, phone);
}

const LIMITS = "ERR_DOCUMENT_REFUSED,ERR_DOCUMENT_REFUSED,ERR_FORBIDDEN,ERR_FORBIDDEN";

async function showRevocation(
  proof: Proof,
  { profile, defaultModel: model }: LocalNode,
  desk: Machine,
  phone: Machine,
): Promise<void> {
  const list = await current({ profile }, desk);
  const phoneKey = phone.device.signing.publicKey;
  const admin = await ControlSession.open({ profile, device: desk.device });
  const conversation = await Conversation.open({ profile, device: phone.device, model });
  let pieces = 0;
  let [code, revokedAt] = ["none", 0];
  const sampling = { temperature: 0, maxTokens: 100_000 };
  try {
    for await (const event of conversation.turn({ text: "say this again", sampling })) {
      if (event.type === "delta") pieces += 1;
      if (event.type !== "delta" || pieces !== 3) continue;
      revokedAt = performance.now();
      const next = signRevokedDevice(desk.device, list, phoneKey, Date.now());
      void admin.submitDeviceList(next).catch(() => undefined);
    }
  } catch (error) {
    code = (error as { code: string }).code;
  }
  const took = performance.now() - revokedAt;
  admin.close();
  const again = await refusalOf(Conversation.open({ profile, device: phone.device, model }));
  proof.row({
    name: "a device that is revoked while it is being answered is cut off, and not let in again",
    holds:
      code === "ERR_DEVICE_REVOKED" &&
      took < REVOKED_MS &&
      ["ERR_DEVICE_REVOKED", "ERR_TICKET_REFUSED"].includes(again),
    detail: `after ${pieces} pieces, ${took.toFixed(0)} ms after the signature: ${code}; then ${again}`,
  });
}

export async function refusalOf(asked: Promise<unknown>): Promise<string> {
  try {
    await asked;
    return "none";
  } catch (error) {
    return (error as { code?: string }).code ?? "no code";
  }
}
