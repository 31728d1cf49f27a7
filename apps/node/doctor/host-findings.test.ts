/** Every finding about a machine: good, bad, and what is not understood and so not good either. */
import { execFileSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import { hostChecks, hostFindingsSchema, type HostCheck } from "@phantoma/protocol";
import { describe, expect, test } from "vitest";
import { hostFindings } from "./host-findings.ts";
import { oneSwap, TestHost } from "./test-host.ts";

const RUNNING = "6.1.0-50-cloud-amd64";
const CMDLINE = "root=/dev/vda1";

type Change = Readonly<Record<string, string | null>>;
type Row = readonly [change: Change, isGood: boolean | null, detail?: string | RegExp];

const rows: Readonly<Record<HostCheck, readonly Row[]>> = {
  freedMemory: [
    [{}, true, "init_on_free=1"],
    [{ "proc/cmdline": CMDLINE }, false],
    [{ "proc/cmdline": `${CMDLINE} init_on_free=on` }, true],
    [{ "proc/cmdline": `${CMDLINE} init-on-free=y` }, true],
    [{ "proc/cmdline": `${CMDLINE} init_on_free=1 init_on_free=0` }, false, "init_on_free=0"],
    [{ "proc/cmdline": `${CMDLINE} init_on_free=0 init_on_free=1` }, true],
    [{ "proc/cmdline": `${CMDLINE} init_on_free=` }, null],
    [{ "proc/cmdline": `${CMDLINE} init_on_free=2` }, null, /not understood/],
    [{ "proc/cmdline": `${CMDLINE} init_on_free=true` }, null, /not understood/],
    [{ "proc/cmdline": `${CMDLINE} xinit_on_free=1` }, false],
    [{ "proc/cmdline": `${CMDLINE} module.init_on_free=1` }, false],
    [{ "proc/cmdline": `${CMDLINE} -- init_on_free=1` }, false],
    [{ "proc/cmdline": `${CMDLINE} dyndbg="file a init_on_free=1 b"` }, false],
    [{ "proc/cmdline": `${CMDLINE} init_on_free=1 page_poison=1` }, false, /page_poison/],
    [{ "proc/cmdline": `${CMDLINE} init_on_free=1 page_poison=?` }, false, /page_poison/],
    [{ "proc/cmdline": `${CMDLINE} init_on_free=1 page_poison=0` }, true],
    [{ "proc/sys/kernel/osrelease": "5.2.0-1" }, false, "kernel 5.2.0-1 cannot"],
    [{ "proc/sys/kernel/osrelease": "5.3.0-1" }, true],
    [{ "proc/sys/kernel/osrelease": "4.19.0-1" }, false],
    [
      {
        "proc/cmdline": CMDLINE,
        [`boot/config-${RUNNING}`]: "CONFIG_INIT_ON_FREE_DEFAULT_ON=y\n",
      },
      true,
      "by the kernel's configuration",
    ],
    [{ "proc/cmdline": CMDLINE, [`boot/config-${RUNNING}`]: null }, false],
    [{ "proc/cmdline": null }, null, "no /proc/cmdline"],
    [{ "proc/sys/kernel/osrelease": "../../etc" }, null, "osrelease was not understood"],
  ],
  swap: [
    [{}, true],
    [{ "proc/swaps": oneSwap("/dev/vda2") }, false, "/dev/vda2"],
    [{ "proc/swaps": oneSwap("/dev/zram0") }, false, "/dev/zram0"],
    [
      { "proc/swaps": `${oneSwap("/swapfile")}/dev/vda2 partition 1 0 -3\n` },
      false,
      "/swapfile and 1 more",
    ],
    [{ "proc/swaps": "" }, null, "/proc/swaps was not understood"],
    [{ "proc/swaps": null }, null, "no /proc/swaps"],
  ],
  hibernation: [
    [{}, true, "refused by systemd"],
    [{ "sys/power/state": "freeze mem\n" }, true, "the kernel offers none"],
    [{ "sys/power/disk": "[disabled]\n" }, true, "switched off in the kernel"],
    [{ "etc/systemd/sleep.conf.d/phantoma.conf": null }, false],
    [{ "etc/systemd/sleep.conf": "AllowHibernation=yes\n" }, true],
    [{ "etc/systemd/sleep.conf.d/zz.conf": "AllowHibernation=yes\n" }, false],
    [{ "etc/systemd/sleep.conf.d/zz.conf": "AllowHibernation=\n" }, false],
    [{ "etc/systemd/sleep.conf.d/zz.conf": "#AllowHibernation=yes\n" }, true],
    [{ "etc/systemd/sleep.conf.d/zz.not": "AllowHibernation=yes\n" }, true],
    [{ "etc/systemd/sleep.conf.d/zz.conf": "AllowHybridSleep=yes\n" }, false],
    [{ "etc/systemd/sleep.conf.d/zz.conf": "AllowSuspendThenHibernate=1\n" }, false],
    [{ "usr/lib/systemd/sleep.conf.d/phantoma.conf": "AllowHibernation=yes\n" }, true],
    [{ "run/systemd/sleep.conf.d/q.conf": "AllowHibernation=on\n" }, false],
    [{ "sys/power/state": null }, null, "no /sys/power/state"],
  ],
  coreDumps: [
    [{}, true],
    [{ "proc/sys/kernel/core_pattern": "|/usr/bin/true\n" }, true],
    [{ "sys/kernel/kexec_crash_loaded": null }, true],
    [{ "proc/sys/kernel/core_pattern": "core\n" }, false, "core"],
    [{ "proc/sys/kernel/core_pattern": "\n" }, false],
    [{ "proc/sys/kernel/core_pattern": "|/bin/false %p\n" }, false],
    [{ "proc/sys/kernel/core_pattern": "/bin/false\n" }, false],
    [{ "proc/sys/kernel/core_pattern": "|/home/bin/false\n" }, false],
    [
      { "proc/sys/kernel/core_pattern": "|/usr/share/apport/apport -p%p -s%s\n" },
      false,
      "|/usr/share/apport/apport -p%p -s%s",
    ],
    [{ "proc/sys/debug/exception-trace": "0\n" }, true],
    [{ "proc/sys/debug/exception-trace": "1\n" }, false, /faults are logged/],
    [{ "proc/sys/debug/exception-trace": "\n" }, false],
    [{ "sys/kernel/kexec_crash_loaded": "1\n" }, false, /crash kernel/],
    [{ "sys/kernel/kexec_crash_loaded": "" }, null],
    [{ "proc/sys/kernel/core_pattern": null }, null],
  ],
  pageMerging: [
    [{}, true],
    [{ "sys/kernel/mm/ksm/run": "2\n" }, true],
    [{ "sys/kernel/mm/ksm/run": "1\n" }, false],
    [{ "sys/kernel/mm/ksm/run": "3\n" }, null],
    [
      { "sys/kernel/mm/ksm": null, "sys/kernel/mm/transparent_hugepage/enabled": "" },
      true,
      "not in this kernel",
    ],
    [{ "sys/kernel/mm": null }, null],
  ],
  kernelUpdate: [
    [{}, true, RUNNING],
    [
      { "boot/vmlinuz-6.1.0-51-cloud-amd64": "" },
      false,
      `${RUNNING} runs, 6.1.0-51-cloud-amd64 is installed`,
    ],
    [{ "boot/vmlinuz-6.1.0-100-cloud-amd64": "" }, false],
    [{ "boot/vmlinuz-6.12.9+bpo-cloud-amd64": "" }, false],
    [{ "boot/vmlinuz-6.1.0-9-cloud-amd64": "" }, true],
    [{ "boot/vmlinuz-6.1.0-50-amd64": "" }, true],
    [{ "boot/vmlinuz-6.1.0-51-cloud-amd64.old": "" }, true],
    [{ "boot/vmlinuz-rescue": "" }, true],
    [{ boot: null, [`lib/modules/${RUNNING}/x`]: "" }, true],
    [{ boot: null, [`lib/modules/${RUNNING}/x`]: "", "lib/modules/6.2.0/x": "" }, false],
    [{ "proc/sys/kernel/osrelease": "6.1.99-host" }, null, "6.1.99-host is not installed here"],
    [{ boot: null }, null, "no installed kernel was found"],
  ],
  sshPasswords: [
    [{}, true],
    [{ "etc/ssh/sshd_config.d/50-cloud-init.conf": "" }, false, "by default"],
    [{ "etc/ssh/sshd_config.d/00.conf": "PasswordAuthentication yes\n" }, false],
    [{ "etc/ssh/sshd_config.d/99.conf": "PasswordAuthentication yes\n" }, true],
    [{ "etc/ssh/sshd_config.d/00.off": "PasswordAuthentication yes\n" }, true],
    [{ "etc/ssh/sshd_config": "PasswordAuthentication no\n" }, true],
    [{ "etc/ssh/sshd_config": "passwordauthentication=NO\n" }, true],
    [{ "etc/ssh/sshd_config": 'PasswordAuthentication "no" # x\n' }, true],
    [{ "etc/ssh/sshd_config": "# PasswordAuthentication no\n" }, false],
    [
      { "etc/ssh/sshd_config": "PasswordAuthentication no\nUsePAM yes\n" },
      false,
      "KbdInteractiveAuthentication with UsePAM",
    ],
    [
      {
        "etc/ssh/sshd_config":
          "PasswordAuthentication no\nUsePAM yes\nChallengeResponseAuthentication no\n",
      },
      true,
    ],
    [
      {
        "etc/ssh/sshd_config":
          "PasswordAuthentication no\nMatch User backup\n  PasswordAuthentication yes\n",
      },
      false,
      "PasswordAuthentication yes in a Match block",
    ],
    [
      {
        "etc/ssh/sshd_config": "PasswordAuthentication no\nMatch all\nPasswordAuthentication yes\n",
      },
      false,
    ],
    [
      {
        "etc/ssh/sshd_config":
          "PasswordAuthentication no\nUsePAM yes\nKbdInteractiveAuthentication no\n" +
          "Match Address 10.0.0.0/8\nKbdInteractiveAuthentication yes\n",
      },
      false,
      "KbdInteractiveAuthentication yes in a Match block",
    ],
    [{ "etc/ssh/sshd_config": "Match User a\nPasswordAuthentication no\n" }, false, "by default"],
    // A block ends with the file that it is in.
    [
      {
        "etc/ssh/sshd_config": "Include sshd_config.d/*.conf\nPasswordAuthentication no\n",
        "etc/ssh/sshd_config.d/50-cloud-init.conf": "Match User a\nX11Forwarding no\n",
      },
      true,
    ],
    [
      {
        "etc/ssh/sshd_config": "PasswordAuthentication no\nMatch User a\nInclude b.conf\n",
        "etc/ssh/b.conf": "PasswordAuthentication yes\n",
      },
      false,
    ],
    [{ "etc/ssh/sshd_config": "PasswordAuthentication perhaps\n" }, null],
    [{ "etc/ssh/sshd_config": "Include /etc/*/x.conf\nPasswordAuthentication no\n" }, null],
    [{ "etc/ssh/sshd_config": "Include sshd_config\n" }, null, /too deeply/],
    [{ "etc/ssh/sshd_config": null }, null, "no /etc/ssh/sshd_config"],
  ],
  logs: [
    [{}, true],
    [{ "var/log/journal/0123/system.journal": "" }, true, /machine's own journal/],
    [{ "var/log/journal/0123.phantoma/system.journal": "" }, false],
    [{ "etc/systemd/journald@phantoma.conf": "Storage=persistent\n" }, false, "Storage=persistent"],
    [{ "etc/systemd/journald@phantoma.conf.d/z.conf": "Storage=auto\n" }, false],
    [{ "etc/systemd/journald@phantoma.conf": null }, null],
  ],
};

describe.each(hostChecks)("%s", (check) => {
  const cases = rows[check].map(([change, isGood, detail]) => ({ change, isGood, detail }));
  test.each(cases)("with $change: $isGood", ({ change, isGood, detail }) => {
    const found = hostFindings(new TestHost(change).files)[check];
    expect(found.isGood).toBe(isGood);
    if (detail instanceof RegExp) expect(found.detail).toMatch(detail);
    else if (detail !== undefined) expect(found.detail).toBe(detail);
  });

  test("is never good where nothing can be read", () => {
    const host = new TestHost();
    for (const dir of ["proc", "sys", "etc", "boot"]) host.remove(dir);
    const found = hostFindings(host.files)[check];
    expect(found.isGood).toBeNull();
    expect(found.detail).not.toBeNull();
  });
});

test("whatever the machine's files hold, the answer is one of the protocol's", () => {
  const odd = `|/x ${"y".repeat(300)}\u001b[2J\nzweite\u202e`;
  const host = new TestHost({
    "proc/sys/kernel/core_pattern": odd,
    "proc/swaps": oneSwap("/ü\u0007"),
  });
  const found = hostFindings(host.files);
  expect(hostFindingsSchema.parse(found)).toEqual(found);
  expect(found.coreDumps.detail).toHaveLength(120);
  expect(found.swap.detail).toBe("/??");
});

test("what is there and cannot be opened is not taken for absent", () => {
  const host = new TestHost();
  symlinkSync("sleep.conf", `${host.dir}/etc/systemd/sleep.conf`);
  expect(hostFindings(host.files).hibernation).toEqual({
    isGood: null,
    detail: "/etc/systemd/sleep.conf: ELOOP",
  });
});

test("a pipe in the place of a file is not waited for", () => {
  const host = new TestHost({ "proc/swaps": null });
  execFileSync("mkfifo", [`${host.dir}/proc/swaps`]);
  expect(hostFindings(host.files).swap).toEqual({ isGood: null, detail: "/proc/swaps is no file" });
});
