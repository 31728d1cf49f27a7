/**
 * A tar archive that says nothing of who made it, when and where: plain ustar, files only, in the given order, root's,
 * all of one time, through gzip without a name or a time.
 *
 * @module
 */
import { createReadStream, createWriteStream, statSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { modeOf } from "../../apps/node/installer/manifest.ts";

const BLOCK_BYTES = 512;

export interface TarFile {
  /** At most 100 characters. */
  readonly name: string;
  /** Of the file on this machine. */
  readonly path: string;
  readonly isExecutable: boolean;
}

/** @param time of every entry, in seconds since 1970 */
export async function writeTarGz(
  to: string,
  files: readonly TarFile[],
  time: number,
  level: number,
): Promise<void> {
  const archive = Readable.from(blocks(files, time), { objectMode: false });
  await pipeline(archive, createGzip({ level }), createWriteStream(to));
}

async function* blocks(files: readonly TarFile[], time: number): AsyncGenerator<Buffer> {
  for (const file of files) {
    const { size } = statSync(file.path);
    yield header(file, size, time);
    for await (const chunk of createReadStream(file.path)) yield chunk as Buffer;
    const padding = -size & (BLOCK_BYTES - 1);
    if (padding > 0) yield Buffer.alloc(padding);
  }
  yield Buffer.alloc(2 * BLOCK_BYTES);
}

/** POSIX.1-1988 (ustar), the form that every program reads. */
function header({ name, isExecutable }: TarFile, size: number, time: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  if (Buffer.byteLength(name) > 100) throw new Error(`too long for a tar header: ${name}`);
  block.write(name, 0);
  octal(block, modeOf({ isExecutable }), 100, 8);
  octal(block, 0, 108, 8);
  octal(block, 0, 116, 8);
  octal(block, size, 124, 12);
  octal(block, time, 136, 12);
  block.fill(" ", 148, 156);
  block.write("0", 156);
  block.write("ustar\x0000", 257);
  octal(block, 0, 329, 8);
  octal(block, 0, 337, 8);
  const sum = block.reduce((a, b) => a + b, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

function octal(block: Buffer, value: number, offset: number, length: number): void {
  block.write(value.toString(8).padStart(length - 1, "0"), offset);
}
