/**
 * The matrix in a stock Debian 12 guest: systemd's units, BPF LSM, SCTP. Nothing may stay open there.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { generateDeviceIdentity } from "@phantoma/crypto";
import { bootedGuest } from "../vps/booted-guest.ts";
import { installNode, NODE_PORT } from "../vps/install-node.ts";
import type { Outcome } from "./cell.ts";
import type { Say } from "./node.ts";
import type { Results } from "./report.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const ATTACK_DIR = "/opt/phantoma/attack";
const UNPACKED_DIR = `${ATTACK_DIR}/attacks`;
/** A hundred times what this folder holds. */
const MAX_PACKED_BYTES = 16 * 1024 ** 2;
/** A stack trace of the kernel and what led to it. */
const CONSOLE_CHARACTERS = 8_000;

/** @param attempts the program, static, so that it runs there as it is */
export async function runInGuest(
  attempts: string,
  only: string | undefined,
  say: Say,
): Promise<Results> {
  say("starting the guest …");
  const guest = await bootedGuest({ ports: [NODE_PORT] });
  try {
    await installNode(guest, { device: generateDeviceIdentity(), models: [], say });
    const packed = execFileSync("tar", ["-cz", "-C", here, "."], { maxBuffer: MAX_PACKED_BYTES });
    await guest.check(`mkdir -p ${UNPACKED_DIR} && tar -xz -C ${UNPACKED_DIR}`, packed);
    await guest.copyTo(attempts, `${ATTACK_DIR}/attempts`);
    await guest.check(`chmod 755 ${ATTACK_DIR}/attempts`);
    say("attacking in the guest …");
    const command = `/opt/phantoma/current/bin/node ${UNPACKED_DIR}/guest-side.ts ${only ?? ""}`;
    const { code, stdout, stderr } = await guest.ssh(command, "", say);
    const line = stdout.split("\n").find((line) => line.startsWith("results "));
    // 255: no connection any more, and the console may say why.
    const end = code === 255 ? guest.console.slice(-CONSOLE_CHARACTERS) : stderr;
    if (code !== 0 || !line) throw new Error(`the run in the guest ended with ${code}: ${end}`);
    return revive(JSON.parse(line.slice("results ".length)) as Results);
  } finally {
    await guest.stop();
  }
}

/** Sets came through JSON as lists. */
function revive(results: Results): Results {
  const controls = results.controls.map((outcome): Outcome => ({
    ...outcome,
    hooks: new Set(outcome.hooks),
  }));
  return { ...results, controls };
}
