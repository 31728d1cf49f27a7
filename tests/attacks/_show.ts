import { readFileSync } from "node:fs";
import { rows } from "./rows.ts";
import { closingLine, failuresOf, tableOf, type Results } from "./report.ts";
for (const l of readFileSync(process.argv[2]!, "utf8")
  .split("\n")
  .filter((l) => l.startsWith("results "))) {
  const r = JSON.parse(l.slice(8)) as Results;
  for (const t of tableOf(rows, r.verdicts)) console.log(t.slice(0, 230));
  for (const { id, attempt, isBlocked, detail } of r.trials)
    console.log(id, attempt, isBlocked ? "blocked" : "PASSED", detail);
  for (const f of failuresOf(r)) console.log("FAIL", f.slice(0, 230));
  console.log(closingLine(r));
}
