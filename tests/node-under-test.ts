/**
 * A real node for a proof: all its processes, a paired device, models made on demand.
 *
 * @module
 */
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LocalNode } from "@phantoma/client";
import { generateDeviceIdentity, type DeviceIdentity } from "@phantoma/crypto";
import { makeModel, modelFileName, shapes } from "../tools/make-model/make-model.ts";

export const nodeDir = fileURLToPath(new URL("../apps/node", import.meta.url));
const cacheDir = fileURLToPath(new URL("../.cache/models", import.meta.url));

/** tiny: random and endless; echo: repeats its prompt; large: 500 MB, for benchmarks. */
export type ModelName = keyof typeof shapes;

const MODEL_SEED = 1;

export interface NodeUnderTest {
  readonly node: LocalNode;
  /** An admin's, the first in the list. */
  readonly device: DeviceIdentity;
  readonly dir: string;
}

/** Starts a node; every proof ends it with {@link LocalNode.stop}. */
export async function startNode(options: {
  readonly models: readonly (ModelName | { readonly path: string })[];
  readonly gatewayFlags?: readonly string[];
  readonly isVerbose?: boolean;
  readonly isWithoutCells?: boolean;
  readonly isWithoutPolicy?: boolean;
}): Promise<NodeUnderTest> {
  const { gatewayFlags = [], isVerbose = false } = options;
  const { isWithoutCells = false, isWithoutPolicy = false } = options;
  const models: { path: string }[] = [];
  for (const model of options.models)
    models.push(typeof model === "string" ? { path: await cachedModel(model) } : model);
  const device = generateDeviceIdentity();
  const dir = mkdtempSync(join(tmpdir(), "phantoma-proof-"));
  const flags = { gatewayFlags, isVerbose, isWithoutCells, isWithoutPolicy };
  const node = await LocalNode.start({ nodeDir, dir, device, models, ...flags });
  return { node, device, dir };
}

/** A made model's file, made once and kept outside version control. */
export async function cachedModel(name: ModelName): Promise<string> {
  const shape = shapes[name]();
  const path = join(cacheDir, modelFileName(shape, MODEL_SEED));
  return (await makeModel({ path, shape, seed: MODEL_SEED })).path;
}

export interface ProcessOfNode {
  readonly pid: number;
  /** `anchor`: it has a worker's or clerk's memory, and never runs. */
  readonly role: "demo" | "warden" | "keeper" | "gateway" | "cell" | "anchor" | "worker" | "clerk";
}

/** The living processes of one node: its first process and what that started. */
export function processesOf(node: LocalNode): ProcessOfNode[] {
  return withChildren(node.pid, "demo");
}

function withChildren(pid: number, role: ProcessOfNode["role"]): ProcessOfNode[] {
  const children = readProc(`${pid}/task/${pid}/children`)?.trim();
  if (children === undefined) return [];
  const found = children === "" ? [] : children.split(" ");
  return [{ pid, role }, ...found.flatMap((child) => identify(Number(child)))];
}

function identify(pid: number): ProcessOfNode[] {
  const command = readProc(`${pid}/cmdline`) ?? "";
  const [program = "", entry = ""] = command.split("\0");
  if (program.endsWith("/cell/build/cell")) return withChildren(pid, "cell");
  if (program.endsWith("/bpf/build/warden")) return withChildren(pid, "warden");
  const role = /apps\/node\/(keeper|gateway|worker|clerk)\/main/.exec(entry)?.[1];
  // What only becomes one of ours, or has ended, has no command line of ours.
  if (!role) return [];
  return withChildren(pid, hasDescriptors(pid) ? (role as ProcessOfNode["role"]) : "anchor");
}

/** An anchor has none; whatever runs has some. */
function hasDescriptors(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).length > 0;
  } catch {
    // It ended while it was looked at, or is another user's.
    return true;
  }
}

function readProc(name: string): string | undefined {
  try {
    return readFileSync(`/proc/${name}`, "latin1");
  } catch {
    return undefined;
  }
}
