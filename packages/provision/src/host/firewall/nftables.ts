/**
 * nftables as somebody wrote it for themselves: every chain that decides about what comes in gets our rule at its head,
 * since a packet must pass all of them. Chains that iptables keeps in there are spoken to by iptables.
 *
 * @module
 */
import { z } from "zod";
import type { Machine } from "../machine.ts";
import { hasProgram, MARK, type Dialect } from "./dialect.ts";

const name = z.string().regex(/^[\w-]{1,128}$/);
const family = z.enum(["ip", "ip6", "inet"]);
const chainSchema = z.object({
  family,
  table: name,
  name,
  type: z.literal("filter"),
  hook: z.literal("input"),
  policy: z.string().optional(),
});
const ruleSchema = z.object({
  family,
  table: name,
  chain: name,
  handle: z.int().nonnegative(),
  comment: z.string().optional(),
  expr: z.array(z.unknown()),
});
type Chain = z.infer<typeof chainSchema>;
type Rule = z.infer<typeof ruleSchema>;

export const nftables: Dialect = {
  name: "nftables",
  forgets: true,
  async places(machine) {
    if (!hasProgram(machine, "nft")) return [];
    const { chains, rules } = await ruleset(machine);
    return chains
      .filter((chain) => !isOfIptables(chain))
      .filter((chain) => chain.policy === "drop" || rules.some((rule) => isIn(rule, chain)))
      .map((chain) => `${chain.family} ${chain.table} ${chain.name}`);
  },
  async isOpen(machine, place, port) {
    return (await rulesAt(machine, place)).some((rule) => lets(rule, port));
  },
  async open(machine, place, port) {
    const rule = ["tcp", "dport", String(port), "accept", "comment", `"${MARK}"`];
    await machine.run("nft", "insert", "rule", ...place.split(" "), ...rule);
  },
  async close(machine, place, port) {
    const ours = (await rulesAt(machine, place)).filter(
      (rule) => rule.comment === MARK && lets(rule, port),
    );
    for (const { handle } of ours)
      await machine.run("nft", "delete", "rule", ...place.split(" "), "handle", String(handle));
  },
};

async function ruleset(machine: Machine): Promise<{ chains: Chain[]; rules: Rule[] }> {
  const untrusted = JSON.parse(await machine.run("nft", "-j", "list", "ruleset")) as unknown;
  const { nftables: items } = z
    .object({ nftables: z.array(z.record(z.string(), z.unknown())) })
    .parse(untrusted);
  const all = <T>(kind: string, schema: z.ZodType<T>): T[] =>
    items.flatMap((item) => {
      const read = schema.safeParse(item[kind]);
      return read.success ? [read.data] : [];
    });
  return { chains: all("chain", chainSchema), rules: all("rule", ruleSchema) };
}

async function rulesAt(machine: Machine, place: string): Promise<Rule[]> {
  const { rules } = await ruleset(machine);
  return rules.filter((rule) => `${rule.family} ${rule.table} ${rule.chain}` === place);
}

function isIn(rule: Rule, chain: Chain): boolean {
  return rule.family === chain.family && rule.table === chain.table && rule.chain === chain.name;
}

/** Its own names, in which nft may not write. */
function isOfIptables({ family: of, table, name: chain }: Chain): boolean {
  return of !== "inet" && table === "filter" && chain === "INPUT";
}

/** Exactly that port, and no other condition. */
function lets({ expr }: Rule, port: number): boolean {
  const conditions = expr.filter((part) => "match" in (part as object));
  const wanted = {
    op: "==",
    left: { payload: { protocol: "tcp", field: "dport" } },
    right: port,
  };
  return (
    conditions.length === 1 &&
    JSON.stringify(conditions[0]) === JSON.stringify({ match: wanted }) &&
    "accept" in (expr.at(-1) as object)
  );
}
