/**
 * iptables, for both families: our rule is the first of INPUT. Nothing is saved, since that would save what others, such
 * as fail2ban, added for now only.
 *
 * @module
 */
import type { Machine } from "../machine.ts";
import { hasProgram, MARK, type Dialect } from "./dialect.ts";

/** Seconds that it waits for another one's lock. */
const WAIT = ["-w", "10"];

export const iptables: Dialect = {
  name: "iptables",
  forgets: true,
  async places(machine) {
    const found: string[] = [];
    for (const program of ["iptables", "ip6tables"])
      if (hasProgram(machine, program) && (await rules(machine, program)).some(keepsOut))
        found.push(program);
    return found;
  },
  async isOpen(machine, program, port) {
    const lets = new RegExp(
      `^-A INPUT -p tcp(?: -m tcp)? --dport ${port}(?: -m comment --comment \\S+)? -j ACCEPT$`,
    );
    return (await rules(machine, program)).some((line) => lets.test(line));
  },
  async open(machine, program, port) {
    await machine.run(program, ...WAIT, "-I", "INPUT", "1", ...rule(port));
  },
  async close(machine, program, port) {
    while (await machine.succeeds(program, ...WAIT, "-C", "INPUT", ...rule(port)))
      await machine.run(program, ...WAIT, "-D", "INPUT", ...rule(port));
  },
};

function rule(port: number): string[] {
  const comment = ["-m", "comment", "--comment", MARK];
  return ["-p", "tcp", "--dport", String(port), ...comment, "-j", "ACCEPT"];
}

/** Nothing where the kernel has no such table. */
async function rules(machine: Machine, program: string): Promise<string[]> {
  const { said } = await machine.end(program, [...WAIT, "-S", "INPUT"]);
  return said.split("\n").map((line) => line.trim());
}

function keepsOut(line: string): boolean {
  return line === "-P INPUT DROP" || line.startsWith("-A INPUT ");
}
