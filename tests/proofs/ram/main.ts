/**
 * What is left of a task on a whole server: its RAM and its disk are searched for the words of a chat.
 *
 *   main.ts [--all] [--only NAME] [--canary TEXT] [--keep DIR] [--json]
 *
 * A Debian guest, a node under systemd, a chat through the tunnel, an end; then every byte of RAM, as QEMU
 * has it. First without cells and without `init_on_free`: there the words must be found. With cells, in no page that
 * the worker had at its end: what it gave back before is there, and said. Then, after the reboot that set-up asks for,
 * at wipe grade A: there must be none. --all adds the other endings, the reset button, a power cut, and tasks in a
 * row. --keep keeps the dumps, 1 GiB each.
 *
 * @module
 */
import { argumentsOf, flag, oneOf, refuse, text } from "../../arguments.ts";
import { Proof } from "../../proof.ts";
import { Canaries, CONTROL } from "./canaries.ts";
import { endings, frozenEnd } from "./endings.ts";
import { gradeFacts, isGradeA } from "./grade.ts";
import { printedFault } from "./faults.ts";
import { Stage } from "./stage.ts";
import { inPages } from "./pages.ts";
import { showPowerCut, showReset, type Scene } from "./outages.ts";
import { Table } from "./table.ts";
import { endTask, type Outcome } from "./task.ts";
import { tasksInARow } from "./tasks-in-a-row.ts";

const values = argumentsOf({
  all: flag,
  only: text,
  canary: text,
  keep: text,
  json: flag,
});

/** A control that finds less proves nothing. */
const CONTROL_SHARE = 0.9;
/** Some of a worker's pages are used again, by whoever comes next, before a dump begins. */
const OWN_SHARE = 0.5;

oneOf(
  "only",
  values.only,
  endings.map(({ name }) => name),
);
const canaries = canariesOf(values.canary);
const proof = new Proof("What a task leaves in RAM and on disk", values.json);
const table = new Table();
const outcomes: Outcome[] = [];
let nextEnding = 0;
const stage = await Stage.start({
  prefix: canaries.prefix,
  keepDir: values.keep,
  say: (text) => proof.say(text),
});

try {
  await showWordsAreNew();
  await showControl();
  await showGradeB();
  if (values.all) await showReset("B", scene());
  await raise();
  for (const ending of chosen()) await tryEnding(ending);
  showBlindProcesses();
  if (values.all) await tasksInARow(stage, proof);
  await showDisk();
  if (values.all) {
    await showReset("A", scene());
    await showPowerCut(scene());
  }
} finally {
  await stage.stop();
}
proof.say(`\n${table.text}`);
process.exitCode = proof.finish();

function scene(): Scene {
  return { stage, proof, words: canaries.words(nextEnding++) };
}

function canariesOf(words: string | undefined): Canaries {
  try {
    return new Canaries(words);
  } catch (error) {
    return refuse((error as Error).message);
  }
}

function chosen() {
  if (values.only !== undefined) return endings.filter(({ name }) => name === values.only);
  return endings.filter(({ isLong = false }) => values.all || !isLong);
}

/** Words that are in every Debian would be found whatever we do. */
async function showWordsAreNew(): Promise<void> {
  const { hits } = await stage.dump("before");
  proof.row({
    name: "before the first chat the words are nowhere in RAM",
    holds: hits.length === 0,
    detail: `${hits.length} hits`,
  });
}

async function showControl(): Promise<void> {
  await stage.takeCellsAway();
  const outcome = await one("no cell, no wiping", frozenEnd);
  await stage.giveCellsBack();
  const { distinctBefore, distinctLeft, inWorker } = outcome;
  proof.control(
    "without cell and without init_on_free, nine words of ten are found after the end",
    distinctLeft >= CONTROL_SHARE * distinctBefore && outcome.receipt?.cell === null,
    `${distinctLeft} of ${distinctBefore} words, ${outcome.left} hits; ${outcome.before} while it lived`,
  );
  proof.control(
    "there, most that lay in the worker's own pages is found in them after the end",
    inWorker.left >= OWN_SHARE * inWorker.before && inWorker.before > 0,
    `${inWorker.left} of ${inWorker.before} hits`,
  );
}

/** What a worker gave back before is left there, and said. */
async function showGradeB(): Promise<void> {
  const outcome = await one("B", frozenEnd);
  const { inWorker, left, before } = outcome;
  proof.row({
    name: "grade B: no word is left in the pages that the worker had at its end",
    holds:
      hadAll(outcome) &&
      inWorker.before > 0 &&
      inWorker.left === 0 &&
      outcome.receipt?.cell?.end === frozenEnd.says &&
      outcome.remains.length === 0,
    detail: `${inWorker.before} hits in them before, ${inWorker.left} after; elsewhere ${before - inWorker.before}${inPages(outcome.outsideIn)}, then ${left - inWorker.left}${inPages(outcome.leftIn)}`,
    left,
    before,
  });
}

