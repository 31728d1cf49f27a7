/**
 * The baseline of the gateway's door: node:https, which refuses every upgrade and does nothing else.
 *
 * @module
 */
import { createServer } from "node:https";

process.once("message", (tls: { readonly key: string; readonly cert: string }) => {
  const server = createServer({ ...tls, minVersion: "TLSv1.3" });
  server.on("upgrade", (_request, socket) => {
    socket.on("error", () => socket.destroy());
    socket.end("HTTP/1.1 401 Refused\r\nconnection: close\r\n\r\n");
  });
  server.listen(0, "127.0.0.1", () => {
    process.send!((server.address() as { port: number }).port);
  });
});
process.on("disconnect", () => process.exit(0));
