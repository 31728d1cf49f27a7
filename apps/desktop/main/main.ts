/**
 * The console in Electron: the process behind the page. Everything that needs no Electron is in
 * `session/`; this is the edge.
 *
 * @module
 */
import { join } from "node:path";
import { app, Menu, powerMonitor, protocol, session as electronSession } from "electron";
import { channels, ORIGIN, SCHEME } from "../ipc/channels.ts";
import { Router } from "../ipc/router.ts";
import { consoleErrorOf } from "../session/desktop-error.ts";
import { keyStoreIn, openSealedKeyStore } from "../session/key-store.ts";
import { LockableConsole } from "../session/lockable-console.ts";
import { readPageFiles } from "../session/page-files.ts";
import { consoleHome, demoPlace, releaseOf } from "../session/place.ts";
import { answerPage } from "./app-protocol.ts";
import { chooseBundle } from "./choose-bundle.ts";
import { guardEveryPage, guardSession } from "./guard.ts";
import { connectRouter } from "./ipc.ts";
import { lockWithMachine } from "./lock-with-machine.ts";
import { menuTemplate } from "./menu.ts";
import { openLink } from "./open-link.ts";
import { electronSealer } from "./sealer.ts";
import { startRefusal } from "./start-rules.ts";
import { PARTITION } from "./window-options.ts";
import { Windows } from "./window.ts";

const isDeveloping = !app.isPackaged;
/** dist/, in the archive or in the working tree. */
const distDir = join(import.meta.dirname, "..");
const rootDir = app.isPackaged ? join(process.resourcesPath, "node") : join(distDir, "../../..");

const refusal = startRefusal(process.argv, app.isPackaged);
if (refusal) {
  process.stderr.write(`phantoma: a release does not start with --${refusal}\n`);
  app.exit(1);
} else if (!app.requestSingleInstanceLock()) {
  app.quit();
} else {
  app.enableSandbox();
  // A standard, secure scheme has an origin; it cannot be fetched, and needs no CORS.
  protocol.registerSchemesAsPrivileged([
    { scheme: SCHEME, privileges: { standard: true, secure: true } },
  ]);
  guardEveryPage();
  // Not awaited here: Electron is ready only after this module has been evaluated.
  void app.whenReady().then(start);
}

async function start(): Promise<void> {
  const pageSession = electronSession.fromPartition(PARTITION, { cache: false });
  guardSession(pageSession, isDeveloping);
  const page = readPageFiles(join(distDir, "renderer"));
  pageSession.protocol.handle(SCHEME, ({ method, url }) => answerPage(page, method, url));
  Menu.setApplicationMenu(Menu.buildFromTemplate(menuTemplate(isDeveloping)));

  const windows = new Windows(join(distDir, "preload/preload.cjs"), isDeveloping);
  const homeDir = consoleHome("electron", undefined);
  const session = await LockableConsole.start({
    version: app.getVersion(),
    shell: "electron",
    homeDir,
    keys: keyStoreIn(homeDir, () => openSealedKeyStore(homeDir, electronSealer)),
    demo: packedPlace(),
    release: releaseOf(rootDir, app.getVersion()),
    chooseBundle: () => chooseBundle(windows.current),
    openLink: (url) => openLink(url, windows.current),
  });
  const router = new Router({
    origin: ORIGIN,
    requests: session.requests,
    streams: session.streams,
    errorOf: consoleErrorOf,
    onFault: (route, error) =>
      process.stderr.write(`phantoma: ${route} failed: ${(error as Error).name}\n`),
  });
  connectRouter(router, windows.ours);
  session.subscribe((event) => {
    // The page's process goes with its window, and what it had read with it.
    if (event.event === "console.locked") void windows.replace();
    else windows.tell(channels.event, event);
  });
  app.on("second-instance", () => void windows.show());
  app.on("activate", () => void windows.show());
  app.on("window-all-closed", () => app.quit());
  lockWithMachine(powerMonitor, session);
  endWith(session);
  await windows.show();
}

/** The node's sources and Node 24 beside the archive, or those of the working tree. */
function packedPlace() {
  const runtime = `node_modules/node-${process.platform}-${process.arch}/bin/node`;
  return demoPlace(rootDir, [], join(rootDir, runtime));
}

/** Every worker is ended before the console is gone. */
function endWith(session: LockableConsole): void {
  let isClosed = false;
  app.on("before-quit", (event) => {
    if (isClosed) return;
    event.preventDefault();
    void session.close().finally(() => {
      isClosed = true;
      app.quit();
    });
  });
}
