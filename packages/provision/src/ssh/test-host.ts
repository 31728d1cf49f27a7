/**
 * A server that a set-up can be played on: a real OpenSSH server and real shells on this machine's kernel, with a
 * `systemctl` and a `systemd-run` of the test's own, and a bundle whose provisioner does nothing but write the journal
 * that a real one writes. What it changes lies in a mount namespace and is gone with it.
 *
 * It shows what becomes of connection, journal and page. What a real set-up does to a server is shown in the guest, by
 * `npm run proof:provision`.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { stepNames } from "../step-names.ts";
import { TestSshd } from "./test-sshd.ts";

/** Of the /var/lib and the /opt that only this server sees: room for a node, of which nothing is used. */
const DISK_KIB = 1_300_000;
/** Of the node that it says it has. */
export const HOST_NODE_KEY = "ab".repeat(32);

const FIRST_LIST = "/var/lib/phantoma/devices/00000001.list";

export class TestHost {
  readonly sshd: TestSshd;
  readonly bundlePath: string;
  readonly #dir: string;

  static async start(settings: readonly string[] = []): Promise<TestHost> {
    const dir = mkdtempSync(join(tmpdir(), "played-host-"));
    for (const name of ["control", "bin"]) mkdirSync(join(dir, name));
    writeFileSync(join(dir, "boot-id"), "first\n");
    for (const [name, text] of Object.entries(PROGRAMS))
      writeFileSync(join(dir, "bin", name), text, { mode: 0o755 });
    const over = (name: string) => `mount --bind ${dir}/bin/${name} /usr/bin/${name}`;
    const sshd = await TestSshd.start(settings, DISK_KIB, [
      `mount -t tmpfs -o size=${DISK_KIB}k,mode=755 tmpfs /opt`,
      "mkdir /var/lib/control",
      `mount --bind ${dir}/control /var/lib/control`,
      `mount --bind ${dir}/boot-id /proc/sys/kernel/random/boot_id`,
      "mount -t tmpfs tmpfs /run/systemd",
      "mkdir /run/systemd/system",
      "mount -t cgroup2 none /sys/fs/cgroup",
      ...Object.keys(PROGRAMS).map(over),
    ]);
    return new TestHost(sshd, dir);
  }

  private constructor(sshd: TestSshd, dir: string) {
    this.sshd = sshd;
    this.#dir = dir;
    this.bundlePath = makeBundle(dir);
  }

