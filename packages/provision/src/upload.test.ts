/** The release on its way, and the journal on its way back, over a real OpenSSH server with a disk of its own. */
import { createHash, randomBytes } from "node:crypto";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Secret } from "@phantoma/crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { upload } from "./bundle-file.ts";
import { MAX_LINE_BYTES, type JournalEvent } from "./journal.ts";
import { Link } from "./link.ts";
import { get, JournalReader, MAX_JOURNAL_BYTES, put } from "./remote-run.ts";
import { SshConnection } from "./ssh/connection.ts";
import { RootShell } from "./ssh/root-shell.ts";
import { noSshd, PASSWORD, TestSshd } from "./ssh/test-sshd.ts";

/** The server's disk holds one bundle and its half. */
const DISK_KIB = 12 * 1024;
const BUNDLE_BYTES = 8_000_000;
const DIR = "/var/lib/phantoma-setup";
/** A busy machine hashes and signs in slowly, in milliseconds. */
const PATIENCE_MS = 120_000;

describe.skipIf(noSshd() !== undefined)("over SSH", () => {
  let dir: string;
  let sshd: TestSshd;
  let shell: RootShell;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "upload-"));
    sshd = await TestSshd.start([], DISK_KIB);
    shell = await connect();
  }, PATIENCE_MS);
  afterAll(async () => {
    shell.close();
    await sshd.stop();
    rmSync(dir, { recursive: true });
  });

  async function connect(): Promise<RootShell> {
    const password = new Secret(Buffer.from(PASSWORD));
    const connection = await SshConnection.open({
      target: { ...sshd.address, user: "sudo-asks" },
      hostKey: sshd.hostKey(),
      signIn: { kind: "password", password },
    });
    return RootShell.find(connection, password);
  }

  function bundleOf(bytes: number) {
    const content = randomBytes(bytes);
    const path = join(dir, `bundle-${bytes}`);
    writeFileSync(path, content);
    return { path, size: bytes, sha256: createHash("sha256").update(content).digest("hex") };
  }

  const clear = () => shell.run(`rm -rf ${DIR}`);
  const digestThere = async () =>
    (await shell.run(`sha256sum < ${DIR}/bundle.tar.gz | cut -c1-64`)).stdout.toString().trim();
  const refused = (promise: Promise<unknown>) =>
    promise.then(
      () => "nothing",
      (error: { code: string }) => error.code,
    );

  test(
    "a bundle arrives whole, in a folder that is root's alone, and is not sent twice",
    async () => {
      await clear();
      const bundle = bundleOf(BUNDLE_BYTES);
      let sent = 0;
      await upload(shell, bundle, (bytes) => (sent = bytes));
      expect(sent).toBe(BUNDLE_BYTES);
      expect(await digestThere()).toBe(bundle.sha256);
      expect((await shell.run(`stat -c %a-%u ${DIR}`)).stdout.toString()).toBe("700-0\n");
      const parts: number[] = [];
      await upload(shell, bundle, (bytes) => parts.push(bytes));
      expect(parts).toEqual([BUNDLE_BYTES]);
    },
    PATIENCE_MS,
  );

  test(
    "after a cut it goes on where it was, by itself",
    async () => {
      await clear();
      const bundle = bundleOf(BUNDLE_BYTES);
      const away: boolean[] = [];
      let resumedAt: number | undefined;
      const link = new Link(connect, (isAway) => away.push(isAway));
      let isCut = false;
      await link.ask((root) =>
        upload(root, bundle, (sent) => {
          if (away.length === 2) resumedAt ??= sent;
          if (isCut || sent < BUNDLE_BYTES / 2) return;
          isCut = true;
          spawnSync("kill", ["-9", ...sshdsOf(sshd.port)]);
        }),
      );
      link.hangUp();
      shell = await connect();
      expect(away).toEqual([true, false]);
      expect(await digestThere()).toBe(bundle.sha256);
      // What had arrived before the cut was not sent again.
      expect(resumedAt!).toBeGreaterThan(BUNDLE_BYTES / 4);
    },
    PATIENCE_MS,
  );

  test(
    "half of another bundle, or a damaged half, is replaced by the whole",
    async () => {
      await clear();
      const bundle = bundleOf(1_000_000);
      await put(shell, "bundle.part", randomBytes(400_000));
      await upload(shell, bundle);
      expect(await digestThere()).toBe(bundle.sha256);
      await put(shell, "bundle.tar.gz", randomBytes(1_000_000));
      await upload(shell, bundle);
      expect(await digestThere()).toBe(bundle.sha256);
    },
    PATIENCE_MS,
  );

  test(
    "a bundle that is not what was verified is refused when it arrives, and nothing is left of it",
    async () => {
      await clear();
      const bundle = { ...bundleOf(100_000), sha256: "ab".repeat(32) };
      expect(await refused(upload(shell, bundle))).toBe("ERR_BUNDLE_DAMAGED");
      expect((await shell.run(`ls ${DIR}`)).stdout.toString()).toBe("");
    },
    PATIENCE_MS,
  );

  test(
    "a full disk has a code of its own",
    async () => {
      await clear();
      expect(await refused(upload(shell, bundleOf(DISK_KIB * 1024 + 1)))).toBe("ERR_HOST_FULL");
      await clear();
    },
    PATIENCE_MS,
  );

  test(
    "a file of the allowed length is read, one byte more is not",
    async () => {
      await put(shell, "file", Buffer.alloc(1000, "a"));
      expect((await get(shell, `${DIR}/file`, 1000))?.length).toBe(1000);
      expect(await refused(get(shell, `${DIR}/file`, 999))).toBe("ERR_SSH_OUTPUT");
      expect(await get(shell, `${DIR}/nothing`, 1000)).toBeUndefined();
    },
    PATIENCE_MS,
  );

  test.each(["a;id", "$(id)", "../a", "a/../b", "/etc/passwd", "a b", "a\nid", "a/", "-a", ""])(
    "no file is called %j there",
    async (name) => {
      await expect(put(shell, name, Buffer.from("x"))).rejects.toThrow(RangeError);
    },
  );

  describe("a journal", () => {
    const began = `{"kind":"began","what":"install","at":1}\n`;
    const done = `{"kind":"step","step":"users","state":"done","at":2}\n`;
    const follow = async (text: string, from = 0) => {
      await put(shell, "journal", Buffer.from(text));
      const heard: JournalEvent[] = [];
      const end = await refused(
        new JournalReader(from)
          .follow(shell, (event) => heard.push(event))
          .then((what) => Promise.reject(Object.assign(new Error(), { code: what }))),
      );
      return [end, heard.length];
    };

    test.each<[string, string, [string, number]]>([
      [
        "that ends",
        `${began}${done}{"kind":"ended","what":"installed","at":3}\n`,
        ["installed", 3],
      ],
      ["that wants a person", `${began}{"kind":"wants","what":"reboot","at":3}\n`, ["reboot", 2]],
      ["that ends in the middle", `${began}${done}`, ["interrupted", 2]],
      ["that a power cut tore", `${began}{"kind":"st\n${done}`, ["interrupted", 2]],
      [
        "with a failure",
        `${began}{"kind":"failed","step":"users","why":"no","at":3}\n`,
        ["ERR_STEP_FAILED", 2],
      ],
      [
        "with a word that nobody knows",
        `${began}{"kind":"run","what":"rm","at":3}\n`,
        ["ERR_JOURNAL", 0],
      ],
      [
        "with a step that nobody knows",
        `{"kind":"step","step":"rm","state":"done","at":2}\n`,
        ["ERR_JOURNAL", 0],
      ],
      [
        "with more than was asked",
        `{"kind":"began","what":"install","at":1,"x":1}\n`,
        ["ERR_JOURNAL", 0],
      ],
      [
        "with a line that is too long",
        `{"kind":"began","what":"install","at":1${" ".repeat(MAX_LINE_BYTES)}}\n`,
        ["ERR_JOURNAL", 0],
      ],
    ])(
      "%s",
      async (_name, text, expected) => {
        expect(await follow(text)).toEqual(expected);
      },
      PATIENCE_MS,
    );

    test(
      "of the allowed length is read, one that goes on and on is not",
      async () => {
        const blank = (bytes: number) => `${"\n".repeat(bytes - 1)}\n`;
        expect(await follow(blank(MAX_JOURNAL_BYTES), MAX_JOURNAL_BYTES - 100)).toEqual([
          "interrupted",
          0,
        ]);
        expect(await follow(blank(MAX_JOURNAL_BYTES + 1), MAX_JOURNAL_BYTES - 100)).toEqual([
          "ERR_JOURNAL",
          0,
        ]);
      },
      PATIENCE_MS,
    );

    test(
      "that is gone is the end of an uninstalling",
      async () => {
        await clear();
        expect(await new JournalReader(0).follow(shell, () => undefined)).toBe("uninstalled");
      },
      PATIENCE_MS,
    );
  });

  /** Processes of sshd that hold a connection to this port, but not the one that listens. */
  function sshdsOf(port: number): string[] {
    const lines = execFileSync("ss", ["-Htnp", `sport = :${port}`], { encoding: "utf8" });
    return [...lines.matchAll(/pid=(\d+)/g)].map(([, pid]) => pid!);
  }
});
