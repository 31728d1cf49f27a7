/**
 * Logistic regression on standardised features, judged by cross-validation: small, ours, and enough
 * for two classes that differ at all.
 *
 * @module
 */
import { mean, share, standardDeviation } from "./statistics.ts";

export interface Example {
  readonly features: readonly number[];
  readonly isSecond: boolean;
}

export interface Verdict {
  /** Share of unseen examples put into their class; 0.5 is chance. */
  readonly accuracy: number;
  /** Area under the ROC curve: the chance that one of the second class scores above one of the first. */
  readonly auc: number;
  /** Standard error of `auc` where the classes cannot be told apart. */
  readonly aucError: number;
}

const FOLDS = 5;
const STEPS = 400;
const STEP_SIZE = 0.3;
/** Keeps weights of fifty features small where there are as few examples. */
const RIDGE = 0.02;

/** @param examples in the order captured; every fifth one is held back in turn */
export function crossValidate(examples: readonly Example[]): Verdict {
  const scored = Array.from({ length: FOLDS }, (_, fold) => {
    const classify = train(examples.filter((_, index) => index % FOLDS !== fold));
    return examples
      .filter((_, index) => index % FOLDS === fold)
      .map(({ features, isSecond }) => ({ score: classify(features), isSecond }));
  }).flat();
  const firsts = scored.filter(({ isSecond }) => !isSecond).map(({ score }) => score);
  const seconds = scored.filter(({ isSecond }) => isSecond).map(({ score }) => score);
  const pairs = firsts.flatMap((first) => seconds.map((second) => wins(second, first)));
  return {
    accuracy: share(scored, ({ score, isSecond }) => score > 0.5 === isSecond),
    auc: mean(pairs),
    aucError: Math.sqrt((scored.length + 1) / (12 * firsts.length * seconds.length)),
  };
}

function wins(second: number, first: number): number {
  if (second === first) return 0.5;
  return second > first ? 1 : 0;
}

/** @returns the probability that features are of the second class */
function train(examples: readonly Example[]): (features: readonly number[]) => number {
  const width = examples[0]!.features.length;
  const scales = Array.from({ length: width }, (_, column) => {
    const values = examples.map(({ features }) => features[column]!);
    return { centre: mean(values), spread: standardDeviation(values) || 1 };
  });
  // The constant comes last.
  const standardise = (features: readonly number[]) => [
    ...features.map((value, column) => (value - scales[column]!.centre) / scales[column]!.spread),
    1,
  ];
  const rows = examples.map(({ features, isSecond }) => ({ x: standardise(features), isSecond }));
  const weights: number[] = Array.from({ length: width + 1 }, () => 0);
  for (let step = 0; step < STEPS; step += 1) {
    const slope = weights.map((weight) => RIDGE * weight);
    for (const { x, isSecond } of rows) {
      const error = probability(weights, x) - (isSecond ? 1 : 0);
      for (let column = 0; column <= width; column += 1)
        slope[column]! += (error * x[column]!) / rows.length;
    }
    for (let column = 0; column <= width; column += 1)
      weights[column]! -= STEP_SIZE * slope[column]!;
  }
  return (features) => probability(weights, standardise(features));
}

function probability(weights: readonly number[], x: readonly number[]): number {
  const sum = x.reduce((total, value, column) => total + value * weights[column]!, 0);
  return 1 / (1 + Math.exp(-sum));
}
