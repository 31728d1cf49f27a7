/**
 * Clients that stall: that read nothing, say nothing, or are not there any more.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { expect, expectEqual, until } from "./expect.ts";
import { RawConnection } from "./raw-client.ts";
import { attachMessage, RawTunnel } from "./raw-tunnel.ts";
import type { Stage } from "./stage.ts";

export async function stall(stage: Stage): Promise<void> {
  await stage.attack("a client that asks and never reads does not fill the gateway", async () => {
    const [gateway] = stage.pids("gateway");
    const before = residentMb(gateway!);
    const tunnel = await RawTunnel.converse(stage);
    tunnel.end.socket.pause();
    for (let stream = 1; stream <= GREEDY_REQUESTS; stream += 1)
      tunnel.say(stream, attachMessage("x"));
    await until(() => tunnel.end.socket.bufferedAmount < 1_000_000, "the requests' departure");
    await stage.stillServes();
    const growth = residentMb(gateway!) - before;
    expect(growth < 100, `the gateway grew by ${growth} MB`);
    tunnel.drop();
    return `${GREEDY_REQUESTS} requests, gateway ${growth >= 0 ? "+" : ""}${growth} MB`;
  });
  await stage.attack("a worker is not kept by a client that went away", async () => {
    await stage.settled();
    const before = stage.pids("worker");
    const tunnels = await Promise.all([RawTunnel.open(stage), RawTunnel.open(stage)]);
    for (const tunnel of tunnels) tunnel.drop();
    await stage.settled();
    const kept = stage.pids("worker").filter((pid) => before.includes(pid)).length;
    expectEqual(kept, 1, "how many of the earlier workers live, the honest one's aside,");
  });
}

/** Clients that stall for as long as the node lets them; judged at the end of the run. */
export async function beginStalling(stage: Stage): Promise<() => Promise<void>> {
  const startedAt = performance.now();
  const loris = await RawConnection.open(stage.node.profile);
  const drip = setInterval(() => loris.socket.write("x"), 1_000);
  loris.socket.write("GET /phantoma/1 HTTP/1.1\r\nx-slow: ");
  const silent = await RawConnection.open(stage.node.profile);
  const halfOpen = Array.from({ length: HALF_OPEN }, () => halfHello(stage));
  const endedAt = new Map<string, number>();
  const watch = (name: string, ended: Promise<unknown>) =>
    void ended.then(() => endedAt.set(name, Math.round(performance.now() - startedAt)));
  watch("loris", loris.closed);
  watch("silent", silent.closed);
  watch("half-open", Promise.all(halfOpen));
  // It was let in and then vanished without a word: it answers no ping.
  const [clerk] = stage.pids("clerk");
  const vanished = await RawTunnel.open(stage, "control");
  vanished.end.socket.pause();
  watch(
    "vanished",
    until(() => !stage.pids("clerk").includes(clerk!), "its end", VANISHED_MS),
  );
  return async () => {
    const judge = (name: string, key: string, limitMs: number) =>
      stage.attack(name, async () => {
        await until(() => endedAt.has(key), "the end", limitMs);
        expect(endedAt.get(key)! < limitMs, `it lasted ${endedAt.get(key)} ms`);
        return `after ${(endedAt.get(key)! / 1000).toFixed(1)} s`;
      });
    await judge("a header sent byte by byte is cut off", "loris", STALL_LIMIT_MS);
    await judge("a connection that says nothing is cut off", "silent", STALL_LIMIT_MS);
    await judge(`${HALF_OPEN} half-open connections are cut off`, "half-open", STALL_LIMIT_MS);
    await judge("a tunnel whose client vanished is ended", "vanished", VANISHED_MS);
    clearInterval(drip);
    for (const connection of [loris, silent]) connection.end();
    vanished.drop();
  };
}

const GREEDY_REQUESTS = 20_000;
const HALF_OPEN = 100;
/** Two pings, 15 s apart, and a moment. */
const VANISHED_MS = 40_000;
/** The gateway gives strangers 10 s; it looks a moment later on a busy machine. */
const STALL_LIMIT_MS = 20_000;

/** A connection that begins a TLS handshake and never goes on; resolves when the node gave it up. */
function halfHello(stage: Stage): Promise<void> {
  const { hostname: host, port } = new URL(stage.node.profile.url);
  const socket = connect({ host, port: Number(port) });
  socket.on("error", () => socket.destroy());
  // A record header that announces more than follows.
  socket.write(Buffer.from("160301010001", "hex"));
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

export function residentMb(pid: number): number {
  const [, kb] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))!;
  return Math.round(Number(kb) / 1024);
}
