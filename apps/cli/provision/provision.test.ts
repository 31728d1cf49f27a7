/** phantoma provision as a program runs it, against a real OpenSSH server on this machine: up to its plan. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  noSshd,
  PASSPHRASE,
  PASSWORD,
  TestSshd,
} from "../../../packages/provision/src/ssh/test-sshd.ts";
import { ReleaseUnderTest } from "../../../tests/release-under-test.ts";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));
/** Seconds of PAM and of a busy machine, in milliseconds. */
const PATIENCE_MS = 120_000;

describe.skipIf(noSshd() !== undefined)("phantoma provision", () => {
  let sshd: TestSshd;
  let home: string;
  beforeAll(async () => {
    sshd = await TestSshd.start();
    home = mkdtempSync(join(tmpdir(), "provision-"));
  }, PATIENCE_MS);
  afterAll(async () => {
    await sshd.stop();
    rmSync(home, { recursive: true });
  });

  async function provision(user: string, flags: readonly string[], input = "") {
    const args = [
      main,
      "provision",
      `${user}@127.0.0.1:${sshd.port}`,
      ...flags,
      "--json",
      "--home",
      home,
    ];
    const child = spawn(process.execPath, args);
    const heard = { output: "", errors: "" };
    child.stdout.on("data", (part: Buffer) => (heard.output += part.toString("utf8")));
    child.stderr.on("data", (part: Buffer) => (heard.errors += part.toString("utf8")));
    child.stdin.end(input);
    const [code] = (await once(child, "close")) as [number];
    return { code, ...heard };
  }

  test(
    "believes a server once its fingerprint was given, and a changed one never",
    async () => {
      const unknown = await provision("root", ["--check"], `${PASSWORD}\n`);
      expect(unknown).toMatchObject({ code: 1 });
      expect(JSON.parse(unknown.output)).toMatchObject({ error: { code: "ERR_HOST_KEY_UNKNOWN" } });
      expect(unknown.output).toContain(sshd.hostKey().sha256);
      const wrong = await provision("root", ["--check", "--host-key", `SHA256:${"A".repeat(43)}`]);
      expect(wrong.output).toContain("ERR_HOST_KEY_CHANGED");
      const { output } = await provision(
        "root",
        ["--check", "--host-key", sshd.hostKey().sha256],
        `${PASSWORD}\n`,
      );
      expect(JSON.parse(output)).toMatchObject({ privilege: "root", facts: { os: "debian" } });
      // From now on without a word; and a given one that differs is a change.
      expect((await provision("root", ["--check"], `${PASSWORD}\n`)).output).toContain(
        '"privilege":"root"',
      );
      const differs = await provision("root", [
        "--check",
        "--host-key",
        `SHA256:${"A".repeat(43)}`,
      ]);
      expect(differs.output).toContain("ERR_HOST_KEY_CHANGED");
      const kept = join(home, "hosts.json");
      expect(statSync(kept).mode & 0o077).toBe(0);
      expect(readFileSync(kept, "utf8")).toContain(sshd.hostKey().sha256);
      expect((await provision("root", ["--check", "--forget-host-key"])).output).toContain(
        "ERR_HOST_KEY_UNKNOWN",
      );
    },
    PATIENCE_MS,
  );

  test(
    "takes a passphrase and sudo's password from lines of standard input, in their order",
    async () => {
      const flags = ["--check", "--host-key", sshd.hostKey().sha256, "--key", sshd.keyPath("id")];
      const { output, errors } = await provision(
        "sudo-asks",
        flags,
        `${PASSPHRASE}\n${PASSWORD}\n`,
      );
      expect(JSON.parse(output)).toMatchObject({ privilege: "password" });
      expect(output + errors).not.toContain(PASSPHRASE);
      expect(output + errors).not.toContain(PASSWORD);
      const short = await provision("sudo-asks", flags, `${PASSPHRASE}\n`);
      expect(short).toMatchObject({ code: 2 });
      expect(short.errors).toContain("for sudo is wanted as a line of standard input");
    },
    PATIENCE_MS,
  );

  test(
    "takes a release with its quorum, and none that is changed or signed by too few",
    async () => {
      const release = await new ReleaseUnderTest().make();
      const { filePath, repository, ceremony } = release;
      const anchor = join(ceremony.dir, "anchor.json");
      const flags = [
        "--host-key",
        sshd.hostKey().sha256,
        "--yes",
        "--anchor",
        anchor,
        "--release",
        repository,
      ];
      const refusal = async () => {
        // A user who cannot become root: it ends there, whatever this machine is.
        const { output } = await provision(
          "sudo-never",
          [...flags, "--bundle", filePath],
          `${PASSWORD}\n`,
        );
        return (JSON.parse(output) as { error: { code: string } }).error.code;
      };
      expect(await refusal()).toBe("ERR_SUDO_NOT_ALLOWED");
      const whole = readFileSync(filePath);
      writeFileSync(filePath, "another");
      expect(await refusal()).toBe("ERR_BUNDLE_REFUSED");
      writeFileSync(filePath, whole);
      const dir = join(repository, "metadata");
      const name = readdirSync(dir).find((file) => file.endsWith(".targets.json"))!;
      const signed = JSON.parse(readFileSync(join(dir, name), "utf8")) as { signatures: unknown[] };
      const signatures = signed.signatures.slice(0, 1);
      writeFileSync(join(dir, name), JSON.stringify({ ...signed, signatures }));
      // What was verified before is kept here with its quorum: this is seen by somebody who begins.
      rmSync(join(home, "releases"), { recursive: true });
      expect(await refusal()).toBe("ERR_BUNDLE_REFUSED");
      rmSync(release.dir, { recursive: true });
    },
    PATIENCE_MS,
  );

  test(
    "installs nothing that nobody signed, unless one says so",
    async () => {
      const flags = ["--host-key", sshd.hostKey().sha256, "--yes"];
      const none = await provision("root", flags, `${PASSWORD}\n`);
      expect(JSON.parse(none.output)).toMatchObject({ error: { code: "ERR_BUNDLE" } });
      const bundle = ["--bundle", join(home, "hosts.json")];
      const unsigned = await provision("root", [...flags, ...bundle], `${PASSWORD}\n`);
      expect(JSON.parse(unsigned.output)).toMatchObject({ error: { code: "ERR_BUNDLE_REFUSED" } });
    },
    PATIENCE_MS,
  );

  test(
    "forgets a node here without a word to its server, and says which it does not know",
    async () => {
      const profile = {
        name: "mine",
        url: "wss://127.0.0.1:7443",
        nodeKey: "ab".repeat(32),
        tlsCertificate: "a certificate",
        starter: "systemd",
        policy: "enforced",
        release: "00".repeat(32),
      };
      mkdirSync(join(home, "nodes"), { recursive: true });
      writeFileSync(join(home, "nodes/mine.json"), JSON.stringify(profile));
      const { output, code } = await provision("nobody", ["--forget"]);
      expect([code, JSON.parse(output)]).toEqual([0, { forgotten: ["mine"] }]);
      expect(readdirSync(join(home, "nodes"))).toEqual([]);
      const again = await provision("nobody", ["--forget"]);
      expect(JSON.parse(again.output)).toMatchObject({ error: { code: "ERR_UNKNOWN_HERE" } });
    },
    PATIENCE_MS,
  );

  test.each([
    ["--harden-ssh", "--harden-ssh goes with --key or --agent"],
    ["--check --uninstall", "one of --check, --uninstall"],
    ["--rollback --forget", "one of --rollback, --forget"],
    ["--rotate-key --kit new.kit", "--kit goes with a set-up"],
    ["--kit /etc/passwd", "/etc/passwd is there already"],
  ])(
    "%s is no way to call it",
    async (flags, words) => {
      const bundle = ["--bundle", join(home, "hosts.json"), "--unsigned", "--yes"];
      const given = [...flags.split(" "), "--host-key", sshd.hostKey().sha256, ...bundle];
      const { code, errors } = await provision("root", given, `${PASSWORD}\n`);
      expect([code, errors]).toEqual([2, expect.stringContaining(words)]);
    },
    PATIENCE_MS,
  );
});
