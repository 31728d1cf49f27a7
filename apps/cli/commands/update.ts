/**
 * phantoma update: which release runs on a node, which one waits, and who signed it, as this machine's own verifier says
 * and not the node; an admin's approval of it, or of all that come; a release from a folder for a node that fetches none.
 *
 * A node that runs a release which this device does not know yet is taken only when its quorum signed it.
 *
 * @module
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import {
  ClientError,
  ControlSession,
  pushRelease,
  signUpdateApproval,
  signUpdatePolicy,
  type Update,
} from "@phantoma/client";
import {
  compareVersions,
  newerOnNode,
  NodeRelease,
  readBundleName,
  refusalText,
  ReleaseError,
  ReleaseFolder,
  readAnchor,
  reportText,
  verifyRelease,
  type NodePlace,
  type ReleaseReport,
} from "@phantoma/release";
import type { Command } from "../command.ts";
import { Home } from "../home.ts";
import { commonOptions, parse } from "../options.ts";
import { notice, timeText, UsageError, write, writeJson } from "../output.ts";
import { withControl, type Peer } from "../session.ts";

const options = {
  ...commonOptions,
  anchor: { type: "string" },
  from: { type: "string" },
  days: { type: "string", default: "365" },
} as const;

const DAY_MS = 86_400_000;
/** The installer starts at once; the rest is for a node that is restarted. */
const APPROVAL_MS = DAY_MS;
/** The node takes no longer one. */
const MAX_DAYS = 399;
/** Before a name among the targets. */
const DIGEST = /^[0-9a-f]{64}\./;

interface Values {
  readonly anchor?: string | undefined;
  readonly from?: string | undefined;
  readonly days: string;
  readonly json: boolean;
}

interface Context {
  readonly home: Home;
  readonly peer: Peer;
  readonly session: ControlSession;
  readonly values: Values;
}

/** What verifying a release on a node needs. */
interface NodeContext extends Pick<Context, "home"> {
  readonly session: Pick<ControlSession, "readUpdate">;
  readonly values: Pick<Values, "anchor">;
}

export const update: Command = {
  usage:
    "update [status | approve [VERSION] | policy automatic|ask [--days N]] [--from DIR] [--anchor FILE]",
  summary:
    "which release runs, which waits and who signed it; DIR has metadata/ and targets/, for a node that fetches none",
  async run(args) {
    const { values, positionals } = parse(args, options);
    const home = new Home(values.home);
    const peer = home.peer(values.node);
    const [action = "status", what] = positionals;
    return withControl(
      peer,
      async (session) => {
        const context = { home, peer, session, values };
        try {
          const taken = await takeRunning(context);
          switch (action) {
            case "status":
              return await show(context, taken);
            case "approve":
              return await approve(context, what);
            case "policy":
              return await setPolicy(context, what);
            default:
              throw new UsageError(`update cannot ${JSON.stringify(action)}`);
          }
        } catch (error) {
          if (!(error instanceof ReleaseError)) throw error;
          const { code, message, action: advice, passed } = error;
          if (values.json) writeJson({ error: { code, message, action: advice }, passed });
          else write(refusalText(error));
          return 1;
        }
      },
      { takesAnyRelease: true },
    );
  },
};

/**
 * What runs there is known to this device, or becomes so because its quorum signed it.
 *
 * @throws `ReleaseError`; {@link ClientError} `ERR_OTHER_RELEASE` where nothing there says who signed it
 */
async function takeRunning({ home, peer, session, values }: Context): Promise<boolean> {
  const { profile } = peer;
  const runs = session.release;
  if (runs === profile.release || runs === profile.approvedRelease) return false;
  const { fetched, given, version } = await session.update();
  const held = [...given, ...fetched].find((one) => one.sha256 === runs && one.version === version);
  if (!held)
    throw new ClientError("ERR_OTHER_RELEASE", "the node has no signatures of what it runs");
  const { record } = await verifyRunning({ home, session, values }, held.name);
  if (record.sha256 !== runs)
    throw new ClientError("ERR_OTHER_RELEASE", "the node runs something else than was signed");
  home.save({ ...profile, release: runs });
  notice(`phantoma: the node runs release ${record.version}, signed by its quorum; taken`);
  return true;
}

/**
 * By what the installer was given with it; where that is stale by now, by what was fetched since, as far as that goes.
 *
 * @throws `ReleaseError`
 */
export async function verifyRunning(context: NodeContext, name: string): Promise<ReleaseReport> {
  try {
    return await verifyHeld(context, name, "given");
  } catch (error) {
    if (!(error instanceof ReleaseError)) throw error;
    return verifyHeld(context, name, "fetched", "given");
  }
}

async function show({ home, session, values }: Context, wasTaken: boolean): Promise<number> {
  const state = await session.update();
  const report = values.from
    ? await verifyFolder(home, values, values.from)
    : await verifyWaiting({ home, session, values }, state);
  if (values.json) {
    writeJson({ ...state, wasTaken, waiting: report ? jsonOf(report) : null });
    return 0;
  }
  write(`runs       ${state.version}\n`);
  const { policy, outcome } = state;
  if (policy?.mode === "automatic")
    write(`policy     installs what its quorum signed, until ${timeText(policy.notAfter)}\n`);
  else write("policy     asks an admin each time\n");
  if (outcome)
    write(
      `last       ${outcome.version}: ${outcome.error ?? "installed"}, ${timeText(outcome.at)}\n`,
    );
  if (!report) write("nothing waits\n");
  else write(`\n${reportText(report)}\nphantoma update approve ${report.record.version}\n`);
  return 0;
}

