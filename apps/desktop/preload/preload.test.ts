import { expect, test, vi } from "vitest";

const electron = vi.hoisted(() => ({
  contextBridge: { exposeInMainWorld: vi.fn() },
  ipcRenderer: { invoke: vi.fn(), postMessage: vi.fn(), on: vi.fn(), off: vi.fn() },
}));
vi.mock("electron", () => electron);
await import("./preload.ts");

const exposed = [...electron.contextBridge.exposeInMainWorld.mock.calls];
const [name, bridge] = first(exposed);

/** The arguments of a function's first call. */
function first(calls: any[][]): any[] {
  const [call] = calls;
  if (!call) throw new Error("it was not called");
  return call;
}

test("item 20: the page gets three functions under one name, and nothing of Electron", () => {
  expect(exposed).toHaveLength(1);
  expect(name).toBe("phantoma");
  expect(Object.keys(bridge).toSorted()).toEqual(["openStream", "request", "subscribe"]);
  expect(Object.values(bridge).every((value) => typeof value === "function")).toBe(true);
});

test("item 20: a listener is told the event's content, never Electron's event", () => {
  const heard: unknown[][] = [];
  const stop = bridge.subscribe((...told: unknown[]) => heard.push(told));
  const tell = first(electron.ipcRenderer.on.mock.calls)[1];
  tell({ sender: "electron's own" }, { event: "settings.changed" });
  expect(heard).toEqual([[{ event: "settings.changed" }]]);
  stop();
  expect(electron.ipcRenderer.off).toHaveBeenCalledWith("phantoma:event", tell);
});

test("a stream's port brings events until it is over, and is closed once", async () => {
  const events: unknown[] = [];
  const closed = Promise.withResolvers<void>();
  const close = bridge.openStream(
    "chat.answer",
    {},
    (e: unknown) => events.push(e),
    closed.resolve,
  );
  const [channel, asked, ports] = first(electron.ipcRenderer.postMessage.mock.calls);
  const [theirs] = ports as [MessagePort];
  expect([channel, asked]).toEqual(["phantoma:stream", { name: "chat.answer", input: {} }]);
  for (const message of [{ event: { type: "delta" } }, { isOver: true }])
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has no origin
    theirs.postMessage(message);
  await closed.promise;
  expect(events).toEqual([{ type: "delta" }]);
  close();
});

test("closing a stream closes its port, which main hears", async () => {
  electron.ipcRenderer.postMessage.mockClear();
  const onClosed = vi.fn();
  const close = bridge.openStream("chat.answer", {}, () => undefined, onClosed);
  const theirs = first(electron.ipcRenderer.postMessage.mock.calls)[2][0];
  const heard = new Promise((resolve) => theirs.once("close", resolve));
  close();
  close();
  await heard;
  expect(onClosed).toHaveBeenCalledTimes(1);
});
