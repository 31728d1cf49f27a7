/**
 * Where a set-up was when the console ended, so that the next one goes on there. Nothing of it is secret: passwords and
 * keys are asked for again.
 *
 *   HOME/setup.json   0600
 *
 * @module
 */
import { rmSync } from "node:fs";
import { z } from "zod";
import { setupSchema, type Setup } from "../../ipc/setup.ts";
import { readIfPresent, writePrivate } from "../private-file.ts";

/** What of the state is kept. */
const keptSchema = setupSchema.pick({
  stage: true,
  server: true,
  plan: true,
  release: true,
  report: true,
  steps: true,
  drill: true,
  node: true,
});

const fileSchema = z.strictObject({ version: z.literal(1), setup: keptSchema });

type Kept = z.infer<typeof keptSchema>;

export class SetupFile {
  readonly #path: string;
  #written = "";

  constructor(path: string) {
    this.#path = path;
  }

  /** One that cannot be understood is as good as none: the server is asked what it has. */
  read(): Kept | undefined {
    const untrusted = readIfPresent(this.#path);
    if (!untrusted) return undefined;
    try {
      return fileSchema.parse(JSON.parse(untrusted.toString("utf8"))).setup;
    } catch {
      return undefined;
    }
  }

  write(setup: Setup): void {
    if (setup.stage === "host") return this.#remove();
    const text = JSON.stringify({ version: 1, setup: z.object(keptSchema.shape).parse(setup) });
    if (text === this.#written) return;
    writePrivate(this.#path, text);
    this.#written = text;
  }

  #remove(): void {
    this.#written = "";
    rmSync(this.#path, { force: true });
  }
}
