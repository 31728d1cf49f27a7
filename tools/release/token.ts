/**
 * A key that never leaves its token: a smart card or a security module, over PKCS#11.
 *
 * A program of ours in C asks the token; the PIN reaches it on standard input, and is on no command line and in no
 * environment.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { z } from "zod";

/** Where a key lies. */
export const TokenPlace = z.strictObject({
  /** The library of the token's maker. */
  module: z.string().startsWith("/"),
  /** The token's label. */
  token: z.string().min(1).max(32),
  /** The key's number on it. */
  id: z.string().regex(/^(?:[0-9a-f]{2}){1,20}$/),
});
export type TokenPlace = z.infer<typeof TokenPlace>;

const programDir = fileURLToPath(new URL("token", import.meta.url));

/** Reads the public half in hex, for which nobody needs a PIN. */
export function readTokenKey(place: TokenPlace): string {
  return ask(place, "public", Buffer.alloc(0), /^[0-9a-f]{64}$/);
}

/** @returns an Ed25519 signature in hex; whoever asked checks it */
export function signOnToken(place: TokenPlace, pin: string, bytes: Uint8Array): string {
  const input = Buffer.concat([Buffer.from(`${pin}\n`, "utf8"), bytes]);
  try {
    return ask(place, "sign", input, /^[0-9a-f]{128}$/);
  } finally {
    input.fill(0);
  }
}

function ask(
  { module, token, id }: TokenPlace,
  question: "public" | "sign",
  input: Buffer,
  answer: RegExp,
): string {
  const made = spawnSync("make", ["-s", "-C", programDir], { encoding: "utf8" });
  if (made.status !== 0)
    throw new Error(
      `a key on a token needs Debian's gcc, libp11-kit-dev and make\n${made.stderr ?? ""}`,
    );
  const { stdout, stderr } = spawnSync(`${programDir}/build/token`, [module, token, id, question], {
    input,
    encoding: "utf8",
  });
  const line = stdout.trim();
  if (!answer.test(line)) throw new Error(`${token}: ${stderr.replace(/^token: /, "").trim()}`);
  return line;
}
