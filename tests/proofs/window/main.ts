/**
 * A window in real life: a node under the kernel policy fetches from a model host that redirects to its
 * CDN, in network namespaces made for it; and everything that must not come in does not.
 *
 *   main.ts [--json] [--only arrives|refused|early|terminal|deadline|orders]
 *
 * This file makes the network and the authority and runs `inside.ts` in the node's namespace.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { argumentsOf, flag, oneOf, text } from "../../arguments.ts";
import { TestAuthority } from "../../../apps/node/fetcher/test-model-host.ts";
import { makeNetwork } from "./network.ts";
import { parts } from "./parts.ts";

const values = argumentsOf({ only: text, json: flag });
const only = oneOf("only", values.only, parts);
const dir = mkdtempSync(join(tmpdir(), "phantoma-window-"));
const network = makeNetwork();
try {
  const authority = await TestAuthority.make();
  const identity = await authority.issue("models.test", "cdn.test", "dead.test");
  writeFileSync(join(dir, "ca.pem"), authority.pem);
  writeFileSync(join(dir, "identity.json"), JSON.stringify(identity), { mode: 0o600 });
  const host = run(network.hosts, "model-host.ts", [join(dir, "identity.json")]);
  const inside = run(network.node, "inside.ts", [
    dir,
    ...(values.json ? ["--json"] : []),
    ...(only === undefined ? [] : ["--only", only]),
  ]);
  // Told to end, it first lets the node end.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(signal, () => inside.kill("SIGTERM"));
  process.exitCode = await new Promise((resolve) =>
    inside.once("exit", (code) => resolve(code ?? 1)),
  );
  host.kill("SIGKILL");
} finally {
  network.remove();
  rmSync(dir, { recursive: true, force: true });
}

/** Only the network is another one: what is mounted, the policy's pins among it, stays in sight. */
function run(namespace: string, file: string, args: readonly string[]) {
  const entry = fileURLToPath(new URL(file, import.meta.url));
  const enter = [`--net=/run/netns/${namespace}`, process.execPath, entry, ...args];
  return spawn("nsenter", enter, {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, NODE_EXTRA_CA_CERTS: join(dir, "ca.pem") },
  });
}
