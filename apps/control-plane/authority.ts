/**
 * The control plane's name: the Ed25519 key that signs licences and answers. Standing orders of nodes name it.
 *
 * It signs no release: those keys are people's.
 *
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  exportNodeIdentity,
  generateNodeIdentity,
  importNodeIdentity,
  Secret,
  type NodeIdentity,
} from "@phantoma/crypto";

export type Authority = NodeIdentity["signing"];

/** Made at the first start. */
export function openAuthority(stateDir: string): Authority {
  const path = join(stateDir, "control-plane.key");
  const secret = readOrMake(path);
  try {
    return importNodeIdentity(secret).signing;
  } finally {
    secret.erase();
  }
}

function readOrMake(path: string): Secret {
  try {
    return new Secret(readFileSync(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const secret = exportNodeIdentity(generateNodeIdentity());
  writeFileSync(path, secret.expose(), { mode: 0o600, flag: "wx", flush: true });
  return secret;
}
