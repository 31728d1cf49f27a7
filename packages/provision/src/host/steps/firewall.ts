/**
 * Lets the node's one port in, where the server has a firewall of its own. What is added is written down before it is, so
 * that exactly this is taken away again; a port that somebody else opened stays theirs.
 *
 * @module
 */
import { z } from "zod";
import type { Dialect } from "../firewall/dialect.ts";
import { firewalld } from "../firewall/firewalld.ts";
import { iptables } from "../firewall/iptables.ts";
import { nftables } from "../firewall/nftables.ts";
import { ufw } from "../firewall/ufw.ts";
import { CURRENT_DIR, SETUP_DIR, type Machine } from "../machine.ts";
import type { Step } from "../step.ts";

const DIALECTS = [ufw, firewalld, nftables, iptables] as const;
/** What we opened, and where. */
const OPENED_FILE = `${SETUP_DIR}/firewall.json`;
const UNIT = "phantoma-port.service";
const UNIT_FILE = `/etc/systemd/system/${UNIT}`;
const OPEN = `${CURRENT_DIR}/bin/node ${CURRENT_DIR}/apps/node/provisioner/main.js open-port`;
const UNIT_TEXT = `[Unit]
Description=Lets the node's port in, past a firewall that forgets it
After=nftables.service netfilter-persistent.service
PartOf=nftables.service
ReloadPropagatedFrom=nftables.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${OPEN}
ExecReload=${OPEN}

[Install]
WantedBy=multi-user.target nftables.service
`;

const openedSchema = z.array(
  z.strictObject({
    dialect: z.enum(DIALECTS.map(({ name }) => name)),
    place: z.string().min(1).max(512),
    port: z.int().min(1).max(65_535),
  }),
);
type Opened = z.infer<typeof openedSchema>[number];

export const firewall: Step = {
  name: "firewall",
  async probe({ machine, order }) {
    if (!order.mayOpenPort || !machine.isLive) return true;
    for (const { dialect, place } of await placesOf(machine))
      if (!(await dialect.isOpen(machine, place, order.port))) return false;
    return machine.read(UNIT_FILE) === (isForgotten(opened(machine)) ? UNIT_TEXT : undefined);
  },
  async apply({ machine, order: { port } }) {
    for (const { dialect, place } of await placesOf(machine)) {
      if (await dialect.isOpen(machine, place, port)) continue;
      remember(machine, { dialect: dialect.name, place, port });
      await dialect.open(machine, place, port);
    }
    if (!isForgotten(opened(machine))) return;
    machine.write(UNIT_FILE, UNIT_TEXT);
    await machine.run("systemctl", "--quiet", "enable", UNIT);
  },
  list: ({ machine }) =>
    opened(machine).map(
      ({ dialect, place, port }) => `the rule in ${dialect} (${place}) that lets TCP ${port} in`,
    ),
  async undo({ machine }) {
    for (const { dialect, place, port } of opened(machine))
      await named(dialect).close(machine, place, port);
    if (machine.has(UNIT_FILE)) await machine.succeeds("systemctl", "--quiet", "disable", UNIT);
    machine.remove(UNIT_FILE);
    machine.remove(OPENED_FILE);
  },
};

/** After a boot, or after others wrote their rules anew: what we opened and is gone. */
export async function openAgain(machine: Machine): Promise<void> {
  for (const { dialect, place, port } of opened(machine)) {
    const spoken = named(dialect);
    const isThere = (await spoken.places(machine)).includes(place);
    if (isThere && !(await spoken.isOpen(machine, place, port)))
      await spoken.open(machine, place, port);
  }
}

/** ufw and firewalld write the rules of the others, and are the ones to ask. */
async function placesOf(machine: Machine): Promise<{ dialect: Dialect; place: string }[]> {
  const found: { dialect: Dialect; place: string }[] = [];
  for (const dialect of DIALECTS) {
    for (const place of await dialect.places(machine)) found.push({ dialect, place });
    if (found.length > 0 && !dialect.forgets) return found;
  }
  return found;
}

function opened(machine: Machine): Opened[] {
  return openedSchema.parse(JSON.parse(machine.read(OPENED_FILE) ?? "[]"));
}

function remember(machine: Machine, rule: Opened): void {
  const others = opened(machine).filter((known) => JSON.stringify(known) !== JSON.stringify(rule));
  machine.write(OPENED_FILE, JSON.stringify([...others, rule]), 0o600);
}

function isForgotten(rules: readonly Opened[]): boolean {
  return rules.some(({ dialect }) => named(dialect).forgets);
}

function named(name: Dialect["name"]): Dialect {
  return DIALECTS.find((dialect) => dialect.name === name)!;
}
