/**
 * One chat with its words, one end, and what is found of it while it runs and afterwards.
 *
 * @module
 */
import type { Conversation, TurnEvent } from "@phantoma/client";
import type { Receipt } from "@phantoma/crypto";
import type { GuestProcess } from "../../vps/processes.ts";
import { isOfChat, type Canaries, type Words } from "./canaries.ts";
import { freeze, type Ending } from "./endings.ts";
import {
  countIn,
  joined,
  kindsOfPages,
  type PageKind,
  pagesInGuest,
  type PagesOf,
} from "./pages.ts";
import { belongings, whatRemains } from "./remains.ts";
import type { Hit } from "./search.ts";
import type { Stage } from "./stage.ts";

/** `other`: a worker that waits for the next task, and anchors, which have their process's memory. */
export type Role = "gateway" | "keeper" | "clerk" | "warden" | "cell" | "worker" | "other";

export interface Outcome {
  readonly wordCount: number;
  /** Hits while the task ran, of this task's words. */
  readonly before: number;
  /** Of them those of what was asked besides the chat. */
  readonly others: number;
  readonly distinctBefore: number;
  readonly hadAnswer: boolean;
  /** In the pages that its worker had while it was looked at: hits then, and of this task's after its end. */
  readonly inWorker: { readonly before: number; readonly left: number };
  /** Pages that held words while it ran and were none of the node's, by what they were used for. */
  readonly outsideIn: ReadonlyMap<PageKind, number>;
  /** While it ran. */
  readonly hitsIn: ReadonlyMap<Role, { hits: number; pages: number }>;
  /** Hits after its end, of any task's words where everything is wiped, else of this one's. */
  readonly left: number;
  readonly distinctLeft: number;
  /** Pages that hold what is left, by what they were used for a moment later. */
  readonly leftIn: ReadonlyMap<PageKind, number>;
  /** From the end until the last dump began; what that one shows is {@link left}. */
  readonly zeroAfterMs: number;
  readonly dumpMs: number;
  readonly remains: readonly string[];
  readonly receipt: Receipt | undefined;
}

/** An answer that goes on while the guest is looked at, in tokens; the context has 4096. */
const LONG_ANSWER = 2_000;
/** One that ends in good time: three times round, in tokens. Its worker waits for the next question. */
const SHORT_ANSWER = 288;
/** One with whose end the worker goes: it must last until the guest was looked at, in tokens. */
const ONLY_ANSWER = 1_000;
/** Later than this, nobody would call it wiped, in milliseconds. */
const ZERO_LIMIT_MS = 60_000;

/** @param isWiped dumps again until nothing is found, rather than once */
export async function endTask(
  stage: Stage,
  canaries: Canaries,
  number: number,
  ending: Ending,
  isWiped: boolean,
): Promise<Outcome> {
  const words = canaries.words(number);
  const history = [{ role: "system", text: words.system }] as const;
  const conversation = await stage.open({
    history,
    mode: ending.mode ?? "conversation",
    steady: ending.isSteady ?? false,
  });
  try {
    return await seeEnd({ stage, conversation, words, number, ending, isWiped });
  } finally {
    // One that could not be ended would keep the next task waiting.
    conversation.drop();
  }
}

interface Seen {
  readonly stage: Stage;
  readonly conversation: Conversation;
  readonly words: Words;
  readonly number: number;
  readonly ending: Ending;
  readonly isWiped: boolean;
}

