/**
 * phantoma receipts: what a node reports of its ended tasks; each is verified, and can be taken away.
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import {
  ClientError,
  encodeReceiptFile,
  receiptPage,
  type ReceiptPage,
  type VerifiedReceipt,
} from "@phantoma/client";
import { activeAdmin } from "@phantoma/crypto";
import type { Command } from "../command.ts";
import { Directory } from "../devices/directory.ts";
import { Home } from "../home.ts";
import { commonOptions, parse } from "../options.ts";
import { notice, UsageError, write, writeJson } from "../output.ts";
import { gapText, receiptJson, writeRow } from "../receipt-text.ts";
import { withControl, type Peer } from "../session.ts";

const options = {
  ...commonOptions,
  all: { type: "boolean", default: false },
  before: { type: "string" },
} as const;

export const receipts: Command = {
  usage: "receipts [list | export NUMBER FILE | export --all FILE] [--before NUMBER]",
  summary:
    "what the node reports of its last 100 ended tasks, or of 100 before a number; `phantoma verify` checks a file",
  async run(args) {
    const { values, positionals } = parse(args, options);
    const [action = "list", ...rest] = positionals;
    if (action !== "list" && action !== "export")
      throw new UsageError(`receipts cannot ${JSON.stringify(action)}`);
    const home = new Home(values.home);
    const peer = home.peer(values.node);
    const before = values.before === undefined ? null : readNumber(values.before);
    if (action === "list") return list(await fetchPage(home, peer, before), before, values.json);
    const [number, file] = values.all ? [undefined, rest[0]] : rest;
    if (!file || rest.length > (values.all ? 1 : 2))
      throw new UsageError("export wants a receipt's number, or --all, and a file");
    if (number !== undefined && before !== null) throw new UsageError("--before goes with --all");
    const chosen =
      number === undefined
        ? (await fetchPage(home, peer, before)).receipts
        : [await fetchOne(peer, readNumber(number))];
    return save(peer, chosen, file, values.json);
  },
};

interface Page extends ReceiptPage {
  readonly isAdmin: boolean;
}

async function fetchPage(home: Home, peer: Peer, before: number | null): Promise<Page> {
  return withControl(peer, async (session) => {
    const page = await receiptPage(session, before);
    const devices = await new Directory(home, peer).follow(session);
    const isAdmin = activeAdmin(devices, peer.device.signing.publicKey) !== undefined;
    return { ...page, isAdmin };
  });
}

/** Of the present run of the keeper: it has no other's. */
async function fetchOne(peer: Peer, number: number): Promise<VerifiedReceipt> {
  const [newest] = await withControl(peer, (session) =>
    session.receipts({ before: number + 1, limit: 1 }),
  );
  if (newest?.receipt.sequence === BigInt(number)) return newest;
  throw new ClientError("ERR_RECEIPT_UNKNOWN", `the node gives no receipt ${number}`);
}

function list(
  { receipts, gaps, next, isAdmin }: Page,
  before: number | null,
  isJson: boolean,
): number {
  if (isJson) {
    // Only an admin is given every receipt, so only an admin can miss one.
    writeJson({ receipts: receipts.map(receiptJson), missing: isAdmin ? gaps : null, next });
    return 0;
  }
  if (receipts.length > 0) notice("the node reports, each line signed by its keeper; newest first");
  else if (before !== null) notice(`the node has no receipt before ${before}`);
  else notice("the node has no receipt: no task has ended since it started");
  for (const receipt of receipts) writeRow(receipt);
  if (isAdmin)
    for (const gap of gaps) write(`${gapText(gap)}: the node did not give what it has\n`);
  else if (gaps.length > 0) notice("the numbers between are those of other devices");
  if (next !== null) notice(`there may be older ones: phantoma receipts --before ${next}`);
  return 0;
}

/** Up to 15 digits: a number of JSON can hold the one after it. */
function readNumber(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new UsageError("a receipt's number is 1, 2, 3 …");
  return Number(text);
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
