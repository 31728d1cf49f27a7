/**
 * The files of a release as they lie on a node, read through the tunnel. Nothing here is believed: a device gives them
 * to its own verifier, and learns who signed from that and not from the node.
 *
 * @module
 */
import { ClientError } from "./client-error.ts";
import type { ControlSession } from "./control-session.ts";

export class NodeRelease {
  readonly #session: Pick<ControlSession, "readUpdate">;

  constructor(session: Pick<ControlSession, "readUpdate">) {
    this.#session = session;
  }

  /**
   * What was fetched last; what the installer was given where that has no such file.
   *
   * @returns `undefined` where neither has it
   * @throws {@link ClientError} `ERR_LIMIT` past `maxBytes`, without reading on
   */
  async read(path: string, maxBytes: number): Promise<Buffer | undefined> {
    return (
      (await this.#readAt("fetched", path, maxBytes)) ??
      (await this.#readAt("given", path, maxBytes))
    );
  }

  async #readAt(
    place: "fetched" | "given",
    path: string,
    maxBytes: number,
  ): Promise<Buffer | undefined> {
    const parts: Buffer[] = [];
    for (let offset = 0; ;) {
      const { bytes, piece } = await this.#session.readUpdate(place, path, offset);
      if (bytes === null) return undefined;
      if (bytes > maxBytes || offset + piece.length > maxBytes)
        throw new ClientError("ERR_LIMIT", `${path} of the node is longer than ${maxBytes} bytes`);
      parts.push(piece);
      offset += piece.length;
      if (piece.length === 0 || offset >= bytes) return Buffer.concat(parts);
    }
  }
}
