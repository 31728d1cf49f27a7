/**
 * What was said in a conversation, sealed between its turns.
 *
 *   kept ──begin──> with the user's message ──answered──> kept
 *     └────────────────── takeBack ──────────────────────┘
 *
 * @module
 */
import { decodeText, type ChatMessage } from "@phantoma/protocol";
import type { MessageRole, SealedPayload, SealedPayloads } from "./sealed-payloads.ts";

interface KeptMessage {
  readonly role: MessageRole;
  readonly payload: SealedPayload;
}

export class SealedHistory {
  readonly #payloads: SealedPayloads;
  #messages: KeptMessage[] = [];
  /** What a turn that gives no answer goes back to. */
  #before: readonly KeptMessage[] = [];

  constructor(payloads: SealedPayloads) {
    this.#payloads = payloads;
  }

  /** @param text is overwritten */
  add(role: MessageRole, text: Buffer): void {
    const label = { kind: "message", role, index: this.#messages.length } as const;
    this.#messages.push({ role, payload: this.#payloads.seal(label, text) });
  }

  /**
   * A turn begins: the user's message after the first `keep` messages, or after all.
   *
   * @param text is overwritten
   */
  begin(keep: number | undefined, text: Buffer): void {
    this.#before = this.#messages;
    this.#messages = this.#messages.slice(0, keep);
    this.add("user", text);
  }

  /**
   * For the model, for this turn only: as strings, which nobody can overwrite, because its tokenizer takes no
   * bytes.
   *
   * @throws `CryptoError` `ERR_AUTHENTICATION`: end the conversation
   */
  open(): ChatMessage[] {
    return this.#messages.map(({ role, payload }, index) => {
      const bytes = this.#payloads.open({ kind: "message", role, index }, payload);
      const text = decodeText(bytes);
      bytes.fill(0);
      return { role, text };
    });
  }

  /**
   * The turn's answer, also one that was cut off; what the turn did not keep is shredded.
   *
   * @param text is overwritten
   */
  answered(text: Buffer): void {
    this.add("assistant", text);
    this.#shred(this.#before, this.#messages);
  }

  /** There was no answer: all is as it was before the turn. */
  takeBack(): void {
    const begun = this.#messages;
    this.#messages = [...this.#before];
    this.#shred(begun, this.#messages);
  }

  #shred(from: readonly KeptMessage[], except: readonly KeptMessage[]): void {
    for (const message of from)
      if (!except.includes(message)) this.#payloads.shred(message.payload);
    this.#before = [];
  }
}
