/** The one port, in firewalls of Debian's that run in a network of their own. */
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { NewEvent } from "../../journal.ts";
import { Machine } from "../machine.ts";
import { noNamespace, OwnNamespace } from "../test-namespace.ts";
import { install, listOf, uninstall } from "../run-steps.ts";
import type { Context } from "../step.ts";
import { firewall, openAgain } from "./firewall.ts";

const PORT = 7443;
/** A busy machine, in milliseconds. */
const PATIENCE_MS = 120_000;

const order = {
  version: 1,
  sha256: "00".repeat(32),
  port: PORT,
  mayReboot: false,
  mayOpenPort: true,
  mayUpdateKernel: false,
  mayHardenSsh: false,
} as const;

const NFTABLES = `nft -f - <<END
table inet mine {
  chain input {
    type filter hook input priority 0; policy drop;
    ct state established accept
    tcp dport 22 accept
  }
}
END`;
const IPTABLES = `for tables in iptables ip6tables; do
  $tables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
  $tables -A INPUT -p tcp --dport 22 -j ACCEPT
  $tables -P INPUT DROP
done`;
const UFW = "ufw allow 22/tcp >/dev/null && ufw --force enable >/dev/null";

const firewalls = [
  {
    name: "nftables",
    program: "/usr/sbin/nft",
    make: NFTABLES,
    look: "nft list ruleset",
    openOneself: `nft add rule inet mine input tcp dport ${PORT} accept`,
    isForgetful: true,
  },
  {
    name: "iptables",
    program: "/usr/sbin/iptables",
    make: IPTABLES,
    look: "iptables -S; ip6tables -S",
    openOneself: `iptables -A INPUT -p tcp --dport ${PORT} -j ACCEPT; ip6tables -A INPUT -p tcp --dport ${PORT} -j ACCEPT`,
    isForgetful: true,
  },
  {
    name: "ufw",
    program: "/usr/sbin/ufw",
    make: UFW,
    look: "ufw status; cat /etc/ufw/user.rules /etc/ufw/user6.rules; iptables -S",
    openOneself: `ufw allow ${PORT}/tcp >/dev/null`,
    isForgetful: false,
  },
] as const;

describe.each([...firewalls, { ...firewalls[2], openOneself: `ufw limit ${PORT}/tcp >/dev/null` }])(
  "$name",
  ({ name, program, make, look, openOneself, isForgetful }) => {
    const can = noNamespace(program) === undefined;

    async function inside(work: (machine: OwnNamespace, context: Context) => Promise<void>) {
      const machine = await OwnNamespace.make(program.endsWith("ufw") ? ["/etc/ufw"] : []);
      const told: NewEvent[] = [];
      try {
        machine.sh(make);
        await work(machine, { machine, order, programsDir: "", tell: (event) => told.push(event) });
        expect(told.filter(({ kind }) => kind === "failed")).toEqual([]);
      } finally {
        await machine.stop();
      }
    }

    test.skipIf(!can)(
      "lets the port in, is left alone the second time, and is afterwards what it was",
      () =>
        inside(async (machine, context) => {
          const before = machine.sh(look);
          expect(await firewall.probe(context)).toBe(false);
          expect(await install([firewall], context)).toBe(true);
          const open = machine.sh(look);
          expect(open).not.toBe(before);
          expect(linesBeside(open, before).every((line) => line.includes("7443"))).toBe(true);
          expect(listOf([firewall], context).join()).toContain(name);
          await install([firewall], context);
          expect(machine.sh(look)).toBe(open);
          await uninstall([firewall], context);
          expect(machine.sh(look)).toBe(before);
          expect(machine.sh("find /etc/systemd/system -type f -o -type l")).toBe("");
        }),
      PATIENCE_MS,
    );

    test.skipIf(!can)(
      "keeps a rule that somebody else made, also when the node goes",
      () =>
        inside(async (machine, context) => {
          machine.sh(openOneself);
          const before = machine.sh(look);
          expect(await firewall.probe(context)).toBe(true);
          await install([firewall], context);
          await uninstall([firewall], context);
          expect(machine.sh(look)).toBe(before);
        }),
      PATIENCE_MS,
    );

    test.skipIf(!can)(
      "is left as it was when nobody asked",
      () =>
        inside(async (machine, context) => {
          const before = machine.sh(look);
          await install([firewall], { ...context, order: { ...order, mayOpenPort: false } });
          expect(machine.sh(look)).toBe(before);
        }),
      PATIENCE_MS,
    );

    test.skipIf(!can || !isForgetful)(
      "refuses a connection before, takes it after, and is told again when it has forgotten",
      () =>
        inside(async (machine, context) => {
          const server = machine.start(
            process.execPath,
            "-e",
            `require("net").createServer((s) => s.end()).listen(${PORT}, "127.0.0.1")`,
          );
          try {
            await sleep(1_000);
            expect(await isReached(machine)).toBe(false);
            await install([firewall], context);
            expect(await isReached(machine)).toBe(true);
            machine.sh(
              isForgetful && name === "nftables"
                ? "nft flush ruleset"
                : "iptables -F; ip6tables -F",
            );
            machine.sh(make);
            expect(await isReached(machine)).toBe(false);
            await openAgain(machine);
            expect(await isReached(machine)).toBe(true);
            const unit = machine.sh(
              "cat /etc/systemd/system/multi-user.target.wants/phantoma-port.service",
            );
            expect(unit).toContain("open-port");
          } finally {
            const ended = once(server, "exit");
            server.kill();
            await ended;
          }
        }),
      PATIENCE_MS,
    );
  },
);

/** firewalld needs a bus and PID 1: its answers are played, to see what it is told. */
class WithFirewalld extends Machine {
  readonly opened = new Set<string>();

  override get isLive(): boolean {
    return true;
  }

  override async end(program: string, args: readonly string[]) {
    const answer = (code: number, said = "") => ({ code, said, complained: "" });
    if (program !== "firewall-cmd") return answer(1);
    const when = args.includes("--permanent") ? "later" : "now";
    const port = args.find((one) => one.includes("-port="));
    if (port?.startsWith("--add")) this.opened.add(when);
    if (port?.startsWith("--remove")) this.opened.delete(when);
    if (port?.startsWith("--query")) return answer(this.opened.has(when) ? 0 : 1);
    return answer(0, "public\n");
  }
}

test.each([[[]], [["now"]], [["later"]], [["now", "later"]]])(
  "firewalld that lets the port in %j does so in both, and no less afterwards",
  async (before) => {
    const root = mkdtempSync(join(tmpdir(), "firewalld-"));
    mkdirSync(join(root, "usr/bin"), { recursive: true });
    writeFileSync(join(root, "usr/bin/firewall-cmd"), "");
    const machine = new WithFirewalld(root);
    for (const when of before) machine.opened.add(when);
    const context: Context = { machine, order, programsDir: "", tell: () => undefined };
    expect(await install([firewall], context)).toBe(true);
    expect(machine.opened).toEqual(new Set(["now", "later"]));
    expect(listOf([firewall], context).length).toBe(2 - before.length);
    await uninstall([firewall], context);
    expect(machine.opened).toEqual(new Set(before));
    rmSync(root, { recursive: true });
  },
);

function isReached(machine: OwnNamespace): Promise<boolean> {
  const attempt = `exec 3<>/dev/tcp/127.0.0.1/${PORT}`;
  return machine.succeeds("timeout", "1", "bash", "-c", attempt);
}

function linesBeside(text: string, others: string): string[] {
  const known = others.split("\n");
  return text.split("\n").filter((line) => !known.includes(line));
}
