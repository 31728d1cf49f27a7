/**
 * What every interface has in its requests: names, and JSON that is looked at later.
 *
 * @module
 */
import { z } from "zod";

/** A name that tells people apart, not a text. */
const MAX_NAME_CHARS = 512;
/** Each is told to the model, in its context. */
export const MAX_TOOLS = 128;

export const nameField = z.string().max(MAX_NAME_CHARS).exactOptional();
/** In characters: no model of a node has a longer name, and a SHA-256 has 64. */
export const modelField = z.string().max(255);
export const functionName = z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/);
export const jsonObject = z.record(z.string(), z.unknown());

export const modelRow = {
  taken: "name or SHA-256 of one of the node's models",
  example: "demo",
} as const;
