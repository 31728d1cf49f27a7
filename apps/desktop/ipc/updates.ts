/**
 * What a node tells a control plane, byte for byte, and which release waits there: who signed it is this machine's own
 * finding, not the node's word.
 *
 * @module
 */
import { z } from "zod";
import { hex32Schema, timeSchema } from "./node.ts";

const counted = z.int().nonnegative();

const sentSchema = z.strictObject({
  at: timeSchema,
  /** `waiting`, `answered`, or a code. */
  outcome: z.string().regex(/^[A-Za-z_]{1,40}$/),
  /** The bytes as they were sent; 188 of them at most. */
  hex: z.string().regex(/^(?:[0-9a-f]{2}){1,256}$/),
  /** What those bytes say. */
  sequence: z.string().regex(/^\d{1,20}$/),
  rootVersion: counted,
  targetsVersion: counted,
  health: z.enum(["good", "degraded", "failing"]),
});

export const reportingSchema = z.strictObject({
  /** `null`: it reports to nobody. */
  order: z
    .strictObject({
      notAfter: timeSchema,
      places: z
        .array(
          z.strictObject({
            name: z.string().max(253),
            address: z.string().max(45),
            port: z.int().min(0).max(65_535),
          }),
        )
        .min(1)
        .max(8),
    })
    .nullable(),
  /** Newest first. */
  sent: z.array(sentSchema).max(20),
  licences: z
    .array(
      z.strictObject({
        standing: z.enum(["early", "valid", "grace", "ended"]),
        edition: z.enum(["personal", "team", "enterprise"]),
        holder: z.string().max(128),
        notAfter: timeSchema,
      }),
    )
    .max(8),
});

const foundSchema = z.strictObject({ name: z.string().max(40), detail: z.string().max(1000) });

export const updateSchema = z.strictObject({
  version: z.string().max(32),
  isAutomatic: z.boolean(),
  /** How the last one ended; `error` is null where it runs. */
  outcome: z
    .strictObject({
      version: z.string().max(32),
      error: z.string().max(50).nullable(),
      at: timeSchema,
    })
    .nullable(),
  waiting: z
    .strictObject({
      version: z.string().max(32),
      sha256: hex32Schema,
      bytes: counted,
      /** What this machine's verifier found good, one after the other. */
      checks: z.array(foundSchema).max(20),
      /** Why it is no release; `null`: it is one, and may be approved. */
      refusal: z
        .strictObject({
          code: z.string().max(50),
          message: z.string().max(1000),
          action: z.string().max(1000),
        })
        .nullable(),
    })
    .nullable(),
});

/** A signed licence as a file has it. */
export const licenceFileSchema = z.base64().min(1).max(87_380);

export type Reporting = z.infer<typeof reportingSchema>;
export type Sent = Reporting["sent"][number];
export type UpdateView = z.infer<typeof updateSchema>;
