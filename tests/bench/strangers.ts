/**
 * A stranger at the door: TLS, an upgrade with whatever ticket it has, and the refusal.
 *
 * @module
 */
import { connect } from "node:tls";
import { TICKET_HEADER, TUNNEL_PATH } from "@phantoma/protocol";

/** Resolves when the door has answered and closed. */
export function knock(port: number, ticket: Uint8Array | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    // A stranger does not care whose certificate it is.
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
      const head = [
        `GET ${TUNNEL_PATH} HTTP/1.1`,
        "host: node",
        "connection: Upgrade",
        "upgrade: websocket",
        "sec-websocket-version: 13",
        "sec-websocket-key: c3RyYW5nZXIgYXQgdGhlIGQ=",
        ...(ticket ? [`${TICKET_HEADER}: ${Buffer.from(ticket).toString("base64url")}`] : []),
      ];
      socket.write(`${head.join("\r\n")}\r\n\r\n`);
    });
    socket.on("error", reject);
    socket.on("close", () => resolve());
    socket.resume();
  });
}
