/**
 * How every proof reports: a row per claim, a control that must fail, a closing line, an exit code.
 *
 * @module
 */
export interface Row {
  readonly name: string;
  readonly holds: boolean;
  /** What was measured or seen, in words and numbers. */
  readonly detail?: string;
  readonly [figure: string]: unknown;
}

export class Proof {
  readonly #isJson: boolean;
  readonly #rows: Row[] = [];

  constructor(title: string, isJson: boolean) {
    this.#isJson = isJson;
    this.say(`\n${title}\n`);
  }

  /** For people who wait; silent with --json. */
  say(text: string): void {
    if (!this.#isJson) process.stdout.write(`${text}\n`);
  }

  /** A claim of the proof, seen to hold or not. */
  row(row: Row): void {
    this.#rows.push(row);
    const mark = row.holds ? "ok  " : "FAIL";
    this.say(`  ${mark} ${row.name}${row.detail ? `: ${row.detail}` : ""}`);
  }

  /** The same check on something that must not pass it; a proof that cannot fail proves nothing. */
  control(name: string, wasCaught: boolean, detail = ""): void {
    this.row({ name: `control: ${name}`, holds: wasCaught, detail });
  }

  /** @returns the exit code */
  finish(): number {
    const failed = this.#rows.filter(({ holds }) => !holds).length;
    const passed = this.#rows.length - failed;
    if (this.#isJson)
      for (const row of this.#rows) process.stdout.write(`${JSON.stringify(row)}\n`);
    else process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
    return failed === 0 && passed > 0 ? 0 : 1;
  }
}
