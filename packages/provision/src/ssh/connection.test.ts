/** SSH against a real OpenSSH server: whom we believe, how we sign in, what becomes of a command. */
import { createHash } from "node:crypto";
import { execFileSync, spawnSync } from "node:child_process";
import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Secret } from "@phantoma/crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SshConnection } from "./connection.ts";
import { RootShell } from "./root-shell.ts";
import type { SignIn } from "./sign-in.ts";
import { freePort, noSshd, PASSPHRASE, PASSWORD, TestSshd } from "./test-sshd.ts";

const secret = (text: string | Buffer) => new Secret(Buffer.from(text));
const byPassword = (password = PASSWORD): SignIn => ({
  kind: "password",
  password: secret(password),
});

describe.skipIf(noSshd() !== undefined)("a real OpenSSH server", () => {
  let sshd: TestSshd;
  beforeAll(async () => void (sshd = await TestSshd.start()));
  afterAll(() => sshd.stop());

  const open = (user: string, signIn: SignIn, server = sshd) =>
    SshConnection.open({
      target: { ...server.address, user },
      hostKey: server.hostKey(),
      signIn,
    });
  const byKey = (name: "id" | "id_plain", passphrase?: string): SignIn => ({
    kind: "key",
    key: secret(sshd.privateKey(name)),
    ...(passphrase === undefined ? {} : { passphrase: secret(passphrase) }),
  });
  const refused = (promise: Promise<unknown>) =>
    promise.then(
      () => "nothing",
      (error: { code: string }) => error.code,
    );

  test("its key is shown as ssh-keygen shows it", async () => {
    const shown = await SshConnection.readHostKey(sshd.address);
    const line = execFileSync(
      "ssh-keygen",
      ["-l", "-f", sshd.keyPath("id").replace(/id$/, "host_ed25519")],
      {
        encoding: "utf8",
      },
    );
    expect(line).toContain(shown.sha256);
    expect(shown).toEqual(sshd.hostKey());
  });

  test("another key of the same kind, or of another kind, is a change and stops everything", async () => {
    const other = await TestSshd.start();
    try {
      for (const hostKey of [other.hostKey(), other.hostKey("ecdsa")])
        expect(
          await refused(
            SshConnection.open({
              target: { ...sshd.address, user: "root" },
              hostKey,
              signIn: byPassword(),
            }),
          ),
        ).toBe("ERR_HOST_KEY_CHANGED");
    } finally {
      await other.stop();
    }
  });

  test("a kind of key that the server no longer has is a change as well", async () => {
    const rsa = { algorithm: "ssh-rsa", sha256: sshd.hostKey().sha256 };
    const target = { ...sshd.address, user: "root" };
    expect(await refused(SshConnection.open({ target, hostKey: rsa, signIn: byPassword() }))).toBe(
      "ERR_HOST_KEY_CHANGED",
    );
  });

  test("the password is not sent to a server with another key", async () => {
    let wasAsked = false;
    const password = secret("never sent");
    const target = { ...sshd.address, user: "sudo-asks" };
    const hostKey = { ...sshd.hostKey(), sha256: `SHA256:${"A".repeat(43)}` };
    const spy = {
      kind: "password",
      password: new Proxy(password, {
        get(of, name) {
          wasAsked ||= name === "expose";
          const value = Reflect.get(of, name) as unknown;
          return typeof value === "function" ? (value as () => unknown).bind(of) : value;
        },
      }),
    } as const;
    expect(await refused(SshConnection.open({ target, hostKey, signIn: spy }))).toBe(
      "ERR_HOST_KEY_CHANGED",
    );
    expect(wasAsked).toBe(false);
  });

  test.each([
    ["a password", () => byPassword()],
    ["a key with its passphrase", () => byKey("id", PASSPHRASE)],
    ["an RSA key without one", () => byKey("id_plain")],
  ])("%s signs in", async (_name, signIn) => {
    const connection = await open("root", signIn());
    expect((await connection.run("echo in")).stdout.toString()).toBe("in\n");
    connection.close();
  });

  test("an agent signs in, with a key that never leaves it", async () => {
    const socketPath = join(mkdtempSync(join(tmpdir(), "agent-")), "socket");
    const said = execFileSync("ssh-agent", ["-a", socketPath, "-s"], { encoding: "utf8" });
    const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(said)![1]);
    try {
      expect(await refused(open("root", { kind: "agent", socketPath }))).toBe("ERR_SSH_SIGN_IN");
      spawnSync("ssh-add", ["-q", sshd.keyPath("id_plain")], {
        env: { SSH_AUTH_SOCK: socketPath, PATH: process.env.PATH! },
      });
      const connection = await open("root", { kind: "agent", socketPath });
      expect((await connection.run("id -u")).stdout.toString()).toBe("0\n");
      connection.close();
    } finally {
      process.kill(pid);
    }
    expect(await refused(open("root", { kind: "agent", socketPath: "/nowhere" }))).toBe(
      "ERR_SSH_AGENT",
    );
  });

  test("every refusal has its own code", async () => {
    expect(await refused(open("root", byPassword("wrong")))).toBe("ERR_SSH_SIGN_IN");
    expect(await refused(open("nobody-here", byPassword()))).toBe("ERR_SSH_SIGN_IN");
    expect(await refused(open("root", byKey("id")))).toBe("ERR_KEY_PASSPHRASE_WANTED");
    expect(await refused(open("root", byKey("id", "wrong")))).toBe("ERR_KEY_PASSPHRASE");
    const text: SignIn = { kind: "key", key: secret("no key") };
    expect(await refused(open("root", text))).toBe("ERR_KEY_FORMAT");
    const publicKey = readFileSync(`${sshd.keyPath("id")}.pub`);
    expect(await refused(open("root", { kind: "key", key: secret(publicKey) }))).toBe(
      "ERR_KEY_FORMAT",
    );
  });

  test("where only questions are taken, the password answers the one that asks for it", async () => {
    const asking = await TestSshd.start(["PasswordAuthentication no"]);
    const connection = await open("root", byPassword(), asking);
    expect((await connection.run("true")).code).toBe(0);
    connection.close();
    expect(await refused(open("root", byPassword("wrong"), asking))).toBe("ERR_SSH_SIGN_IN");
    await asking.stop();
  });

  test("where only keys are taken, a password is not even tried", async () => {
    const strict = await TestSshd.start([
      "PasswordAuthentication no",
      "KbdInteractiveAuthentication no",
    ]);
    expect(await refused(open("root", byPassword(), strict))).toBe("ERR_SSH_METHOD");
    await strict.stop();
  });

  test("where a key alone is not enough, a person's answer is", async () => {
    const double = await TestSshd.start(["AuthenticationMethods publickey,keyboard-interactive"]);
    const common = { target: { ...double.address, user: "root" }, hostKey: double.hostKey() };
    const key: SignIn = { kind: "key", key: secret(double.privateKey("id_plain")) };
    expect(await refused(SshConnection.open({ ...common, signIn: key }))).toBe(
      "ERR_SSH_MORE_PROOF",
    );
    const asked: string[] = [];
    const connection = await SshConnection.open({
      ...common,
      signIn: key,
      answer: async (questions) =>
        questions.map(({ text, isShown }) => {
          asked.push(`${text.trim()} ${isShown}`);
          return secret(PASSWORD);
        }),
    });
    expect(asked).toEqual(["Password: false"]);
    connection.close();
    await double.stop();
  });

  test("a server that only knows what is broken is refused", async () => {
    const old = await TestSshd.start(["KexAlgorithms diffie-hellman-group14-sha1"]);
    expect(await refused(SshConnection.readHostKey(old.address))).toBe("ERR_SSH_ALGORITHMS");
    await old.stop();
    const weak = await TestSshd.start(["Ciphers aes128-ctr", "MACs hmac-sha1"]);
    expect(await refused(SshConnection.readHostKey(weak.address))).toBe("ERR_SSH_ALGORITHMS");
    await weak.stop();
  });

  test("sudo is found out by trying", async () => {
    const outcomes: Record<string, string> = {};
    for (const [user, password] of [
      ["root", undefined],
      ["sudo-free", undefined],
      ["sudo-asks", undefined],
      ["sudo-asks", "wrong"],
      ["sudo-asks", PASSWORD],
      ["sudo-tty", PASSWORD],
      ["sudo-id", PASSWORD],
      ["sudo-never", PASSWORD],
    ] as const) {
      const connection = await open(user, byPassword());
      const given = password === undefined ? undefined : secret(password);
      outcomes[`${user} ${password}`] = await RootShell.find(connection, given).then(
        ({ privilege }) => privilege,
        (error: { code: string }) => error.code,
      );
      connection.close();
    }
    expect(outcomes).toEqual({
      "root undefined": "root",
      "sudo-free undefined": "sudo",
      "sudo-asks undefined": "ERR_SUDO_PASSWORD_WANTED",
      "sudo-asks wrong": "ERR_SUDO_PASSWORD",
      [`sudo-asks ${PASSWORD}`]: "password",
      [`sudo-tty ${PASSWORD}`]: "ERR_SUDO_POLICY",
      [`sudo-id ${PASSWORD}`]: "ERR_SUDO_NOT_ALLOWED",
      [`sudo-never ${PASSWORD}`]: "ERR_SUDO_NOT_ALLOWED",
    });
  });

  test("sudo's password is on no command line, and bytes that follow it arrive whole", async () => {
    const connection = await open("sudo-asks", byPassword());
    const shell = await RootShell.find(connection, secret(PASSWORD));
    const sent = Buffer.from(Array.from({ length: 200_000 }, (_value, index) => index % 256));
    const running = shell.run("sleep 0.5; sha256sum; id -u", {
      input: [sent.subarray(0, 70_000), sent.subarray(70_000)],
    });
    const lines: string[] = [];
    for (let look = 0; look < 20; look += 1) {
      for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name)))
        try {
          lines.push(
            readFileSync(`/proc/${pid}/cmdline`, "utf8"),
            readFileSync(`/proc/${pid}/environ`, "utf8"),
          );
        } catch {}
      await sleep(20);
    }
    const { code, stdout } = await running;
    expect([code, stdout.toString()]).toEqual([
      0,
      `${createHash("sha256").update(sent).digest("hex")}  -\n0\n`,
    ]);
    expect(lines.some((line) => line.includes("sha256sum"))).toBe(true);
    expect(lines.some((line) => line.includes(PASSWORD))).toBe(false);
    connection.close();
  });

  test("commands wait for each other, so one channel is enough", async () => {
    const connection = await open("root", byPassword());
    const many = await Promise.all(
      [1, 2, 3].map((n) => connection.run(`sleep 0.05; echo ${n}; exit ${n}`)),
    );
    expect(many.map(({ code, stdout }) => `${code} ${stdout.toString()}`)).toEqual([
      "1 1\n",
      "2 2\n",
      "3 3\n",
    ]);
    connection.close();
  });

  test("output of the allowed length is taken, one byte more is not", async () => {
    const connection = await open("root", byPassword());
    const of = (bytes: number) =>
      connection.run(`head -c ${bytes} /dev/zero`, { maxOutputBytes: 1000 });
    expect((await of(1000)).stdout.length).toBe(1000);
    expect(await refused(of(1001))).toBe("ERR_SSH_OUTPUT");
    expect((await connection.run("echo still")).stdout.toString()).toBe("still\n");
    connection.close();
  });

  test("a command that does not end is given up", async () => {
    const connection = await open("root", byPassword());
    expect(await refused(connection.run("sleep 60", { timeoutMs: 200 }))).toBe("ERR_SSH_TIMEOUT");
    connection.close();
  });

  test("a connection that is cut ends the command that runs, and every later one, with the same code", async () => {
    const server = await TestSshd.start();
    const connection = await open("root", byPassword(), server);
    const running = refused(connection.run("sleep 60"));
    await sleep(200);
    spawnSync("kill", ["-9", ...sshdsOf(server.port)]);
    expect(await running).toBe("ERR_SSH_DROPPED");
    expect(await refused(connection.run("true"))).toBe("ERR_SSH_DROPPED");
    expect(connection.isOpen).toBe(false);
    await server.stop();
  });

  /** Processes of sshd that hold a connection to this port. */
  function sshdsOf(port: number): string[] {
    const lines = execFileSync("ss", ["-Htnp", `sport = :${port}`], { encoding: "utf8" });
    return [...lines.matchAll(/pid=(\d+)/g)].map(([, pid]) => pid!);
  }
});

test("an address where nothing listens, or something else does, is told apart", async () => {
  const address = { host: "127.0.0.1", port: await freePort() };
  await expect(SshConnection.readHostKey(address)).rejects.toMatchObject({
    code: "ERR_SSH_UNREACHABLE",
  });
  const server = createServer((socket) => socket.end("HTTP/1.1 400\r\n\r\n")).listen(
    0,
    "127.0.0.1",
  );
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await expect(SshConnection.readHostKey({ host: "127.0.0.1", port })).rejects.toMatchObject({
    code: "ERR_SSH_PROTOCOL",
  });
  server.close();
});
