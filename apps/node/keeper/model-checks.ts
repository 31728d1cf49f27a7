/**
 * Stored models read again, whole: one run for all who ask about a model, and none when nobody asks.
 *
 * @module
 */
import { isWhole } from "../models/model-store.ts";

interface Run {
  askers: number;
  readonly stop: AbortController;
  readonly answer: Promise<boolean>;
}

export class ModelChecks {
  readonly #modelsDir: string;
  readonly #runs = new Map<string, Run>();

  constructor(modelsDir: string) {
    this.#modelsDir = modelsDir;
  }

  /** @param gone who asks has left; when the last one has, nothing is read any more, and the answer is no */
  isWhole(digest: string, gone: Promise<void>): Promise<boolean> {
    const run = this.#runs.get(digest) ?? this.#begin(digest);
    run.askers += 1;
    void gone.then(() => {
      run.askers -= 1;
      if (run.askers > 0) return;
      run.stop.abort();
      this.#forget(digest, run);
    });
    return run.answer;
  }

  #begin(digest: string): Run {
    const stop = new AbortController();
    const run: Run = { askers: 0, stop, answer: isWhole(this.#modelsDir, digest, stop.signal) };
    this.#runs.set(digest, run);
    void run.answer.then(() => this.#forget(digest, run));
    return run;
  }

  #forget(digest: string, run: Run): void {
    if (this.#runs.get(digest) === run) this.#runs.delete(digest);
  }
}
