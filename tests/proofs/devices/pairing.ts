/**
 * Pairing in two terminals, and what a person sees when somebody stands between them.
 *
 * @module
 */
import {
  ControlSession,
  decodeInvitation,
  decodePairingRequest,
  encodeInvitation,
  encodePairingRequest,
  openDeviceList,
  sixWords,
  type LocalNode,
} from "@phantoma/client";
import { generateDeviceIdentity } from "@phantoma/crypto";
import type { Proof } from "../../proof.ts";
import { codeOf, Machine } from "./machine.ts";

/** Keys that are swapped in, each way. */
const SWAPS = 12;

/** @returns the device that was paired, with the role `chat` */
export async function showPairing(proof: Proof, node: LocalNode, desk: Machine): Promise<Machine> {
  const phone = new Machine();
  const invitation = await invite(desk);
  const joining = phone.start(["devices", "join", invitation, "--name", "phone"]);
  const { code, words } = (await joining.first) as unknown as { code: string; words: string[] };
  joining.type("yes\n");
  const added = await desk.run(["devices", "add", code, "--words", words.join(" ")]);
  const joined = await joining.ended;
  const list = await current(node, phone);
  const own = list.devices.find(({ name }) => name === "phone");
  proof.row({
    name: "a new device is paired by two codes and six words that are the same on both",
    holds: added.exitCode === 0 && joined.exitCode === 0 && own?.role === "chat",
    detail: `"${words.join(" ")}"; list ${list.version}, as ${own?.role}`,
  });

  const again = await desk.run(["devices", "add", code, "--words", words.join(" ")]);
  proof.row({
    name: "an invitation takes one device, once",
    holds: codeOf(again) === "ERR_PAIRING_SPENT",
    detail: String(codeOf(again)),
  });

  await showWrongWords(proof, node, desk);
  await showMiddle(proof, desk);
  return phone;
}

async function showWrongWords(proof: Proof, node: LocalNode, desk: Machine): Promise<void> {
  const before = await current(node, desk);
  const stranger = new Machine();
  const invitation = await invite(desk);
  const joining = stranger.start(["devices", "join", invitation, "--name", "stranger"]);
  const { code, words } = (await joining.first) as unknown as { code: string; words: string[] };
  joining.type("no\n");
  const left = await joining.ended;
  const wrong = [...words.slice(0, 5), words[5] === "zebra" ? "acorn" : "zebra"].join(" ");
  const refused = await desk.run(["devices", "add", code, "--words", wrong]);
  const retried = await desk.run(["devices", "add", code, "--words", words.join(" ")]);
  const after = await current(node, desk);
  proof.row({
    name: "one word that differs: a person says no, nothing is signed, and the invitation is over",
    holds:
      codeOf(left) === "ERR_PAIRING_WORDS" &&
      codeOf(refused) === "ERR_PAIRING_WORDS" &&
      codeOf(retried) === "ERR_PAIRING_SPENT" &&
      after.version === before.version,
    detail: `${codeOf(refused)}, then ${codeOf(retried)}; list ${before.version} and ${after.version}`,
  });
}

/** The middle has both codes and swaps keys in them, in either direction. */
async function showMiddle(proof: Proof, desk: Machine): Promise<void> {
  const victim = new Machine();
  const invitation = await invite(desk);
  const joining = victim.start(["devices", "join", invitation, "--name", "victim"]);
  const { code, words } = (await joining.first) as unknown as { code: string; words: string[] };
  joining.type("no\n");
  await joining.ended;
  const request = decodePairingRequest(code);
  let [equal, tried] = [0, 0];
  let shown = "";
  for (let swap = 0; swap < SWAPS; swap += 1) {
    const { signing, tunnel } = generateDeviceIdentity();
    const keys = { signingKey: signing.publicKey, tunnelKey: tunnel.publicKey };
    // What the admin would see, and what the new device would have seen.
    const toAdmin = await sixWords(invitation, encodePairingRequest({ ...request, ...keys }));
    const invited = { ...decodeInvitation(invitation), admin: keys };
    const toDevice = await sixWords(encodeInvitation(invited), code);
    equal += [toAdmin, toDevice].filter((seen) => seen.join() === words.join()).length;
    tried += 2;
    shown = toAdmin.join(" ");
  }
  proof.row({
    name: "a key that is swapped on its way, of either side, shows in the words",
    holds: equal === 0,
    detail: `${equal} of ${tried} swaps kept the words; "${words.join(" ")}" became "${shown}"`,
  });
  const same = await sixWords(invitation, encodePairingRequest(decodePairingRequest(code)));
  proof.control(
    "codes that were read and written again without a swap keep the words",
    same.join() === words.join(),
    "they do, so it is the keys that changed them",
  );
}

async function invite(desk: Machine): Promise<string> {
  const { said } = await desk.run(["devices", "invite"]);
  return (said[0] as unknown as { invitation: string }).invitation;
}

export async function current(
  { profile }: Pick<LocalNode, "profile">,
  { device }: Pick<Machine, "device">,
) {
  const session = await ControlSession.open({ profile, device });
  try {
    return openDeviceList(await session.deviceList(), profile.nodeKey);
  } finally {
    session.close();
  }
}
