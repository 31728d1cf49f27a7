/**
 * phantoma verify: checks a file that somebody hands you, receipts or a release.
 *
 * @module
 */
import type { Command } from "../command.ts";
import { verifyReceipt } from "./verify-receipt.ts";
import { verifyRelease } from "./verify-release.ts";

export const verify: Command = {
  usage: `${verifyReceipt.usage}\n      ${verifyReceipt.summary}\n  ${verifyRelease.usage}`,
  summary: verifyRelease.summary,
  run: (args) => (args[0] === "receipt" ? verifyReceipt : verifyRelease).run(args),
};
