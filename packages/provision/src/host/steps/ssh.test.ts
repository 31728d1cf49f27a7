/** Keys only, on a real OpenSSH server that reads its settings from Debian's places. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { NewEvent } from "../../journal.ts";
import { SETUP_DIR } from "../machine.ts";
import { noNamespace, OwnNamespace } from "../test-namespace.ts";
import { install, uninstall } from "../run-steps.ts";
import type { Context } from "../step.ts";
import { ssh, TRIAL_SECONDS } from "./ssh.ts";

/** Five sign-ins and PAM on a busy machine, in milliseconds. */
const PATIENCE_MS = 120_000;
const PORT = 2222;
const order = {
  version: 1,
  sha256: "00".repeat(32),
  port: 7443,
  mayReboot: false,
  mayOpenPort: false,
  mayUpdateKernel: false,
  mayHardenSsh: true,
} as const;

/** There is no PID 1 in there: what it is told to start is kept, and a test runs it. */
class Server extends OwnNamespace {
  armed = false;

  override async end(program: string, args: readonly string[]) {
    if (program !== "systemctl") return super.end(program, args);
    if (args.includes("restart")) this.armed = true;
    if (args.includes("disable")) this.armed = false;
    return { code: 0, said: "", complained: "" };
  }

  /** What the armed unit runs, without its wait. */
  get trial(): string {
    const unit = this.read("/etc/systemd/system/phantoma-ssh-trial.service") ?? "";
    const [, script = ""] = /^ExecStart=\/bin\/sh -c '(.*)'$/m.exec(unit) ?? [];
    return script.replaceAll("$$", () => "$").replace(`sleep ${TRIAL_SECONDS}`, "true");
  }
}

describe.skipIf(noNamespace("/usr/sbin/sshd") !== undefined)(
  "a server that takes keys only",
  () => {
    let dir: string;
    let machine: Server;
    let told: NewEvent[];
    let context: Context;

    beforeEach(async () => {
      dir = mkdtempSync(join(tmpdir(), "keys-only-"));
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(dir, "key")]);
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(dir, "host")]);
      machine = await Server.make(["/etc/ssh"]);
      machine.sh(`mkdir -p /run/sshd /etc/ssh/sshd_config.d; rm -f /etc/ssh/sshd_config.d/*
cat > /etc/ssh/sshd_config <<END
Include /etc/ssh/sshd_config.d/*.conf
Port ${PORT}
ListenAddress 127.0.0.1
HostKey ${dir}/host
AuthorizedKeysFile ${dir}/key.pub
StrictModes no
PermitRootLogin yes
PasswordAuthentication yes
KbdInteractiveAuthentication yes
END
/usr/sbin/sshd`);
      told = [];
      context = { machine, order, programsDir: "", tell: (event) => told.push(event) };
    }, PATIENCE_MS);
    afterEach(async () => {
      machine.sh("kill $(cat /run/sshd.pid)");
      await machine.stop();
      rmSync(dir, { recursive: true });
    });

    /** Which ways the server offers somebody who shows nothing. */
    function ways(): string {
      const { stderr } = client("-o", "PreferredAuthentications=none");
      return /\(([a-z,-]+)\)/.exec(stderr)?.[1] ?? stderr;
    }

    function keySignsIn(): boolean {
      return client("-i", join(dir, "key"), "-o", "IdentitiesOnly=yes").status === 0;
    }

    function client(...options: string[]) {
      const usual = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "BatchMode=yes"];
      const flags = usual.flatMap((option) => ["-o", option]);
      return spawnSync(
        "nsenter",
        [
          ...machine.enter,
          "ssh",
          ...flags,
          ...options,
          "-p",
          String(PORT),
          "root@127.0.0.1",
          "true",
        ],
        { encoding: "utf8" },
      );
    }

    const say = (file: string) => machine.write(`${SETUP_DIR}/${file}`, "");

    test(
      "asks for a key first, then for a key again, and only then stays so",
      async () => {
        expect(ways()).toContain("password");
        await install([ssh], context);
        expect(told.at(-1)).toEqual({ kind: "wants", what: "key" });
        expect(ways()).toContain("password");
        expect(keySignsIn()).toBe(true);
        say("ssh-key-proven");
        await install([ssh], context);
        expect(told.at(-1)).toEqual({ kind: "wants", what: "sign-in" });
        expect(machine.armed).toBe(true);
        await sleep(500);
        expect(ways()).toBe("publickey");
        expect(keySignsIn()).toBe(true);
        say("ssh-confirmed");
        expect(await install([ssh], context)).toBe(true);
        expect(machine.armed).toBe(false);
        told.length = 0;
        expect(await install([ssh], context)).toBe(true);
        expect(told).toContainEqual({ kind: "step", step: "ssh", state: "was-so" });
        await uninstall([ssh], context);
        await sleep(500);
        expect(ways()).toContain("password");
        expect(machine.sh("find /etc/ssh/sshd_config.d /etc/systemd/system -type f")).toBe("");
      },
      PATIENCE_MS,
    );

    test.each([
      ["yes", "without-password"],
      ["no", "no"],
      ["forced-commands-only", "forced-commands-only"],
    ])(
      "where root signs in by %s, it signs in by %s afterwards",
      async (before, after) => {
        machine.sh(
          `sed -i "s/^PermitRootLogin .*/PermitRootLogin ${before}/" /etc/ssh/sshd_config`,
        );
        say("ssh-key-proven");
        await install([ssh], context);
        expect(told.at(-1)).toEqual({ kind: "wants", what: "sign-in" });
        expect(machine.sh("/usr/sbin/sshd -T")).toContain(`permitrootlogin ${after}\n`);
        say("ssh-confirmed");
        expect(await install([ssh], context)).toBe(true);
        expect(machine.sh("/usr/sbin/sshd -T")).toContain(`permitrootlogin ${after}\n`);
      },
      PATIENCE_MS,
    );

    test(
      "takes passwords again by itself when nobody confirms it, and a confirmed one stays",
      async () => {
        say("ssh-key-proven");
        await install([ssh], context);
        await sleep(500);
        expect(ways()).toBe("publickey");
        // What the unit runs, sooner.
        machine.sh(machine.trial);
        await sleep(500);
        expect(ways()).toContain("password");
        await install([ssh], context);
        expect(told.at(-1)).toEqual({ kind: "wants", what: "key" });
        say("ssh-key-proven");
        await install([ssh], context);
        say("ssh-confirmed");
        machine.sh(machine.trial);
        await sleep(500);
        expect(ways()).toBe("publickey");
      },
      PATIENCE_MS,
    );

    test(
      "changes nothing where sshd does not read that folder",
      async () => {
        machine.sh("sed -i /Include/d /etc/ssh/sshd_config");
        say("ssh-key-proven");
        expect(await install([ssh], context)).toBe(false);
        expect(told.at(-1)).toMatchObject({ kind: "failed", step: "ssh" });
        expect(machine.sh("find /etc/ssh/sshd_config.d /etc/systemd/system -type f")).toBe("");
        expect(machine.armed).toBe(false);
      },
      PATIENCE_MS,
    );
  },
);
