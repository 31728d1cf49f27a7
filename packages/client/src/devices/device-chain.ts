/**
 * The lists that were signed while a machine was away, followed from the one that it remembers.
 *
 *   remembered ──signed by an admin of it, names its hash──> next ──…──> the one in force
 *
 * So an admin who was added meanwhile is known by who added them, and one whom the node made up is not.
 *
 * @module
 */
import {
  CryptoError,
  documentHash,
  openNextDeviceList,
  sameBytes,
  type VerifiedDeviceList,
} from "@phantoma/crypto";
import type { ControlSession } from "../control-session.ts";
import { nextSeenDevices, openDeviceList, refuse, type SeenList } from "./seen-devices.ts";

/** Lists: each is a person's decision, so this is three a day for a year. A chain without an end is not followed. */
export const MAX_MISSED_LISTS = 1_000;

/**
 * The node's current list, which continues what this machine has seen.
 *
 * @param seen `undefined`, or another node's: nothing was seen of this one, and what it shows is the beginning
 * @throws {@link ClientError} `ERR_NODE_IDENTITY` when the node went back, tells two stories, or keeps a list back
 */
export async function followDeviceLists(
  session: Pick<ControlSession, "deviceList" | "deviceListsAfter">,
  nodeKey: string,
  seen: SeenList | undefined,
): Promise<VerifiedDeviceList> {
  const current = openDeviceList(await session.deviceList(), nodeKey);
  nextSeenDevices(seen, current);
  if (seen?.nodeKey !== nodeKey || current.version === seen.version) return current;
  const missed = current.version - seen.version;
  if (missed > MAX_MISSED_LISTS)
    refuse(`${missed} device lists are more than this machine follows; pair it anew`);
  // The remembered one comes first, again: only its hash was kept.
  let last: VerifiedDeviceList | undefined;
  while (last?.version !== current.version) {
    const page = await session.deviceListsAfter(last?.version ?? seen.version - 1);
    if (page.length === 0)
      refuse(`it keeps back device list ${last ? last.version + 1 : seen.version}`);
    for (const document of page) {
      last = last ? openNext(document, last) : openSeen(document, seen);
      // Later ones were signed since the first question.
      if (last.version === current.version) break;
    }
  }
  if (!sameBytes(last.hash, current.hash)) refuse(`it shows two device lists ${current.version}`);
  return last;
}

function openSeen(untrusted: Uint8Array, { nodeKey, version, hash }: SeenList) {
  if (Buffer.from(documentHash(untrusted)).toString("hex") === hash)
    return openDeviceList(untrusted, nodeKey);
  return refuse(`it shows another device list ${version} than this machine has seen`);
}

function openNext(untrusted: Uint8Array, last: VerifiedDeviceList): VerifiedDeviceList {
  try {
    return openNextDeviceList(untrusted, last);
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    return refuse(`device list ${last.version} is followed by no genuine one: ${error.message}`);
  }
}
