/**
 * How regular a steady answer looks from the network, while the worker computes and while it does not.
 *
 * After an answer's last word its records go on to the end of the length bucket; the worker is idle then.
 *
 * @module
 */
import { DEFAULT_TICK_MS } from "@phantoma/protocol";
import { answersIn, Observer } from "./observer.ts";
import { row, type Benchmark, type Setting } from "./row.ts";
import { share } from "./statistics.ts";
import { answer, modelDigest, openConversation } from "./through-tunnel.ts";

/** A record that comes over half a tick later than it should after the one before. */
const LATE_MS = DEFAULT_TICK_MS * 1.5;
/** What shows as a shift on the network although the record came within its tick. */
const SHIFT_MS = 2;
/** About 1 s of computing with the small model, and up to 0.25 s of rounding. */
const ANSWER_TOKENS = 2000;

export const steadyTicks: Benchmark = { name: "steady-ticks", run };

async function* run({ isQuick, strangerPath, standing }: Setting) {
  const turns = isQuick ? 1 : 15;
  const underTest = await standing();
  const observer = await Observer.between(underTest.node.profile.url);
  const digest = modelDigest(underTest, strangerPath ? "stranger" : "tiny");
  const conversation = await openConversation(underTest, digest, { port: observer.port });
  const finishedAt: number[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    const tokens = strangerPath ? 64 : ANSWER_TOKENS - 40 * turn;
    const generation = await answer(conversation, "Tell me more.", tokens);
    finishedAt.push(performance.timeOrigin + generation.finishedAt);
  }
  await conversation.end();
  const decoding: number[] = [];
  const idle: number[] = [];
  const sizes = new Set<number>();
  for (const [turn, { records }] of answersIn(await observer.take(), turns).entries()) {
    for (const [index, { at, bytes }] of records.entries()) {
      sizes.add(bytes);
      if (index === 0) continue;
      const gap = at - records[index - 1]!.at;
      (at <= finishedAt[turn]! ? decoding : idle).push(gap);
    }
  }
  await observer.stop();
  for (const [name, gaps] of [
    ["computing", decoding],
    ["idle", idle],
  ] as const) {
    yield row({
      name: `ticks without a record, worker ${name}`,
      value: 100 * share(gaps, (gap) => gap > LATE_MS),
      unit: "%",
      samples: { gapsMs: gaps },
    });
    yield row({
      name: `ticks off by over ${SHIFT_MS} ms on the network, worker ${name}`,
      value: 100 * share(gaps, (gap) => Math.abs(gap - DEFAULT_TICK_MS) > SHIFT_MS),
      unit: "%",
    });
  }
  yield row({
    name: "sizes of an answer's records on the network",
    value: sizes.size,
    unit: "sizes",
    budget: "1",
    holds: sizes.size === 1,
    samples: { bytes: [...sizes] },
  });
}
