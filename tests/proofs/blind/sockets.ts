/**
 * Every socket that a process has, from /proc: what it listens on, what it was connected to, and what it connected to.
 *
 * @module
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export interface Sockets {
  readonly accepted: number;
  readonly toDatabase: number;
  /** Anything else: the kernel's line of it, in short. */
  readonly others: readonly string[];
}

const LISTEN = "0A";

export function socketsOf(pid: number, ownPorts: readonly number[], databasePort: number): Sockets {
  const inodes = socketInodes(pid);
  let accepted = 0;
  let toDatabase = 0;
  const others: string[] = [];
  for (const family of ["tcp", "tcp6", "udp", "udp6", "raw", "raw6"])
    for (const fields of rows(pid, family)) {
      if (!inodes.has(fields[9]!)) continue;
      const [, local = "", remote = "", state = ""] = fields;
      const isTcp = family.startsWith("tcp");
      if (isTcp && ownPorts.includes(portOf(local))) accepted += state === LISTEN ? 0 : 1;
      else if (isTcp && portOf(remote) === databasePort && isLoopback(remote)) toDatabase += 1;
      else others.push(`${family} ${local} to ${remote}`);
    }
  for (const fields of rows(pid, "unix")) {
    if (!inodes.has(fields[6]!)) continue;
    others.push(`unix ${fields[7] ?? "without a name"}`);
  }
  return { accepted, toDatabase, others };
}

function socketInodes(pid: number): Set<string> {
  const dir = `/proc/${pid}/fd`;
  const inodes = readdirSync(dir).map((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`${dir}/${fd}`))?.[1];
    } catch {
      return undefined;
    }
  });
  return new Set(inodes.filter((inode) => inode !== undefined));
}

function rows(pid: number, family: string): string[][] {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/net/${family}`, "latin1");
  } catch {
    return [];
  }
  const lines = text.trim().split("\n").slice(1);
  return lines.map((line) => line.trim().split(/\s+/));
}

function portOf(address: string): number {
  return Number.parseInt(address.split(":")[1] ?? "", 16);
}

function isLoopback(address: string): boolean {
  return address.startsWith("0100007F:");
}
