/**
 * What sizes and times still tell of an answer: a classifier on what an observer of the network saw.
 *
 * Two kinds of answers, made with the model that repeats its prompt, so that each kind's text is known:
 * short ones in Latin letters, one byte to a token, and longer ones in Japanese, three. Both fit the
 * shortest length bucket. With the tick off they must be easy to tell apart, or this proves nothing.
 *
 * @module
 */
import { bucketRecords } from "@phantoma/protocol";
import { shapeOf } from "./answer-shape.ts";
import { crossValidate, type Example, type Verdict } from "./logistic.ts";
import { answersIn, Observer, type SeenAnswer } from "./observer.ts";
import { row, type Benchmark, type Setting } from "./row.ts";
import { answer, modelDigest, openConversation } from "./through-tunnel.ts";

const CONTROL_AUC = 0.9;
const STEADY_AUC = 0.65;

export const classifier: Benchmark = { name: "classifier", run };

/** How an answer of each class is asked for. */
type Kinds = readonly [first: Kind, second: Kind];

interface Kind {
  readonly text: string;
  readonly tokens: number;
}

/** The model writes what lies 96 tokens back: exactly these 96 bytes. */
const LATIN = { text: "the quick brown fox jumps over ".repeat(4).slice(0, 96) };
const JAPANESE = { text: "吾輩は猫である名前はまだ無い".repeat(3).slice(0, 32) };

const sameBucket: Kinds = [
  { ...LATIN, tokens: 30 },
  { ...JAPANESE, tokens: 90 },
];
const otherBucket: Kinds = [
  { ...LATIN, tokens: 60 },
  { ...LATIN, tokens: 1200 },
];

async function* run({ isQuick, standing }: Setting) {
  const each = isQuick ? 10 : 100;
  const observe = async (kinds: Kinds, steady: boolean, each: number) =>
    capture(await standing(), kinds, steady, each);

  const off = judge(await observe(sameBucket, false, each));
  yield row({
    name: `control: answers told apart, tick off, AUC (n = ${2 * each})`,
    value: off.auc,
    unit: "AUC",
    baseline: 0.5,
    budget: `> ${CONTROL_AUC}, or the test is blind`,
    holds: off.auc > CONTROL_AUC,
    samples: { accuracy: [off.accuracy] },
  });

  const captured = await observe(sameBucket, true, each);
  const shortest = bucketRecords(1);
  const inBucket = captured.filter(({ seen }) => seen.records.length === shortest);
  const on = judge(inBucket);
  // With few answers the figure itself is uncertain; what chance alone may add is allowed for.
  const allowed = STEADY_AUC + (isQuick ? 2 * on.aucError : 0);
  yield row({
    name: `answers told apart, as shipped, same bucket, AUC (n = ${inBucket.length})`,
    value: on.auc,
    unit: "AUC",
    baseline: 0.5,
    budget: `≤ ${allowed.toFixed(2)}`,
    holds: on.auc <= allowed,
    samples: { accuracy: [on.accuracy], records: captured.map(({ seen }) => seen.records.length) },
  });
  yield row({
    name: "the same, accuracy",
    value: on.accuracy,
    unit: "of all",
    baseline: 0.5,
  });
  yield row({
    name: "answers that a slow machine pushed into a longer bucket",
    value: (100 * (captured.length - inBucket.length)) / captured.length,
    unit: "%",
  });

  const long = judge(await observe(otherBucket, true, isQuick ? 3 : 25));
  yield row({
    name: "answers of other length buckets, as shipped, AUC (known leak)",
    value: long.auc,
    unit: "AUC",
    baseline: 0.5,
    samples: { accuracy: [long.accuracy] },
  });
}

interface Captured {
  readonly seen: SeenAnswer;
  readonly isSecond: boolean;
}

function judge(captured: readonly Captured[]): Verdict {
  const examples = captured.map(({ seen, isSecond }): Example => ({
    features: shapeOf(seen),
    isSecond,
  }));
  return crossValidate(examples);
}

async function capture(
  underTest: Awaited<ReturnType<Setting["standing"]>>,
  kinds: Kinds,
  steady: boolean,
  each: number,
): Promise<Captured[]> {
  const observer = await Observer.between(underTest.node.profile.url);
  const digest = modelDigest(underTest, "echo");
  const conversation = await openConversation(underTest, digest, { steady, port: observer.port });
  const order = shuffled(each);
  for (const isSecond of order) {
    const { text, tokens } = kinds[isSecond ? 1 : 0];
    // Equal answers would make equal records; each is up to a tenth longer or shorter.
    await answer(conversation, text, Math.round(tokens * (0.9 + 0.2 * Math.random())));
  }
  await conversation.end();
  const answers = answersIn(await observer.take(), order.length);
  await observer.stop();
  return answers.map((seen, index) => ({ seen, isSecond: order[index]! }));
}

/** Equally many of both, so that neither the order nor a drift of the machine tells the class. */
function shuffled(each: number): boolean[] {
  const order = Array.from({ length: 2 * each }, (_, index) => index % 2 === 1);
  for (let index = order.length - 1; index > 0; index -= 1) {
    const other = Math.floor(Math.random() * (index + 1));
    [order[index], order[other]] = [order[other]!, order[index]!];
  }
  return order;
}
