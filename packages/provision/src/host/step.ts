/**
 * What a step of a set-up is. It can be interrupted anywhere and is then applied again, so applying twice is the same as
 * once; and what is right already is left alone.
 *
 * @module
 */
import type { NewEvent, Order, Wish } from "../journal.ts";
import type { OperationName, StepName } from "../step-names.ts";
import type { Machine } from "./machine.ts";

export interface Context {
  readonly machine: Machine;
  readonly order: Order;
  /** Folder of the release's programs: the staged one, or the installed one. */
  readonly programsDir: string;
  readonly tell: (event: NewEvent) => void;
}

export interface Step {
  readonly name: StepName | OperationName;
  /** Whether it is as it should be; also asked after applying, which is the proof. */
  probe(context: Context): boolean | Promise<boolean>;
  apply(context: Context): void | Promise<void>;
  /** What uninstalling takes away, in words; nothing where there is nothing. */
  list(context: Context): readonly string[];
  undo(context: Context): void | Promise<void>;
}

/** Only a person can give it: the run ends here, and goes on when it is started again. */
export class Wanted extends Error {
  readonly what: Wish;

  constructor(what: Wish) {
    super(what);
    this.what = what;
  }
}
