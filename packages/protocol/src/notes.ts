/**
 * The gateway's own text frames: a closed list of hints, unauthenticated, shown as such.
 *
 * Specified in PROTOCOL.md, section 2.
 *
 * @module
 */
import { z } from "zod";
import { MAX_NOTE_BYTES } from "./limits.ts";

const noteSchema = z.discriminatedUnion("note", [
  /** All workers are busy; 1 means next. */
  z.strictObject({ note: z.literal("queued"), position: z.int().min(1).max(1_000_000) }),
  /** A worker was assigned; the handshake goes on. */
  z.strictObject({ note: z.literal("assigned") }),
  /** The gateway is about to stop. */
  z.strictObject({ note: z.literal("going-away") }),
]);

export type Note = z.infer<typeof noteSchema>;

export function encodeNote(note: Note): string {
  return JSON.stringify(note);
}

/** The note in a text frame; `undefined` for anything that is none, which is ignored. */
export function decodeNote(untrusted: Uint8Array): Note | undefined {
  if (untrusted.length > MAX_NOTE_BYTES) return undefined;
  try {
    return noteSchema.safeParse(JSON.parse(Buffer.from(untrusted).toString("utf8"))).data;
  } catch {
    return undefined;
  }
}