async function approve(context: Context, version: string | undefined): Promise<number> {
  const { home, peer, session, values } = context;
  const report = values.from
    ? await pushFolder(context, values.from)
    : await verifyWaiting(context, await session.update());
  if (!report) throw new ClientError("ERR_UPDATE_UNKNOWN", "nothing waits there");
  const { record } = report;
  if (version !== undefined && version !== record.version)
    throw new UsageError(`${record.version} is what waits, not ${version}`);
  const { profile, device } = peer;
  const { nodeTime } = await session.status();
  const { highestCounter } = await session.update();
  const node = Buffer.from(profile.nodeKey, "hex");
  const order = { node, highestCounter, nodeTime, lifetimeMs: APPROVAL_MS, ...record };
  // Before it counts: the node may be another one a moment later.
  home.save({ ...profile, release: session.release, approvedRelease: record.sha256 });
  await session.approveUpdate(signUpdateApproval(device, order));
  if (values.json) writeJson({ approved: jsonOf(report) });
  else write(`${reportText(report)}\napproved; the node installs it, or says why not\n`);
  return 0;
}

async function setPolicy(
  { peer, session, values }: Context,
  mode: string | undefined,
): Promise<number> {
  if (mode !== "automatic" && mode !== "ask")
    throw new UsageError("which policy? automatic or ask");
  const days = Number(values.days);
  if (!/^\d+$/.test(values.days) || days < 1 || days > MAX_DAYS)
    throw new UsageError(`--days is 1 to ${MAX_DAYS}`);
  const { nodeTime } = await session.status();
  const { highestCounter } = await session.update();
  const node = Buffer.from(peer.profile.nodeKey, "hex");
  const order = { node, highestCounter, nodeTime, lifetimeMs: days * DAY_MS, mode } as const;
  await session.submitUpdatePolicy(signUpdatePolicy(peer.device, order));
  if (values.json) writeJson({ policy: mode });
  else if (mode === "ask") write("the node asks an admin before it installs anything\n");
  else write(`the node installs what its quorum signed, for ${days} days\n`);
  return 0;
}

/**
 * The newest that is a release: others may lie there, which were fetched or pushed and verified by nobody.
 *
 * @returns `undefined` where nothing newer than what runs is there
 * @throws `ReleaseError` of the newest where none is a release
 */
export async function verifyWaiting(
  context: NodeContext,
  update: Update,
): Promise<ReleaseReport | undefined> {
  let refusal: ReleaseError | undefined;
  for (const { name, sha256, place } of newerOnNode(update))
    try {
      const report = await verifyHeld(context, name, place);
      if (report.record.sha256 === sha256) return report;
      refusal ??= new ReleaseError("ERR_DIGEST", "what lies there is not what was signed");
    } catch (error) {
      if (!(error instanceof ReleaseError)) throw error;
      refusal ??= error;
    }
  if (refusal) throw refusal;
  return undefined;
}

async function pushFolder({ home, session, values }: Context, dir: string): Promise<ReleaseReport> {
  const read: string[] = [];
  const report = await verifyFolder(home, values, dir, read);
  const { sha256, name } = report.record;
  // The node may know older keys than this machine.
  const roots = readdirSync(join(dir, "metadata")).filter((one) => one.endsWith(".root.json"));
  const paths = new Set([...roots.map((one) => `metadata/${one}`), ...read]);
  await pushRelease(session, dir, [...paths, `targets/${sha256}.${name}`]);
  return report;
}

/** @param read gets the path of every file that was looked at */
async function verifyFolder(
  home: Home,
  values: Values,
  dir: string,
  read: string[] = [],
): Promise<ReleaseReport> {
  const targetsDir = join(dir, "targets");
  const bundles = (existsSync(targetsDir) ? readdirSync(targetsDir) : [])
    .flatMap((file) => {
      const name = readBundleName(file.replace(DIGEST, ""));
      return name ? [{ file, ...name }] : [];
    })
    .toSorted((a, b) => compareVersions(b.version, a.version));
  const [newest] = bundles;
  if (!newest) throw new UsageError(`${targetsDir} has no bundle of a node`);
  if (bundles.some(({ arch }) => arch !== newest.arch))
    throw new UsageError(`${targetsDir} has bundles for two processors; keep the node's`);
  const folder = new ReleaseFolder(dir);
  return verifyRelease({
    anchor: await readAnchor(values.anchor),
    source: {
      async read(path, maxBytes) {
        const bytes = await folder.read(path, maxBytes);
        if (bytes && !read.includes(path)) read.push(path);
        return bytes;
      },
    },
    stateDir: home.releasesDir,
    filePath: join(targetsDir, newest.file),
  });
}

async function verifyHeld(
  { home, session, values }: NodeContext,
  name: string,
  ...places: [NodePlace, ...NodePlace[]]
): Promise<ReleaseReport> {
  return verifyRelease({
    anchor: await readAnchor(values.anchor),
    source: new NodeRelease(session, ...places),
    stateDir: home.releasesDir,
    name,
  });
}

function jsonOf({ record, quorums, builtBy, checks }: ReleaseReport): object {
  const { name, version, sha256, length } = record;
  return { name, version, sha256, length, quorums, builtBy, checks };
}
