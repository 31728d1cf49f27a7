/**
 * A web console with a played node behind it, for tests, and a way to ask it as anything may.
 *
 * @module
 */
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { Router } from "../ipc/router.ts";
import { pairedConsole, withoutLock } from "../session/console-under-test.ts";
import { consoleErrorOf } from "../session/desktop-error.ts";
import { PageFiles } from "../session/page-files.ts";
import { LoopbackServer } from "./loopback-server.ts";

const html = '<html><head><meta nonce="__CSP_NONCE__"></head></html>';
const page = new PageFiles(
  new Map([
    ["index.html", { body: Buffer.from(html), contentType: "text/html" }],
    ["assets/page.js", { body: Buffer.from("page()"), contentType: "text/javascript" }],
  ]),
);

export interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

export async function loopbackConsole() {
  const paired = await pairedConsole();
  const { session } = paired;
  let origin = "";
  const server = await LoopbackServer.listen({
    page,
    bridge: Buffer.from("bridge()"),
    makeRouter: (its) => {
      origin = its;
      const { streams } = session;
      const requests = withoutLock(session);
      return new Router({ origin: its, requests, streams, errorOf: consoleErrorOf });
    },
    subscribe: (listener) => session.subscribe(listener),
    port: 0,
  });

  /** A request as anything on this machine may write it: no browser tidies its path or headers. */
  const ask = (path: string, { method = "GET", headers = {}, body }: Asked = {}) => {
    const { hostname, port } = new URL(origin);
    return new Promise<{ status: number; headers: IncomingHttpHeaders; body: string }>(
      (resolve, reject) => {
        const request = httpRequest({ hostname, port, path, method, headers }, (response) => {
          let text = "";
          response.on("data", (part) => (text += String(part)));
          response.on("end", () =>
            resolve({ status: response.statusCode!, headers: response.headers, body: text }),
          );
          response.on("error", reject);
        });
        request.on("error", reject);
        request.end(body);
      },
    );
  };

  const enter = async () => {
    const link = new URL(server.newLink());
    const { headers, status } = await ask(link.pathname + link.search);
    const setCookie = headers["set-cookie"]?.[0] ?? "";
    return { status, setCookie, cookie: setCookie.split(";")[0]!, path: headers.location!, link };
  };
  return { paired, server, origin, ask, enter };
}
