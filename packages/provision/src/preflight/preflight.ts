/**
 * Looks at a server without changing anything, before anything is sent to it.
 *
 * @module
 */
import { ProvisionError } from "../provision-error.ts";
import type { RootShell } from "../ssh/root-shell.ts";
import { factsScript } from "./facts-script.ts";
import { MAX_FACTS_BYTES, parseFacts, type Facts } from "./facts.ts";
import { judge, type Finding } from "./findings.ts";

export interface Preflight {
  readonly facts: Facts;
  readonly findings: readonly Finding[];
}

/** @throws {@link ProvisionError} `ERR_FACTS`, or what the connection throws */
export async function preflight(shell: RootShell, port: number): Promise<Preflight> {
  const before = Date.now();
  const { code, stdout } = await shell.run(factsScript(port), { maxOutputBytes: MAX_FACTS_BYTES });
  const after = Date.now();
  if (code !== 0) throw new ProvisionError("ERR_FACTS", { about: "the script failed" });
  const facts = parseFacts(stdout);
  const circumstances = { port, now: (before + after) / 2, uncertaintyMs: (after - before) / 2 };
  return { facts, findings: judge(facts, circumstances) };
}
