/**
 * What a program may ask of `/v1/embeddings`.
 *
 * Source: OpenAI API reference, "Create embeddings".
 *
 * @module
 */
import { z } from "zod";
import { admitParameters, type ParameterTable } from "../../request/parameters.ts";
import { modelField, modelRow, nameField } from "../../request/request-fields.ts";

export const embeddingsParameters: ParameterTable = {
  model: modelRow,
  input: {
    taken: "a text or up to 256 of them, none empty. Lists of tokens are refused",
    example: ["hello"],
  },
  encoding_format: { taken: "`float` or `base64`", example: "base64" },
  user: { taken: "each request has a worker of its own in any case", example: "somebody" },
  dimensions: { refused: "a vector is as long as the model makes it", example: 8 },
};

/** One after the other on one worker. */
const MAX_INPUTS = 256;

const text = z.string().min(1);

const schema = z.strictObject({
  model: modelField,
  input: z.union([text, z.array(text).min(1).max(MAX_INPUTS)]),
  encoding_format: z.enum(["float", "base64"]).exactOptional(),
  user: nameField,
});

export interface EmbeddingsRequest {
  readonly model: string;
  readonly texts: readonly string[];
  readonly isBase64: boolean;
}

/** @throws `ApiError` 400 */
export function parseEmbeddingsRequest(
  untrusted: Readonly<Record<string, unknown>>,
): EmbeddingsRequest {
  const { model, input, encoding_format } = admitParameters(
    embeddingsParameters,
    schema,
    untrusted,
  );
  return { model, texts: [input].flat(), isBase64: encoding_format === "base64" };
}
