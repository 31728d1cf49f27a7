/**
 * What a server is to be told by a person, on its way: given beforehand, or asked for through the page.
 *
 * @module
 */
import { Secret } from "@phantoma/crypto";
import { ProvisionError, type Wish } from "@phantoma/provision";
import type { SetupWish } from "../../ipc/setup.ts";

type Given = Partial<Record<Wish["kind"], Secret>>;

export class Asked {
  readonly #given: Given;
  readonly #show: (wishes: SetupWish[]) => void;
  #waiting: PromiseWithResolvers<readonly Secret[]> | undefined;
  #count = 0;

  /**
   * @param given each is used once
   * @param show is told what a person is asked for, and nothing when it was answered
   */
  constructor(given: Given, show: (wishes: SetupWish[]) => void) {
    this.#given = given;
    this.#show = show;
  }

  /** @throws ProvisionError `ERR_CANCELLED` */
  readonly ask = async (wishes: readonly Wish[]): Promise<readonly Secret[]> => {
    const [only] = wishes;
    const given = wishes.length === 1 ? this.#take(only!.kind) : undefined;
    if (given) return [given];
    this.#waiting = Promise.withResolvers();
    this.#count = wishes.length;
    this.#show(wishes.map(viewOf));
    try {
      return await this.#waiting.promise;
    } finally {
      this.#waiting = undefined;
      this.#show([]);
    }
  };

  /** @returns whether that is what was asked for */
  answer(answers: readonly string[]): boolean {
    if (!this.#waiting || answers.length !== this.#count) return false;
    this.#waiting.resolve(answers.map((answer) => new Secret(Buffer.from(answer, "utf8"))));
    return true;
  }

  cancel(): void {
    this.#waiting?.reject(new ProvisionError("ERR_CANCELLED"));
    for (const secret of Object.values(this.#given)) secret.erase();
  }

  #take(kind: Wish["kind"]): Secret | undefined {
    const secret = this.#given[kind];
    delete this.#given[kind];
    return secret;
  }
}

function viewOf(wish: Wish): SetupWish {
  if (wish.kind !== "question") return { kind: wish.kind, text: "", isShown: false };
  // As a line, whatever a server puts into it.
  const text = wish.text.replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, " ").trim();
  return { kind: "question", text, isShown: wish.isShown };
}
