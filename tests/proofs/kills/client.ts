/**
 * A whole task, as a device has it, and what the device was told when the task could not be finished.
 *
 * @module
 */
import { ClientError, Conversation, type ClientErrorCode } from "@phantoma/client";
import type { DeviceIdentity } from "@phantoma/crypto";
import type { LocalNode } from "@phantoma/client";

export interface Seen {
  /** The whole answer came, up to its authenticated end. */
  readonly isWhole: boolean;
  /** How it ended: `ended` in order, or as the device was told. */
  readonly how: "ended" | ClientErrorCode | "unclear";
  readonly message: string;
  readonly task: Uint8Array | undefined;
}

/** What may be said of a process that was killed: try again, and nothing about attacks, models or devices. */
const clear: ReadonlySet<string> = new Set([
  "ERR_UNREACHABLE",
  "ERR_CONNECTION_LOST",
  "ERR_BUSY",
  "ERR_UNAVAILABLE",
] satisfies ClientErrorCode[]);

export function isClear({ isWhole, how }: Seen): boolean {
  return (isWhole && how === "ended") || clear.has(how);
}

export interface Task {
  readonly node: LocalNode;
  readonly device: DeviceIdentity;
  /** In the system prompt, an attachment, the question and so in the answer. */
  readonly word: string;
  /** A worker was asked for, and there is none yet. */
  readonly onQueued?: () => void;
  /** A worker has the task. */
  readonly onOpened?: () => void;
}

export async function runTask({ node, device, word, onQueued, onOpened }: Task): Promise<Seen> {
  let task: Uint8Array | undefined;
  let isWhole = false;
  try {
    const conversation = await Conversation.open({
      profile: node.profile,
      device,
      model: node.defaultModel,
      history: [{ role: "system", text: `Remember ${word}.` }],
      onNote: ({ note }) => note === "queued" && onQueued?.(),
    });
    task = conversation.task;
    onOpened?.();
    const file = await conversation.attach("notes.txt", Buffer.from(`It says ${word}.\n`));
    const turn = {
      text: `Repeat: ${word}`,
      attachments: [file],
      sampling: { temperature: 0, maxTokens: 200 },
    };
    let text = "";
    for await (const event of conversation.turn(turn)) {
      if (event.type === "delta") text += event.text;
      if (event.type === "end") isWhole = text.includes(word);
    }
    await conversation.end();
    const closed = await conversation.closed;
    if (closed instanceof ClientError) throw closed;
    return { isWhole, how: closed === "ended" ? closed : "unclear", message: closed, task };
  } catch (error) {
    const { message } = error as Error;
    return { isWhole, how: error instanceof ClientError ? error.code : "unclear", message, task };
  }
}
