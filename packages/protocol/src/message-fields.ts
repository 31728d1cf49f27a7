/**
 * Fields that several control messages have.
 *
 * @module
 */
import { MAX_DOCUMENT_BYTES } from "@phantoma/crypto";
import { z } from "zod";

export const hex32 = z.string().regex(/^[0-9a-f]{64}$/);

/** A signed document in base64; who reads it verifies it. */
export const document = z.base64().max(4 * Math.ceil(MAX_DOCUMENT_BYTES / 3));

/** Milliseconds since 1970 UTC that a Date can show. */
export const calendarTime = z.int().min(0).max(8.64e15);

export const count = z.int().nonnegative();

/** A 64-bit counter in decimal: JSON's numbers end at 2^53. */
export const counterText = z.string().regex(/^(?:0|[1-9]\d{0,19})$/);
