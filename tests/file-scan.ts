/**
 * Searches files for words, in their names and in what they hold, as text of one and of two bytes a character; or
 * for bytes, such as a key's.
 *
 * @module
 */
import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";

export interface FileScan {
  readonly hits: number;
  readonly files: number;
}

/** Every file that `pid` has open for writing, with a name or without. */
export function scanOpenFiles(pid: number, word: string): FileScan {
  return sum(
    listed(`/proc/${pid}/fd`).map((fd) => {
      const named = attempt(() => readlinkSync(`/proc/${pid}/fd/${fd}`)) ?? "";
      const flags = attempt(() => readFileSync(`/proc/${pid}/fdinfo/${fd}`, "ascii")) ?? "";
      const isForWriting = /^flags:\s*[0-7]*[12]$/m.test(flags);
      const path = `/proc/${pid}/fd/${fd}`;
      const isFile = isForWriting && attempt(() => statSync(path).isFile());
      const held = scanFile(path, isFile, word);
      return { hits: held.hits + Number(named.includes(word)), files: held.files };
    }),
  );
}

/** All below `dir` on the same file system. */
export function scanFolder(dir: string, word: string | Uint8Array): FileScan {
  const device = attempt(() => lstatSync(dir).dev);
  return sum(
    listed(dir).map((name) => {
      const path = join(dir, name);
      const status = attempt(() => lstatSync(path));
      if (!status || status.dev !== device) return NOTHING;
      const { hits, files } = status.isDirectory()
        ? scanFolder(path, word)
        : scanFile(path, status.isFile(), word);
      return { hits: hits + Number(typeof word === "string" && name.includes(word)), files };
    }),
  );
}

/** Every file system in memory that `pid` can see, as a path of ours. */
export function memoryMounts(pid: number): string[] {
  return readFileSync(`/proc/${pid}/mountinfo`, "utf8")
    .split("\n")
    .filter((line) => line.includes(" - tmpfs ") || line.includes(" - ramfs "))
    .map((line) => `/proc/${pid}/root${line.split(" ")[4]}`);
}

const NOTHING: FileScan = { hits: 0, files: 0 };

/** @param isFile whether it is a regular one: a pipe would be waited for */
function scanFile(path: string, isFile: boolean | undefined, word: string | Uint8Array): FileScan {
  const content = isFile ? attempt(() => readFileSync(path)) : undefined;
  if (!content) return NOTHING;
  const needles =
    typeof word === "string"
      ? [Buffer.from(word, "utf8"), Buffer.from(word, "utf16le")]
      : [Buffer.from(word)];
  return { hits: needles.filter((needle) => content.includes(needle)).length, files: 1 };
}

function listed(dir: string): string[] {
  return attempt(() => readdirSync(dir)) ?? [];
}

/** What vanishes while it is looked at is not there. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

function sum(scans: readonly FileScan[]): FileScan {
  return scans.reduce(
    (all, { hits, files }) => ({ hits: all.hits + hits, files: all.files + files }),
    NOTHING,
  );
}
