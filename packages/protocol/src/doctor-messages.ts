/**
 * What a node's doctor says: how well a task's memory is wiped there, and what of the machine needs a person.
 *
 * Specified in PROTOCOL.md, section 5.4.
 *
 * @module
 */
import { z } from "zod";
import { calendarTime } from "./message-fields.ts";

/** What can be read of the machine alone, whatever runs on it. */
export const hostChecks = [
  "freedMemory",
  "swap",
  "hibernation",
  "coreDumps",
  "pageMerging",
  "kernelUpdate",
  "sshPasswords",
  "logs",
] as const;

/** Everything that is checked; the first six decide the grade. */
export const doctorChecks = ["cell", ...hostChecks, "policy"] as const;

/** Without one of these a page of a task could be found afterwards, whatever its cell did. */
export const wipeChecks = [
  "freedMemory",
  "swap",
  "hibernation",
  "coreDumps",
  "pageMerging",
] as const satisfies readonly HostCheck[];

/**
 * A: the kernel cleans what is freed, and no swap, hibernation, core dump or merging could keep a page.
 * B: the cell overwrites what a worker has at its end; residue is possible. C: neither.
 */
export const wipeGrades = ["A", "B", "C"] as const;

export const findingSchema = z.strictObject({
  /** `null`: it could not be read, which is never good. */
  isGood: z.boolean().nullable(),
  /** What was seen, or why nothing was: one line in ASCII, cut at 120 characters, as a terminal shows it. */
  detail: z
    .string()
    .regex(/^[\x20-\x7e]{1,120}$/)
    .nullable(),
});

export const hostFindingsSchema = z.strictObject(each(hostChecks));

export const doctorSchema = z.strictObject({
  grade: z.enum(wipeGrades),
  /** What holds the grade down and comes first; `null` exactly at A. */
  heldBy: z.enum(doctorChecks).nullable(),
  /** When the machine's part was read; `null`: it could not be. */
  readAt: calendarTime.nullable(),
  findings: z.strictObject(each(doctorChecks)),
});

export type HostCheck = (typeof hostChecks)[number];
export type DoctorCheck = (typeof doctorChecks)[number];
export type WipeGrade = (typeof wipeGrades)[number];
export type Finding = z.infer<typeof findingSchema>;
export type HostFindings = z.infer<typeof hostFindingsSchema>;
export type Doctor = z.infer<typeof doctorSchema>;

function each<K extends string>(checks: readonly K[]): Record<K, typeof findingSchema> {
  return Object.fromEntries(checks.map((check) => [check, findingSchema])) as Record<
    K,
    typeof findingSchema
  >;
}
