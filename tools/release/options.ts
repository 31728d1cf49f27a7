/**
 * The command line of the ceremony, parsed once and strictly.
 *
 * @module
 */
import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { type RoleName, roleNames } from "@phantoma/release";

/** The command line is wrong: exit code 2. */
export class UsageError extends Error {}

const text = { type: "string" } as const;
const many = { type: "string", multiple: true } as const;
const options = {
  json: { type: "boolean", default: false },
  yes: { type: "boolean", default: false },
  person: text,
  module: text,
  token: text,
  id: text,
  out: text,
  kind: text,
  root: many,
  targets: many,
  snapshot: text,
  timestamp: text,
  "root-threshold": text,
  "targets-threshold": text,
  "trusted-root": text,
  issuer: text,
  repository: text,
  workflow: text,
  bundle: text,
  cyclonedx: text,
  spdx: text,
  provenance: many,
  version: text,
  "min-from": text,
  arch: text,
  key: text,
  "snapshot-key": text,
  "timestamp-key": text,
  add: text,
  roles: text,
  remove: many,
  replace: text,
} as const satisfies ParseArgsOptionsConfig;

export type Values = ReturnType<typeof readOptions>["values"];

export function readOptions(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

export function need<K extends keyof Values>(values: Values, name: K): NonNullable<Values[K]> {
  const value = values[name];
  if (value === undefined) throw new UsageError(`--${name} is needed`);
  return value;
}

export function numberOf(
  values: Values,
  name: "root-threshold" | "targets-threshold",
  otherwise: number,
): number {
  const value = Number(values[name] ?? otherwise);
  if (!Number.isSafeInteger(value) || value < 1) throw new UsageError(`--${name} wants a number`);
  return value;
}

export function rolesOf(list: string): RoleName[] {
  const names = list.split(",");
  const isRole = (name: string): name is RoleName =>
    (roleNames as readonly string[]).includes(name);
  if (!names.every(isRole)) throw new UsageError(`roles are ${roleNames.join(", ")}`);
  return names;
}