async function seeEnd(seen: Seen): Promise<Outcome> {
  const { stage, conversation, words, number, ending, isWiped } = seen;
  const { guest } = stage;
  const slug = `${String(number).padStart(2, "0")}-${ending.name}`;
  const answer = await untilAnswered(conversation, words, ending);
  // Its clerk is there to be searched while the task runs.
  await stage.askNode((session) => session.status());
  if (ending.isFrozen) await freeze(guest);
  const pagesBefore = await pagesInGuest(guest);
  const running = await stage.dump(`${slug}-while-it-runs`);
  const pages = joined(pagesBefore, await pagesInGuest(guest));
  const own = ofTask(running.hits, number);
  const worker = workerWith(own, pages);
  const outsideIn = await kindsOfPages(guest, notIn(own, pages));
  const processes = pages
    .map(({ process }) => process)
    .filter(({ unit }) => unit === worker.process.unit);
  const its = await belongings(guest, processes);
  const task = {
    guest,
    conversation,
    answer,
    worker: worker.process.pid,
    // Not its guard, which is a cell's parent.
    cell: processes.find(({ pid, program }) => pid === worker.process.parent && program === "cell")
      ?.pid,
    cgroup: its.cgroup,
  };
  await ending.before?.(task);
  let endedAt = Date.now();
  await ending.end(task);
  // Those that end by themselves do so when they say so.
  if (ending.name === "idle timeout" || ending.mode === "turn") endedAt = Date.now();
  const lookAgain = async () => {
    const dump = await stage.dump(`${slug}-after`);
    return { ...dump, hits: isWiped ? dump.hits : ofTask(dump.hits, number) };
  };
  // What is left for good shows only when all that could overwrite it is gone.
  if (!isWiped) await whatRemains(guest, its);
  let after = await lookAgain();
  const late = endedAt + (isWiped ? ZERO_LIMIT_MS : 0);
  while (after.hits.length > 0 && after.at < late) after = await lookAgain();
  conversation.drop();
  return {
    wordCount: words.count,
    before: own.length,
    distinctBefore: distinct(own),
    others: own.filter(({ word }) => word && !isOfChat(word)).length,
    inWorker: {
      before: countIn(worker, own),
      left: countIn(worker, ofTask(after.hits, number)),
    },
    outsideIn,
    hadAnswer: own.some(({ word }) => word?.place === "r"),
    hitsIn: byRole(running.hits, pages, worker.process.pid),
    left: after.hits.length,
    distinctLeft: distinct(after.hits),
    leftIn: await kindsOfPages(guest, after.hits),
    zeroAfterMs: after.at - endedAt,
    dumpMs: after.tookMs,
    remains: await whatRemains(guest, its),
    receipt: await stage.receipt(conversation.task),
  };
}

/** Asks, and reads until the answer has said its word. */
async function untilAnswered(
  conversation: Conversation,
  words: Words,
  ending: Ending,
): Promise<AsyncIterator<TurnEvent>> {
  if (ending.mode !== "turn") await askOtherwise(conversation, words);
  const file = await conversation.attach("notes.txt", Buffer.from(words.attachment, "utf8"));
  const waiting = ending.before ? SHORT_ANSWER : LONG_ANSWER;
  const maxTokens = ending.mode === "turn" ? ONLY_ANSWER : waiting;
  const answer = conversation.turn({
    text: words.question,
    attachments: [file],
    sampling: { temperature: 0, maxTokens },
  });
  await untilSaid(answer, words);
  return answer;
}

/** Reads until the answer's word has come. */
export async function untilSaid(answer: AsyncIterator<TurnEvent>, words: Words): Promise<void> {
  let text = "";
  while (!text.includes(words.answer)) {
    const { value, done } = await answer.next();
    if (done) throw new Error("the answer ended without its word");
    if (value.type === "delta") text += value.text;
  }
}

/** What else a worker can be asked: each has buffers of its own. */
async function askOtherwise(conversation: Conversation, words: Words): Promise<void> {
  await conversation.embed(words.embedded);
  await conversation.countTokens({ text: words.counted });
  const sampling = { temperature: 0, maxTokens: 1, grammar: words.grammar };
  await conversation.ask({ text: "In this form.", sampling });
}

function ofTask(hits: readonly Hit[], number: number): Hit[] {
  return hits.filter(({ word }) => word?.ending === number);
}

function distinct(hits: readonly Hit[]): number {
  const words = hits.map(({ word }) => word).filter((word) => !word || isOfChat(word));
  return new Set(words.map((word) => word && `${word.ending}${word.place}${word.number}`)).size;
}

function notIn(hits: readonly Hit[], pages: readonly PagesOf[]): Hit[] {
  return hits.filter((hit) => pages.every((of) => countIn(of, [hit]) === 0));
}

function workerWith(hits: readonly Hit[], pages: readonly PagesOf[]): PagesOf {
  const workers = pages.filter(({ process }) => roleOf(process) === "worker" && !process.isAnchor);
  const found = workers.find((worker) => countIn(worker, hits) > 0);
  if (!found) throw new Error(`no worker holds a word of its task; RAM has ${hits.length}`);
  return found;
}

function byRole(hits: readonly Hit[], pages: readonly PagesOf[], worker: number) {
  const found = new Map<Role, { hits: number; pages: number }>();
  for (const of of pages) {
    const role = roleOf(of.process);
    const isOther = role === "worker" && of.process.pid !== worker;
    const key = isOther ? "other" : role;
    const { hits: soFar, pages: pagesSoFar } = found.get(key) ?? { hits: 0, pages: 0 };
    found.set(key, { hits: soFar + countIn(of, hits), pages: pagesSoFar + of.pages.size });
  }
  return found;
}

function roleOf({ unit, program }: GuestProcess): Role {
  if (program === "cell") return "cell";
  const [, name] =
    /phantoma-(gateway|keeper|warden|clerk|worker)/.exec(unit.split("/").at(-1)!) ?? [];
  return (name as Role | undefined) ?? "other";
}
