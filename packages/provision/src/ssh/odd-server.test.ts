/** Servers that an honest OpenSSH never is: what they ask, send and leave out is bounded, and has a code. */
import { once } from "node:events";
import { generateKeyPairSync } from "node:crypto";
import type { AddressInfo } from "node:net";
import { Secret } from "@phantoma/crypto";
import ssh2, { type AuthContext, type ServerChannel } from "ssh2";
import { afterEach, expect, test } from "vitest";
import { SshConnection } from "./connection.ts";
import type { HostKey } from "./host-key.ts";
import {
  MAX_PRIVATE_KEY_BYTES,
  MAX_QUESTION_LENGTH,
  MAX_QUESTIONS,
  openPrivateKey,
  type Question,
} from "./sign-in.ts";

const hostKeys = [ssh2.utils.generateKeyPairSync("ed25519").private];
const secret = (text: string | Buffer) => new Secret(Buffer.from(text));
const servers: ssh2.Server[] = [];
afterEach(() => servers.splice(0).forEach((server) => server.close()));

interface Behaviour {
  readonly signIn?: (context: AuthContext) => void;
  readonly run?: (channel: ServerChannel) => void;
  readonly isRefusing?: boolean;
}

async function serve({
  signIn = (context) => context.accept(),
  run,
  isRefusing = false,
}: Behaviour) {
  const server = new ssh2.Server({ hostKeys }, (client) => {
    client.on("error", () => undefined);
    client.on("authentication", signIn);
    client.on("session", (accept) =>
      accept().on("exec", (acceptExec, rejectExec) => {
        if (isRefusing) return rejectExec();
        const channel = acceptExec();
        channel.on("error", () => undefined);
        run?.(channel);
      }),
    );
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { host: "127.0.0.1", port };
}

async function open(
  behaviour: Behaviour,
  answer?: (questions: readonly Question[]) => Promise<readonly Secret[]>,
): Promise<SshConnection> {
  const address = await serve(behaviour);
  const hostKey: HostKey = await SshConnection.readHostKey(address);
  const target = { ...address, user: "root" };
  const signIn = { kind: "password", password: secret("word") } as const;
  return SshConnection.open({ target, hostKey, signIn, ...(answer ? { answer } : {}) });
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "nothing",
    (error: { code: string }) => error.code,
  );

/** Takes questions only, and lets in whoever answers all of them. */
const asking = (prompts: { prompt: string; echo: boolean }[]) => (context: AuthContext) => {
  if (context.method !== "keyboard-interactive") return context.reject(["keyboard-interactive"]);
  context.prompt(prompts, (answers) =>
    answers.length === prompts.length ? context.accept() : context.reject(),
  );
};

test("as many questions as are allowed are put to a person, one more ends the sign-in", async () => {
  const seen: number[] = [];
  const answer = async (questions: readonly Question[]) => {
    seen.push(questions.length);
    return questions.map(() => secret("answer"));
  };
  const questions = (count: number) =>
    Array.from({ length: count }, () => ({ prompt: "Code: ", echo: true }));
  (await open({ signIn: asking(questions(MAX_QUESTIONS)) }, answer)).close();
  expect(await codeOf(open({ signIn: asking(questions(MAX_QUESTIONS + 1)) }, answer))).toBe(
    "ERR_SSH_MORE_PROOF",
  );
  expect(seen).toEqual([MAX_QUESTIONS]);
});

test("a question is cut at the length of a line", async () => {
  const texts: string[] = [];
  const answer = async (questions: readonly Question[]) =>
    questions.map(({ text }) => (texts.push(text), secret("answer")));
  for (const length of [MAX_QUESTION_LENGTH, MAX_QUESTION_LENGTH + 1])
    (await open({ signIn: asking([{ prompt: "x".repeat(length), echo: true }]) }, answer)).close();
  expect(texts.map(({ length }) => length)).toEqual([MAX_QUESTION_LENGTH, MAX_QUESTION_LENGTH]);
});

test("the password answers one hidden question, once, and never one that is shown", async () => {
  const heard: string[][] = [];
  const twice = (context: AuthContext) => {
    if (context.method !== "keyboard-interactive") return context.reject(["keyboard-interactive"]);
    context.prompt([{ prompt: "Password: ", echo: false }], (answers) => {
      heard.push([...answers]);
      context.prompt([{ prompt: "Again: ", echo: false }], (more) => {
        heard.push([...more]);
        context.reject();
      });
    });
  };
  expect(await codeOf(open({ signIn: twice }))).toBe("ERR_SSH_MORE_PROOF");
  expect(heard).toEqual([["word"], []]);
  expect(await codeOf(open({ signIn: asking([{ prompt: "Name: ", echo: true }]) }))).toBe(
    "ERR_SSH_MORE_PROOF",
  );
});

test("a refused command, one that a signal ends, and one that ends without a word are told apart", async () => {
  const refusing = await open({ isRefusing: true });
  expect(await codeOf(refusing.run("x"))).toBe("ERR_SSH_CHANNEL");
  refusing.close();
  const killed = await open({
    run: (channel) => {
      channel.exit("KILL");
      channel.close();
    },
  });
  expect((await killed.run("x")).code).toBeNull();
  killed.close();
  const silent = await open({ run: (channel) => channel.close() });
  expect(await codeOf(silent.run("x"))).toBe("ERR_SSH_DROPPED");
  silent.close();
});

test("output without end is not taken, on either stream", async () => {
  for (const name of ["stdout", "stderr"] as const) {
    const connection = await open({
      run: (channel) => {
        const to = name === "stdout" ? channel : channel.stderr;
        const timer = setInterval(() => to.write(Buffer.alloc(1000)), 1);
        channel.once("close", () => clearInterval(timer));
      },
    });
    expect(await codeOf(connection.run("x", { maxOutputBytes: 5_000 }))).toBe("ERR_SSH_OUTPUT");
    connection.close();
  }
});

test("a key file of the allowed length is read, one byte more is not", () => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = Buffer.from(privateKey.export({ type: "pkcs1", format: "pem" }));
  const padded = (length: number) =>
    secret(Buffer.concat([pem, Buffer.alloc(length - pem.length, "\n")]));
  expect(openPrivateKey(padded(MAX_PRIVATE_KEY_BYTES), undefined).isPrivateKey()).toBe(true);
  expect(() => openPrivateKey(padded(MAX_PRIVATE_KEY_BYTES + 1), undefined)).toThrow(
    expect.objectContaining({ code: "ERR_KEY_FORMAT" }),
  );
});
