/**
 * The window factory. No other file makes a window.
 *
 * @module
 */
import { BrowserWindow } from "electron";
import { ORIGIN } from "../ipc/channels.ts";
import { windowOptions } from "./window-options.ts";

export class Windows {
  /** Ids of the pages that may ask. */
  readonly ours = new Set<number>();
  readonly #preloadPath: string;
  readonly #isDeveloping: boolean;
  #window: BrowserWindow | undefined;

  constructor(preloadPath: string, isDeveloping: boolean) {
    this.#preloadPath = preloadPath;
    this.#isDeveloping = isDeveloping;
  }

  get current(): BrowserWindow | null {
    return this.#window ?? null;
  }

  /** Shows the console's window; makes it where there is none. */
  async show(): Promise<void> {
    if (this.#window) {
      if (this.#window.isMinimized()) this.#window.restore();
      this.#window.focus();
      return;
    }
    const window = new BrowserWindow(windowOptions(this.#preloadPath, this.#isDeveloping));
    const { id } = window.webContents;
    this.#window = window;
    this.ours.add(id);
    window.once("ready-to-show", () => window.show());
    // A title never holds a word of a conversation.
    window.on("page-title-updated", (event) => event.preventDefault());
    window.once("closed", () => {
      this.ours.delete(id);
      if (this.#window === window) this.#window = undefined;
    });
    await window.loadURL(`${ORIGIN}/`);
  }

  /** Another window for the one there is: its page's process, and all that it held, are gone. */
  async replace(): Promise<void> {
    const old = this.#window;
    if (!old) return;
    this.#window = undefined;
    // Made before the old one goes: without any window the application would end.
    const shown = this.show();
    old.destroy();
    await shown;
  }

  tell(channel: string, event: unknown): void {
    this.#window?.webContents.send(channel, event);
  }
}
