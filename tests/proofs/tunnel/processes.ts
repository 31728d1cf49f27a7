/**
 * Processes of the node that die or freeze at the worst moment.
 *
 * @module
 */
import { ClientError, ControlSession } from "@phantoma/client";
import type { ClientErrorCode, Conversation, TurnEvent } from "@phantoma/client";
import { processesOf } from "../../node-under-test.ts";
import { expect, expectRefusal, until, within } from "./expect.ts";
import type { Stage } from "./stage.ts";

export async function attackProcesses(stage: Stage): Promise<void> {
  await stage.control("an answer that nobody cuts has its end", async () => {
    const { conversation } = await stage.converseKnowingWorker();
    const answer = await readToEnd(conversation.turn(stage.turn));
    expect(answer.hasEnd, "no end");
    await conversation.end();
  });
  await stage.attack("a worker killed in mid-answer", async () => {
    const { conversation, pid } = await stage.converseKnowingWorker();
    const answer = await cutBy(conversation, () => process.kill(pid, "SIGKILL"));
    expectCut(answer, ["ERR_CONNECTION_LOST"]);
    await expectRefusal("ERR_CONNECTION_LOST", conversation.ask(stage.turn));
    await stage.settled();
    expect(!stage.pids("worker").includes(pid), "the killed worker is still there");
    return `${answer.code} ${answer.afterMs} ms later, ${answer.text.length} characters kept`;
  });
  await stage.attack("a worker killed before anyone uses it", async () => {
    const { conversation, pid } = await stage.converseKnowingWorker();
    await until(() => stage.pids("worker").length === 3, "a warm worker");
    const isWarm = (candidate: number) => candidate !== pid && candidate !== stage.witnessPid;
    process.kill(stage.pids("worker").find(isWarm)!, "SIGKILL");
    await conversation.ask(stage.turn);
    await conversation.end();
    await stage.settled();
    return "replaced";
  });
  await stage.attack("a worker stopped in mid-answer is ended after its grace", async () => {
    const { conversation, pid } = await stage.converseKnowingWorker();
    const answer = await cutBy(conversation, () => {
      process.kill(pid, "SIGSTOP");
      conversation.drop();
    });
    expect(!answer.hasEnd, "a cut answer was shown as whole");
    await until(() => !stage.pids("worker").includes(pid), "the end of the frozen process");
    return `${answer.code}, the process is gone`;
  });
  await stage.attack("a clerk killed between two requests", async () => {
    const [clerk] = stage.pids("clerk");
    const control = await ControlSession.open(stage.peer);
    await control.status();
    process.kill(clerk!, "SIGKILL");
    await until(() => !stage.pids("clerk").includes(clerk!), "its death");
    const code = await expectRefusal("ERR_CONNECTION_LOST", control.status());
    await stage.status();
    return `${code}, the next session works`;
  });
  await stage.attack("the honest client comes to no harm by all of these", () =>
    stage.stillServes(),
  );
  await attackLastingProcess(stage, "keeper");
  await attackLastingProcess(stage, "gateway");
}

/** A process that every session depends on: they end, and it comes back by itself. */
async function attackLastingProcess(stage: Stage, role: "keeper" | "gateway"): Promise<void> {
  const before = processesOf(stage.node).map(({ pid }) => pid);
  const [victim] = stage.pids(role);
  await stage.outage(`the ${role} killed in mid-answer`, async () => {
    const { conversation } = await stage.converseKnowingWorker();
    const answer = await cutBy(conversation, () => process.kill(victim!, "SIGKILL"));
    expectCut(answer, ["ERR_CONNECTION_LOST"]);
    await until(
      () => !stage.pids("worker").some((pid) => before.includes(pid)),
      "its workers' end",
    );
    return `${answer.code} ${answer.afterMs} ms later, the node came back by itself`;
  });
  const [successor] = stage.pids(role);
  await stage.attack(`another ${role} took its place`, async () => {
    expect(successor !== undefined && successor !== victim, "there is none");
  });
}

interface Answer {
  text: string;
  hasEnd: boolean;
  code: ClientErrorCode | "none";
  afterMs: number;
}

async function readToEnd(events: AsyncIterable<TurnEvent>, onFirst?: () => void): Promise<Answer> {
  const answer: Answer = { text: "", hasEnd: false, code: "none", afterMs: 0 };
  let cutAt = performance.now();
  let first = onFirst;
  try {
    for await (const event of events) {
      if (event.type === "delta") answer.text += event.text;
      if (event.type === "end") answer.hasEnd = true;
      if (!first || answer.text === "") continue;
      cutAt = performance.now();
      first();
      first = undefined;
    }
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    answer.code = error.code;
  }
  answer.afterMs = Math.round(performance.now() - cutAt);
  return answer;
}

/** An answer without a natural end, and what becomes of it when `cut` happens. */
function cutBy(conversation: Conversation, cut: () => void): Promise<Answer> {
  const turn = { text: "on and on", sampling: { temperature: 0, maxTokens: 100_000 } };
  return within(30_000, readToEnd(conversation.turn(turn), cut), "the end of the cut answer");
}

function expectCut(answer: Answer, codes: readonly string[]): void {
  expect(!answer.hasEnd, "a cut answer was shown as whole");
  expect(answer.text.length > 0, "nothing of the answer was kept");
  expect(codes.includes(answer.code), `the error is ${answer.code}`);
}
