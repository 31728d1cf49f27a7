/**
 * Connects the router to Electron's channels. The only file that imports `ipcMain`.
 *
 * @module
 */
import { ipcMain, type MessagePortMain } from "electron";
import { channels, type StreamMessage } from "../ipc/channels.ts";
import type { Router, Sender } from "../ipc/router.ts";
import { senderOf } from "./sender.ts";

/** @param ours ids of the pages that the window factory made */
export function connectRouter(router: Router, ours: ReadonlySet<number>): void {
  ipcMain.handle(channels.request, (event, name: unknown, input: unknown) =>
    router.request(senderOf(event, ours), name, input),
  );
  ipcMain.on(channels.stream, (event, untrusted: unknown) => {
    const [port, ...others] = event.ports;
    for (const other of others) other.close();
    if (port) void serveStream(router, senderOf(event, ours), untrusted, port);
  });
}

async function serveStream(
  router: Router,
  sender: Sender,
  untrusted: unknown,
  port: MessagePortMain,
): Promise<void> {
  const closed = new AbortController();
  port.on("close", () => closed.abort());
  port.start();
  const { name, input } = (untrusted ?? {}) as { name?: unknown; input?: unknown };
  const post = (message: StreamMessage) => port.postMessage(message);
  await router.stream(sender, name, input, (event) => post({ event }), closed.signal);
  if (closed.signal.aborted) return;
  post({ isOver: true });
  port.close();
}
