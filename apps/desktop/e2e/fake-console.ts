/**
 * A console that answers from a script instead of a node, for states that a real one shows rarely.
 * The page is the production bundle under the production policy; only `window.phantoma` is ours.
 *
 * @module
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import type {
  AnswerEvent,
  ConsoleError,
  ConsoleEvent,
  ConsoleState,
  Conversation,
  Egress,
  NodeStatus,
  Receipt,
  ReceiptGap,
  Model,
} from "../ipc/contract.ts";
import { readPageFiles } from "../session/page-files.ts";
import { contentSecurityPolicy, fixedHeaders, newNonce } from "../session/page-policy.ts";

/** What the fake knows; a name that is missing never answers, which shows the loading state. */
export interface Script {
  readonly state?: ConsoleState;
  readonly conversations?: readonly Conversation[];
  readonly status?: NodeStatus;
  readonly models?: readonly Model[];
  readonly receipts?: readonly Receipt[];
  /** Numbers that the node did not give. */
  readonly missing?: readonly ReceiptGap[];
  /** Answers of requests that fail, by name. */
  readonly refusals?: Readonly<Record<string, { code: string; message: string; action: string }>>;
  /** What `chat.answer` tells, in order. */
  readonly answer?: readonly AnswerEvent[];
  /** The stream stays open after its last event. */
  readonly staysOpen?: boolean;
  /** Told to the page a moment after it started. */
  readonly events?: readonly ConsoleEvent[];
  /** Answers of other requests by name: one for each call, the last one again and again. */
  readonly answers?: Readonly<Record<string, readonly unknown[]>>;
  /** `egress.read` counts up to this many attempts, at this rate; one of so many was logged. */
  readonly flood?: {
    readonly attempts: number;
    readonly perSecond: number;
    readonly loggedOneIn: number;
    readonly egress: Egress;
  };
  /** `models.push` wants the file in parts of this size, and has so much of it already. */
  readonly push?: {
    readonly partBytes: number;
    readonly resumeAt: number;
    /** Said when so many bytes were sent. */
    readonly failure?: { readonly at: number; readonly error: ConsoleError };
    /** Never says that it is stored. */
    readonly staysOpen?: boolean;
  };
  /** After `answer`: this many words, at this rate. */
  readonly words?: { readonly count: number; readonly perSecond: number };
}

const distDir = fileURLToPath(new URL("../dist/renderer", import.meta.url));

export interface FakeConsole {
  readonly origin: string;
  readonly close: () => void;
}

/**
 * Serves a bundle of the page with the headers of the real shell.
 *
 * @param hasPolicy false takes the content security policy away, to see that other layers hold
 */
