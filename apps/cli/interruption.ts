/**
 * Ctrl-C for a command that has something to put in order before it ends.
 *
 * @module
 */

/** 128 + SIGINT: what shells say of a command that was interrupted. */
export const INTERRUPTED = 130;

/**
 * Runs `act` with a signal that Ctrl-C aborts; a second Ctrl-C ends the program where it is.
 */
export async function interruptibly<T>(act: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interruption = new AbortController();
  const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const interrupt = () => {
    if (interruption.signal.aborted) process.exit(INTERRUPTED);
    interruption.abort();
  };
  for (const name of names) process.on(name, interrupt);
  try {
    return await act(interruption.signal);
  } finally {
    for (const name of names) process.off(name, interrupt);
  }
}
