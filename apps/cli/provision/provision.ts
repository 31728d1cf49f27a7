/**
 * phantoma provision: from an address to a node that this machine may talk to, and back.
 *
 * @module
 */
import { hostname } from "node:os";
import { nextSeenDevices } from "@phantoma/client";
import {
  isFit,
  listRemovals,
  nodeNameOf as nameOf,
  parseTarget,
  preflight,
  ProvisionError,
  reach,
  setUp,
  takeAway,
  type Choices,
} from "@phantoma/provision";
import { Directory } from "../devices/directory.ts";
import { assertNoFile, makeKit } from "../devices/kit.ts";
import { Home } from "../home.ts";
import { interruptibly } from "../interruption.ts";
import { globalOptions, parse } from "../options.ts";
import { notice, oneLine, UsageError, write, writeJson } from "../output.ts";
import { chooseBundle } from "./choose-bundle.ts";
import { Checklist, showChanges, showFindings } from "./lines.ts";
import { forgetHere, operate } from "./operations.ts";
import { askLine } from "./secret-prompt.ts";
import { signIn, type SignedIn } from "./sign-in.ts";

const options = {
  ...globalOptions,
  check: { type: "boolean", default: false },
  uninstall: { type: "boolean", default: false },
  update: { type: "string" },
  rollback: { type: "boolean", default: false },
  "rotate-key": { type: "boolean", default: false },
  "reset-identity": { type: "boolean", default: false },
  forget: { type: "boolean", default: false },
  bundle: { type: "string" },
  release: { type: "string" },
  anchor: { type: "string" },
  unsigned: { type: "boolean", default: false },
  key: { type: "string" },
  agent: { type: "boolean", default: false },
  "host-key": { type: "string" },
  "forget-host-key": { type: "boolean", default: false },
  "node-port": { type: "string", default: "7443" },
  reach: { type: "string" },
  name: { type: "string" },
  "no-reboot": { type: "boolean", default: false },
  "no-firewall": { type: "boolean", default: false },
  "update-kernel": { type: "boolean", default: false },
  "harden-ssh": { type: "boolean", default: false },
  kit: { type: "string" },
  "kit-words": { type: "boolean", default: false },
  yes: { type: "boolean", default: false },
} as const;

type Values = ReturnType<typeof parse<typeof options>>["values"];

export async function provision(args: string[]): Promise<number> {
  const { values, positionals } = parse(args, options);
  const [address, ...more] = positionals;
  if (!address || more.length > 0)
    throw new UsageError("provision wants one address: user@host[:port]");
  if (workOf(values).length > 1) throw new UsageError(`one of --${workOf(values).join(", --")}`);
  const choices = choicesOf(values);
  if (values.kit !== undefined && workOf(values).length > 0)
    throw new UsageError(
      "--kit goes with a set-up; for a node that stands: phantoma recovery make",
    );
  if (values.kit !== undefined) assertNoFile(values.kit);
  const home = new Home(values.home);
  if (values.forget)
    return forgetHere(home, address, values.name ?? nameOf(parseTarget(address).host), values.json);
  const signedIn = await signIn(home, address, values);
  try {
    if (values.uninstall) return await uninstall(signedIn, values);
    if (operations.some((name) => isAsked(values, name))) {
      const { host } = signedIn.target;
      const name = values.name ?? nameOf(host);
      const place = { name, ...urlPlace(values.reach, host, portOf(values)) };
      return await operate(home, signedIn, place, values, (question) => agree(values, question));
    }
    return await (values.check
      ? check(signedIn, values)
      : install(home, signedIn, choices, values));
  } finally {
    signedIn.erase();
  }
}

/** What is done to a node that stands. */
const operations = ["update", "rollback", "rotate-key", "reset-identity"] as const;

function workOf(values: Values): string[] {
  const works = ["check", "uninstall", ...operations, "forget"] as const;
  return works.filter((name) => isAsked(values, name));
}

function isAsked(values: Values, name: keyof Values): boolean {
  return values[name] !== undefined && values[name] !== false;
}

/** Reads, and changes nothing. */
async function check({ connect }: SignedIn, values: Values): Promise<number> {
  const shell = await connect();
  try {
    const { findings, facts } = await preflight(shell, portOf(values));
    if (values.json) writeJson({ privilege: shell.privilege, facts, findings });
    else {
      write(`root by: ${shell.privilege}\n`);
      showFindings(findings);
    }
    return isFit(findings) ? 0 : 1;
  } finally {
    shell.close();
  }
}

