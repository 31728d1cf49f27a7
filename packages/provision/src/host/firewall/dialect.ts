/**
 * One way of speaking to a server's firewall. It adds one rule for one port, and takes that one away again: no firewall is
 * switched off, flushed or reloaded, which would drop what somebody else added to it.
 *
 * @module
 */
import type { Machine } from "../machine.ts";

export interface Dialect {
  readonly name: "ufw" | "firewalld" | "nftables" | "iptables";
  /** What it is told is gone at the next boot, and is said again then. */
  readonly forgets: boolean;
  /** Where a rule is needed; nothing where this firewall is absent, off, or keeps nobody out. */
  places(machine: Machine): Promise<readonly string[]>;
  /** By our rule, or by one that somebody else made. */
  isOpen(machine: Machine, place: string, port: number): Promise<boolean>;
  open(machine: Machine, place: string, port: number): Promise<void>;
  /** Takes our rule away where it is there; nobody else's. */
  close(machine: Machine, place: string, port: number): Promise<void>;
}

/** What our rules carry as their comment. */
export const MARK = "phantoma";

export function hasProgram(machine: Machine, name: string): boolean {
  return ["/usr/sbin", "/usr/bin"].some((dir) => machine.has(`${dir}/${name}`));
}
