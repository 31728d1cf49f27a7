/**
 * What the warden says on its socket, as lines; the keeper believes their form only after this.
 *
 *   ok {json} | refused CODE              one for every line of ours, in order
 *   event {json} | lost N | window closed     unasked
 *
 * @module
 */
import type { WardenPart } from "@phantoma/crypto";
import { egressUnits, policyTiers } from "@phantoma/protocol";
import { z } from "zod";
import { orderRefusals, type OrderRefusal } from "../ipc/keeper-link.ts";

/** A state with every unit and layer has under 4 KB. */
export const MAX_WARDEN_LINE_BYTES = 16 * 1024;

const count = z.int().nonnegative();
const unit = z.enum(egressUnits);
const tier = z.enum(policyTiers);
const counter = z.string().regex(/^(?:0|[1-9]\d{0,19})$/);

export const wardenStatusSchema = z.object({
  version: z.literal(1),
  bootId: z.string().max(64),
  policy: z.string().regex(/^[0-9a-f]{64}$/),
  tiers: z.array(tier).max(policyTiers.length),
  missing: z.array(z.object({ tier, reason: z.string().max(100) })).max(policyTiers.length),
  verifiedAt: count.nullable(),
  fault: z.string().max(300).nullable(),
  counts: z
    .array(z.object({ unit, attempts: count, logged: count, lost: count }))
    .max(egressUnits.length),
  window: z.object({ counter, deadline: count }).nullable(),
  deviceListVersion: count,
  highestCounter: counter,
});

export type WardenStatus = z.infer<typeof wardenStatusSchema>;

export const wardenEventSchema = z.object({
  sequence: count,
  /** Beyond 2^53 after 104 days: then to a microsecond. */
  bootNs: z.number().nonnegative(),
  unit,
  hook: z.string().regex(/^[a-z0-9_]{1,32}$/),
  protocol: z.string().regex(/^[a-z0-9]{1,16}$/),
  address: z.string().regex(/^[0-9a-f.:]{0,45}$/),
  port: z.int().min(0).max(65_535),
});

export type WardenEvent = z.infer<typeof wardenEventSchema>;

const hexBytes = (length: number) =>
  z
    .string()
    .regex(/^[0-9a-f]*$/)
    .length(2 * length)
    .transform((hex) => new Uint8Array(Buffer.from(hex, "hex")));

const wardenPartSchema = z.union([
  z.strictObject({
    attempts: counter.transform(BigInt),
    unreported: counter.transform(BigInt),
    policy: hexBytes(32),
    bootId: hexBytes(16),
    signature: hexBytes(64),
  }),
  z.strictObject({ isLive: z.literal(true) }),
]);

/** `{}` is all that a warden without anything to say has to say. Not verified here: who reads the receipt does that, and the keeper could only hide it. */
export function readWardenPart(untrusted: unknown): WardenPart | "live" | null {
  const { data } = wardenPartSchema.safeParse(untrusted);
  if (!data) return null;
  return "isLive" in data ? "live" : data;
}

export type WardenWord =
  | { readonly word: "ok"; readonly json: unknown }
  | { readonly word: "refused"; readonly code: OrderRefusal }
  | { readonly word: "event"; readonly event: WardenEvent }
  | { readonly word: "lost"; readonly count: number }
  | { readonly word: "window-closed" };

/** @throws on anything else; the link is made anew then */
export function readWord(untrusted: string): WardenWord {
  if (untrusted === "window closed") return { word: "window-closed" };
  const space = untrusted.indexOf(" ");
  const rest = untrusted.slice(space + 1);
  switch (untrusted.slice(0, space)) {
    case "ok":
      return { word: "ok", json: JSON.parse(rest) };
    case "refused":
      return { word: "refused", code: z.enum(orderRefusals).parse(rest) };
    case "event":
      return { word: "event", event: wardenEventSchema.parse(JSON.parse(rest)) };
    case "lost":
      return { word: "lost", count: z.coerce.number().int().positive().parse(rest) };
    default:
      throw new RangeError("not a word of the warden's");
  }
}
