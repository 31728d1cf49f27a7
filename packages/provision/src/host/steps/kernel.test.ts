/** A newer kernel, by the real apt and dpkg, from a repository in memory; the machine's own packages stay out of it. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { NewEvent } from "../../journal.ts";
import { noNamespace, OwnNamespace } from "../test-namespace.ts";
import { install } from "../run-steps.ts";
import type { Context } from "../step.ts";
import { reboot } from "./freed-memory.ts";
import { isKernelWaiting, kernel } from "./kernel.ts";

const PATIENCE_MS = 120_000;
const NEEDS = ["/usr/bin/apt-get", "/usr/bin/dpkg-deb", "/usr/bin/python3"];
const order = {
  version: 1,
  sha256: "00".repeat(32),
  port: 7443,
  mayReboot: true,
  mayOpenPort: false,
  mayUpdateKernel: true,
  mayHardenSsh: false,
} as const;

/** An empty system with an old kernel's package, and a repository with the next one. */
const PREPARE = `mount -t tmpfs tmpfs /boot; mount -t tmpfs tmpfs /var/log; mount -t tmpfs tmpfs /var/cache/apt
mkdir -p /var/lib/dpkg/info /var/lib/dpkg/updates /var/lib/apt/lists /var/lib/repository /var/cache/apt/archives /var/log/apt
touch /var/lib/dpkg/status; echo 'APT::Sandbox::User "root";' > /etc/apt/apt.conf.d/99test
rm -rf /etc/apt/sources.list.d/* /etc/apt/preferences.d/*
echo 'deb [trusted=yes] file:/var/lib/repository ./' > /etc/apt/sources.list
make() {
  mkdir -p /var/lib/make/DEBIAN /var/lib/make/boot; rm -f /var/lib/make/boot/*
  printf 'Package: linux-image-tiny\\nVersion: %s\\nArchitecture: all\\nMaintainer: Nobody <nobody@invalid>\\nDescription: small\\n' $1 > /var/lib/make/DEBIAN/control
  echo kernel > /var/lib/make/boot/vmlinuz-$2
  dpkg-deb --root-owner-group --build /var/lib/make /var/lib/repository/tiny-$1.deb >/dev/null
}
make 1 6.1.0-9-tiny; dpkg -i /var/lib/repository/tiny-1.deb >/dev/null 2>&1
make 2 6.1.0-10-tiny; cd /var/lib/repository
{ dpkg-deb -f tiny-2.deb; echo "Filename: ./tiny-2.deb"; echo "Size: $(stat -c %s tiny-2.deb)"
  echo "SHA256: $(sha256sum < tiny-2.deb | cut -c1-64)"; } > Packages`;

describe.skipIf(noNamespace(...NEEDS) !== undefined)("an update of the kernel", () => {
  let machine: OwnNamespace;
  let told: NewEvent[];
  let context: Context;

  beforeEach(async () => {
    machine = await OwnNamespace.make(["/etc/apt"]);
    machine.sh(PREPARE);
    told = [];
    context = { machine, order, programsDir: "", tell: (event) => told.push(event) };
  }, PATIENCE_MS);
  afterEach(() => machine.stop());

  test(
    "installs the newest, wants the reboot that starts it, and is done for that day",
    async () => {
      expect(machine.sh("ls /boot")).toBe("vmlinuz-6.1.0-9-tiny\n");
      expect(await install([kernel, reboot], context)).toBe(false);
      expect(told.at(-1)).toEqual({ kind: "wants", what: "reboot" });
      expect(machine.sh("ls /boot")).toBe("vmlinuz-6.1.0-10-tiny\n");
      expect(isKernelWaiting(machine)).toBe(true);
      expect(await kernel.probe(context)).toBe(true);
      // A kernel that did not come up once is not waited for again.
      machine.write("/var/lib/phantoma-setup/boot-id", "another-boot 6.1.0-10-tiny");
      expect(await install([kernel, reboot], context)).toBe(true);
    },
    PATIENCE_MS,
  );

  test(
    "waits for an installation that holds apt's lock",
    async () => {
      const holder = machine.start(
        "python3",
        "-c",
        "import fcntl,time; f=open('/var/lib/dpkg/lock-frontend','w'); fcntl.lockf(f,fcntl.LOCK_EX); open('/var/lib/held','w'); time.sleep(4)",
      );
      machine.sh("until [ -e /var/lib/held ]; do sleep 0.1; done");
      const start = Date.now();
      expect(await install([kernel], context)).toBe(true);
      expect(Date.now() - start).toBeGreaterThan(2_000);
      holder.kill();
    },
    PATIENCE_MS,
  );

  test("leaves a kernel alone that nobody wants updated", async () => {
    await install([kernel], { ...context, order: { ...order, mayUpdateKernel: false } });
    expect(machine.sh("ls /boot")).toBe("vmlinuz-6.1.0-9-tiny\n");
  });

  test("says so where a kernel comes from no package", async () => {
    machine.sh("dpkg --purge linux-image-tiny >/dev/null 2>&1");
    expect(await install([kernel], context)).toBe(false);
    expect(told.at(-1)).toMatchObject({ kind: "failed", step: "kernel" });
  });
});
