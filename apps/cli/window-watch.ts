/**
 * Watches the files of a window until each has come or failed.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { transferAdvice, type ResolvedModel, type Transfer } from "@phantoma/client";
import { notice, oneLine } from "./output.ts";
import { ProgressLine, progressText } from "./progress-line.ts";
import { withControl, type Peer } from "./session.ts";

const POLL_MS = 500;

/** The transfers as they ended; the window is closed early when the signal says so. */
export async function watchWindow(
  peer: Peer,
  models: readonly ResolvedModel[],
  signal: AbortSignal,
): Promise<Transfer[]> {
  const line = new ProgressLine();
  const digests = new Set(models.map(({ digest }) => digest));
  let isClosing = false;
  const transfers = await withControl(peer, async (session) => {
    for (;;) {
      if (signal.aborted && !isClosing) {
        isClosing = true;
        line.end();
        notice("closing the window …");
        await session.closeWindow();
      }
      const { open, transfers: all } = await session.window();
      const ours = all.filter(({ digest }) => digests.has(digest));
      if (ours.every(isOver) && (ours.length > 0 || !open)) return ours;
      line.show(ours.map(describe).join(", "));
      await sleep(POLL_MS, undefined, { signal: isClosing ? undefined : signal }).catch(
        () => undefined,
      );
    }
  });
  line.end();
  return transfers;
}

/** What became of each, with what to do about those that did not come. @returns the exit code */
export function report(transfers: readonly Transfer[]): number {
  for (const { name, state, error } of transfers)
    if (state === "stored") notice(`${oneLine(name)} is stored`);
    else notice(`${oneLine(name)} did not come (${error})\n  what to do: ${adviceFor(error)}`);
  return transfers.length > 0 && transfers.every(({ state }) => state === "stored") ? 0 : 1;
}

export function describe({ name, state, received, bytes, error }: Transfer): string {
  const short = oneLine(name).split("/").at(-1);
  const again = error === null ? "" : `, ${error}, trying again`;
  if (state === "fetching") return `${short}: ${progressText(received, bytes)}${again}`;
  return `${short}: ${state}${state === "failed" ? ` (${error})` : ""}`;
}

function isOver({ state }: Transfer): boolean {
  return state === "stored" || state === "failed";
}

function adviceFor(error: Transfer["error"]): string {
  return error === null ? "try again" : transferAdvice[error];
}
