/**
 * What a person chose about the console itself; nothing of a conversation.
 *
 *   HOME/settings.json   0600
 *
 * @module
 */
import { settingsSchema, type RequestInput, type Settings } from "../ipc/contract.ts";
import { readIfPresent, writePrivate } from "./private-file.ts";

const defaults: Settings = { theme: "system", language: "system" };

export class SettingsFile {
  readonly #path: string;
  #settings: Settings;

  constructor(path: string) {
    this.#path = path;
    this.#settings = readSettings(readIfPresent(path));
  }

  get(): Settings {
    return this.#settings;
  }

  set(change: RequestInput<"settings.set">): Settings {
    const given = Object.entries(change).filter(([, value]) => value !== undefined);
    this.#settings = { ...this.#settings, ...Object.fromEntries(given) };
    writePrivate(this.#path, JSON.stringify(this.#settings));
    return this.#settings;
  }
}

/** A file that cannot be understood is as good as none: these are tastes, not keys. */
function readSettings(untrusted: Buffer | undefined): Settings {
  if (!untrusted) return defaults;
  try {
    return settingsSchema.parse(JSON.parse(untrusted.toString("utf8")));
  } catch {
    return defaults;
  }
}
