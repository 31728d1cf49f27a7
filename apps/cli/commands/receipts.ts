/**
 * phantoma receipts: what a node reports of its ended tasks; each is verified, and can be taken away.
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import {
  ClientError,
  encodeReceiptFile,
  MAX_FILE_RECEIPTS,
  receiptGaps,
  type VerifiedReceipt,
} from "@phantoma/client";
import { deviceListDocument, sameBytes, type DeviceIdentity } from "@phantoma/crypto";
import type { Command } from "../command.ts";
import { Home } from "../home.ts";
import { commonOptions, parse } from "../options.ts";
import { notice, UsageError, write, writeJson } from "../output.ts";
import { gapText, receiptJson, writeRow } from "../receipt-text.ts";
import { withControl, type Peer } from "../session.ts";

const options = { ...commonOptions, all: { type: "boolean", default: false } } as const;

export const receipts: Command = {
  usage: "receipts [list | export NUMBER FILE | export --all FILE]",
  summary: "what the node reports of its last 100 ended tasks; `phantoma verify` checks a file",
  async run(args) {
    const { values, positionals } = parse(args, options);
    const [action = "list", ...rest] = positionals;
    if (action !== "list" && action !== "export")
      throw new UsageError(`receipts cannot ${JSON.stringify(action)}`);
    const home = new Home(values.home);
    const peer = { profile: home.node(values.node), device: home.device() };
    const { found, isAdmin } = await fetchReceipts(peer);
    if (action === "list") return list(found, isAdmin, values.json);
    const [number, file] = values.all ? [undefined, rest[0]] : rest;
    if (!file || rest.length > (values.all ? 1 : 2))
      throw new UsageError("export wants a receipt's number, or --all, and a file");
    const chosen = number === undefined ? found : [numbered(found, number)];
    return save(peer, chosen, file, values.json);
  },
};

async function fetchReceipts(peer: Peer) {
  return withControl(peer, async (session) => ({
    found: await session.receipts({ limit: MAX_FILE_RECEIPTS }),
    isAdmin: isAdmin(await session.deviceList(), peer.device),
  }));
}

/** A hint for what is said about missing numbers, as the node's own list has it. */
function isAdmin(list: Uint8Array, { signing }: DeviceIdentity): boolean {
  const { devices } = deviceListDocument.open(list, ({ signer }) => signer);
  return devices.some(
    ({ signingKey, role, revokedAt }) =>
      role === "admin" && revokedAt === null && sameBytes(signingKey, signing.publicKey),
  );
}

function list(found: readonly VerifiedReceipt[], isAdmin: boolean, isJson: boolean): number {
  const gaps = receiptGaps(found.map(({ receipt }) => receipt));
  if (isJson) {
    // Only an admin is given every receipt, so only an admin can miss one.
    writeJson({ receipts: found.map(receiptJson), missing: isAdmin ? gaps : null });
    return 0;
  }
  if (found.length === 0) notice("the node has no receipt: no task has ended since it started");
  else notice("the node reports, each line signed by its keeper; newest first");
  for (const receipt of found) writeRow(receipt);
  if (isAdmin)
    for (const gap of gaps) write(`${gapText(gap)}: the node did not give what it has\n`);
  else if (gaps.length > 0) notice("the numbers between are those of other devices");
  return 0;
}

/** Of the present run of the keeper, where two runs have the same number. */
function numbered(found: readonly VerifiedReceipt[], text: string): VerifiedReceipt {
  if (!/^[1-9]\d{0,19}$/.test(text)) throw new UsageError("a receipt's number is 1, 2, 3 …");
  const receipt = found.find(({ receipt: { sequence } }) => sequence === BigInt(text));
  if (receipt) return receipt;
  throw new ClientError("ERR_RECEIPT_UNKNOWN", `receipt ${text} is not among the node's last`);
}

function save(
  { profile }: Peer,
  chosen: readonly VerifiedReceipt[],
  file: string,
  isJson: boolean,
): number {
  if (chosen.length === 0) throw new ClientError("ERR_RECEIPT_UNKNOWN", "there is no receipt yet");
  const bytes = encodeReceiptFile(profile, chosen);
  try {
    // Another file's content is not replaced by mistake.
    writeFileSync(file, bytes, { flag: "wx" });
  } catch (error) {
    throw new UsageError(`${file} cannot be written: ${(error as NodeJS.ErrnoException).code}`);
  }
  const numbers = chosen.map(({ receipt }) => receipt.sequence);
  if (isJson) writeJson({ file, receipts: numbers, bytes: bytes.length });
  else write(`${chosen.length === 1 ? "1 receipt" : `${chosen.length} receipts`} in ${file}\n`);
  return 0;
}
