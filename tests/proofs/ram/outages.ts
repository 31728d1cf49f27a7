/**
 * The server goes down in the middle of an answer: by its reset button, which leaves RAM as it is, and by a power cut,
 * of which only the disk says something here: what RAM held is gone with its QEMU, as with the current.
 *
 * @module
 */
import type { Proof } from "../../proof.ts";
import { CONTROL, type Words } from "./canaries.ts";
import { inPages, kindsOfPages } from "./pages.ts";
import type { Hit } from "./search.ts";
import type { Stage } from "./stage.ts";
import { untilSaid } from "./task.ts";

export interface Scene {
  readonly stage: Stage;
  readonly proof: Proof;
  readonly words: Words;
}

const notOfControl = ({ word }: Hit) => word?.ending !== CONTROL;

/** A boot clears what it takes into use, if it is told to clear at all: at grade B the words must be found after it. */
export async function showReset(grade: "A" | "B", scene: Scene): Promise<void> {
  const { stage, proof } = scene;
  const conversation = await midAnswer(scene);
  const before = (await stage.dump(`grade ${grade} before the reset`)).hits.filter(notOfControl);
  await stage.reset();
  conversation.drop();
  const left = (await stage.dump(`grade ${grade} after the reset`)).hits.filter(notOfControl);
  const pages = inPages(await kindsOfPages(stage.guest, left));
  const detail = `${before.length} hits before it, ${left.length} after the next boot${pages}`;
  if (grade === "B")
    return proof.control(
      "over a reset and a boot that clears nothing, RAM keeps words",
      left.length > 0,
      detail,
    );
  proof.row({
    name: "grade A: a reset in mid-answer, and the boot after it",
    holds: before.length > 0 && left.length === 0,
    detail,
  });
}

export async function showPowerCut(scene: Scene): Promise<void> {
  const { stage, proof } = scene;
  await midAnswer(scene);
  await stage.powerCut(async () => {
    const left = (await stage.searchDisk("disk after the power cut")).filter(notOfControl);
    proof.row({
      name: "the power fails in mid-answer: the disk holds no word",
      holds: left.length === 0,
      detail: `${left.length} hits`,
    });
  });
  const next = await stage.open({});
  const { text: reply } = await next.ask({ text: "And on.", sampling: { maxTokens: 20 } });
  await next.end();
  proof.row({ name: "after it, the next chat is answered", holds: reply.length > 0 });
}

/** A conversation whose answer has said its word, and goes on. */
async function midAnswer({ stage, words }: Scene) {
  const history = [{ role: "system", text: words.system }] as const;
  const conversation = await stage.open({ history, steady: false });
  const answer = conversation.turn({ text: words.question, sampling: { temperature: 0 } });
  await untilSaid(answer, words);
  return conversation;
}
