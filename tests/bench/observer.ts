/**
 * Somebody on the network between a device and its node: sees every TLS record's size and moment.
 *
 * @module
 */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { SeenRecord } from "./observer-process.ts";

export type { SeenRecord } from "./observer-process.ts";

export interface SeenAnswer {
  readonly askedAt: number;
  /** Everything the node sent until the device asked again, in order. */
  readonly records: readonly SeenRecord[];
}

/** A padded request, and only that, is larger: 1,024 bytes and what goes around them. */
const REQUEST_BYTES = 1_000;

export class Observer {
  readonly port: number;
  readonly #child: ChildProcess;

  static async between(gatewayUrl: string): Promise<Observer> {
    const entry = fileURLToPath(new URL("observer-process.ts", import.meta.url));
    const child = fork(entry, [new URL(gatewayUrl).port]);
    const [port] = (await once(child, "message")) as [number];
    return new Observer(child, port);
  }

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** What passed since the last time. */
  async take(): Promise<SeenRecord[]> {
    this.#child.send("take");
    const [records] = (await once(this.#child, "message")) as [SeenRecord[]];
    return records;
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGKILL");
    await once(this.#child, "exit");
  }
}

/** The gateway's ping, every 15 s whatever happens: two bytes and what TLS puts around them. */
const PING_BYTES = 19;

/**
 * Cuts what passed on one connection into answers, as an observer can: at the large records upward.
 *
 * @param seen from message 1 (which is as large as a request), over `open` and `turns` turns, to `end`
 */
export function answersIn(seen: readonly SeenRecord[], turns: number): SeenAnswer[] {
  const requests = seen.filter(({ isUp, bytes }) => isUp && bytes > REQUEST_BYTES);
  if (requests.length !== turns + 3)
    throw new Error(`${requests.length} requests seen instead of ${turns + 3}`);
  return requests.slice(2, -1).map(({ at: askedAt }, index) => {
    const nextAt = requests[index + 3]!.at;
    const records = seen.filter(
      ({ isUp, at, bytes }) => !isUp && bytes !== PING_BYTES && at >= askedAt && at < nextAt,
    );
    return { askedAt, records };
  });
}
