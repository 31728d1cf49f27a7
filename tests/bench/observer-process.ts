/**
 * Relays bytes between a device and a gateway and writes down the TLS records among them. In a
 * process of its own, so that its clock is not disturbed by either end.
 *
 *   observer-process.ts PORT
 *
 * @module
 */
import { connect, createServer, type Socket } from "node:net";

export interface SeenRecord {
  /** When its last byte passed, in milliseconds since 1970 with fractions. */
  readonly at: number;
  readonly isUp: boolean;
  /** Of the encrypted record, as its header says in the clear. */
  readonly bytes: number;
}

/** Type, version, length. */
const HEADER_BYTES = 5;
/** The only type that carries data once both ends have keys. */
const APPLICATION_DATA = 23;

const gatewayPort = Number(process.argv[2]);
let seen: SeenRecord[] = [];

const server = createServer((device) => {
  const gateway = connect({ port: gatewayPort, host: "127.0.0.1" });
  relay(device, gateway, true);
  relay(gateway, device, false);
});
server.listen(0, "127.0.0.1", () => process.send!((server.address() as { port: number }).port));
process.on("message", () => {
  process.send!(seen);
  seen = [];
});
process.on("disconnect", () => process.exit(0));

function relay(from: Socket, to: Socket, isUp: boolean): void {
  from.setNoDelay(true);
  let pending: Buffer = Buffer.alloc(0);
  from.on("data", (chunk: Buffer) => {
    const at = performance.timeOrigin + performance.now();
    to.write(chunk);
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= HEADER_BYTES) {
      const bytes = pending.readUInt16BE(3);
      if (pending.length < HEADER_BYTES + bytes) return;
      if (pending[0] === APPLICATION_DATA) seen.push({ at, isUp, bytes });
      pending = pending.subarray(HEADER_BYTES + bytes);
    }
  });
  from.on("error", () => to.destroy());
  from.on("close", () => to.destroy());
}
