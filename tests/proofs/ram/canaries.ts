/**
 * Words made for one run, that a search of RAM and disk can tell apart: whose, of which ending, from where.
 *
 *   PREFIX-EEpNN.      PREFIX of the run, EE number of the ending, p place, NN number of the word
 *
 * The model of this proof repeats the last PERIOD tokens of its prompt. The question ends with the second half
 * of a word, and PERIOD tokens before the end of its first half: only the answer has the two side by side.
 *
 * @module
 */
import { randomBytes } from "node:crypto";

/** Where a word is put. */
export const places = {
  s: "system prompt",
  a: "attachment",
  q: "question",
  r: "answer",
  e: "text that is embedded",
  c: "text whose tokens are counted",
  g: "grammar",
} as const;

export type Place = keyof typeof places;

export interface Word {
  readonly ending: number;
  readonly place: Place;
  readonly number: number;
}

/** What is said in the chat of one ending. */
export interface Words {
  readonly system: string;
  readonly attachment: string;
  readonly question: string;
  /** Found in the answer, and in nothing that was sent. */
  readonly answer: string;
  /** How many words of these there are. */
  readonly count: number;
  /** Of what is asked before the question, a word each. */
  readonly embedded: string;
  readonly counted: string;
  /** Any answer is of its form. */
  readonly grammar: string;
}

/** The echo model's, in tokens; a token of it is a byte. */
const PERIOD = 96;
/** In each place that a device fills; an answer has one. */
const WORDS_PER_PLACE = 6;
/** Under eight characters a word would be found by chance; over 64 no answer holds one, in bytes. */
const PREFIX_BYTES = { least: 8, most: 64 } as const;
export const TAG = /^-(\d\d)([saqrecg])(\d\d)\.$/;
/** The ending of words that are written to the disk, or printed by the kernel, to be found there. */
export const CONTROL = 99;
/** Characters after the prefix. */
export const TAG_LENGTH = "-EEpNN.".length;

export class Canaries {
  readonly prefix: string;

  /**
   * @param prefix a stranger's own words
   * @throws RangeError when they are too short or too long
   */
  constructor(prefix = randomBytes(8).toString("hex")) {
    const bytes = Buffer.byteLength(prefix);
    const { least, most } = PREFIX_BYTES;
    if (bytes < least || bytes > most)
      throw new RangeError(`words of ${bytes} bytes: from ${least} to ${most} can be searched for`);
    this.prefix = prefix;
  }

  /** @param ending from 0 to 99 */
  words(ending: number): Words {
    const line = (place: Place) =>
      Array.from({ length: WORDS_PER_PLACE }, (_, number) =>
        this.spell({ ending, place, number }),
      ).join(" ");
    const one = (place: Place) => this.spell({ ending, place, number: 0 });
    const answer = one("r");
    return {
      system: line("s"),
      attachment: line("a"),
      question: `${line("q")}${this.#turned(answer)}`,
      answer,
      count: 3 * WORDS_PER_PLACE + 1,
      embedded: one("e"),
      counted: one("c"),
      grammar: `root ::= ${JSON.stringify(one("g"))} | [^\\x00]*`,
    };
  }

  spell({ ending, place, number }: Word): string {
    const digits = (value: number) => String(value).padStart(2, "0");
    return `${this.prefix}-${digits(ending)}${place}${digits(number)}.`;
  }

  /** A word with its halves the wrong way round, filled up to a period. */
  #turned(word: string): string {
    const characters = Array.from(word);
    const half = Math.ceil((characters.length - TAG_LENGTH) / 2);
    const first = characters.slice(0, half).join("");
    const second = characters.slice(half).join("");
    const fill = " ".repeat(PERIOD - Buffer.byteLength(word));
    return second + fill + first;
  }
}

export function isOfChat({ place }: Word): boolean {
  return "saqr".includes(place);
}

/** The word whose last characters these are; `undefined` where it is cut or changed. */
export function readTag(untrusted: string): Word | undefined {
  const [, ending, place, number] = TAG.exec(untrusted) ?? [];
  if (place === undefined) return undefined;
  return { ending: Number(ending), place: place as Place, number: Number(number) };
}
