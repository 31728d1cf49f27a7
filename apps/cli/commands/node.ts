/**
 * phantoma node: the nodes this machine knows, and a demo node to try things with.
 *
 * @module
 */
import type { LocalNode } from "@phantoma/client";
import { fingerprint } from "@phantoma/crypto";
import type { Command } from "../command.ts";
import { startDemoNode } from "../demo-node.ts";
import { Home, NodeUnknown } from "../home.ts";
import { commonOptions, parse } from "../options.ts";
import { notice, oneLine, UsageError, write, writeJson } from "../output.ts";

const options = {
  ...commonOptions,
  model: { type: "string", multiple: true },
  port: { type: "string", default: "0" },
  verbose: { type: "boolean", default: false },
} as const;

export const node: Command = {
  usage: "node [list | demo [--model FILE ...] [--port N] [--verbose] | forget NAME]",
  summary:
    "the nodes paired with this machine, and a demo node; demo runs here until Ctrl-C, paired as `demo`",
  async run(args) {
    const { values, positionals } = parse(args, options);
    const home = new Home(values.home);
    const [action = "list", name] = positionals;
    switch (action) {
      case "list":
        return list(home, values.json);
      case "demo":
        return demoNode(home, values);
      case "forget":
        if (!name) throw new UsageError("which node should be forgotten?");
        if (!home.forget(name)) throw new NodeUnknown(name, namesOf(home));
        if (values.json) writeJson({ forgotten: name });
        else write(`forgot ${name}\n`);
        return 0;
      default:
        throw new UsageError(`node cannot ${JSON.stringify(action)}`);
    }
  },
};

function list(home: Home, isJson: boolean): number {
  const nodes = home.nodes();
  if (isJson)
    writeJson(
      nodes.map(({ name, url, nodeKey, formerKeys = [], starter }) => {
        return { name, url, nodeKey, formerKeys, starter };
      }),
    );
  else if (nodes.length === 0) notice(new NodeUnknown(undefined, []).message);
  else
    for (const { name, url, nodeKey, formerKeys = [] } of nodes) {
      write(`${oneLine(name)}  ${oneLine(url)}\n  ${shown(nodeKey)}\n`);
      for (const key of formerKeys) write(`  before: ${shown(key)}\n`);
    }
  return 0;
}

const namesOf = (home: Home) => home.nodes().map(({ name }) => name);

async function demoNode(
  home: Home,
  {
    model: modelPaths = [],
    port,
    verbose: isVerbose,
    json,
  }: { model?: string[]; port: string; verbose: boolean; json: boolean },
): Promise<number> {
  const options = { device: home.device(), modelPaths, isVerbose, port: portOf(port) };
  const running = await startDemoNode(options);
  home.save(running.profile);
  process.once("exit", () => home.forget(running.profile.name));
  if (json) {
    const { name, url, nodeKey, starter, policy } = running.profile;
    const why = running.policyReason;
    writeJson({ name, url, nodeKey, starter, policy, ...(why !== undefined && { why }) });
  }
  notice(`a demo node runs at ${running.profile.url}, paired as "demo"; Ctrl-C ends it`);
  notice(policyText(running));
  notice('in another terminal: npm run phantoma -- ask "What is Phantoma?"');
  await new Promise(() => undefined);
  return 0;
}

function policyText({ policyReason }: LocalNode): string {
  return policyReason === undefined
    ? "its kernel policy is in force: nothing of it reaches any network but you"
    : `it has no kernel policy: ${policyReason}`;
}

function portOf(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new UsageError("--port is 0 to 65535");
  return port;
}

function shown(key: string): string {
  return fingerprint(Buffer.from(key, "hex"));
}