async function raise(): Promise<void> {
  proof.say("  rebooting with init_on_free=1");
  await stage.raiseToGradeA();
  const facts = await gradeFacts(stage.guest);
  const doctor = await stage.doctor();
  proof.row({
    name: "the server is at wipe grade A, by its kernel and by its doctor",
    holds: isGradeA(facts) && doctor.grade === "A",
    detail: Object.entries({ ...facts, doctor: doctor.grade, heldBy: doctor.heldBy ?? "nothing" })
      .map(([fact, value]) => `${fact}: ${value}`)
      .join(", "),
  });
  const { hits } = await stage.dump("after-reboot");
  proof.row({
    name: "its boot left nothing of what RAM held before",
    holds: hits.length === 0,
    detail: `${hits.length} hits`,
  });
}

/** An ending that cannot be brought about fails; the others are still shown. */
async function tryEnding(ending: (typeof endings)[number]): Promise<void> {
  try {
    await showEnding(ending);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    proof.row({ name: `grade A: ${ending.name}`, holds: false, detail });
    proof.say(await stage.lastLogs());
  }
}

async function showEnding(ending: (typeof endings)[number]): Promise<void> {
  const outcome = await one("A", ending);
  const { left, before, zeroAfterMs, remains, receipt } = outcome;
  proof.row({
    name: `grade A: ${ending.name}`,
    holds: hadAll(outcome) && left === 0 && remains.length === 0,
    detail: `${before} hits while it ran, ${left} in the dump that began ${(zeroAfterMs / 1000).toFixed(1)} s after the end`,
    before,
    left,
    zeroAfterMs,
    remains,
  });
  if (left > 0) proof.say(`       left${inPages(outcome.leftIn)}`);
  if (remains.length > 0) proof.say(`       there is still ${remains.slice(0, 5).join(", ")}`);
  const said = receipt ? (receipt.cell?.end ?? null) : "no receipt";
  proof.row({
    name: `its receipt says how it ended: ${ending.name}`,
    holds: said === ending.says,
    detail: said ?? "no word of a cell",
  });
  if (said !== ending.says) proof.say(await stage.lastLogs());
}

async function one(grade: string, ending: (typeof endings)[number]): Promise<Outcome> {
  const outcome = await endTask(stage, canaries, nextEnding++, ending, grade === "A");
  outcomes.push(outcome);
  table.add(grade, ending.name, outcome);
  return outcome;
}

/** A search that misses words while they are certainly there says nothing about later. */
function hadAll({ distinctBefore, wordCount, hadAnswer }: Outcome): boolean {
  return distinctBefore >= CONTROL_SHARE * wordCount && hadAnswer;
}

function showBlindProcesses(): void {
  for (const role of ["gateway", "keeper", "clerk", "warden", "cell"] as const) {
    const seen = outcomes.map(({ hitsIn }) => hitsIn.get(role));
    const hits = seen.reduce((sum, found) => sum + (found?.hits ?? 0), 0);
    const pages = seen.reduce((sum, found) => sum + (found?.pages ?? 0), 0);
    proof.row({
      name: `while the tasks ran, no page of the ${role} held a word`,
      holds: hits === 0 && pages > 0,
      detail: `${hits} hits in ${((pages * 4096) / 1e6).toFixed(0)} MB`,
      hits,
    });
  }
  const inWorkers = outcomes.reduce((sum, { hitsIn }) => sum + hitsIn.get("worker")!.hits, 0);
  proof.control("the workers' own pages held them", inWorkers > 0, `${inWorkers} hits`);
  const others = outcomes.reduce((sum, outcome) => sum + outcome.others, 0);
  proof.control(
    "words of an embed, a count and a grammar were there too",
    others > 0,
    `${others} hits`,
  );
}

/** Last, because the control's word is in RAM from then on. */
async function showDisk(): Promise<void> {
  const logs = await stage.searchLogs();
  proof.row({
    name: "no log holds a word",
    holds: logs.length === 0,
    detail: `${logs.length} hits`,
  });
  await stage.guest.check("sync");
  const hits = await stage.searchDisk("disk");
  proof.row({
    name: "the disk holds no word, in files or beside them",
    holds: hits.length === 0,
    detail: `${hits.length} hits`,
  });
  await stage.guest.check(
    "cat > /var/tmp/left && sync && rm /var/tmp/left && sync",
    canaries.spell({ ending: CONTROL, place: "q", number: 0 }),
  );
  const found = await stage.searchDisk("disk with a deleted file");
  proof.control("a word in a file that was deleted is found on it", found.length > 0);
  await printedFault(stage.guest, canaries.spell({ ending: CONTROL, place: "q", number: 1 }));
  const printed = await stage.searchLogs();
  proof.control(
    "a word at which a program faults is found in the log of a kernel that prints it",
    printed.length > 0,
  );
}
