/**
 * How what a worker says leaves it: steadily, one equal record per ask of the gateway, or at once.
 *
 * Steady is what every client asks for; unsteady exists so that its cost and benefit can be measured.
 *
 * @module
 */
import {
  encodeLogprobs,
  STEADY_RECORD_BYTES,
  SteadyAnswer,
  TaskKind,
  type SecureChannel,
  type TokenLogprob,
} from "@phantoma/protocol";
import type { FrameLink } from "../ipc/frames.ts";
import { encodeNumber, FromProcess } from "../ipc/process-link.ts";

export class AnswerLine {
  readonly #link: Pick<FrameLink, "send">;
  readonly #channel: SecureChannel;
  readonly #isSteady: boolean;
  readonly #answer = new SteadyAnswer();
  #stream = 0;
  #whenQuiet: (() => void) | undefined;

  constructor(link: Pick<FrameLink, "send">, channel: SecureChannel, isSteady: boolean) {
    this.#link = link;
    this.#channel = channel;
    this.#isSteady = isSteady;
  }

  /** An answer begins: from now to its rounded end, records leave on every tick. */
  begin(stream: number): void {
    if (this.#answer.isActive) this.#channel.outbox.end(this.#stream);
    this.#stream = stream;
    if (!this.#isSteady) return;
    if (!this.#answer.isActive) this.#link.send(FromProcess.pace, encodeNumber(1));
    this.#answer.begin();
  }

  delta(text: string): void {
    this.#channel.outbox.append(this.#stream, TaskKind.delta, Buffer.from(text, "utf8"));
    this.#flushUnlessPaced();
  }

  /** What the model thought of the token whose text comes next. */
  logprobs(token: TokenLogprob, wanted: number): void {
    this.#channel.outbox.push(this.#stream, encodeLogprobs(token, wanted));
    this.#flushUnlessPaced();
  }

  /** The answer's last message; its stream ends with the record that fills the bucket. */
  finish(message: Buffer, whenQuiet: () => void): void {
    this.#channel.outbox.push(this.#stream, message);
    if (this.#isSteady) {
      this.#whenQuiet = whenQuiet;
      this.#answer.finish();
    } else {
      this.#channel.outbox.end(this.#stream);
      this.#flushUnlessPaced();
      whenQuiet();
    }
  }

  /** A message outside an answer. */
  say(stream: number, message: Buffer, isEnd: boolean): void {
    this.#channel.outbox.push(stream, message);
    if (isEnd) this.#channel.outbox.end(stream);
    this.#flushUnlessPaced();
  }

  /** The gateway wants the record of the next tick. */
  sendRecord(): void {
    // An ask may cross our notice that the answer is over.
    if (!this.#answer.isActive) return;
    const { outbox } = this.#channel;
    const isDrained = outbox.fitsWithEnd(STEADY_RECORD_BYTES);
    const isLast = this.#answer.countRecord(isDrained);
    if (isLast) outbox.end(this.#stream);
    this.#link.send(FromProcess.steady, this.#channel.nextSteadyRecord());
    if (!isLast) return;
    this.#link.send(FromProcess.pace, encodeNumber(0));
    this.#whenQuiet?.();
    this.#whenQuiet = undefined;
  }

  /** Sends what is queued at once, whatever the pace: only for the end of a session. */
  flushNow(): void {
    for (const sealed of this.#channel.flush()) this.#link.send(FromProcess.data, sealed);
  }

  #flushUnlessPaced(): void {
    if (this.#answer.isActive) return;
    const sealed = this.#isSteady ? this.#channel.flush() : this.#channel.flushUnpadded();
    for (const record of sealed) this.#link.send(FromProcess.data, record);
  }
}
