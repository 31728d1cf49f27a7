/**
 * `npm run demo` as a stranger runs it: an answer, a receipt, and nothing left behind.
 *
 *   demo.ts [--question TEXT] [--json]
 *
 * @module
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { argumentsOf, flag } from "../arguments.ts";
import { cachedModel } from "../node-under-test.ts";
import { Proof } from "../proof.ts";

const values = argumentsOf({
  question: { type: "string", default: "What is Phantoma?" },
  json: flag,
});
const cli = fileURLToPath(new URL("../../apps/cli/main.ts", import.meta.url));
const proof = new Proof("The demo, as a stranger runs it", values.json);
const temporary = mkdtempSync(join(tmpdir(), "phantoma-demo-proof-"));
const model = await cachedModel("echo");

const json = await phantoma("demo", "--json", "--model", model, values.question);
const { answer, receipt } = JSON.parse(json.output || "{}");
proof.row({ name: "it ends with 0", holds: json.code === 0 });
proof.row({
  name: "the answer repeats the question",
  holds: answer?.text.includes(values.question),
});
proof.row({
  name: "the receipt counts one task, and what nobody measured is null",
  holds:
    receipt?.sequence === "1" &&
    (receipt?.warden === null || receipt?.warden?.attempts === "0") &&
    (receipt?.cell === null || receipt?.cell?.end === "finished"),
  detail: [
    receipt?.cell ? `the cell says ${receipt.cell.end}` : "no cell here",
    receipt?.warden ? `the warden saw ${receipt.warden.attempts} attempts` : "no warden here",
  ].join(", "),
});
proof.row({
  name: "speed and added latency are measured",
  holds: answer?.tokensPerSecond > 0 && answer?.addedMs > 0,
  detail: `${answer?.tokensPerSecond?.toFixed(0)} tokens/s, ${answer?.addedMs?.toFixed(1)} ms added`,
});
const people = await phantoma("demo", "--model", model, values.question);
proof.row({
  name: "people see the answer and the receipt",
  holds:
    people.code === 0 && people.output.includes(values.question) && /receipt/.test(people.output),
});
const plain = await phantoma("demo", "--json");
proof.row({
  name: "without any option it answers with the model that comes along",
  holds: plain.code === 0 && JSON.parse(plain.output || "{}").answer?.reason === "stop",
});
proof.row({ name: "no file is left", holds: readdirSync(temporary).length === 0 });
proof.control(
  "a model that is not there is refused",
  (await phantoma("demo", "--model", "/none.gguf")).code !== 0,
);
rmSync(temporary, { recursive: true });
process.exitCode = proof.finish();

/** Everything it writes goes to a folder of its own, so that what it leaves is seen. */
function phantoma(...args: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [cli, ...args], {
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, TMPDIR: temporary, PHANTOMA_HOME: temporary },
  });
  let output = "";
  child.stdout.on("data", (part: Buffer) => (output += part.toString("utf8")));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, output })));
}
