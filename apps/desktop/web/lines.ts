/**
 * JSON values in a stream of bytes, one in each line; an empty line only says that the other end is
 * there.
 *
 * @module
 */

/** The largest event is an answer's whole text. */
const MAX_LINE_CHARS = 16 * 1024 * 1024;

/** Reads values as they come. @throws when a line is no JSON or has no end */
export async function* readLines(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<unknown, void, undefined> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
      rest = lines.pop()!;
      if (rest.length > MAX_LINE_CHARS) throw new RangeError("a line is too long");
      for (const line of lines) if (line !== "") yield JSON.parse(line);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
