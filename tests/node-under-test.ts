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
}): Promise<NodeUnderTest> {
  const { gatewayFlags = [], isVerbose = false } = options;
  const models: { path: string }[] = [];
  for (const model of options.models)
    models.push(typeof model === "string" ? { path: await cachedModel(model) } : model);
  const device = generateDeviceIdentity();
  const dir = mkdtempSync(join(tmpdir(), "phantoma-proof-"));
  const node = await LocalNode.start({ nodeDir, dir, device, models, gatewayFlags, isVerbose });
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
  readonly role: "demo" | "keeper" | "gateway" | "worker" | "clerk";
}

/** The living processes of one node, found as descendants of its first process. */
export function processesOf(node: LocalNode): ProcessOfNode[] {
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(readProcess);
  const children = Map.groupBy(
    all.filter((process) => process !== undefined),
    ({ parent }) => parent,
  );
  const found: ProcessOfNode[] = [];
  const visit = (pid: number) => {
    for (const child of children.get(pid) ?? []) {
      if (child.role) found.push({ pid: child.pid, role: child.role });
      visit(child.pid);
    }
  };
  found.push({ pid: node.pid, role: "demo" });
  visit(node.pid);
  return found;
}

function readProcess(name: string) {
  try {
    const stat = readFileSync(`/proc/${name}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z") return undefined;
    const command = readFileSync(`/proc/${name}/cmdline`, "latin1");
    const role = /apps\/node\/(keeper|gateway|worker|clerk)\/main/.exec(command)?.[1];
    return {
      pid: Number(name),
      parent: Number(fields[1]),
      role: role as ProcessOfNode["role"] | undefined,
    };
  } catch {
    // It ended while we looked.
    return undefined;
  }
}
