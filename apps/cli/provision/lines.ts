/**
 * What a set-up looks like in a terminal: a line per step with its time, or a JSON value per event.
 *
 * @module
 */
import {
  changes,
  chosenSteps,
  type Choices,
  type Finding,
  type SetUpEvent,
} from "@phantoma/provision";
import { notice, oneLine, write, writeJson } from "../output.ts";
import { ProgressLine, progressText } from "../progress-line.ts";

const MARKS = { good: "ok  ", note: "note", stop: "STOP" } as const;

export function showFindings(findings: readonly Finding[]): void {
  for (const { check, verdict, fact, consequence } of findings) {
    write(`  ${MARKS[verdict]} ${check}: ${oneLine(fact)}\n`);
    if (consequence) write(`       ${oneLine(consequence)}\n`);
  }
}

export function showChanges(choices: Choices): void {
  write("\nWhat will change on the server:\n");
  for (const name of chosenSteps(choices)) write(`  · ${changes[name]}\n`);
}

export class Checklist {
  readonly #isJson: boolean;
  readonly #progress = new ProgressLine();
  #percent: number | undefined;
  readonly #began = new Map<string, number>();

  constructor(isJson: boolean) {
    this.#isJson = isJson;
  }

  hear(event: SetUpEvent): void {
    if (this.#isJson) return this.#isNews(event) ? writeJson(event) : undefined;
    switch (event.kind) {
      case "upload":
        this.#progress.show(`  sending the release: ${progressText(event.sent, event.of)}`);
        if (event.sent === event.of) this.#progress.end();
        return;
      case "away":
        this.#progress.end();
        return notice(
          event.isAway
            ? "  the connection is lost; the server goes on by itself"
            : "  connected again",
        );
      case "rebooting":
        return write("  …    the server reboots\n");
      case "step":
        return this.#step(event);
      case "failed":
        return write(`  FAIL ${event.step}: ${oneLine(event.why)}\n`);
      case "drill":
        return write(
          `       an attempt to phone home from the ${oneLine(event.unit)}: ${event.isBlocked ? "refused" : "NOT REFUSED"}, ${event.isCounted ? "counted" : "NOT COUNTED"}\n`,
        );
      case "began":
      case "wants":
      case "ended":
    }
  }

  /** A program is told of every percent, and of everything else. */
  #isNews(event: SetUpEvent): boolean {
    if (event.kind !== "upload") return true;
    const percent = Math.floor((100 * event.sent) / event.of);
    const isNews = percent !== this.#percent;
    this.#percent = percent;
    return isNews;
  }

  #step({ step, state, at }: Extract<SetUpEvent, { kind: "step" }>): void {
    switch (state) {
      case "applying":
      case "undoing":
        this.#began.set(step, at);
        return;
      case "was-so":
        return write(`  ok   ${step}: nothing to change\n`);
      case "done":
      case "undone": {
        const seconds = ((at - (this.#began.get(step) ?? at)) / 1000).toFixed(1);
        return write(`  ${state === "done" ? "ok  " : "gone"} ${step}: ${state}, ${seconds} s\n`);
      }
    }
  }
}
