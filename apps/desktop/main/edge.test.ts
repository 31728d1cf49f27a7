/* Electron itself is played here: this shows that the edge asks the rules, not what Electron does. */
import { EventEmitter } from "node:events";
import fc from "fast-check";
import { beforeEach, expect, test, vi } from "vitest";
import type { StreamMessage } from "../ipc/channels.ts";
import { Router } from "../ipc/router.ts";
import { pairedConsole, withoutLock } from "../session/console-under-test.ts";
import { consoleErrorOf } from "../session/desktop-error.ts";

const electron = vi.hoisted(() => ({
  app: { on: vi.fn() },
  ipcMain: { handle: vi.fn(), on: vi.fn() },
  shell: { openExternal: vi.fn() },
  dialog: { showMessageBox: vi.fn(), showOpenDialog: vi.fn() },
}));
vi.mock("electron", () => electron);

const { chooseBundle } = await import("./choose-bundle.ts");
const { guardEveryPage, guardSession } = await import("./guard.ts");
const { connectRouter } = await import("./ipc.ts");
const { openLink } = await import("./open-link.ts");

beforeEach(() => vi.clearAllMocks());

const call = (fn: { mock: { calls: unknown[][] } }, name?: string) =>
  fn.mock.calls.find(([first]) => name === undefined || first === name)!;

test("items 12 to 14: every page that is ever made is guarded", () => {
  guardEveryPage();
  const made = call(electron.app.on, "web-contents-created")[1] as (e: unknown, c: unknown) => void;
  const contents = Object.assign(new EventEmitter(), { setWindowOpenHandler: vi.fn() });
  made({}, contents);
  const open = call(contents.setWindowOpenHandler)[0] as () => unknown;
  expect(open()).toEqual({ action: "deny" });
  const preventDefault = vi.fn();
  const emit = (name: string, more: object = {}) => {
    preventDefault.mockClear();
    contents.emit(name, { preventDefault, ...more });
    return preventDefault.mock.calls.length === 1;
  };
  expect(emit("will-attach-webview")).toBe(true);
  expect(emit("will-navigate", { url: "https://example.com/" })).toBe(true);
  expect(emit("will-navigate", { url: "app://console/" })).toBe(false);
  expect(emit("will-redirect", { url: "app://console/" })).toBe(true);
  const own = { url: "app://console/" };
  expect(emit("will-frame-navigate", { ...own, isMainFrame: false })).toBe(true);
  expect(emit("will-frame-navigate", { ...own, isMainFrame: true })).toBe(false);
});

test("item 5: the session refuses requests, devices, permissions, downloads and dictionaries", () => {
  const session = Object.assign(new EventEmitter(), {
    webRequest: { onBeforeRequest: vi.fn() },
    setPermissionRequestHandler: vi.fn(),
    setPermissionCheckHandler: vi.fn(),
    setDevicePermissionHandler: vi.fn(),
    setSpellCheckerEnabled: vi.fn(),
  });
  guardSession(session as never, false);
  const before = call(session.webRequest.onBeforeRequest)[0] as (d: object, a: unknown) => void;
  const answer = vi.fn();
  before({ url: "https://example.com/?q=secret" }, answer);
  expect(answer).toHaveBeenCalledWith({ cancel: true });
  const check = call(session.setPermissionCheckHandler)[0] as (...a: unknown[]) => boolean;
  expect(check(null, "media", "app://console/")).toBe(false);
  expect((call(session.setDevicePermissionHandler)[0] as () => boolean)()).toBe(false);
  expect(session.setSpellCheckerEnabled).toHaveBeenCalledWith(false);
  const preventDefault = vi.fn();
  session.emit("will-download", { preventDefault });
  expect(preventDefault).toHaveBeenCalled();
});

