/**
 * phantoma serve: OpenAI's and Anthropic's interfaces on this machine, for the programs that speak them.
 *
 * @module
 */
import { ClientError } from "@phantoma/client";
import { ApiKeys, DEFAULT_PORT, Endpoint } from "@phantoma/endpoint";
import type { Command } from "../command.ts";
import { Home } from "../home.ts";
import { commonOptions, parse } from "../options.ts";
import { notice, oneLine, UsageError, write, writeJson } from "../output.ts";
import { withControl, type Peer } from "../session.ts";

const options = {
  ...commonOptions,
  port: { type: "string", default: String(DEFAULT_PORT) },
  keep: { type: "string", default: "2" },
} as const;

/** Each holds a worker of the node, and so its memory. */
const MAX_KEEP = 64;

export const serve: Command = {
  usage: "serve [--port N] [--keep N] | serve keys [list | add NAME | remove NAME]",
  summary:
    "OpenAI's and Anthropic's interfaces on 127.0.0.1 until Ctrl-C; --keep: how many conversations may hold a worker between requests",
  async run(args) {
    const { values, positionals } = parse(args, options);
    const home = new Home(values.home);
    const [action, ...rest] = positionals;
    if (action === "keys") return keys(home.keysDir, rest, values.json);
    if (action !== undefined) throw new UsageError(`serve cannot ${JSON.stringify(action)}`);
    const port = number("--port", values.port, 65_535);
    const maxIdle = number("--keep", values.keep, MAX_KEEP);
    const peer = home.peer(values.node);
    const endpoint = await Endpoint.start({
      ...peer,
      keys: ApiKeys.open(home.keysDir),
      port,
      maxIdle,
    });
    const url = `http://127.0.0.1:${endpoint.port}/v1`;
    if (values.json) writeJson({ url, keysDir: home.keysDir, keys: ApiKeys.names(home.keysDir) });
    notice(`${oneLine(peer.profile.name)} is served at ${url}; Ctrl-C ends it`);
    notice(`keys for programs are the files in ${oneLine(home.keysDir)}`);
    notice(await whatAnswers(peer));
    await interrupted();
    await endpoint.close();
    return 0;
  },
};

function keys(dir: string, [action = "list", name]: string[], isJson: boolean): number {
  if (action === "add" || action === "remove") {
    if (name === undefined) throw new UsageError("which key?");
    if (action === "add") ApiKeys.add(dir, name);
    else ApiKeys.remove(dir, name);
    notice("an endpoint that runs takes it in when it is started again");
  } else if (action !== "list") throw new UsageError(`serve keys cannot ${JSON.stringify(action)}`);
  const names = ApiKeys.names(dir);
  if (isJson) writeJson({ keysDir: dir, keys: names });
  else for (const known of names) write(`${oneLine(known)}\n`);
  return 0;
}

/** A node that is away may come back: the endpoint waits for it, and tells every program meanwhile. */
async function whatAnswers(peer: Peer): Promise<string> {
  try {
    const models = await withControl(peer, (session) => session.models());
    return `its models: ${models.map(({ name }) => oneLine(name)).join(", ") || "none"}`;
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    const { message, code, action } = error;
    return `the node is away: ${message} (${code})\n  what to do: ${action}; programs are told the same until it answers`;
  }
}

function number(option: string, text: string, most: number): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > most)
    throw new UsageError(`${option} is 0 to ${most}`);
  return Number(text);
}

function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.once(name, () => resolve());
  });
}
