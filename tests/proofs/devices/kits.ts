/**
 * The desk is lost: a new machine takes its place by the recovery kit, and nothing but the kit and its words does.
 *
 * @module
 */
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ControlSession, isRecoveryKit, openKit, type LocalNode } from "@phantoma/client";
import { sameBytes, Secret } from "@phantoma/crypto";
import type { Proof } from "../../proof.ts";
import { codeOf, Machine } from "./machine.ts";
import { current } from "./pairing.ts";
import { refusalOf } from "./roles.ts";
import { saveAndMakeKit, showSavedByKit } from "./saved-by-kit.ts";

export async function showKits(proof: Proof, node: LocalNode, desk: Machine): Promise<void> {
  const { profile } = node;
  const path = join(mkdtempSync(join(tmpdir(), "phantoma-proof-kit-")), "home.kit");
  const made = await desk.run(["recovery", "make", path, "--words"]);
  const { words } = made.said[0] as unknown as { words: string[] };
  const passphrase = `${words.join(" ")}\n`;
  const sealed = readFileSync(path);
  const kit = await openKit(sealed, new Secret(Buffer.from(words.join(" "))));
  const key = Buffer.from(kit.identity.signing.publicKey);
  const isInClear = sealed.includes(Buffer.from(profile.nodeKey, "hex")) || sealed.includes(key);
  const good = await desk.run(["recovery", "check", path], passphrase);
  proof.row({
    name: "a kit is made, sealed under twelve words, and checked without its key being used",
    holds:
      made.exitCode === 0 && good.exitCode === 0 && !isInClear && !(await wasSeen(node, desk, key)),
    detail: `${sealed.length} bytes; the node has not seen its key`,
  });

  const wrong = await new Machine().run(
    ["recovery", "restore", path, "--lost", "none"],
    "acorn zebra acorn zebra\n",
  );
  const bent = join(path, "../bent.kit");
  const changed = Buffer.from(sealed);
  changed[sealed.length - 40]! ^= 1;
  writeFileSync(bent, changed);
  const broken = await new Machine().run(
    ["recovery", "restore", bent, "--lost", "none"],
    passphrase,
  );
  writeFileSync(bent, sealed.subarray(0, 90));
  const cut = await new Machine().run(["recovery", "restore", bent, "--lost", "none"], passphrase);
  proof.row({
    name: "refused: other words, one bit of the file, half of it",
    holds: [wrong, broken, cut].map(codeOf).join() === "ERR_PASSPHRASE,ERR_PASSPHRASE,ERR_KIT_FILE",
    detail: [wrong, broken, cut].map(codeOf).join(", "),
  });

  const saved = await saveAndMakeKit(proof, desk, join(path, "../saved.kit"));
  const before = await current(node, desk);
  const machines = before.devices.filter((one) => one.revokedAt === null && !isRecoveryKit(one));
  const all = machines.flatMap(({ signingKey }) => ["--lost", hex(signingKey)]);
  const laptop = new Machine();
  const name = ["--name", "new laptop", ...all];
  const restored = await laptop.run(["recovery", "restore", saved.path, ...name], saved.passphrase);
  const list = await current(node, laptop);
  const [ours, lost] = ["new laptop", "this machine"].map((one) =>
    list.devices.find((device) => device.name === one),
  );
  const out = await refusalOf(ControlSession.open({ profile, device: desk.device }));
  proof.row({
    name: "all machines are lost: a new one is an admin by the kit, and they are out, by one list",
    holds:
      restored.exitCode === 0 &&
      list.version === before.version + 1 &&
      list.devices.filter((one) => one.revokedAt === null && !isRecoveryKit(one)).length === 1 &&
      ours?.role === "admin" &&
      lost?.revokedAt !== null &&
      ["ERR_DEVICE_REVOKED", "ERR_TICKET_REFUSED"].includes(out),
    detail: `list ${list.version}; ${machines.length} lost; the desk: ${out}`,
  });
  const opened = await openKit(readFileSync(saved.path), new Secret(Buffer.from(saved.words)));
  const end = await showSavedByKit(proof, { node, laptop, restored, kit: opened.identity }, saved);

  const used = list.devices.find((one) =>
    sameBytes(one.signingKey, opened.identity.signing.publicKey),
  )!;
  const ended = await laptop.run(["devices", "revoke", used.name, "--yes"]);
  const again = await new Machine().run(
    ["recovery", "restore", saved.path, "--lost", "none"],
    saved.passphrase,
  );
  proof.row({
    name: "a kit that was revoked restores nothing",
    holds:
      ended.exitCode === 0 &&
      ["ERR_DEVICE_REVOKED", "ERR_TICKET_REFUSED"].includes(String(codeOf(again))),
    detail: String(codeOf(again)),
  });
  await end();
}

function hex(key: Uint8Array): string {
  return Buffer.from(key).toString("hex");
}

async function wasSeen({ profile }: LocalNode, { device }: Machine, key: Uint8Array) {
  const session = await ControlSession.open({ profile, device });
  try {
    return (await session.lastSeen()).some((one) => one.device === hex(key));
  } finally {
    session.close();
  }
}
