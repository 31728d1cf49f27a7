/**
 * Keeps what is typed and not yet sent with the console, so that a reload does not lose it.
 *
 * @module
 */

export interface DraftKeeper {
  /** The text as it now is; kept after a pause in typing. */
  readonly change: (text: string) => void;
  /** Keeps it now, where it has changed. */
  readonly flush: () => void;
}

/** Typing pauses longer than this between words, and less is lost than anyone would notice. */
export const DRAFT_PAUSE_MS = 300;

export function keepDraft(keep: (text: string) => void, kept: string): DraftKeeper {
  let current = kept;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    clearTimeout(timer);
    if (current === kept) return;
    kept = current;
    keep(current);
  };
  return {
    change: (text) => {
      current = text;
      clearTimeout(timer);
      timer = setTimeout(flush, DRAFT_PAUSE_MS);
    },
    flush,
  };
}
