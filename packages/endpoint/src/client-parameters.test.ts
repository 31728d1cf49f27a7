/**
 * Every parameter that the installed official clients know is in our tables: taken or refused, and never unheard of. A
 * newer client that brings another one fails here.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { countParameters } from "./anthropic/count-parameters.ts";
import { messagesParameters } from "./anthropic/messages-parameters.ts";
import { chatParameters } from "./openai/chat/chat-parameters.ts";
import { completionsParameters } from "./openai/completions/completions-parameters.ts";
import { embeddingsParameters } from "./openai/embeddings/embeddings-parameters.ts";
import { responsesParameters } from "./openai/responses/responses-parameters.ts";
import type { ParameterTable } from "./request/parameters.ts";

const require = createRequire(import.meta.url);
const openai = "openai";
const anthropic = "@anthropic-ai/sdk";

/** Sent as a header that lets parameters in; each of those is in a table. */
const HEADERS = ["betas"];
/** Ours, for samplers that OpenAI's own models do not have; the table says so of each. */
const OURS = ["top_k", "min_p", "repeat_penalty"];

test.each([
  [openai, "chat/completions/completions", ["ChatCompletionCreateParamsBase"], chatParameters],
  [openai, "completions", ["CompletionCreateParamsBase"], completionsParameters],
  [openai, "embeddings", ["EmbeddingCreateParams"], embeddingsParameters],
  [openai, "responses/responses", ["ResponseCreateParamsBase"], responsesParameters],
  [openai, "beta/responses/responses", ["ResponseCreateParamsBase"], responsesParameters],
  [anthropic, "messages/messages", ["MessageCreateParamsBase"], messagesParameters],
  [anthropic, "beta/messages/messages", ["MessageCreateParamsBase"], messagesParameters],
  [anthropic, "messages/messages", ["MessageCountTokensParams"], countParameters],
  [anthropic, "beta/messages/messages", ["MessageCountTokensParams"], countParameters],
] as const)("%s/resources/%s: %s", (client, file, [name], table: ParameterTable) => {
  const known = parametersOf(client, file, name);
  expect(known).toContain("model");
  expect(known.filter((one) => !(one in table) && !HEADERS.includes(one))).toEqual([]);
});

test("what no client of OpenAI's knows is said to be ours", () => {
  const clients = [
    ...parametersOf(openai, "chat/completions/completions", "ChatCompletionCreateParamsBase"),
    ...parametersOf(openai, "completions", "CompletionCreateParamsBase"),
  ];
  const tables: ParameterTable = { ...chatParameters, ...completionsParameters };
  const unknown = Object.keys(tables).filter((name) => !clients.includes(name));
  expect(unknown.toSorted()).toEqual(OURS.toSorted());
  for (const name of OURS)
    expect(tables[name]).toMatchObject({ taken: expect.stringMatching(/^not of OpenAI/) });
});

/** The members of one interface, by the indentation that the clients' generator writes. */
function parametersOf(client: string, file: string, name: string): string[] {
  const path = join(dirname(require.resolve(client)), "resources", `${file}.d.ts`);
  const text = readFileSync(path, "utf8");
  const [, members] = new RegExp(`^export interface ${name} \\{\n(.*?)^\\}`, "ms").exec(text) ?? [];
  if (members === undefined) throw new Error(`${file} has no interface ${name}`);
  return [...members.matchAll(/^ {4}(\w+)\??: /gm)].map(([, member]) => member!);
}
