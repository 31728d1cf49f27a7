/**
 * How well a node wipes the memory of a task, and what of its machine needs a person, as the node reports it.
 *
 * @module
 */
import { z } from "zod";
import { gradeSchema, timeSchema } from "./node.ts";

const doctorChecks = [
  "cell",
  "freedMemory",
  "swap",
  "hibernation",
  "coreDumps",
  "pageMerging",
  "policy",
  "kernelUpdate",
  "sshPasswords",
  "logs",
] as const;

const findingSchema = z.strictObject({
  /** `null`: it could not be read, which is never good. */
  isGood: z.boolean().nullable(),
  /** What was seen, or why nothing was. */
  detail: z.string().max(120).nullable(),
});

export const doctorSchema = z.strictObject({
  /** "Wiped" is said at A only. */
  grade: gradeSchema,
  /** What holds the grade down; `null` at A. */
  heldBy: z.enum(doctorChecks).nullable(),
  readAt: timeSchema.nullable(),
  findings: z.record(z.enum(doctorChecks), findingSchema),
});

export type DoctorCheck = (typeof doctorChecks)[number];
export type Finding = z.infer<typeof findingSchema>;
export type Doctor = z.infer<typeof doctorSchema>;
