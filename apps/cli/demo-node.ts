/**
 * A demo node for one command: its own folder, its own device key, and nothing left afterwards.
 *
 * @module
 */
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LocalNode } from "@phantoma/client";
import type { DeviceIdentity } from "@phantoma/crypto";
import { UsageError } from "./output.ts";

const nodeDir = fileURLToPath(new URL("../node", import.meta.url));

/** The model that comes with the project; it knows about Phantoma and little else. */
const demoModelPath = fileURLToPath(new URL("../../models/demo/model.gguf", import.meta.url));

export interface DemoNodeOptions {
  readonly device: DeviceIdentity;
  /** GGUF files; the demo model where there is none. */
  readonly modelPaths: readonly string[];
  readonly gatewayFlags?: readonly string[];
  readonly isVerbose?: boolean;
  readonly port?: number;
}

/** @throws `ClientError` `ERR_LOCAL_NODE`, or {@link UsageError} for a missing model file */
export async function startDemoNode(options: DemoNodeOptions): Promise<LocalNode> {
  const { device, modelPaths, gatewayFlags = [], isVerbose = false, port = 0 } = options;
  const paths = modelPaths.length > 0 ? modelPaths : [demoModelPath];
  for (const path of paths)
    if (!existsSync(path)) throw new UsageError(`there is no model file ${path}`);
  const models = paths.map((path) => (path === demoModelPath ? { path, name: "demo" } : { path }));
  const giveUp = new AbortController();
  const { signal } = giveUp;
  const leave = async () => {
    giveUp.abort();
    // What could not start has removed itself.
    await starting.then(
      (node) => node.stop(),
      () => undefined,
    );
    process.exit(130);
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(name, () => void leave());
  // Only now is there anything to leave behind.
  const dir = mkdtempSync(join(tmpdir(), "phantoma-demo-"));
  const starting = LocalNode.start({
    nodeDir,
    dir,
    device,
    models,
    gatewayFlags,
    isVerbose,
    port,
    signal,
  });
  return starting;
}
