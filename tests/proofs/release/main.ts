/**
 * A whole release by five throw-away engineers, then every attack on it that is known to us: all must be refused, each
 * for its own reason.
 *
 *   main.ts [--json] [--artifact FILE]
 *
 * Sigstore's code verifies real bundles of a private instance; the public one is not reached.
 *
 * @module
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { argumentsOf, fileOf, flag, text } from "../../arguments.ts";
import { Proof } from "../../proof.ts";
import { attackArtifact, measureLargeBundle } from "./attack-artifact.ts";
import { attackAsRevoked, attackQuorum, attackTime } from "./attack-metadata.ts";
import { attackWithOneKey } from "./attack-one-key.ts";
import { attackOrigin, attackParts, attackWithDevelopmentKeys } from "./attack-origin.ts";
import { holdCeremony } from "./by-hand.ts";
import { Stage } from "./stage.ts";

export interface Report {
  /** An attack: it must be refused, and for this reason. */
  readonly refused: (name: string, code: string, found: string | undefined) => void;
  readonly shown: (name: string, holds: boolean, detail?: string) => void;
}

const values = argumentsOf({ artifact: text, json: flag });
const artifact = fileOf("artifact", values.artifact);
const proof = new Proof("A release under attack", values.json);
const refused: Report["refused"] = (name, code, found) =>
  proof.row({
    name,
    holds: found === code,
    detail: found === code ? `refused, ${code}` : `${found ?? "ACCEPTED"}, not ${code}`,
  });
const shown: Report["shown"] = (name, holds, detail = "") => proof.row({ name, holds, detail });
const report: Report = { refused, shown };

const dir = mkdtempSync(join(tmpdir(), "phantoma-drill-"));
process.env["TMPDIR"] = dir;
try {
  const stage = new Stage(dir, artifact);
  await stage.open();
  proof.say("  five engineers, three releases, and a machine that has seen them");
  proof.control(
    "the honest release passes what refuses the attacks",
    (await stage.refusalOfSeen(stage.repository)) === undefined,
  );
  await attackTime(stage, report);
  await attackQuorum(stage, report);
  await attackWithOneKey(stage, report);
  await attackArtifact(stage, report);
  await attackOrigin(stage, report);
  await attackParts(stage, report);
  await attackWithDevelopmentKeys(stage, report);
  await attackAsRevoked(stage, report);
  await measureLargeBundle(stage, report);
  await holdCeremony(stage, report);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
process.exitCode = proof.finish();
