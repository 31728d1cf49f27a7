/**
 * phantoma models: what a node can run; fetch more through a window, push a file, remove, verify.
 *
 * @module
 */
import { ClientError, openModelFile, pushModel } from "@phantoma/client";
import type { Command } from "../command.ts";
import { Home } from "../home.ts";
import { INTERRUPTED, interruptibly } from "../interruption.ts";
import { commonOptions, parse } from "../options.ts";
import { notice, oneLine, UsageError, write, writeJson } from "../output.ts";
import { megabytes, ProgressLine, progressText } from "../progress-line.ts";
import { withControl, type Peer } from "../session.ts";
import {
  assertPolicy,
  openWindow,
  propose,
  windowOptions,
  type WindowValues,
} from "../window-proposal.ts";
import { report, watchWindow } from "../window-watch.ts";

const options = { ...commonOptions, ...windowOptions, name: { type: "string" } } as const;

export const models: Command = {
  usage:
    "models [list | add SOURCE ... [window options] | push FILE [--name NAME] | remove NAME | verify NAME]",
  summary:
    "what a node can run: lists, adds, removes and verifies models; add fetches through a window, push sends a file of this machine and needs none",
  async run(args) {
    const { values, positionals } = parse(args, options);
    const home = new Home(values.home);
    const peer = home.peer(values.node);
    const [action = "list", ...subjects] = positionals;
    switch (action) {
      case "list":
        return list(peer, values.json);
      case "add":
        return add(peer, subjects, values);
      case "push":
        return push(peer, onlyOne(subjects, "which file should be pushed?"), values);
      case "remove": {
        const model = await find(peer, onlyOne(subjects, "which model should be removed?"));
        await withControl(peer, (session) => session.removeModel(model.digest));
        if (values.json) writeJson({ removed: model });
        else write(`removed ${oneLine(model.name)}\n`);
        return 0;
      }
      case "verify":
        return verify(peer, onlyOne(subjects, "which model should be verified?"), values.json);
      default:
        throw new UsageError(`models cannot ${JSON.stringify(action)}`);
    }
  },
};

async function list(peer: Peer, isJson: boolean): Promise<number> {
  const found = await withControl(peer, (session) => session.models());
  if (isJson) writeJson(found);
  else
    for (const { name, digest, bytes } of found)
      write(`${oneLine(name)}  ${megabytes(bytes)} MB  ${digest}\n`);
  return 0;
}

/** Resolve, show, sign, open, watch; what is still open at Ctrl-C is closed. */
async function add(
  peer: Peer,
  sources: readonly string[],
  values: WindowValues & { json: boolean },
): Promise<number> {
  return interruptibly(async (signal) => {
    await withControl(peer, assertPolicy);
    const resolved = await propose(sources, values, signal);
    await withControl(peer, (session) => openWindow(session, peer, resolved, values));
    const transfers = await watchWindow(peer, resolved, signal);
    const exitCode = report(transfers);
    if (values.json) writeJson({ transfers });
    return signal.aborted ? INTERRUPTED : exitCode;
  });
}

async function push(
  peer: Peer,
  path: string,
  { name, json }: { name?: string; json: boolean },
): Promise<number> {
  const line = new ProgressLine();
  return interruptibly(async (signal) => {
    const onProgress = ({ step, bytes, of }: { step: string; bytes: number; of: number }) =>
      line.show(`${step} ${progressText(bytes, of)}`);
    const file = await openModelFile(path, name, { onProgress, signal });
    try {
      const onLost = ({ code }: ClientError) => {
        line.end();
        notice(`phantoma: ${code}, the push goes on when the node is back`);
      };
      await pushModel(file, { ...peer, onProgress, signal, onLost });
    } finally {
      line.end();
      await file.close();
    }
    const { digest, bytes } = file;
    if (json) writeJson({ pushed: { name: file.name, digest, bytes } });
    else write(`${oneLine(file.name)} is stored  ${digest}\n`);
    return 0;
  });
}

async function verify(peer: Peer, wanted: string, isJson: boolean): Promise<number> {
  const model = await find(peer, wanted);
  notice(`the node reads ${megabytes(model.bytes)} MB …`);
  const isWhole = await withControl(peer, (session) => session.verifyModel(model.digest));
  if (isJson) writeJson({ ...model, isWhole });
  else if (isWhole) write(`${oneLine(model.name)} is whole\n`);
  else
    write(
      `${oneLine(model.name)} is NOT what its SHA-256 says\n  what to do: remove it and add it again; a disk may be failing\n`,
    );
  return isWhole ? 0 : 1;
}

/** By its name, or by its digest where two have the same. */
async function find(peer: Peer, wanted: string) {
  const all = await withControl(peer, (session) => session.models());
  const found = all.filter(({ name, digest }) => name === wanted || digest === wanted);
  const [model, ...others] = found;
  if (model && others.length === 0) return model;
  if (model)
    throw new UsageError(
      `${JSON.stringify(wanted)} names several models; name one by its SHA-256:\n${found.map(({ digest }) => `  ${digest}`).join("\n")}`,
    );
  throw new ClientError("ERR_MODEL_UNKNOWN", `the node has no model ${JSON.stringify(wanted)}`);
}

function onlyOne([subject, ...others]: readonly string[], question: string): string {
  if (subject === undefined || others.length > 0) throw new UsageError(question);
  return subject;
}
