/**
 * phantoma node: the nodes this machine knows, and a demo node to try things with.
 *
 * @module
 */
import { fingerprint } from "@phantoma/crypto";
import type { Command } from "../command.ts";
import { startDemoNode } from "../demo-node.ts";
import { Home } from "../home.ts";
import { commonOptions, parse } from "../options.ts";
import { notice, UsageError, write, writeJson } from "../output.ts";

const options = {
  ...commonOptions,
  model: { type: "string", multiple: true },
  port: { type: "string", default: "0" },
  verbose: { type: "boolean", default: false },
} as const;

export const node: Command = {
  usage: "node [list | demo [--model FILE ...] [--verbose] | forget NAME]",
  summary: "lists paired nodes; demo runs a node here until Ctrl-C, paired as `demo`",
  async run(args) {
    const { values, positionals } = parse(args, options);
    const home = new Home(values.home);
    const [action = "list", name] = positionals;
    switch (action) {
      case "list":
        return list(home, values.json);
      case "demo":
        return demoNode(home, values.model ?? [], values.verbose);
      case "forget":
        if (!name) throw new UsageError("which node should be forgotten?");
        home.forget(name);
        return 0;
      default:
        throw new UsageError(`node cannot ${JSON.stringify(action)}`);
    }
  },
};

function list(home: Home, isJson: boolean): number {
  const nodes = home.nodes();
  if (isJson)
    writeJson(nodes.map(({ name, url, nodeKey, starter }) => ({ name, url, nodeKey, starter })));
  else
    for (const { name, url, nodeKey } of nodes)
      write(`${name}  ${url}\n  ${fingerprint(Buffer.from(nodeKey, "hex"))}\n`);
  return 0;
}

async function demoNode(home: Home, modelPaths: string[], isVerbose: boolean): Promise<number> {
  const running = await startDemoNode({ device: home.device(), modelPaths, isVerbose });
  home.save(running.profile);
  process.once("exit", () => home.forget(running.profile.name));
  notice(`a demo node runs at ${running.profile.url}, paired as "demo"; Ctrl-C ends it`);
  notice('in another terminal: npm run phantoma -- ask "What is Phantoma?"');
  await new Promise(() => undefined);
  return 0;
}
