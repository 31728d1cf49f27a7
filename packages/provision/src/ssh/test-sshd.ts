/**
 * A real OpenSSH server on loopback, with users, passwords and sudo rules of its own: it runs in a mount namespace in
 * which these files lie over the machine's.
 *
 * @module
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readHostKey, type HostKey } from "./host-key.ts";

export const PASSWORD = "correct horse";
export const PASSPHRASE = "battery staple";

/** All with {@link PASSWORD}; what each may do by sudo. */
const USERS = {
  "sudo-free": "sudo-free ALL=(ALL) NOPASSWD: ALL",
  "sudo-asks": "sudo-asks ALL=(ALL) ALL",
  "sudo-tty": "Defaults:sudo-tty requiretty\nsudo-tty ALL=(ALL) NOPASSWD: ALL",
  "sudo-id": "sudo-id ALL=(ALL) NOPASSWD: /usr/bin/id",
  "sudo-never": "",
} as const;

const PROGRAMS = ["/usr/sbin/sshd", "/usr/bin/sudo", "/usr/bin/unshare", "/usr/bin/ssh-keygen"];

/** Why this machine cannot run one; `undefined` where it can. */
export function noSshd(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "needs root on Linux";
  const missing = PROGRAMS.filter((path) => !existsSync(path));
  return missing.length > 0
    ? `needs Debian's openssh-server and sudo: ${missing.join(" ")}`
    : undefined;
}

export class TestSshd {
  readonly port: number;
  readonly #dir: string;
  readonly #child: ChildProcess;

  /**
   * @param settings lines of sshd_config that come first, and so win
   * @param diskKib of a /var/lib that only this server sees; absent: the machine's own
   * @param mounts what else only this server is to see, as lines of `sh`
   */
  static async start(
    settings: readonly string[] = [],
    diskKib?: number,
    mounts: readonly string[] = [],
  ): Promise<TestSshd> {
    const dir = mkdtempSync(join(tmpdir(), "sshd-"));
    const port = await freePort();
    keygen(join(dir, "host_ed25519"), "ed25519");
    keygen(join(dir, "host_ecdsa"), "ecdsa");
    for (const name of USER_KEYS) copyFileSync(join(userKeys(), name), join(dir, name));
    writeFileSync(
      join(dir, "authorized_keys"),
      readFileSync(join(dir, "id.pub"), "utf8") + readFileSync(join(dir, "id_plain.pub"), "utf8"),
    );
    writeFileSync(
      join(dir, "sshd_config"),
      [
        ...settings,
        `Port ${port}`,
        "ListenAddress 127.0.0.1",
        `HostKey ${join(dir, "host_ed25519")}`,
        `HostKey ${join(dir, "host_ecdsa")}`,
        // The folder is private: a file would be read with the rights of whoever signs in.
        `AuthorizedKeysCommand /usr/bin/cat ${join(dir, "authorized_keys")}`,
        "AuthorizedKeysCommandUser root",
        "PidFile none",
        "StrictModes no",
        "PermitRootLogin yes",
        "PasswordAuthentication yes",
        "KbdInteractiveAuthentication yes",
        "UsePAM yes",
        "MaxSessions 1",
        "",
      ].join("\n"),
    );
    writeUsers(dir);
    // The namespace goes with its last process, and so do the files that lie over the machine's.
    const script = `mount --bind ${dir}/passwd /etc/passwd && mount --bind ${dir}/shadow /etc/shadow &&
      mount --bind ${dir}/sudoers /etc/sudoers && mkdir -p /run/sshd &&
      ${diskKib === undefined ? "true" : `mount -t tmpfs -o size=${diskKib}k,mode=755 tmpfs /var/lib`} && ${[...mounts, "true"].join(" && ")} &&
      exec /usr/sbin/sshd -D -e -f ${dir}/sshd_config`;
    const child = spawn("unshare", ["--mount", "sh", "-c", script], {
      stdio: ["ignore", "ignore", "pipe"],
      detached: true,
    });
    const said: string[] = [];
    child.stderr.on("data", (part: Buffer) => said.push(part.toString("utf8")));
    const server = new TestSshd(port, dir, child);
    for (let tries = 0; !(await answers(port)); tries += 1) {
      if (child.exitCode !== null || tries > 200) throw new Error(`no sshd: ${said.join("")}`);
      await sleep(50);
    }
    return server;
  }

  private constructor(port: number, dir: string, child: ChildProcess) {
    this.port = port;
    this.#dir = dir;
    this.#child = child;
  }

  get address() {
    return { host: "127.0.0.1", port: this.port };
  }

  /** As it lies on the server's disk. */
  hostKey(kind: "ed25519" | "ecdsa" = "ed25519"): HostKey {
    const [, blob = ""] = readFileSync(join(this.#dir, `host_${kind}.pub`), "utf8").split(" ");
    return readHostKey(Buffer.from(blob, "base64"));
  }

  /** `id` has {@link PASSPHRASE}, `id_plain` none. */
  privateKey(name: "id" | "id_plain"): Buffer {
    return readFileSync(join(this.#dir, name));
  }

  /** The server's own key is one that no user is admitted with. */
  keyPath(name: "id" | "id_plain" | "host_ed25519"): string {
    return join(this.#dir, name);
  }

  /** As root, seeing what the server sees. */
  runInside(script: string): void {
    execFileSync("nsenter", ["-m", "-t", String(this.#child.pid), "sh", "-c", script]);
  }

  /** Ends the server and every connection that it has. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    process.kill(-this.#child.pid!, "SIGKILL");
    await ended;
  }
}

const USER_KEYS = ["id", "id.pub", "id_plain", "id_plain.pub"] as const;
let userKeysDir: string | undefined;

/** Made once for all servers: an RSA key takes a second. A server's own keys are its own. */
function userKeys(): string {
  if (userKeysDir !== undefined) return userKeysDir;
  const dir = mkdtempSync(join(tmpdir(), "user-keys-"));
  keygen(join(dir, "id"), "ed25519", PASSPHRASE);
  keygen(join(dir, "id_plain"), "rsa");
  return (userKeysDir = dir);
}

function writeUsers(dir: string): void {
  const passwd = readFileSync("/etc/passwd", "utf8");
  const hash = execFileSync("openssl", ["passwd", "-6", "-stdin"], {
    input: PASSWORD,
    encoding: "utf8",
  });
  const names = Object.keys(USERS);
  const users = names.map((name, index) => `${name}:x:${61_000 + index}:65534::/:/bin/sh\n`);
  const shadows = [...names, "root"].map((name) => `${name}:${hash.trim()}:19000:0:99999:7:::\n`);
  writeFileSync(join(dir, "passwd"), passwd + users.join(""), { mode: 0o644 });
  writeFileSync(join(dir, "shadow"), shadows.join(""), { mode: 0o600 });
  const rules = ["Defaults use_pty", "Defaults passwd_tries=3", ...Object.values(USERS), ""];
  writeFileSync(join(dir, "sudoers"), rules.join("\n"), { mode: 0o440 });
  mkdirSync("/run/sshd", { recursive: true });
}

function keygen(path: string, type: string, passphrase = ""): void {
  execFileSync("ssh-keygen", ["-q", "-t", type, "-N", passphrase, "-C", "test", "-f", path]);
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
