/**
 * The desk is lost: a new machine takes its place by the recovery kit, and nothing but the kit and its words does.
 *
 * @module
 */
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ControlSession, isRecoveryKit, openKit, type LocalNode } from "@phantoma/client";
import { Secret } from "@phantoma/crypto";
import type { Proof } from "../../proof.ts";
import { codeOf, Machine } from "./machine.ts";
import { current } from "./pairing.ts";
import { refusalOf } from "./roles.ts";

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

  const laptop = new Machine();
  const name = ["--name", "new laptop", "--lost", "this machine"];
  const restored = await laptop.run(["recovery", "restore", path, ...name], passphrase);
  const list = await current(node, laptop);
  const [ours, lost] = ["new laptop", "this machine"].map((one) =>
    list.devices.find((device) => device.name === one),
  );
  const out = await refusalOf(ControlSession.open({ profile, device: desk.device }));
  proof.row({
    name: "a new machine is an admin by the kit, and the lost one is out, by one list",
    holds:
      restored.exitCode === 0 &&
      ours?.role === "admin" &&
      lost?.revokedAt !== null &&
      ["ERR_DEVICE_REVOKED", "ERR_TICKET_REFUSED"].includes(out),
    detail: `list ${list.version}; the lost machine: ${out}`,
  });

  const used = list.devices.find((one) => isRecoveryKit(one) && one.revokedAt === null)!;
  const ended = await laptop.run(["devices", "revoke", used.name, "--yes"]);
  const again = await new Machine().run(
    ["recovery", "restore", path, "--lost", "none"],
    passphrase,
  );
  proof.row({
    name: "a kit that was revoked restores nothing",
    holds:
      ended.exitCode === 0 &&
      ["ERR_DEVICE_REVOKED", "ERR_TICKET_REFUSED"].includes(String(codeOf(again))),
    detail: String(codeOf(again)),
  });
}

async function wasSeen({ profile }: LocalNode, { device }: Machine, key: Uint8Array) {
  const session = await ControlSession.open({ profile, device });
  try {
    const id = Buffer.from(key).toString("hex");
    return (await session.lastSeen()).some((one) => one.device === id);
  } finally {
    session.close();
  }
}