async function install(
  home: Home,
  signedIn: SignedIn,
  choices: Choices,
  values: Values,
): Promise<number> {
  const { target, connect } = signedIn;
  const [port, name] = [portOf(values), values.name ?? nameOf(target.host)];
  const bundle = await chooseBundle(home, values);
  const shell = await connect();
  const { findings } = await preflight(shell, port).finally(() => shell.close());
  if (!values.json) {
    showFindings(findings);
    showChanges(choices);
  }
  if (!isFit(findings)) throw new ProvisionError("ERR_HOST_UNFIT");
  await agree(values, "\nGo on? Type yes: ");
  const device = home.device();
  const known = home.nodes().find((node) => node.name === name);
  const checklist = new Checklist(values.json);
  const node = await interruptibly((signal) =>
    setUp({
      connect,
      ...urlPlace(values.reach, target.host, port),
      bundle,
      ...choices,
      ...(choices.mayHardenSsh ? { hardenSsh: { connectByKey: connect } } : {}),
      name,
      device,
      deviceName: hostname().slice(0, 64) || "first device",
      ...(known ? { knownNodeKey: known.nodeKey } : {}),
      hear: (event) => checklist.hear(event),
      signal,
    }),
  );
  // The server does not say which keys it had before.
  const former = known?.formerKeys && { formerKeys: known.formerKeys };
  home.save({ ...node.profile, ...former });
  if (home.seenDevices(name)?.nodeKey !== node.profile.nodeKey)
    home.saveSeenDevices(name, nextSeenDevices(undefined, node.devices));
  await reach(node, device);
  const { url, nodeKey, release } = node.profile;
  if (values.json) writeJson({ node: { name, url, nodeKey, release } });
  else write(`\nThe node runs, and this device reaches it: ${oneLine(url)}\n`);
  await offerKit(home, name, values);
  notice(`ask it: phantoma ask --node ${name} "What is Phantoma?"`);
  return 0;
}

/** Nobody decides about the node but this device yet; who is not there to be asked is told. */
async function offerKit(home: Home, name: string, values: Values): Promise<void> {
  const path = values.kit ?? (values.json ? undefined : await askLine(KIT_OFFER));
  if (!path)
    return notice(
      `a recovery kit, before this device is lost: phantoma recovery make FILE --node ${name}`,
    );
  const peer = home.peer(name);
  const wishes = { words: values["kit-words"], json: values.json };
  await makeKit(home, peer, new Directory(home, peer), path, wishes);
}

const KIT_OFFER =
  "\nIf this device is lost, a recovery kit takes a new one in. A file for it, or nothing to do it later: ";

/** A list first, and nothing that is not on it. */
async function uninstall({ connect }: SignedIn, values: Values): Promise<number> {
  const shell = await connect();
  const lines = await listRemovals(shell).finally(() => shell.close());
  if (values.json) writeJson({ removes: lines });
  else
    write(
      `What will be removed from the server, for good:\n${lines.map((line) => `  · ${oneLine(line)}\n`).join("")}`,
    );
  await agree(values, "\nRemove it? Type yes: ");
  const checklist = new Checklist(values.json);
  await takeAway(connect, (event) => checklist.hear(event));
  if (values.json) writeJson({ uninstalled: true });
  else
    write(
      "The server is no node any more. This machine still knows it: phantoma node forget NAME\n",
    );
  return 0;
}

/** @throws UsageError for what would lock out, or not hold */
function choicesOf(values: Values): Choices {
  const choices = {
    mayReboot: !values["no-reboot"],
    mayOpenPort: !values["no-firewall"],
    mayUpdateKernel: values["update-kernel"],
    mayHardenSsh: values["harden-ssh"],
  };
  if (choices.mayHardenSsh && values.key === undefined && !values.agent)
    throw new UsageError("--harden-ssh goes with --key or --agent: it ends signing in by password");
  if (choices.mayUpdateKernel && !choices.mayReboot)
    throw new UsageError("--update-kernel wants the reboot that --no-reboot forbids");
  return choices;
}

async function agree({ yes }: Values, question: string): Promise<void> {
  if (yes || (await askLine(question))?.toLowerCase() === "yes") return;
  throw new ProvisionError("ERR_REFUSED_BY_PERSON");
}

/** Where devices reach the node: the server's own address, unless something stands before it. */
function urlPlace(
  text: string | undefined,
  host: string,
  port: number,
): { host: string; port: number; reachPort?: number } {
  if (text === undefined) return { host, port };
  const [, otherHost, otherPort] = /^(?:\[?([^\]]+?)\]?):(\d{1,5})$/.exec(text) ?? [];
  if (!otherHost || !otherPort) throw new UsageError("--reach is HOST:PORT");
  return { host: otherHost, port, reachPort: Number(otherPort) };
}

function portOf({ "node-port": text }: Values): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535)
    throw new UsageError("--node-port is 1 to 65535");
  return port;
}
