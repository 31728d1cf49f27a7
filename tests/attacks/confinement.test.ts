import { expect, test } from "vitest";
import { allowedCalls, confinementOf, readSettings } from "./confinement.ts";

const sets: Record<string, readonly string[]> = {
  "@default": ["exit"],
  "@system-service": ["read", "write", "io_setup", "chown"],
  "@privileged": ["chown", "bpf"],
  "@aio": ["io_setup"],
};
const expand = (set: string): readonly string[] => sets[set] ?? [];

test("a line with ~ takes away what lines before it allowed", () => {
  const filters = ["@system-service", "~@privileged @aio write", "bpf"];
  expect(allowedCalls(filters, expand)).toEqual(["exit", "read", "bpf"]);
});

test("a unit without a filter may make every call", () => {
  expect(allowedCalls([], expand)).toEqual([]);
});

test("settings are read in their order, and comments are none", () => {
  const file = [
    "# SystemCallFilter=@obsolete",
    "RestrictAddressFamilies=AF_UNIX AF_INET",
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@privileged",
  ].join("\n");
  expect(readSettings(file)).toEqual({
    families: ["AF_UNIX", "AF_INET"],
    filters: ["@system-service", "~@privileged"],
  });
});

test("a unit without a file says so", () => {
  expect(confinementOf("/nonexistent", "worker")).toEqual({ why: "no unit file for worker" });
});
