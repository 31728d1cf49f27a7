/**
 * phantoma egress: what a node's kernel policy refused, counted exactly, and whether it is in force.
 *
 * @module
 */
import { watchEgress, type Egress, type EgressEvent } from "@phantoma/client";
import type { Command } from "../command.ts";
import { Home } from "../home.ts";
import { INTERRUPTED, interruptibly } from "../interruption.ts";
import { commonOptions, parse } from "../options.ts";
import { notice, oneLine, timeText, write, writeJson } from "../output.ts";
import { withControl, type Peer } from "../session.ts";

const options = { ...commonOptions, follow: { type: "boolean", default: false } } as const;

/** What one answer holds. */
const NEWEST = 200;

export const egress: Command = {
  usage: "egress [--follow] [--node NAME]",
  summary: "shows what the node's kernel refused to let out; --follow waits for more until Ctrl-C",
  async run(args) {
    const { values } = parse(args, options);
    const home = new Home(values.home);
    const peer = home.peer(values.node);
    const state = await withControl(peer, async (session) => {
      const { latest } = await session.egress({ limit: 1 });
      return session.egress({ after: Math.max(0, latest - NEWEST), limit: NEWEST });
    });
    if (values.json) writeJson(state);
    else show(state);
    return values.follow ? follow(peer, state.latest, values.json) : 0;
  },
};

function show(state: Egress): void {
  const { policy, countingSince, counts, events } = state;
  if (policy === null) {
    write("policy     none: this node's kernel refuses nothing, and nothing is counted\n");
    return;
  }
  write(
    `policy     ${policy.isInForce ? "in force" : `NOT IN FORCE: ${oneLine(policy.fault ?? "")}`}\n`,
  );
  const missing = policy.missing.map(
    ({ tier, reason }) => `${tier} is missing: ${oneLine(reason)}`,
  );
  write(`tiers      ${[policy.tiers.join(", "), ...missing].join("; ")}\n`);
  write(`programs   ${policy.programs}\n`);
  const { verifiedAt } = policy;
  write(`verified   ${verifiedAt === null ? "never" : timeText(verifiedAt)}\n`);
  write(`attempts   ${attemptsText(state)}\n`);
  write(`counting   since ${timeText(countingSince)}\n\n`);
  writeRow("unit", "attempts", "logged", "lost");
  for (const count of counts)
    if (count.attempts > 0 || count.unit === "worker")
      writeRow(count.unit, count.attempts, count.logged, count.lost);
  if (events.length > 0) write("\n");
  for (const event of events) write(`${eventText(event)}\n`);
}

function writeRow(unit: string, ...numbers: readonly (string | number)[]): void {
  write(`${unit.padEnd(10)}${numbers.map((number) => String(number).padStart(12)).join("")}\n`);
}

/** Days are said as counted: a node of yesterday has not refused anything for 30 days. */
function attemptsText({ days }: Egress): string {
  const sum = days.reduce((total, { attempts }) => total + attempts, 0);
  return `${sum} in ${days.length === 1 ? "1 day" : `${days.length} days`}`;
}

function eventText({ sequence, at, unit, hook, protocol, address, port }: EgressEvent): string {
  const place =
    address === ""
      ? "no address"
      : address.includes(":")
        ? `[${address}]:${port}`
        : `${address}:${port}`;
  return `${String(sequence).padStart(6)}  ${timeText(at)}  ${unit.padEnd(9)} ${protocol.padEnd(5)} ${place}  (${hook})`;
}

/** Lines of attempts until Ctrl-C; a state that changes is said as well. */
async function follow(peer: Peer, after: number, isJson: boolean): Promise<number> {
  return interruptibly(async (signal) => {
    let wasInForce: boolean | undefined;
    const onLost = () => notice("phantoma: the node does not answer; looking for it");
    for await (const { policy, events } of watchEgress({ ...peer, after, signal, onLost })) {
      for (const event of events)
        if (isJson) writeJson(event);
        else write(`${eventText(event)}\n`);
      const isInForce = policy?.isInForce ?? false;
      if (wasInForce !== undefined && wasInForce !== isInForce)
        notice(`phantoma: the policy is ${isInForce ? "in force again" : "NOT IN FORCE"}`);
      wasInForce = isInForce;
    }
    return INTERRUPTED;
  });
}
