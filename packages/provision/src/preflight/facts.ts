/**
 * What a server says about itself, read strictly: every fact once, in its own form. A fact that is not there was not
 * found out, which is a finding of its own; one that has another form ends the reading.
 *
 * @module
 */
import { z } from "zod";
import { ProvisionError } from "../provision-error.ts";
import { MAX_FACT_LENGTH } from "./facts-script.ts";

/** 16 KiB: the facts have a tenth. */
export const MAX_FACTS_BYTES = 16_384;

const word = z
  .string()
  .max(MAX_FACT_LENGTH)
  .regex(/^[\w.+~-]+$/)
  .optional();
const yesNo = z.enum(["yes", "no"]).transform((text) => text === "yes");
const count = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number);

const factsSchema = z.strictObject({
  os: word,
  osVersion: word,
  arch: word,
  kernel: word,
  libc: z
    .string()
    .regex(/^glibc \d{1,3}(?:\.\d{1,4})+$/)
    .optional()
    .catch(undefined),
  cgroups: word,
  btf: yesNo,
  isSystemd: yesNo,
  systemd: count.optional(),
  virtualisation: word,
  isContainer: yesNo,
  memoryKib: count.optional(),
  optKib: count.optional(),
  stateKib: count.optional(),
  avx2: yesNo,
  cores: count.optional(),
  /** Seconds since 1970. */
  clock: count,
  /** First letter of a listening socket's line; nothing where nobody listens. */
  portHolder: z.enum(["L", "unknown"]).optional(),
  aptLock: z.enum(["held", "free"]),
  swaps: count.optional(),
  hibernation: yesNo,
  missing: z
    .string()
    .regex(/^[a-z0-9 -]*$/)
    .transform((text) => text.split(" ").filter(Boolean))
    .optional(),
  release: z
    .string()
    .max(MAX_FACT_LENGTH)
    .regex(/^[\w./-]+$/)
    .optional(),
  nodeKey: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  newestKernel: word,
  initOnFree: yesNo,
  grub: yesNo,
  ufw: yesNo,
  firewalld: yesNo,
  nftables: yesNo,
  cloudInit: z.enum(["absent", "done", "running"]),
});

export type Facts = z.infer<typeof factsSchema>;

/** @throws {@link ProvisionError} `ERR_FACTS` */
export function parseFacts(untrusted: Uint8Array): Facts {
  if (untrusted.length > MAX_FACTS_BYTES)
    throw new ProvisionError("ERR_FACTS", { about: "too long" });
  const lines = Buffer.from(untrusted).toString("latin1").split("\n");
  // A login shell may greet, before and after.
  const first = lines.indexOf("facts=1");
  const last = lines.indexOf("facts=end");
  if (first < 0 || last < first) throw new ProvisionError("ERR_FACTS", { about: "not whole" });
  const facts: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const line of lines.slice(first + 1, last)) {
    const [, name, value] = /^([A-Za-z0-9]{1,32})=(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined || name in facts)
      throw new ProvisionError("ERR_FACTS", { about: "a line" });
    // What was not found out, or is not there.
    if (value.trim() !== "") facts[name] = value.trim();
  }
  const parsed = factsSchema.safeParse(facts);
  if (parsed.success) return parsed.data;
  const [about = "facts"] = parsed.error.issues.map(({ path }) =>
    String(path[0] ?? "an unknown one"),
  );
  throw new ProvisionError("ERR_FACTS", { about });
}