export async function serveFakeConsole(dir = distDir, hasPolicy = true): Promise<FakeConsole> {
  const files = readPageFiles(join(dir));
  const server: Server = createServer((request, response) => {
    for (const [name, value] of Object.entries(fixedHeaders)) response.setHeader(name, value);
    const path = (request.url ?? "/").slice(1);
    if (path === "") {
      const nonce = newNonce();
      if (hasPolicy)
        response.setHeader("content-security-policy", contentSecurityPolicy(nonce, "'self'"));
      response.setHeader("content-type", "text/html; charset=utf-8");
      response.end(files.index(nonce));
      return;
    }
    const file = files.get(path);
    response.writeHead(file ? 200 : 404, file && { "content-type": file.contentType });
    response.end(file?.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}/`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Runs in the page before its own script, so it can use nothing from outside. */
export function installBridge(script: Script): void {
  const never = new Promise<never>(() => undefined);
  const ok = (data: unknown) => Promise.resolve({ ok: true, data });
  const calls: Record<string, number> = {};
  /** Resolved with each part that the page hands over. */
  let onPart: (part: string) => void = () => undefined;
  interface Input {
    readonly conversation?: string;
    readonly theme?: string;
    readonly after?: number;
    readonly limit?: number;
    readonly part?: string;
    readonly node?: string | null;
  }
  const request = (name: string, input: Input) => {
    const refusal = script.refusals?.[name];
    if (refusal) return Promise.resolve({ ok: false, error: refusal });
    const answers = script.answers?.[name];
    if (answers) {
      const call = (calls[name] = (calls[name] ?? -1) + 1);
      const answer = answers[Math.min(call, answers.length - 1)];
      if (name !== "egress.read") return ok(answer);
      const egress = answer as Egress;
      return ok({ ...egress, events: egress.events.filter((one) => one.sequence > input.after!) });
    }
    switch (name) {
      case "egress.read":
        return script.flood ? ok(floodNow(script.flood, input.after!, input.limit!)) : never;
      case "models.part":
        onPart(input.part!);
        return ok({});
      case "lock.get":
        return ok({ isLocked: false, opensWith: "nothing", idleMinutes: null });
      case "devices.list":
      case "doctor.read":
      case "window.get":
      case "window.propose":
      case "window.open":
      case "models.verify":
        return never;
      case "console.state":
        return script.state ? ok(script.state) : never;
      case "conversations.list":
        return script.conversations
          ? ok({
              // The rest of a conversation does no harm in a list.
              conversations: script.conversations.map((one) => ({
                ...one,
                messageCount: one.messages.length,
              })),
            })
          : never;
      case "conversations.get": {
        const found = script.conversations?.find(({ id }) => id === input.conversation);
        return found ? ok(found) : never;
      }
      case "nodes.status":
        return script.status
          ? ok({ node: script.state?.nodes[0], status: script.status, models: script.models ?? [] })
          : never;
      case "receipts.list":
        return script.receipts
          ? ok({ receipts: script.receipts, missing: script.missing ?? [], next: null })
          : never;
      case "receipts.export":
        return ok({ path: "/home/ada/.config/phantoma-console/receipts/abababab-1-7.receipt" });
      case "receipts.get":
      case "chat.end":
        return ok({ receipt: script.receipts?.[0] ?? null });
      case "endpoint.get":
        return ok({ node: null, url: null, keyFile: null });
      case "endpoint.key":
        return ok({ key: `pk-${"a".repeat(43)}` });
      case "endpoint.set": {
        const served = {
          url: "http://127.0.0.1:8421/v1",
          keyFile: "/home/ada/it's here/keys/default",
        };
        return ok(
          input.node ? { node: input.node, ...served } : { node: null, url: null, keyFile: null },
        );
      }
      case "saved.list":
        return ok({ saved: [], total: 0, node: null });
      case "saved.devices":
        return ok({ own: script.state?.nodes[0]?.fingerprint, devices: [] });
      case "settings.set":
        return ok({ ...script.state?.settings, ...input });
      case "demo.start":
        return never;
      default:
        return ok({});
    }
  };
  const floodBegunAt = performance.now();
  /** The keeper keeps the newest few thousand of what was logged, and gives the oldest of them first. */
  const floodNow = (flood: NonNullable<Script["flood"]>, after: number, limit: number) => {
    const seconds = (performance.now() - floodBegunAt) / 1000;
    const attempts = Math.min(flood.attempts, Math.floor(seconds * flood.perSecond));
    const latest = Math.floor(attempts / flood.loggedOneIn);
    const first = Math.max(after, latest - 5_000);
    const events = Array.from(
      { length: Math.min(limit, Math.max(0, latest - first)) },
      (_, place) => ({
        sequence: first + place + 1,
        at: 1_763_629_200_000 + first + place,
        unit: "worker",
        hook: place % 3 === 0 ? "sendmsg4" : "connect4",
        protocol: place % 3 === 0 ? "udp" : "tcp",
        address: `192.0.2.${(first + place) % 250}`,
        port: 443,
      }),
    );
    const counts = [{ unit: "worker", attempts, logged: latest, lost: attempts - latest }];
    return { ...flood.egress, counts, events, latest };
  };
  const push = (
    { bytes, name }: { bytes: number; name: string },
    onEvent: (event: unknown) => void,
    onClosed: () => void,
  ) => {
    const { partBytes, resumeAt, failure, staysOpen } = script.push!;
    let isOpen = true;
    const close = () => {
      isOpen = false;
      setTimeout(onClosed);
    };
    const run = async () => {
      for (const stage of ["hash", "send"])
        for (let offset = stage === "send" ? resumeAt : 0; offset < bytes; offset += partBytes) {
          if (failure && stage === "send" && offset >= failure.at) {
            onEvent({ type: "error", error: failure.error, answer: null });
            return close();
          }
          const length = Math.min(partBytes, bytes - offset);
          const part = new Promise<string>((resolve) => (onPart = resolve));
          onEvent({ type: "want", push: "0123456789abcdef", stage, offset, length });
          if (atob(await part).length !== length) throw new Error("a part has another length");
          await new Promise((resolve) => setTimeout(resolve, 20));
          if (!isOpen) return undefined;
        }
      if (staysOpen) return undefined;
      onEvent({ type: "stored", model: { name, bytes, digest: "e".repeat(64) } });
      return close();
    };
    setTimeout(() => void run());
    return close;
  };
  const openStream = (
    name: string,
    input: unknown,
    onEvent: (event: unknown) => void,
    onClosed: () => void,
  ) => {
    if (name === "models.push") return push(input as never, onEvent, onClosed);
    let timer: ReturnType<typeof setInterval> | undefined;
    const close = () => {
      clearInterval(timer);
      setTimeout(onClosed);
    };
    const { answer = [], words } = script;
    answer.forEach((event, place) => setTimeout(() => onEvent(event), 20 * (place + 1)));
    if (words) {
      const begunAt = performance.now() + 500;
      let told = 0;
      timer = setInterval(() => {
        const due = Math.floor(((performance.now() - begunAt) / 1000) * words.perSecond);
        for (; told < Math.min(due, words.count); told++) {
          // Paragraphs, lists and code, as answers have them.
          const isBreak = told % 60 === 59;
          const head = ["\n\n", "\n\n- ", "\n\n## ", "\n\n```ts\nconst a = 1;\n```\n\n"];
          onEvent({ type: "delta", text: isBreak ? head[((told / 60) % 4) | 0] : `word${told} ` });
        }
        if (told >= words.count) close();
      }, 5);
    } else if (!script.staysOpen) setTimeout(close, 20 * (answer.length + 2));
    return close;
  };
  const subscribe = (listener: (event: unknown) => void) => {
    setTimeout(() => script.events?.forEach((event) => listener(event)), 300);
    return () => undefined;
  };
  Object.defineProperty(window, "phantoma", { value: { request, openStream, subscribe } });
}
