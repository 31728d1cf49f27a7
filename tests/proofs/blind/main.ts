/**
 * The control plane is blind and passive: it is told no word of anybody, it connects nowhere but to its database, and what
 * it acknowledged it keeps. Needs PostgreSQL, as Debian has it, and Linux.
 *
 *   main.ts [--json] [--only canaries|policy|passive|durable]
 *
 * @module
 */
import { argumentsOf, flag, oneOf, text } from "../../arguments.ts";
import { Proof } from "../../proof.ts";
import { proveCanaries } from "./canaries.ts";
import { proveDurable } from "./durable.ts";
import { provePassive } from "./passive.ts";
import { proveUnderPolicy } from "./under-policy.ts";

const values = argumentsOf({ only: text, json: flag });
const parts = {
  canaries: proveCanaries,
  policy: proveUnderPolicy,
  passive: provePassive,
  durable: proveDurable,
};

const only = oneOf("only", values.only, Object.keys(parts));
const proof = new Proof("The control plane is blind and passive", values.json);

for (const [name, prove] of Object.entries(parts))
  if (only === undefined || only === name) await prove(proof);
process.exit(proof.finish());
