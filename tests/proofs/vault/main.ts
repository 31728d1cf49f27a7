/**
 * Saved conversations are yours on every machine and readable on none but yours: three devices and a real node.
 *
 *   main.ts [--json]
 *
 * Needs Linux, and the right to read other processes' memory for the search of it.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { argumentsOf, flag } from "../../arguments.ts";
import { Proof } from "../../proof.ts";
import { attackTable } from "./attacks.ts";
import { searchEverything } from "./search.ts";
import { startStage } from "./stage.ts";
import { cutWhileSyncing, sharedByThree } from "./three-devices.ts";

const values = argumentsOf({ json: flag });
const proof = new Proof(
  "The vault: yours on every machine, readable on none but yours",
  values.json,
);
const canary = `canary${randomBytes(12).toString("hex")}`;
const stage = await startStage(canary);
try {
  await sharedByThree(proof, stage);
  await attackTable(proof, stage);
  searchEverything(proof, stage);
  await cutWhileSyncing(proof, stage);
  searchEverything(proof, stage);
} finally {
  await stage.end();
}
process.exitCode = proof.finish();
