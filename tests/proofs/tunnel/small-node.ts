/**
 * A node with room for two and models that lie: a full queue, and workers that cannot start.
 *
 * @module
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Conversation } from "@phantoma/client";
import { CloseCode } from "@phantoma/protocol";
import { corruptModel, type CorruptionKind } from "../../../tools/make-model/corrupt.ts";
import { cachedModel, processesOf } from "../../node-under-test.ts";
import { endsWith, expect, expectEqual, expectRefusal, PATIENCE_MS, until } from "./expect.ts";
import { enter, Opcode, webSocketFrame } from "./raw-client.ts";
import type { Stage } from "./stage.ts";

/** One of each family: an offset, a size, a count, an end. */
const LIES: readonly CorruptionKind[] = [
  "tensor-offset-wraps",
  "tensor-size-beyond-file",
  "huge-tensor-count",
  "truncated-tensors",
];
export const SMALL_NODE_FLAGS = ["--warm", "1", "--max-live", "2", "--max-waiting", "2"];

/** Lying copies of a model, in `dir`. */
export async function makeLies(dir: string): Promise<{ path: string }[]> {
  const good = await cachedModel("tiny");
  const paths = LIES.map((kind) => join(dir, `${kind}.gguf`));
  for (const [index, path] of paths.entries()) await corruptModel(good, path, LIES[index]!);
  return paths.map((path) => ({ path }));
}

export async function attackWithLyingModels(stage: Stage): Promise<void> {
  const { peer, node } = stage;
  for (const kind of LIES)
    await stage.attack(`a model that lies: ${kind}`, async () => {
      const { digest } = node.models.find(({ name }) => name === kind)!;
      const model = Buffer.from(digest, "hex");
      // The next attempt may be 10 s away, and starts on a busy machine.
      const opening = Conversation.open({ ...peer, model });
      return expectRefusal("ERR_MODEL_FAILED", opening, 2 * PATIENCE_MS);
    });
  await stage.attack("workers that cannot start are no storm", async () => {
    const starts = stage.trace.logLines.filter((line) => line.includes('"process-failed"'));
    const from = Date.now();
    await sleep(3_000);
    const later = stage.trace.logLines.filter(
      (line) => line.includes('"process-failed"') && timeOf(line) >= from,
    );
    // After the first second each model is tried again after 1.6 s or more.
    expect(later.length <= LIES.length * 2, `${later.length} starts in 3 s`);
    expect(
      processesOf(node).some(({ role }) => role === "gateway"),
      "the gateway is gone",
    );
    return `${starts.length} attempts until then, ${later.length} in the next 3 s`;
  });
}

export async function attackQueue(stage: Stage): Promise<void> {
  // The honest client holds one of the two places; this is the other.
  const second = await stage.converse();
  const join = (signal?: AbortSignal) => {
    const positions: number[] = [];
    const opening = Conversation.open({
      ...stage.peer,
      model: stage.model,
      onNote: (note) => note.note === "queued" && positions.push(note.position),
      ...(signal ? { signal } : {}),
    });
    opening.catch(() => undefined);
    return { positions, opening };
  };
  const leaving = new AbortController();
  const third = join(leaving.signal);
  await until(() => third.positions.at(-1) === 1, "place 1");
  const fourth = join();
  await until(() => fourth.positions.at(-1) === 2, "place 2");
  await stage.attack("one more than the queue holds is refused", () =>
    expectRefusal("ERR_BUSY", join().opening),
  );
  await stage.attack("who leaves the queue gives the place to the next", async () => {
    leaving.abort();
    await until(() => fourth.positions.at(-1) === 1, "moving up");
    const code = await expectRefusal("ERR_CONNECTION_LOST", third.opening).catch(String);
    return `moved up to 1 (the leaver saw: ${code})`;
  });
  await stage.attack("frames before a worker is there end the connection", async () => {
    const tooMany = await enter(stage);
    const message1 = webSocketFrame(Opcode.binary, Buffer.alloc(1_216));
    tooMany.socket.write(Buffer.concat([message1, message1]));
    endsWith(CloseCode.limit, await tooMany.closeCode());
    tooMany.end();
    const tooLong = await enter(stage);
    tooLong.socket.write(webSocketFrame(Opcode.binary, Buffer.alloc(1_217)));
    const outcome = endsWith(CloseCode.limit, await tooLong.closeCode());
    // It has its place until it is gone, which is a second at most.
    await tooLong.closed;
    return outcome;
  });
  const fifth = join();
  await until(() => fifth.positions.at(-1) === 2, "place 2 again");
  await stage.attack("everybody who waits is served in turn", async () => {
    await second.end();
    const served = await fourth.opening;
    expectEqual(fifth.positions.at(-1), 1, "the last one's place");
    await served.ask(stage.turn);
    await served.end();
    const last = await fifth.opening;
    await last.ask(stage.turn);
    await last.end();
    return "both were answered";
  });
}

function timeOf(line: string): number {
  return Number(/"time":(\d+)/.exec(line)?.[1] ?? 0);
}
