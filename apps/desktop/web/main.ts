/**
 * phantoma console, in a browser: starts the console on 127.0.0.1, prints its link and opens it.
 *
 * @module
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { MAX_TOKENS_PER_ANSWER } from "@phantoma/client";
import { buildConsole } from "../build.ts";
import { Router } from "../ipc/router.ts";
import { consoleErrorOf } from "../session/desktop-error.ts";
import { keyStoreIn, openFileKeyStore } from "../session/key-store.ts";
import { LockableConsole } from "../session/lockable-console.ts";
import { readPageFiles } from "../session/page-files.ts";
import { consoleHome, demoPlace, releaseOf } from "../session/place.ts";
import { LoopbackServer } from "./loopback-server.ts";
import { openInBrowser } from "./open-in-browser.ts";

const usage = `npm start -- [--port N] [--no-open] [--json] [--model FILE ...] [--max-tokens N] [--home DIR]
             [--bundle FILE [--release DIR] [--anchor FILE] [--unsigned]]

  --model      a GGUF file for the demo node; again for more of them
  --home       where the console keeps its files (default: ~/.config/phantoma/console-web)
  --bundle     the release that servers are set up with; one that nobody signed wants --unsigned
`;

const values = readOptions();

const rootDir = fileURLToPath(new URL("../../..", import.meta.url));
const distDir = join(rootDir, "apps/desktop/dist");
const { version } = JSON.parse(readFileSync(join(rootDir, "package.json"), "utf8"));

const { session, server } = await start().catch(giveUp);

showLink();
// Every link opens once; a person at the terminal can have another.
if (process.stdin.isTTY) process.stdin.on("data", showLink).unref();

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.once(signal, () => void end());

function readOptions() {
  try {
    const { values: read } = parseArgs({
      options: {
        help: { type: "boolean", short: "h", default: false },
        port: { type: "string", default: "0" },
        "no-open": { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        model: { type: "string", multiple: true, default: [] },
        "max-tokens": { type: "string" },
        home: { type: "string" },
        bundle: { type: "string" },
        release: { type: "string" },
        anchor: { type: "string" },
        unsigned: { type: "boolean", default: false },
      },
    });
    if (read.help) {
      process.stdout.write(usage);
      process.exit(0);
    }
    const { port, "max-tokens": maxTokens = "1", model } = read;
    if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new Error("--port is 0 to 65535");
    if (!/^[1-9]\d{0,6}$/.test(maxTokens) || Number(maxTokens) > MAX_TOKENS_PER_ANSWER)
      throw new Error(`--max-tokens is a whole number from 1 to ${MAX_TOKENS_PER_ANSWER}`);
    for (const path of model) if (!existsSync(path)) throw new Error(`no model at ${path}`);
    return read;
  } catch (error) {
    process.stderr.write(`phantoma: ${(error as Error).message}\n\n${usage}`);
    return process.exit(2);
  }
}

async function start() {
  const built = await buildConsole(["renderer", "bridge"]);
  if (built.length > 0) say(`bundled the page (${built.join(", ")})`);

  const homeDir = consoleHome("web", values.home);
  const session = await LockableConsole.start({
    version,
    shell: "web",
    homeDir,
    keys: keyStoreIn(homeDir, async () => openFileKeyStore(homeDir)),
    demo: demoPlace(rootDir, values.model, undefined),
    release: releaseOf(rootDir, version, values),
    ...(values["max-tokens"] ? { maxAnswerTokens: Number(values["max-tokens"]) } : {}),
  });
  const server = await LoopbackServer.listen({
    page: readPageFiles(join(distDir, "renderer")),
    bridge: readFileSync(join(distDir, "bridge/bridge.js")),
    makeRouter: (origin) =>
      new Router({
        origin,
        requests: session.requests,
        streams: session.streams,
        errorOf: consoleErrorOf,
        onFault: (route, error) => say(`${route} failed: ${(error as Error).name}`),
      }),
    subscribe: (listener) => session.subscribe(listener),
    port: Number(values.port),
  });
  return { session, server };
}

/** A console that cannot start says why in one line. */
function giveUp(error: unknown): never {
  const { code, message } = error as { code?: string; message: string };
  say(code === undefined ? message : `${message} (${code})`);
  process.exit(1);
}

function showLink(): void {
  const link = server.newLink();
  if (values.json) process.stdout.write(`${JSON.stringify({ link })}\n`);
  else
    process.stdout.write(
      `Phantoma's console: ${link}\n  opens once, in a browser on this machine; Enter gives another link, Ctrl-C ends it\n`,
    );
  if (!values["no-open"]) openInBrowser(link);
}

async function end(): Promise<void> {
  await server.close();
  await session.close();
  process.exit(0);
}

function say(text: string): void {
  process.stderr.write(`phantoma: ${text}\n`);
}
