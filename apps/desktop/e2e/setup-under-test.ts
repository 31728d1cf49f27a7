/**
 * A web console in this process, whose node is played: for what follows a set-up, since a played set-up leaves no node
 * behind that could be reached.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Router } from "../ipc/router.ts";
import { consoleErrorOf } from "../session/desktop-error.ts";
import { FakeNode } from "../session/fake-node.ts";
import { keyStoreIn, openFileKeyStore } from "../session/key-store.ts";
import { LockableConsole } from "../session/lockable-console.ts";
import { readPageFiles } from "../session/page-files.ts";
import { LoopbackServer } from "../web/loopback-server.ts";

const distDir = fileURLToPath(new URL("../dist", import.meta.url));

export async function startHere(homeDir: string, bundle: string) {
  const node = new FakeNode();
  const session = await LockableConsole.start({
    version: "0.1.0",
    shell: "web",
    homeDir,
    keys: keyStoreIn(homeDir, async () => openFileKeyStore(homeDir)),
    demo: { nodeDir: "", models: [] },
    client: node,
    endpointPort: 0,
    release: { bundle, isUnsigned: true },
  });
  const server = await LoopbackServer.listen({
    page: readPageFiles(`${distDir}/renderer`),
    bridge: readFileSync(`${distDir}/bridge/bridge.js`),
    makeRouter: (origin) =>
      new Router({
        origin,
        requests: session.requests,
        streams: session.streams,
        errorOf: consoleErrorOf,
      }),
    subscribe: (listener) => session.subscribe(listener),
    port: 0,
  });
  return {
    node,
    newLink: () => server.newLink(),
    close: async () => {
      await server.close();
      await session.close();
    },
  };
}
