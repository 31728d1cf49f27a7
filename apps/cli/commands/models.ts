/**
 * phantoma models: what a node can run.
 *
 * @module
 */
import type { Command } from "../command.ts";
import { Home } from "../home.ts";
import { commonOptions, parse } from "../options.ts";
import { oneLine, write, writeJson } from "../output.ts";
import { withControl } from "../session.ts";

export const models: Command = {
  usage: "models [--node NAME]",
  summary: "lists a node's models with size and SHA-256",
  async run(args) {
    const { values } = parse(args, commonOptions);
    const home = new Home(values.home);
    const peer = { profile: home.node(values.node), device: home.device() };
    const found = await withControl(peer, (session) => session.models());
    if (values.json) writeJson(found);
    else
      for (const { name, digest, bytes } of found)
        write(`${oneLine(name)}  ${(bytes / 1e6).toFixed(1)} MB  ${digest}\n`);
    return 0;
  },
};