  /** The next run waits in this step until it is let go. */
  hold(step: string): void {
    writeFileSync(join(this.#dir, "control", `hold-${step}`), "");
  }

  letGo(step: string): void {
    rmSync(join(this.#dir, "control", `hold-${step}`), { force: true });
  }

  /** The next run fails there, until it is let pass. */
  fail(step: string, isFailing = true): void {
    const path = join(this.#dir, "control", `fail-${step}`);
    if (isFailing) writeFileSync(path, "");
    else rmSync(path, { force: true });
  }

  /** How often a run was started there. */
  get runs(): number {
    try {
      return readFileSync(join(this.#dir, "control/runs"), "utf8").length;
    } catch {
      return 0;
    }
  }

  /** Whether one is under way. */
  get isRunning(): boolean {
    try {
      const pid = readFileSync(join(this.#dir, "control/pid"), "utf8").trim();
      // One that ended may not have been waited for yet.
      return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
    } catch {
      return false;
    }
  }

  /** As if nothing had ever been set up there. */
  empty(): void {
    this.sshd.runInside(
      "rm -rf /opt/phantoma /var/lib/phantoma /var/lib/phantoma-setup /var/lib/control/*; echo first > /proc/sys/kernel/random/boot_id",
    );
  }

  /** What the set-up signed as the node's first list of devices. */
  firstDevices(): Buffer {
    this.sshd.runInside(`cp ${FIRST_LIST} /var/lib/control/first.list`);
    return readFileSync(join(this.#dir, "control/first.list"));
  }

  async stop(): Promise<void> {
    for (const step of stepNames) this.letGo(step);
    await this.sshd.stop();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

const PROGRAMS = {
  systemctl: `#!/bin/sh
pid=/var/lib/control/pid
alive() { [ -s $pid ] && grep -q "^State:.[^Z]" "/proc/$(cat $pid)/status" 2>/dev/null; }
case "$*" in
  --version) echo "systemd 252 (252)";;
  "show -p ActiveState --value phantoma-setup.service") if alive; then echo active; else echo inactive; fi;;
  "stop phantoma-setup.service") alive && kill -s KILL -- -"$(cat $pid)"; sleep 0.3;;
  "--no-block reboot") echo second > /proc/sys/kernel/random/boot_id;;
  *) exit 1;;
esac
true
`,
  "systemd-run": `#!/bin/sh
while [ "\${1#--}" != "$1" ]; do shift; done
printf x >> /var/lib/control/runs
setsid sh -c 'echo $$ > /var/lib/control/pid; exec "$@"' run "$@" </dev/null >/dev/null 2>&1 &
sleep 0.2
`,
  "systemd-detect-virt": `#!/bin/sh
[ "$1" = --container ] && exit 1
echo kvm
`,
};

const IDENTITY = JSON.stringify({
  nodeKey: HOST_NODE_KEY,
  wardenKey: "cd".repeat(32),
  tlsCertificate: "a certificate",
});

/** In place of Node: `main.js install`, `main.js uninstall`, `main.js list`. */
const PROVISIONER = `#!/bin/sh
dir=/var/lib/phantoma-setup; control=/var/lib/control; done=/var/lib/phantoma/done
say() { echo "{\\"at\\":$(date +%s%3N),$1}" | sed 's/^{\\("at":[0-9]*\\),\\(.*\\)}$/{\\2,\\1}/' >> $dir/journal; }
case "$2" in
list)
  echo "/opt/phantoma: the programs"; echo "/var/lib/phantoma: keys, devices and models"; exit;;
uninstall)
  say '"kind":"began","what":"uninstall"'
  for step in ${stepNames.toReversed().join(" ")}; do
    say "\\"kind\\":\\"step\\",\\"step\\":\\"$step\\",\\"state\\":\\"undoing\\""
    say "\\"kind\\":\\"step\\",\\"step\\":\\"$step\\",\\"state\\":\\"undone\\""
  done
  rm -rf /opt/phantoma /var/lib/phantoma
  say '"kind":"ended","what":"uninstalled"'
  exit;;
esac
say '"kind":"began","what":"install"'
mkdir -p $done
for step in ${stepNames.join(" ")}; do
  if [ -e $done/$step ]; then say "\\"kind\\":\\"step\\",\\"step\\":\\"$step\\",\\"state\\":\\"was-so\\""; continue; fi
  say "\\"kind\\":\\"step\\",\\"step\\":\\"$step\\",\\"state\\":\\"applying\\""
  while [ -e $control/hold-$step ]; do sleep 0.1; done
  if [ -e $control/fail-$step ]; then say "\\"kind\\":\\"failed\\",\\"step\\":\\"$step\\",\\"why\\":\\"no space on 192.0.2.1\\""; exit 1; fi
  case $step in
    release)
      mkdir -p /opt/phantoma/current; cp -r $dir/programs/. /opt/phantoma/current
      sha256sum < $dir/bundle.tar.gz | cut -c1-64 > /opt/phantoma/current/bundle.sha256;;
    identity) printf %s '${IDENTITY}' > $dir/identity.json;;
    devices)
      if [ ! -e $dir/devices-1.list ]; then say '"kind":"wants","what":"devices"'; exit; fi
      mkdir -p /var/lib/phantoma/devices; cp $dir/devices-1.list /var/lib/phantoma/devices/00000001.list;;
    reboot)
      if ! grep -q second /proc/sys/kernel/random/boot_id; then say '"kind":"wants","what":"reboot"'; exit; fi;;
    drill)
      for unit in gateway keeper warden hold worker clerk unknown; do
        say "\\"kind\\":\\"drill\\",\\"unit\\":\\"$unit\\",\\"isBlocked\\":true,\\"isCounted\\":true"
      done;;
  esac
  [ $step = drill ] || touch $done/$step
  say "\\"kind\\":\\"step\\",\\"step\\":\\"$step\\",\\"state\\":\\"done\\""
done
say '"kind":"ended","what":"installed"'
`;

/** With the names that a set-up takes out of a real one. */
function makeBundle(dir: string): string {
  const files = {
    "package.json": "{}",
    "apps/node/package.json": "{}",
    "apps/node/provisioner/main.js": "",
    "apps/node/installer/main.js": "",
    "bin/node": PROVISIONER,
  };
  const root = join(dir, "bundle");
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text, { mode: 0o755 });
  }
  const path = join(dir, "phantoma-node-played-linux-x64.tar.gz");
  execFileSync("tar", ["-czf", path, "-C", root, ...Object.keys(files)]);
  return path;
}
