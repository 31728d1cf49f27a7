/** The outer connection against a TLS server on this machine: who may answer, and what it may say. */
import { createServer, type Server } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { MAX_REFUSAL_BYTES, refusals, TICKET_HEADER, TUNNEL_PATH } from "@phantoma/protocol";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { WebSocketServer } from "ws";
import { makeTlsIdentity } from "../../../apps/node/setup/tls-identity.ts";
import type { ClientErrorCode } from "./client-error.ts";
import { connectGateway, StaleTicket } from "./gateway-connection.ts";
import type { NodeProfile } from "./node-profile.ts";

type Tls = Awaited<ReturnType<typeof makeTlsIdentity>>;
let tls: Tls;
let otherTls: Tls;
beforeAll(async () => {
  [tls, otherTls] = await Promise.all([makeTlsIdentity(), makeTlsIdentity()]);
});

const ticket = Buffer.from([1, 2, 250, 255]);
const failing = (code: ClientErrorCode) => expect.objectContaining({ name: "ClientError", code });

function profileOf(port: number, certificate = tls.certificatePem): NodeProfile {
  const url = `wss://127.0.0.1:${port}`;
  const process = { starter: "gateway", policy: "none", release: "00".repeat(32) } as const;
  return { name: "n", url, nodeKey: "", tlsCertificate: certificate, ...process };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

function serverWith(identity: Tls, more: object = {}): Server {
  return createServer({ key: identity.keyPem, cert: identity.certificatePem, ...more });
}

/** A gateway that answers every upgrade with these bytes. */
async function gatewayThatSays(answer: string, end = true): Promise<number> {
  const server = serverWith(tls);
  server.on("upgrade", (_request, socket: Socket) => {
    socket.on("error", () => undefined);
    if (end) socket.end(answer);
    else socket.write(answer);
  });
  return listen(server);
}

function refusal(body: string, status = 401): string {
  return `HTTP/1.1 ${status} Refused\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`;
}

describe("the node that was paired", () => {
  test("is let in by its pin, at its path, with the ticket in its header", async () => {
    const server = serverWith(tls, { minVersion: "TLSv1.3" });
    const sockets = new WebSocketServer({ server });
    const asked = new Promise<unknown[]>((resolve) => {
      sockets.on("connection", (_socket, { url, headers }) => {
        resolve([url, headers[TICKET_HEADER], headers["sec-websocket-extensions"]]);
      });
    });
    const socket = await connectGateway(profileOf(await listen(server)), ticket);
    onTestFinished(() => socket.terminate());
    expect(await asked).toEqual([TUNNEL_PATH, ticket.toString("base64url"), undefined]);
  });
});

describe("nobody else", () => {
  test("with another certificate of the same name is talked to", async () => {
    const server = serverWith(otherTls);
    let wasAsked = false;
    server.on("upgrade", () => (wasAsked = true));
    await expect(connectGateway(profileOf(await listen(server)), ticket)).rejects.toThrow(
      failing("ERR_PIN_MISMATCH"),
    );
    expect(wasAsked).toBe(false);
  });

  test("that speaks an older TLS is talked to", async () => {
    const server = serverWith(tls, { maxVersion: "TLSv1.2" });
    let wasAsked = false;
    server.on("upgrade", () => (wasAsked = true));
    await expect(connectGateway(profileOf(await listen(server)), ticket)).rejects.toThrow(
      failing("ERR_UNREACHABLE"),
    );
    expect(wasAsked).toBe(false);
  });

  test("at a closed port is taken for the node", async () => {
    const server = serverWith(tls);
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    await expect(connectGateway(profileOf(port), ticket)).rejects.toThrow(
      failing("ERR_UNREACHABLE"),
    );
  });

  test("is followed by a redirect", async () => {
    const port = await gatewayThatSays(
      "HTTP/1.1 301 Moved\r\nlocation: wss://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
    );
    await expect(connectGateway(profileOf(port), ticket)).rejects.toThrow(
      failing("ERR_UNREACHABLE"),
    );
  });
});

test("a pinned certificate that is none is a profile that cannot be read", async () => {
  await expect((async () => connectGateway(profileOf(1, "pem"), ticket))()).rejects.toThrow(
    failing("ERR_PROFILE"),
  );
});

describe("a refusal", () => {
  const codes = Object.keys(refusals).filter((code) => code !== "ERR_TICKET_STALE");

  test.each(codes)("with %s is passed on", async (code) => {
    const port = await gatewayThatSays(refusal(JSON.stringify({ code, nodeTime: 5 })));
    await expect(connectGateway(profileOf(port), ticket)).rejects.toThrow(
      failing(code as ClientErrorCode),
    );
  });

  test("of a stale ticket brings the node's time", async () => {
    const body = JSON.stringify({ code: "ERR_TICKET_STALE", nodeTime: 1234 });
    const error = await connectGateway(
      profileOf(await gatewayThatSays(refusal(body))),
      ticket,
    ).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StaleTicket);
    expect(error).toMatchObject({ code: "ERR_TICKET_STALE", nodeTime: 1234 });
  });

  const good = JSON.stringify({ code: "ERR_BUSY", nodeTime: 5 });
  test.each([
    ["that is no JSON", "CANARY-busy"],
    ["with a code of its own", JSON.stringify({ code: "CANARY", nodeTime: 5 })],
    ["with a field too many", JSON.stringify({ code: "ERR_BUSY", nodeTime: 5, text: "CANARY" })],
    ["that is empty", ""],
    ["one byte over its limit", good.padEnd(MAX_REFUSAL_BYTES + 1)],
    ["far over its limit", good.padEnd(200_000)],
  ])("%s is not believed and not quoted", async (_name, body) => {
    const error = (await connectGateway(
      profileOf(await gatewayThatSays(refusal(body))),
      ticket,
    ).catch((reason: unknown) => reason)) as Error;
    expect(error).toEqual(failing("ERR_UNREACHABLE"));
    expect(error.message).toBe("no node answers there (401)");
  });

  test("at its limit is read", async () => {
    const port = await gatewayThatSays(refusal(good.padEnd(MAX_REFUSAL_BYTES)));
    await expect(connectGateway(profileOf(port), ticket)).rejects.toThrow(failing("ERR_BUSY"));
  });

  test("that breaks off is not believed", async () => {
    const cut = refusal(good).replace(`length: ${good.length}`, "length: 500");
    const port = await gatewayThatSays(cut);
    await expect(connectGateway(profileOf(port), ticket)).rejects.toThrow(
      failing("ERR_UNREACHABLE"),
    );
  });
});

describe("connecting is given up", () => {
  test("by a signal that was given before", async () => {
    const port = await gatewayThatSays("", false);
    await expect(connectGateway(profileOf(port), ticket, AbortSignal.abort())).rejects.toThrow(
      failing("ERR_CONNECTION_LOST"),
    );
  });

  test("by a signal while the gateway says nothing", async () => {
    const giveUp = new AbortController();
    const server = serverWith(tls);
    server.on("upgrade", (_request, socket: Socket) => {
      socket.on("error", () => undefined);
      giveUp.abort();
    });
    const connecting = connectGateway(profileOf(await listen(server)), ticket, giveUp.signal);
    await expect(connecting).rejects.toThrow(failing("ERR_CONNECTION_LOST"));
  });
});
