/**
 * A window from its sources to its order: resolved here, shown to the person, signed only after a yes.
 *
 * @module
 */
import { createInterface } from "node:readline/promises";
import {
  ClientError,
  isPrivateAddress,
  resolveModel,
  signWindowOrder,
  type ControlSession,
  type ResolvedModel,
} from "@phantoma/client";
import { notice, oneLine, UsageError } from "./output.ts";
import { megabytes } from "./progress-line.ts";
import type { Peer } from "./session.ts";

/** What an admin says about a window on the command line. */
export const windowOptions = {
  minutes: { type: "string", default: "30" },
  sha256: { type: "string" },
  bytes: { type: "string" },
  yes: { type: "boolean", default: false },
} as const;

/** For the help of every command that opens one. */
export const windowHelp = "[--minutes N] [--sha256 HEX --bytes N] [--yes]";

export interface WindowValues {
  readonly minutes: string;
  readonly sha256?: string;
  readonly bytes?: string;
  readonly yes: boolean;
}

/** The node refuses a longer one. */
const MAX_MINUTES = 30;
/** The node's clock is a little ahead of when the order arrives. */
const ON_THE_WAY_MS = 2_000;

/** @throws {@link UsageError} or `ClientError` */
export async function propose(
  sources: readonly string[],
  values: WindowValues,
  signal: AbortSignal,
): Promise<ResolvedModel[]> {
  if (sources.length === 0)
    throw new UsageError("which file? an https address, or owner/repo/file");
  if (sources.length > 1 && (values.sha256 !== undefined || values.bytes !== undefined))
    throw new UsageError("--sha256 and --bytes are for one file");
  const minutes = minutesOf(values);
  const bytes = values.bytes === undefined ? undefined : Number(values.bytes);
  const models: ResolvedModel[] = [];
  for (const from of sources) {
    notice(`resolving ${from} …`);
    models.push(
      await resolveModel({
        from,
        signal,
        ...(values.sha256 === undefined ? {} : { sha256: values.sha256 }),
        ...(bytes === undefined ? {} : { bytes }),
      }),
    );
  }
  show(models, minutes);
  if (!values.yes) await confirm(signal);
  return models;
}

/** Signs what was agreed to and opens it. @returns the order's end, about */
export async function openWindow(
  session: ControlSession,
  peer: Peer,
  models: readonly ResolvedModel[],
  values: WindowValues,
): Promise<number> {
  const { nodeTime } = await session.status();
  const { highestCounter } = await session.window();
  const lifetimeMs = minutesOf(values) * 60_000 - ON_THE_WAY_MS;
  const order = signWindowOrder(peer.device, {
    node: Buffer.from(peer.profile.nodeKey, "hex"),
    models,
    highestCounter,
    lifetimeMs,
    nodeTime,
  });
  await session.openWindow(order);
  return Math.min(Date.now(), nodeTime) + lifetimeMs;
}

/** Before the person is asked anything: where nothing is closed there is nothing to open. */
export async function assertPolicy(session: ControlSession): Promise<void> {
  const { policy } = await session.egress({ limit: 1 });
  if (policy === null) throw new ClientError("ERR_NO_POLICY", "this node has no kernel policy");
}

function minutesOf({ minutes }: WindowValues): number {
  const value = Number(minutes);
  if (!/^\d+$/.test(minutes) || value < 1 || value > MAX_MINUTES)
    throw new UsageError(`--minutes is 1 to ${MAX_MINUTES}`);
  return value;
}

function show(models: readonly ResolvedModel[], minutes: number): void {
  for (const { path, bytes, digest, digestFrom } of models) {
    notice(`\nfile       ${oneLine(path)}`);
    notice(`size       ${megabytes(bytes)} MB`);
    notice(`SHA-256    ${digest}${digestFrom === "host" ? "  (the host says so)" : ""}`);
  }
  notice("\nthe node's fetcher, and nothing else of it, could reach");
  const places = models.flatMap(({ endpoints }) =>
    endpoints.map(({ name, address, port }) => {
      const remark = isPrivateAddress(address) ? "  (a local network)" : "";
      return `  ${oneLine(name)}  ${address}  port ${port}${remark}`;
    }),
  );
  for (const place of new Set(places)) notice(place);
  notice(`for at most ${minutes} minutes, and only until the file is there\n`);
}

async function confirm(signal: AbortSignal): Promise<void> {
  if (!process.stdin.isTTY)
    throw new UsageError("nobody is there to ask: look at it first, then say --yes");
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question("sign and open this window? [y/N] ", { signal });
    if (/^y(?:es)?$/i.test(answer.trim())) return;
  } catch {
    // Interrupted: the same as no.
  } finally {
    terminal.close();
  }
  throw new ClientError("ERR_CANCELLED", "nothing was signed");
}