test("item 15: an address is opened only after the person agreed, as it was judged", async () => {
  electron.dialog.showMessageBox.mockResolvedValueOnce({ response: 0 });
  expect(await openLink("https://EXAMPLE.com/a", null)).toBe(false);
  expect(electron.shell.openExternal).not.toHaveBeenCalled();
  electron.dialog.showMessageBox.mockResolvedValueOnce({ response: 1 });
  expect(await openLink("https://EXAMPLE.com/a", null)).toBe(true);
  expect(electron.shell.openExternal).toHaveBeenCalledWith("https://example.com/a");
  await expect(openLink("file:///etc/passwd", null)).rejects.toMatchObject({
    code: "ERR_LINK_REFUSED",
  });
  expect(electron.dialog.showMessageBox).toHaveBeenCalledTimes(2);
});

test("a release is named by the person in the system's dialog, or not at all", async () => {
  const filePaths = ["/home/ada/phantoma-node-0.2.0-linux-x64.tar.gz"];
  electron.dialog.showOpenDialog.mockResolvedValueOnce({ canceled: true, filePaths });
  expect(await chooseBundle(null)).toBeUndefined();
  electron.dialog.showOpenDialog.mockResolvedValueOnce({ canceled: false, filePaths });
  expect(await chooseBundle(null)).toBe(filePaths[0]);
});

class Port extends EventEmitter {
  readonly posted: StreamMessage[] = [];
  readonly over = Promise.withResolvers<void>();
  start(): void {}
  postMessage(message: StreamMessage): void {
    this.posted.push(message);
  }
  close(): void {
    this.over.resolve();
  }
}

async function connected() {
  const paired = await pairedConsole();
  const { streams } = paired.session;
  const requests = withoutLock(paired.session);
  const origin = "app://console";
  connectRouter(new Router({ origin, requests, streams, errorOf: consoleErrorOf }), new Set([1]));
  const top = { origin, parent: null };
  const page = { sender: { id: 1, mainFrame: top }, senderFrame: top };
  const request = call(electron.ipcMain.handle)[1] as (...a: unknown[]) => Promise<unknown>;
  const stream = call(electron.ipcMain.on)[1] as (e: object, message: unknown) => void;
  return { ...paired, page, request, stream };
}

test("item 17: a message of another window or frame is refused", async () => {
  const { page, request, stream } = await connected();
  expect(await request(page, "settings.get", {})).toMatchObject({ ok: true });
  const other = { ...page, sender: { ...page.sender, id: 2 } };
  const refusal = { ok: false, error: { code: "ERR_FORBIDDEN_SENDER" } };
  expect(await request(other, "settings.get", {})).toMatchObject(refusal);
  expect(await request({ ...page, senderFrame: null }, "settings.get", {})).toMatchObject(refusal);
  const port = new Port();
  stream({ ...other, ports: [port] }, { name: "chat.answer", input: {} });
  await port.over.promise;
  expect(port.posted).toMatchObject([{ event: { error: refusal.error } }, { isOver: true }]);
});

test("an answer goes through a port, and closing the port is Stop", async () => {
  const { page, stream, id, node, get } = await connected();
  const first = new Port();
  const input = { conversation: id, parent: null, text: "hello" };
  stream({ ...page, ports: [first] }, { name: "chat.answer", input });
  await first.over.promise;
  expect(first.posted.at(-2)).toMatchObject({ event: { type: "end" } });
  node.answering = async function* (worker) {
    yield "a long ";
    await worker.stopped();
    yield "answer";
  };
  const second = new Port();
  stream({ ...page, ports: [second] }, { name: "chat.answer", input });
  await expect.poll(() => second.posted.length).toBeGreaterThan(1);
  second.emit("close");
  await expect.poll(async () => (await get()).messages.at(-1)!.state).toBe("stopped");
});

test("no message on any channel crashes main", async () => {
  const { page, request, stream } = await connected();
  await fc.assert(
    fc.asyncProperty(fc.anything(), fc.anything(), async (name, input) => {
      expect(await request(page, name, input)).toMatchObject({ ok: false });
      const port = new Port();
      stream({ ...page, ports: [port] }, fc.stringify(input).length % 2 ? input : { name, input });
      await port.over.promise;
      expect(port.posted).toHaveLength(2);
      stream({ ...page, ports: [] }, input);
    }),
    { numRuns: 500 },
  );
});
