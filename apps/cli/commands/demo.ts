/**
 * npm run demo: the whole way once, on this machine: node, pairing, question, answer, receipt.
 *
 * @module
 */
import {
  assertReceiptOf,
  ClientError,
  ControlSession,
  type VerifiedReceipt,
} from "@phantoma/client";
import { generateDeviceIdentity } from "@phantoma/crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "../command.ts";
import { startDemoNode } from "../demo-node.ts";
import { chatOptions, globalOptions, historyOf, parse, samplingOf } from "../options.ts";
import { notice, write, writeJson } from "../output.ts";
import { writeReceipt } from "../receipt-text.ts";
import { openConversation, type Peer, untilOver } from "../session.ts";
import { streamAnswer, type MeasuredAnswer } from "../stream-answer.ts";

const DEFAULT_QUESTION = "What is Phantoma?";

export const demo: Command = {
  usage: "demo [--model FILE] [sampling options] [QUESTION]",
  summary: "starts a node, asks through the tunnel, shows answer and receipt, leaves nothing",
  async run(args) {
    const { values, positionals } = parse(args, { ...globalOptions, ...chatOptions });
    const text = positionals.join(" ") || DEFAULT_QUESTION;
    const sampling = { temperature: 0, ...samplingOf(values) };
    const say = values.json ? () => undefined : notice;
    const device = generateDeviceIdentity();
    say("starting a node …");
    const modelPaths = values.model ? [values.model] : [];
    const node = await startDemoNode({ device, modelPaths });
    try {
      const peer = { profile: node.profile, device };
      say(`paired with ${node.profile.url}; asking: ${text}\n`);
      const conversation = await openConversation(peer, {
        model: node.defaultModel,
        mode: "turn",
        history: historyOf(values),
      });
      const askedAt = performance.now();
      const answer = await streamAnswer(conversation, { text, sampling }, !values.json);
      await untilOver(conversation, askedAt);
      const receipt = await fetchReceipt(peer, conversation.task);
      assertReceiptOf(receipt.receipt, conversation.certificate, device);
      if (values.json) writeJson({ answer, receipt: receipt.receipt });
      else report(answer, receipt);
    } finally {
      await node.stop();
    }
    return 0;
  },
};

/** A worker's process is gone in milliseconds after its last word. */
const RECEIPT_TIMEOUT_MS = 10_000;

/** The keeper signs it when the worker's process is gone, which is a moment after its last word. */
export async function fetchReceipt(
  peer: Peer,
  task: Uint8Array,
  timeoutMs = RECEIPT_TIMEOUT_MS,
): Promise<VerifiedReceipt> {
  const session = await ControlSession.open(peer);
  const deadline = performance.now() + timeoutMs;
  try {
    while (performance.now() < deadline) {
      const [receipt] = await session.receipts({ task, limit: 1 });
      if (receipt) return receipt;
      await sleep(50);
    }
    throw new ClientError("ERR_TIMEOUT", `the node signed no receipt in ${timeoutMs / 1000} s`);
  } finally {
    session.close();
  }
}

function report(answer: MeasuredAnswer, receipt: VerifiedReceipt): void {
  write("\n\n");
  writeReceipt(receipt);
  const { completionTokens, tokensPerSecond, addedMs, firstTextMs } = answer;
  write(`\n${completionTokens} tokens, ${fixed(tokensPerSecond)} tokens/s\n`);
  write(
    `first text after ${fixed(firstTextMs)} ms, of which Phantoma added ${fixed(addedMs)} ms\n`,
  );
}

function fixed(value: number | null): string {
  return value === null ? "?" : value.toFixed(1);
}
