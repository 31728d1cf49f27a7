/**
 * The doctor on the machine itself: what a task leaves behind here, and what of the machine needs a person.
 * It has no network, no key and sees no task; it only reads.
 *
 *   main.ts [--json]         prints all of it; best as root, who can read everything
 *   main.ts --write FILE     writes what it found out about the machine, for the keeper
 *
 * Exit code 0 only when the grade is A and every finding is good.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { doctorLines, isHealthy, type Finding } from "@phantoma/protocol";
import { bad, finding, good, notRead } from "./finding.ts";
import { diagnosis } from "./grade.ts";
import { HostFiles } from "./host-files.ts";
import { hostFindings } from "./host-findings.ts";
import { writeHostReport } from "./host-report.ts";

const WORKER_UNIT = "/etc/systemd/system/phantoma-worker@.service";

const { values } = parseArgs({
  options: { json: { type: "boolean", default: false }, write: { type: "string" } },
});
const files = new HostFiles();
const [readAt, host] = [Date.now(), hostFindings(files)];

if (values.write === undefined) {
  const doctor = diagnosis({ cell: finding(cell), ...host, policy: policy() }, readAt);
  const lines = values.json ? [JSON.stringify(doctor)] : doctorLines(doctor);
  process.stdout.write(`${lines.join("\n")}\n`);
  process.exitCode = isHealthy(doctor) ? 0 : 1;
} else {
  writeHostReport(values.write, { readAt, findings: host });
}

/** Under systemd the worker's unit says in what a worker runs. */
function cell(): Finding {
  const isCell = /^ExecStart=\/opt\/phantoma\/current\/bin\/cell /m.test(files.read(WORKER_UNIT));
  return isCell ? good() : bad(WORKER_UNIT);
}

/** The warden reads back what the kernel has, and tries it. */
function policy(): Finding {
  if (process.getuid?.() !== 0) return notRead("only root can ask the warden");
  const warden = fileURLToPath(new URL("../../../bin/warden", import.meta.url));
  const { status, error } = spawnSync(warden, ["verify"], { stdio: "ignore" });
  if (error || status === null) return notRead("the warden could not be asked");
  return status === 0 ? good() : bad();
}
