/**
 * The model's own chat template: turns a conversation into the text that the model was trained on.
 *
 * What people wrote never passes through the template. It is rendered with a marker in the place of each
 * message and cut at the markers, so that only the template's own words are read as control tokens.
 *
 * @module
 */
import { randomBytes } from "node:crypto";

import { EngineError } from "./engine-error.ts";
import { fallbackTemplate } from "./fallback-template.ts";
import type { LlamaAddon } from "./llama-addon.ts";
import type { Tokenizer } from "./tokenizer.ts";

export interface ChatMessage {
  readonly role: "system" | "user" | "assistant";
  readonly text: string;
}

/** The model's own, or none: then texts follow each other as they are. */
export type TemplateChoice = "model" | "none";

/** A stretch of the prompt: the template's own words, or one message. */
export type PromptPart =
  | { readonly kind: "template"; readonly text: string }
  | { readonly kind: "content"; readonly role: ChatMessage["role"]; readonly text: string };

export class ChatTemplate {
  readonly #render: (variables: Readonly<Record<string, unknown>>) => string;
  readonly #texts: { readonly bos_token: string; readonly eos_token: string };
  readonly #dropsThoughts: boolean;

  private constructor(addon: LlamaAddon, source: string, tokenizer: Tokenizer) {
    const renderer = new addon.AddonJinjaRenderer(source);
    this.#render = (variables) => renderer.render(variables);
    this.#texts = { bos_token: tokenizer.beginText, eos_token: tokenizer.endText };
    this.#dropsThoughts = source.includes(THOUGHT_END);
  }

  /**
   * The template in the file, or one that suits the vocabulary when the file has none that works.
   *
   * @param source from the model file, which anyone may have written
   */
  static choose(addon: LlamaAddon, source: string | undefined, tokenizer: Tokenizer): ChatTemplate {
    if (source !== undefined && source.trim() !== "") {
      try {
        const template = new ChatTemplate(addon, source, tokenizer);
        template.prompt(SAMPLE);
        return template;
      } catch {
        // A template that cannot render two lines is no template.
      }
    }
    return new ChatTemplate(addon, fallbackTemplate(tokenizer), tokenizer);
  }

  /**
   * The whole prompt, up to where the assistant's answer begins.
   *
   * @throws {@link EngineError} `ERR_CONVERSATION`
   */
  prompt(history: readonly ChatMessage[]): readonly PromptPart[] {
    const messages = joinNeighbours(history);
    const parts = this.#parts(messages, true) ?? this.#parts(systemInsideUser(messages), true);
    if (parts === undefined) {
      throw new EngineError(
        "ERR_CONVERSATION",
        "the model's template refuses this order of messages",
      );
    }
    return parts;
  }

  /** The words between an answer and the next question, `undefined` when the template does not say. */
  turnEnd(): string | undefined {
    const parts = this.#parts(SAMPLE, false);
    const answer =
      parts?.findIndex((part) => part.kind === "content" && part.role === "assistant") ?? -1;
    const next = parts?.[answer + 1];
    return answer >= 0 && next?.kind === "template" ? next.text : undefined;
  }

  /** `undefined` when the template throws, or loses a message. */
  #parts(messages: readonly ChatMessage[], asksForAnswer: boolean): PromptPart[] | undefined {
    const mark = `m${randomBytes(8).toString("hex")}n`;
    let rendered: string;
    try {
      rendered = this.#render({
        ...this.#texts,
        messages: messages.map(({ role }, index) => ({ role, content: `${mark}${index}e` })),
        add_generation_prompt: asksForAnswer,
      });
    } catch {
      return undefined;
    }
    const parts: PromptPart[] = [];
    let rest = rendered;
    for (const [index, { role, text }] of messages.entries()) {
      const marker = `${mark}${index}e`;
      const at = rest.indexOf(marker);
      if (at < 0) return undefined;
      parts.push({ kind: "template", text: rest.slice(0, at) });
      parts.push({
        kind: "content",
        role,
        text: this.#dropsThoughts ? withoutThoughts(role, text) : text,
      });
      rest = rest.slice(at + marker.length);
    }
    // A marker left over is a message said twice.
    if (rest.includes(mark)) return undefined;
    parts.push({ kind: "template", text: rest });
    return parts.filter(({ text }) => text !== "");
  }
}

/** Many templates allow one message per turn. */
function joinNeighbours(messages: readonly ChatMessage[]): ChatMessage[] {
  const joined: ChatMessage[] = [];
  for (const message of messages) {
    const last = joined.at(-1);
    if (last?.role === message.role) {
      joined[joined.length - 1] = { role: last.role, text: `${last.text}\n\n${message.text}` };
    } else {
      joined.push(message);
    }
  }
  return joined;
}

/** For templates without a system role: what it says goes before what the user says next. */
function systemInsideUser(messages: readonly ChatMessage[]): ChatMessage[] {
  return joinNeighbours(
    messages.map(({ role, text }) => ({ role: role === "system" ? "user" : role, text })),
  );
}

/** Such a template was trained without the thoughts of earlier answers, and looks for them itself in the text. */
function withoutThoughts(role: ChatMessage["role"], text: string): string {
  const end = role === "assistant" ? text.lastIndexOf(THOUGHT_END) : -1;
  return end < 0 ? text : text.slice(end + THOUGHT_END.length).trimStart();
}

const THOUGHT_END = "</think>";

const SAMPLE: readonly ChatMessage[] = [
  { role: "user", text: "a" },
  { role: "assistant", text: "b" },
  { role: "user", text: "c" },
];
