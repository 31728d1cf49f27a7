/**
 * phantoma verify: checks a file that somebody hands you, receipts or a release.
 *
 * @module
 */
import type { Command } from "../command.ts";
import { verifyReceipt } from "./verify-receipt.ts";
import { verifyRelease } from "./verify-release.ts";

export const verify: Command = {
  usage: [verifyReceipt, verifyRelease]
    .map(({ usage, summary }) => `${usage}\n      ${summary}`)
    .join("\n\nphantoma "),
  summary: "checks a file that somebody hands you: receipts, or a release",
  run: (args) => (args[0] === "receipt" ? verifyReceipt : verifyRelease).run(args),
};
