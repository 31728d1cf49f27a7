/**
 * The worker process: one task of one device, then nothing.
 *
 *   main.ts --models DIR [--witness]
 *
 * with the gateway on descriptor 3, the keeper on 4, and with a witness the warden on 5
 *
 * @module
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { tellWitness } from "../ipc/inherited.ts";
import { modelPath } from "../models/model-path.ts";
import { runTunnelEnd } from "../tunnel-end/tunnel-end.ts";
import { Conversation } from "./conversation.ts";
import { Engine } from "./engine/engine.ts";
import { rehearse } from "./rehearsal.ts";

/** Enough for long conversations; a model trained for less gets what it was trained for. */
const CONTEXT_TOKENS = 4096;

const { values } = parseArgs({
  options: { models: { type: "string" }, witness: { type: "boolean", default: false } },
});
const modelsDir = values.models;
if (!modelsDir) process.exit(2);

let engine: Engine | undefined;
let conversation: Conversation | undefined;

await runTunnelEnd({
  role: "worker",
  tellKey: values.witness ? tellWitness : undefined,
  async warm({ model, threads }) {
    engine = await Engine.load({
      modelPath: modelPath(modelsDir, model),
      contextTokens: CONTEXT_TOKENS,
      threads: Math.min(threads, availableParallelism()) || "calibrate",
      cores: availableParallelism(),
    });
    await rehearse(engine);
    return engine.threads;
  },
  open(tunnel) {
    const opened = (conversation = new Conversation(engine!, tunnel));
    return (frame) => opened.handle(frame);
  },
  async release() {
    conversation?.erase();
    await engine?.dispose();
  },
});
