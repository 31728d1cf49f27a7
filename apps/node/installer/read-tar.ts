/**
 * Reads a bundle's archive as `tools/bundle/tar.ts` writes it, and nothing else: plain files of root with a plain
 * name. A link, a folder, a device, an extension or an odd number is refused where it is met.
 *
 * @module
 */
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { InstallError } from "./install-error.ts";
import { MAX_FILES, MAX_TREE_BYTES, modeOf, pathSchema } from "./manifest.ts";

const BLOCK_BYTES = 512;

export interface TarEntry {
  readonly path: string;
  readonly size: number;
  readonly isExecutable: boolean;
  /** To be read to its end before the next entry is asked for. */
  readonly content: AsyncIterable<Buffer>;
}

/**
 * Goes to the end of the file, or throws.
 *
 * @param see is shown every byte of it, in turn
 * @throws {@link InstallError} `ERR_TAR`
 */
export async function* readTarGz(
  bundlePath: string,
  see: (bytes: Buffer) => void = () => undefined,
): AsyncGenerator<TarEntry> {
  const file = createReadStream(bundlePath);
  file.on("data", (bytes) => see(bytes as Buffer));
  const unzipped = createGunzip();
  // The error comes out of the reader below.
  pipeline(file, unzipped, () => undefined);
  try {
    yield* readTar(unzipped as AsyncIterable<Buffer>);
  } catch (error) {
    throw error instanceof InstallError ? error : new InstallError("ERR_TAR", { cause: error });
  } finally {
    file.destroy();
    unzipped.destroy();
  }
}

async function* readTar(source: AsyncIterable<Buffer>): AsyncGenerator<TarEntry> {
  const input = new Blocks(source[Symbol.asyncIterator]());
  let bytes = 0;
  for (let files = 0; ; files += 1) {
    const block = await input.take(BLOCK_BYTES);
    if (block.every((byte) => byte === 0)) break;
    const { path, size, isExecutable } = parseHeader(block);
    bytes += size;
    // One more than the manifest lists: itself.
    if (files > MAX_FILES || bytes > MAX_TREE_BYTES) refuse("more than a release has");
    yield { path, size, isExecutable, content: input.chunks(size) };
    const padding = await input.take(-size & (BLOCK_BYTES - 1));
    if (padding.some((byte) => byte !== 0)) refuse("words between two files");
  }
  const last = await input.take(BLOCK_BYTES);
  if (last.some((byte) => byte !== 0) || !(await input.isAtEnd())) refuse("bytes after the end");
}

/** Every field of the header that our archives do not need must be empty. */
function parseHeader(block: Buffer): Pick<TarEntry, "path" | "size" | "isExecutable"> {
  const sum = Buffer.from(block).fill(" ", 148, 156);
  if (octal(block, 148, 7) !== sum.reduce((a, b) => a + b, 0)) refuse("a wrong checksum");
  if (block.toString("latin1", 257, 265) !== "ustar\x0000") refuse("another kind of archive");
  if (block.toString("latin1", 156, 157) !== "0") refuse("something else than a file");
  if (octal(block, 108, 8) !== 0 || octal(block, 116, 8) !== 0) refuse("a file that is not root's");
  const rest = Buffer.concat([
    block.subarray(157, 257),
    block.subarray(265, 329),
    block.subarray(345),
  ]);
  if (rest.some((byte) => byte !== 0)) refuse("a header with more than it needs");
  const name = block.toString("latin1", 0, 100).replace(/\0+$/, "");
  const path = pathSchema.safeParse(name);
  if (!path.success) return refuse("a name that leads elsewhere");
  const mode = octal(block, 100, 8);
  const isExecutable = mode === modeOf({ isExecutable: true });
  if (mode !== modeOf({ isExecutable })) refuse("a mode that no release has");
  return { path: path.data, size: octal(block, 124, 12), isExecutable };
}

/** Digits to the last byte but one, then an end; no sign, no space, no base-256 number. */
function octal(block: Buffer, offset: number, length: number): number {
  const text = block.toString("latin1", offset, offset + length);
  if (!/^[0-7]+\0$/.test(text)) refuse("an odd number");
  return Number.parseInt(text, 8);
}

/** A stream, cut where the reader wants it; holds one chunk of it. */
class Blocks {
  readonly #source: AsyncIterator<Buffer>;
  #held: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterator<Buffer>) {
    this.#source = source;
  }

  /** @param length small: it is held in memory */
  async take(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const part of this.chunks(length)) parts.push(part);
    return Buffer.concat(parts);
  }

  async *chunks(length: number): AsyncGenerator<Buffer> {
    for (let left = length; left > 0;) {
      if (!(await this.#fill())) refuse("its end is missing");
      const part = this.#held.subarray(0, left);
      this.#held = this.#held.subarray(part.length);
      left -= part.length;
      yield part;
    }
  }

  async isAtEnd(): Promise<boolean> {
    return !(await this.#fill());
  }

  async #fill(): Promise<boolean> {
    while (this.#held.length === 0) {
      const next = await this.#source.next();
      if (next.done) return false;
      this.#held = next.value;
    }
    return true;
  }
}

function refuse(about: string): never {
  throw new InstallError("ERR_TAR", { about });
}
