/** docs/endpoint.md says of every parameter what the endpoint does with it. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { countParameters } from "./anthropic/count-parameters.ts";
import { messagesParameters } from "./anthropic/messages-parameters.ts";
import { chatParameters } from "./openai/chat/chat-parameters.ts";
import { completionsParameters } from "./openai/completions/completions-parameters.ts";
import { embeddingsParameters } from "./openai/embeddings/embeddings-parameters.ts";
import { responsesParameters } from "./openai/responses/responses-parameters.ts";
import type { ParameterRow } from "./request/parameters.ts";

const text = readFileSync(new URL("../../../docs/endpoint.md", import.meta.url), "utf8");

test.each([
  ["POST /v1/chat/completions", chatParameters],
  ["POST /v1/completions", completionsParameters],
  ["POST /v1/embeddings", embeddingsParameters],
  ["POST /v1/responses", responsesParameters],
  ["POST /v1/messages", messagesParameters],
  ["POST /v1/messages/count_tokens", countParameters],
])("%s is described as it is", (address, table) => {
  const rows = Object.entries(table).map(([name, row]) => [`\`${name}\``, ...cells(row)]);
  expect(rowsBelow(`## \`${address}\``)).toEqual(rows);
});

function cells(row: ParameterRow): string[] {
  if ("taken" in row) return ["taken", row.taken];
  if ("refused" in row) return ["refused", row.refused];
  return [`only ${row.only.map((value) => `\`${JSON.stringify(value)}\``).join(" or ")}`, row.why];
}

/** Of the table under this heading. */
function rowsBelow(heading: string): string[][] {
  const [section] = text.split(`${heading}\n`)[1]!.split("\n## ");
  return section!
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) =>
      line
        .slice(2, -1)
        .split(" | ")
        .map((cell) => cell.trim()),
    );
}
