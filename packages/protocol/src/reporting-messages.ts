/**
 * What a node tells its control plane, to whom by whose order, and which licence it has.
 *
 * Specified in PROTOCOL.md, section 5.4.
 *
 * @module
 */
import { z } from "zod";
import { calendarTime, counterText, document, hex32 } from "./message-fields.ts";
import { openWindowSchema } from "./window-messages.ts";

/** What became of a heartbeat, and what to do about it. */
export const heartbeatOutcomes = [
  /** It was answered as it must be. */
  "answered",
  /** Nobody has carried it yet. */
  "waiting",
  /** No listed address answers: check the network and the order's addresses. */
  "ERR_UNREACHABLE",
  /** The certificate there is not for the listed name: do not trust this place. */
  "ERR_TLS",
  /** It answers with an error: look at the control plane. */
  "ERR_STATUS",
  /** The answer is longer than one may be: do not trust this place. */
  "ERR_TOO_LONG",
  /** The answer was not signed by whom the order names: do not trust this place. */
  "ERR_AUTHENTICATION",
  /** It is the answer to another heartbeat or node, or has more in it than an answer: do not trust this place. */
  "ERR_UNEXPECTED",
] as const;

export type HeartbeatOutcome = (typeof heartbeatOutcomes)[number];

export const reportingSchema = z.strictObject({
  order: z
    .strictObject({
      counter: counterText,
      notAfter: calendarTime,
      endpoints: openWindowSchema.shape.endpoints.max(8),
      controlPlane: hex32,
    })
    .nullable(),
  /** The next standing order's counter must be above it. */
  highestCounter: counterText,
  /** The last heartbeats byte for byte, newest first. */
  sent: z
    .array(z.strictObject({ at: calendarTime, document, outcome: z.enum(heartbeatOutcomes) }))
    .max(20),
  licences: z
    .array(
      z.strictObject({
        document,
        /** `early` before it begins, `grace` after it ended and still good, `ended` after that. */
        standing: z.enum(["early", "valid", "grace", "ended"]),
      }),
    )
    .max(8),
});

export type Reporting = z.infer<typeof reportingSchema>;
