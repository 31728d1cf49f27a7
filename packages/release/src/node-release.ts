/**
 * The files of a release as they lie on a node, read piece by piece through the tunnel. Nothing here is believed: a device
 * gives them to its own verifier, and learns who signed from that and not from the node.
 *
 * @module
 */
import { ReleaseError } from "./release-error.ts";
import type { ReleaseSource } from "./release-source.ts";
import { compareVersions } from "./version.ts";

/** What was fetched last, verified by nobody; what the installer was given. Each has metadata of its own. */
export type NodePlace = "fetched" | "given";

interface PieceReader {
  /** `bytes`: how long the whole file is, `null` where there is none. */
  readUpdate(
    place: NodePlace,
    path: string,
    offset: number,
  ): Promise<{ readonly bytes: number | null; readonly piece: Buffer }>;
}

export class NodeRelease implements ReleaseSource {
  readonly #session: PieceReader;
  readonly #places: readonly NodePlace[];

  /** @param places a file is read from the first that has it */
  constructor(session: PieceReader, ...places: readonly [NodePlace, ...NodePlace[]]) {
    this.#session = session;
    this.#places = places;
  }

  async read(path: string, maxBytes: number): Promise<Buffer | undefined> {
    for (const place of this.#places) {
      const bytes = await this.#readAt(place, path, maxBytes);
      if (bytes) return bytes;
    }
    return undefined;
  }

  async #readAt(place: NodePlace, path: string, maxBytes: number): Promise<Buffer | undefined> {
    const parts: Buffer[] = [];
    for (let offset = 0; ;) {
      const { bytes, piece } = await this.#session.readUpdate(place, path, offset);
      if (bytes === null) return undefined;
      if (bytes > maxBytes || offset + piece.length > maxBytes)
        throw new ReleaseError(
          "ERR_TOO_LARGE",
          `${path} of the node is longer than ${maxBytes} bytes`,
        );
      parts.push(piece);
      offset += piece.length;
      if (piece.length === 0 || offset >= bytes) return Buffer.concat(parts);
    }
  }
}

interface OnNode<T> {
  /** That runs. */
  readonly version: string;
  readonly fetched: readonly T[];
  readonly given: readonly T[];
}

/** What lies on a node that is newer than what runs there, the newest first; bytes that lie in both places, for each. */
export function newerOnNode<T extends { readonly version: string }>({
  version: running,
  ...held
}: OnNode<T>): (T & { readonly place: NodePlace })[] {
  return (["fetched", "given"] as const)
    .flatMap((place) => held[place].map((one) => ({ ...one, place })))
    .filter(({ version }) => compareVersions(version, running) > 0)
    .toSorted((a, b) => compareVersions(b.version, a.version));
}
