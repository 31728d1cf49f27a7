/**
 * The production page, read once and served from memory: a path that is not in the list is not
 * looked for, so there is nothing to traverse.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import { extname, join, relative, sep } from "node:path";

export interface PageFile {
  readonly body: Buffer;
  readonly contentType: string;
}

/** Every kind of file that a bundle has; another one fails the start, not the reader. */
const contentTypes: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".woff2": "font/woff2",
  ".json": "application/json",
};

/** What the bundler leaves where a nonce belongs. */
export const NONCE_PLACEHOLDER = "__CSP_NONCE__";

const INDEX = "index.html";

export class PageFiles {
  readonly #files: ReadonlyMap<string, PageFile>;

  constructor(files: ReadonlyMap<string, PageFile>) {
    if (!files.has(INDEX)) throw new Error("the page was not built: there is no index.html");
    this.#files = files;
  }

  /** @param path relative, as it stands in an address; no decoding, no normalising */
  get(path: string): PageFile | undefined {
    return path === INDEX ? undefined : this.#files.get(path);
  }

  /** The page itself, with this load's nonce; `head` stands before everything else in its head. */
  index(nonce: string, head = ""): Buffer {
    const html = this.#files.get(INDEX)!.body.toString("utf8");
    return Buffer.from(
      html.replaceAll(NONCE_PLACEHOLDER, nonce).replace("<head>", `<head>${head}`),
    );
  }
}

/** Reads a bundle's folder. @throws when a file is of no known kind */
export function readPageFiles(dir: string): PageFiles {
  const files = new Map<string, PageFile>();
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const full = join(entry.parentPath, entry.name);
    const contentType = contentTypes[extname(entry.name)];
    if (!contentType) throw new Error(`${entry.name}: a bundle has no such file`);
    const path = relative(dir, full).split(sep).join("/");
    files.set(path, { body: readFileSync(full), contentType });
  }
  return new PageFiles(files);
}
