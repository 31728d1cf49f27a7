/**
 * npm start: a demo node and a chat with it.
 *
 * @module
 */
import { generateDeviceIdentity } from "@phantoma/crypto";
import type { Command } from "../command.ts";
import { startDemoNode } from "../demo-node.ts";
import { chatOptions, globalOptions, parse } from "../options.ts";
import { notice } from "../output.ts";
import { terminalChat } from "../terminal-chat.ts";

export const start: Command = {
  usage: "start [--model FILE] [--mode conversation|turn] [--system TEXT] [sampling options]",
  summary:
    "starts a demo node on this machine and chats with it; keeps nothing, also not in --home",
  async run(args) {
    const { values } = parse(args, { ...globalOptions, ...chatOptions });
    notice("starting a demo node on this machine …");
    const device = generateDeviceIdentity();
    const modelPaths = values.model ? [values.model] : [];
    const node = await startDemoNode({ device, modelPaths });
    try {
      await terminalChat({ profile: node.profile, device }, Buffer.from(node.defaultModel), values);
    } finally {
      await node.stop();
    }
    return 0;
  },
};
