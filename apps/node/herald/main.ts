/**
 * The herald process: carries what the keeper signed to the control plane that an admin's standing order names, and
 * brings back what it is given. It has no key, reads no prompt and resolves no name; whom it may reach is the kernel's
 * decision too.
 *
 *   main.ts --state DIR
 *
 * It ends when its order is gone or is another one. Certificates are judged by Node's own list of authorities and those
 * of NODE_EXTRA_CA_CERTS.
 *
 * @module
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { documentHash, MAX_DOCUMENT_BYTES } from "@phantoma/crypto";
import { MAX_ANSWER_BODY_BYTES } from "@phantoma/protocol";
import { ReleaseError } from "@phantoma/release";
import { z } from "zod";
import { openLog } from "../log/log.ts";
import {
  ANSWER_FILE,
  HEARTBEAT_FILE,
  LICENSED_FILE,
  OUTCOME_FILE,
  STANDING_FILE,
  statePaths,
} from "../setup/paths.ts";
import { writePublicFile } from "../setup/public-file.ts";
import { ask } from "./ask.ts";
import { HeraldError } from "./herald-error.ts";
import { readStandingOrder } from "./order.ts";
import { fetchUpdate } from "./updates.ts";

/** How soon a new heartbeat, or another order, is noticed. */
const POLL_MS = 500;
const FIRST_DELAY_MS = 5_000;
/** The next heartbeat comes by then anyway. */
const LAST_DELAY_MS = 10 * 60_000;

const flags = z
  .strictObject({ state: z.string() })
  .parse(parseArgs({ options: { state: { type: "string" } } }).values);

const log = openLog("herald");
const { devicesDir, ordersDir, heraldDir } = statePaths(flags.state);
const orderPath = join(ordersDir, STANDING_FILE);
for (const signal of ["SIGTERM", "SIGINT", "disconnect"] as const)
  process.on(signal, () => process.exit(0));

const ownOrder = mark(orderPath);
const order = readStandingOrder(orderPath, devicesDir);
const over = new AbortController();
setInterval(() => {
  if (mark(orderPath) === ownOrder && Date.now() < order.notAfter) return;
  over.abort();
  process.exit(0);
}, POLL_MS);

log("reporting", { count: order.origins.length });
let carried: string | undefined;
let carriedTo = "";
let updatedAfter: string | undefined;
let failures = 0;
let notBefore = 0;
for (let turn = 0; ; await sleep(POLL_MS)) {
  const heartbeat = readHeartbeat();
  if (!heartbeat) continue;
  const name = Buffer.from(documentHash(heartbeat)).toString("hex");
  if (name === carried) {
    // The keeper may take a moment to find a licence in the answer.
    if (updatedAfter !== name && existsSync(join(ordersDir, LICENSED_FILE))) {
      updatedAfter = name;
      await update(carriedTo);
    }
    continue;
  }
  if (performance.now() < notBefore) continue;
  const origin = order.origins[turn % order.origins.length];
  if (origin === undefined) continue;
  const outcome = await carry(heartbeat, origin);
  writePublicFile(join(heraldDir, OUTCOME_FILE), `${name} ${outcome}`, false);
  log("carried", { code: outcome });
  if (outcome === "answered") {
    [carried, carriedTo, failures, notBefore] = [name, origin, 0, 0];
  } else {
    notBefore = performance.now() + Math.min(FIRST_DELAY_MS * 2 ** failures, LAST_DELAY_MS);
    failures += 1;
    turn += 1;
  }
}

async function carry(heartbeat: Buffer, origin: string): Promise<string> {
  const { places } = order;
  const url = new URL("/v1/heartbeats", origin);
  try {
    const answer = await ask(
      { url, places, body: heartbeat, signal: over.signal },
      MAX_ANSWER_BODY_BYTES,
    );
    if (!answer) return "ERR_STATUS";
    // Before the outcome, which says that it is there.
    writePublicFile(join(heraldDir, ANSWER_FILE), answer, false);
    return "answered";
  } catch (error) {
    if (error instanceof HeraldError) return error.code;
    throw error;
  }
}

/** Its failure is nobody's emergency: the next heartbeat tries again. */
async function update(origin: string): Promise<void> {
  try {
    const { places } = order;
    const name = await fetchUpdate({ origin, places, dir: heraldDir, signal: over.signal });
    log(name === undefined ? "no-release" : "release-fetched");
  } catch (error) {
    if (!(error instanceof HeraldError || error instanceof ReleaseError)) throw error;
    log("release-not-fetched", { code: error.code });
  }
}

function readHeartbeat(): Buffer | undefined {
  try {
    const bytes = readFileSync(join(ordersDir, HEARTBEAT_FILE));
    return bytes.length <= MAX_DOCUMENT_BYTES ? bytes : undefined;
  } catch {
    return undefined;
  }
}

/** Inodes are used again, so their time counts as well. */
function mark(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat && `${stat.ino}-${stat.mtimeNs}`;
}
