/**
 * Attacks on the outer connection: TLS, HTTP, WebSocket frames, and clients that stall.
 *
 * @module
 */
import { connect } from "node:net";
import { CloseCode, TaskKind, TUNNEL_PATH } from "@phantoma/protocol";
import { endsWith, expect, expectEqual } from "./expect.ts";
import { enter, knock, makeTicket, Opcode, RawConnection } from "./raw-client.ts";
import { upgradeRequest, webSocketFrame } from "./raw-client.ts";
import { openMessage, RawTunnel, rawEntry } from "./raw-tunnel.ts";
import type { Stage } from "./stage.ts";

export async function attackConnections(stage: Stage): Promise<void> {
  await attackOuterProtocol(stage);
  await attackFrames(stage);
}

async function attackOuterProtocol(stage: Stage): Promise<void> {
  const { profile } = stage.node;
  await stage.control("TLS 1.3, the right path and a ticket are let in", async () => {
    expectEqual((await knock(profile, upgradeRequest(makeTicket(stage)))).status, 101, "status");
  });
  await stage.attack("TLS 1.2 is refused", async () => {
    const refusal = await RawConnection.open(profile, { maxVersion: "TLSv1.2" }).then(
      () => undefined,
      (error: NodeJS.ErrnoException) => error.code,
    );
    expect(refusal !== undefined, "TLS 1.2 was accepted");
    return refusal;
  });
  await stage.attack("plain HTTP gets no answer", async () => {
    const bytes = await plain(profile.url, upgradeRequest(makeTicket(stage)));
    expect(!bytes.includes("HTTP/1.1"), "an answer in the clear");
    return `${bytes.length} bytes came back`;
  });
  await stage.attack("wrong paths and methods lead nowhere", async () => {
    const upgrade = upgradeRequest(makeTicket(stage));
    const requests = [
      "GET / HTTP/1.1\r\nhost: node\r\n\r\n",
      `POST ${TUNNEL_PATH} HTTP/1.1\r\nhost: node\r\ncontent-length: 0\r\n\r\n`,
      "OPTIONS * HTTP/1.1\r\nhost: node\r\n\r\n",
      upgrade.replace(TUNNEL_PATH, "/"),
      upgrade.replace(TUNNEL_PATH, `${TUNNEL_PATH}/`),
      upgrade.replace(TUNNEL_PATH, `${TUNNEL_PATH}?model=1`),
      upgrade.replace("GET", "POST"),
    ];
    for (const request of requests)
      expectEqual((await knock(profile, request)).status, 404, request.split("\r\n")[0]!);
    const connect = await knock(profile, "CONNECT node:443 HTTP/1.1\r\nhost: node\r\n\r\n");
    expectEqual(connect.status, 0, "the answer to CONNECT");
    return `${requests.length} × 404, CONNECT is cut`;
  });
  await stage.attack("headers of 64 KB are refused", async () => {
    const huge = upgradeRequest(makeTicket(stage), `x-huge: ${"a".repeat(65_536)}`);
    expectEqual((await knock(profile, huge)).status, 431, "status");
    return "431";
  });
  await stage.attack("compression is offered and not taken", async () => {
    const connection = await RawConnection.open(profile);
    const offer = "sec-websocket-extensions: permessage-deflate; client_max_window_bits";
    const { status, head } = await connection.ask(upgradeRequest(makeTicket(stage), offer));
    expectEqual(status, 101, "status");
    expect(!/sec-websocket-extensions/i.test(head), "an extension was agreed on");
    const compressed = webSocketFrame(Opcode.binary, Buffer.alloc(100), { isCompressed: true });
    connection.socket.write(compressed);
    return `a compressed frame closes with ${await connection.closeCode()}`;
  });
}

async function attackFrames(stage: Stage): Promise<void> {
  await stage.control("a frame of 65,535 bytes is served", async () => {
    const tunnel = await RawTunnel.open(stage);
    const record = Buffer.alloc(65_519);
    rawEntry(2, 0, openMessage()).copy(record);
    tunnel.end.send(tunnel.sealRecord(record));
    await tunnel.expectKind(TaskKind.opened);
    tunnel.drop();
  });
  await stage.attack("a frame of 65,536 bytes ends the connection", async () => {
    const tunnel = await RawTunnel.open(stage);
    tunnel.end.send(Buffer.alloc(65_536));
    return endsWith(1009, await tunnel.closed);
  });
  const cut = async (frames: Iterable<Buffer>): Promise<number> => {
    const connection = await enter(stage);
    const closed = connection.closeCode();
    for (const frame of frames) {
      if (connection.isClosed) break;
      if (!connection.socket.write(frame)) await drained(connection);
    }
    return closed;
  };
  await stage.attack("endless fragments end at the limit of one message", async () => {
    const code = await cut(endless(1_000, 10_000));
    return endsEndless(1009, code);
  });
  await stage.attack("endless fragments of one byte end as well", async () => {
    return endsEndless(1008, await cut(endless(1, 20_000)));
  });
  await stage.attack("endless empty fragments end as well", async () => {
    return endsEndless(1008, await cut(endless(0, 20_000)));
  });
  await stage.attack("a text frame ends the connection", async () => {
    return endsWith(CloseCode.limit, await cut([webSocketFrame(Opcode.text, Buffer.from("hi"))]));
  });
  await stage.attack("an unmasked frame ends the connection", async () => {
    const bare = webSocketFrame(Opcode.binary, Buffer.alloc(10), { isMasked: false });
    return endsWith(1002, await cut([bare]));
  });
}

/** Where we still write when it closes, TCP may take the close frame along. */
function endsEndless(expected: number, code: number): string {
  expect(code === expected || code === 1006, `the close code is ${code}`);
  return `close code ${code}`;
}

function* endless(fragmentBytes: number, count: number): Generator<Buffer> {
  const payload = Buffer.alloc(fragmentBytes);
  yield webSocketFrame(Opcode.binary, payload, { isLast: false });
  const more = webSocketFrame(Opcode.continuation, payload, { isLast: false });
  for (let sent = 1; sent < count; sent += 100)
    yield Buffer.concat(Array.from({ length: 100 }, () => more));
}

async function drained(connection: RawConnection): Promise<void> {
  const drain = new Promise<void>((resolve) => connection.socket.once("drain", resolve));
  await Promise.race([drain, connection.closed]);
}

/** What comes back on a connection without TLS, until it is closed. */
function plain(url: string, text: string): Promise<Buffer> {
  const { hostname: host, port } = new URL(url);
  const socket = connect({ host, port: Number(port) });
  const parts: Buffer[] = [];
  socket.on("data", (part: Buffer) => parts.push(part)).on("error", () => socket.destroy());
  socket.write(text);
  return new Promise((resolve) => socket.once("close", () => resolve(Buffer.concat(parts))));
}
