/**
 * The systemd units as files: every option has its reason, everything they name exists, and systemd's
 * own judgement of them is as good as promised. What they do is seen in `tests/proofs/vps.ts`.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";

const unitsDir = fileURLToPath(new URL("../../apps/node/units", import.meta.url));
const repositoryDir = fileURLToPath(new URL("../..", import.meta.url));
const names = readdirSync(unitsDir).filter((name) =>
  /\.(service|socket|slice|path|timer)$/.test(name),
);
const isSystemdHere = spawnSync("systemd-analyze", ["--version"]).status === 0;

/** Where a release's programs come from in this repository. */
const SOURCES: Readonly<Record<string, string>> = {
  "bin/node": "package.json",
  "bin/cell": "apps/node/cell/cell.c",
  "bin/warden": "bpf/warden.c",
};

/** The highest exposure that is allowed, on systemd's scale of 0 to 10. */
const EXPOSURE: Readonly<Record<string, number>> = {
  "phantoma-worker@.service": 1.0,
  "phantoma-clerk@.service": 1.0,
  "phantoma-keeper.service": 1.0,
  "phantoma-hold.service": 1.0,
  "phantoma-doctor.service": 1.0,
  "phantoma-fetcher.service": 1.3,
  "phantoma-herald.service": 1.3,
  "phantoma-warden.service": 1.3,
  "phantoma-gateway.service": 2.0,
  "phantoma-install.service": 2.0,
};

describe.each(names)("%s", (name) => {
  const lines = read(name).split("\n");

  test("says first what it is", () => {
    expect(lines[0]).toMatch(/^# \S/);
  });

  test("has one option on a line, and its reason above it", () => {
    const bare = lines.filter(
      (line, index) => isOption(line) && !/^# \S.*[.;:,…a-z]$/.test(lines[index - 1] ?? ""),
    );
    expect(bare).toEqual([]);
  });

  test("names only programs and files of a release that exist", () => {
    const named = read(name).matchAll(/\/opt\/phantoma\/(?:current|proven)\/([\w./-]+)/g);
    for (const [, path = ""] of named)
      expect(existsSync(join(repositoryDir, sourceOf(path))), path).toBe(true);
  });

  test("names only users, groups and units of ours", () => {
    const accounts = read("phantoma.sysusers.conf");
    for (const [, account] of read(name).matchAll(/^\w*(?:User|Group|Groups)=(phantoma\S*)$/gm))
      expect(accounts).toMatch(new RegExp(`^[ug] ${account} `, "m"));
    const units = read(name).matchAll(
      /\b(phantoma-[a-z]+@?\.(?:service|socket|slice|path|timer))/g,
    );
    for (const [, unit = ""] of units) expect(names).toContain(unit);
  });

  test("writes only to folders that are made for it", () => {
    const folders = read("phantoma.tmpfiles.conf");
    for (const [, list = ""] of read(name).matchAll(/^ReadWritePaths=(.*)$/gm))
      for (const path of list.split(" "))
        if (!path.startsWith("/sys/")) expect(folders).toContain(` ${path} `);
  });
});

/** What the machine itself is told; each file says in its first line where it is installed. */
const SETTINGS: Readonly<Record<string, { installed: string; lines: readonly string[] }>> = {
  "phantoma.sysctl.conf": {
    installed: "/etc/sysctl.d/90-phantoma.conf",
    lines: ["kernel.core_pattern=|/bin/false", "fs.suid_dumpable=0", "-debug.exception-trace=0"],
  },
  "phantoma.sleep.conf": {
    installed: "/etc/systemd/sleep.conf.d/phantoma.conf",
    lines: ["AllowHibernation=no", "AllowHybridSleep=no", "AllowSuspendThenHibernate=no"],
  },
  "phantoma.journald.conf": {
    installed: "/etc/systemd/journald@phantoma.conf",
    lines: ["Storage=volatile", "ForwardToSyslog=no"],
  },
  "phantoma.tmpfiles.conf": {
    installed: "",
    lines: ["w /sys/kernel/mm/ksm/run     -    -                -                - 2"],
  },
};

describe.each(Object.entries(SETTINGS))("%s", (name, { installed, lines: wanted }) => {
  const lines = read(name).split("\n");

  test("sets what keeps pages from outliving a task", () => {
    expect(lines).toEqual(expect.arrayContaining([...wanted]));
  });

  test("says where it belongs and why each line is there, and the installer puts it there", () => {
    expect(lines[0]).toContain(installed);
    const installer = readFileSync(join(repositoryDir, "tests/vps/install-node.ts"), "utf8");
    expect(installer).toContain(`${name} ${installed}`);
    const bare = lines.filter(
      (line, index) => /^[\w.]+=/.test(line) && !/^# \S.*[.:]$/.test(lines[index - 1] ?? ""),
    );
    expect(bare).toEqual([]);
  });
});

test("every setting of the machine is in this list", () => {
  const known = [...Object.keys(SETTINGS), "phantoma.sysusers.conf"];
  expect(
    readdirSync(unitsDir)
      .filter((name) => name.endsWith(".conf"))
      .toSorted(),
  ).toEqual(known.toSorted());
});

test.each(names.filter((name) => /\.(service|slice)$/.test(name)))(
  "%s may not be swapped out, and a service of it dumps no core",
  (name) => {
    expect(read(name)).toMatch(/^MemorySwapMax=0$/m);
    if (name.endsWith(".service")) expect(read(name)).toMatch(/^LimitCORE=1$/m);
  },
);

test.each(names.filter((name) => name.includes("@")))(
  "no two instances of %s share a user",
  (name) => {
    expect(read(name)).toMatch(/^DynamicUser=yes$/m);
    expect(read(name)).toMatch(/^User=p[a-z]-%i$/m);
  },
);

test("every service has a highest exposure, and every exposure a service", () => {
  const services = names.filter((name) => name.endsWith(".service"));
  expect(services.filter((name) => !(name in EXPOSURE))).toEqual([]);
});

test.each([
  "phantoma-worker@.service",
  "phantoma-clerk@.service",
  "phantoma-keeper.service",
  "phantoma-gateway.service",
])("%s does not start without the policy", (name) => {
  expect(read(name)).toMatch(/^ExecStartPre=\+\/opt\/phantoma\/current\/bin\/warden admit \w+/m);
});

test.each(["phantoma-worker@.service", "phantoma-clerk@.service"])(
  "%s has no folder to write to, not even in memory",
  (name) => {
    const unit = read(name);
    expect(unit).not.toMatch(/^(?:ReadWritePaths|BindPaths|\w+Directory)=/m);
    const mounts = [...unit.matchAll(/^TemporaryFileSystem=(.*)$/gm)].flatMap(([, list = ""]) =>
      list.split(" "),
    );
    expect(mounts.length).toBeGreaterThan(0);
    expect(mounts.filter((mount) => !mount.endsWith(":ro"))).toEqual([]);
  },
);

describe.runIf(isSystemdHere)("systemd", () => {
  const rootDir = mkdtempSync(join(tmpdir(), "phantoma-units-"));
  afterAll(() => rmSync(rootDir, { recursive: true }));

  test.each(Object.entries(EXPOSURE).filter(([name]) => names.includes(name)))(
    "sees %s exposed to at most %f",
    (name, highest) => {
      expect(exposure(join(unitsDir, name))).toBeLessThanOrEqual(highest);
    },
  );

  test("sees a unit without its sandbox as exposed", () => {
    const path = join(rootDir, "bare.service");
    writeFileSync(path, "[Service]\nExecStart=/bin/true\n");
    expect(exposure(path)).toBeGreaterThan(9);
  });

  test("understands every line", () => {
    const ours = installInto(rootDir);
    expect(verify(rootDir, ours)).toBe("");
  });

  test("starts all of them at a boot: no order goes round in a ring", () => {
    const enabled = names.filter((name) => read(name).includes("\nWantedBy="));
    enable(rootDir, enabled);
    expect(verify(rootDir, [BOOT_TARGET])).toBe("");
  });

  test("sees a ring when a socket of a service comes before all services", () => {
    const ringDir = join(rootDir, "ring");
    installInto(ringDir);
    const path = join(ringDir, "etc/systemd/system/phantoma-worker.socket");
    const ring = read("phantoma-worker.socket").replace("DefaultDependencies=no\n", "");
    writeFileSync(path, ring);
    enable(ringDir, ["phantoma-worker.socket", "phantoma-warden.service"]);
    expect(verify(ringDir, [BOOT_TARGET])).toContain("phantoma-warden.service/start");
  });

  test("does not understand an option that there is not", () => {
    const path = join(rootDir, "etc/systemd/system/odd.service");
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "[Service]\nExecStart=/bin/sleep 1\nPrivateNetworks=yes\n");
    expect(verify(rootDir, [path])).toContain("PrivateNetworks");
  });
});

function read(name: string): string {
  return readFileSync(join(unitsDir, name), "utf8");
}

/** A release has compiled processes and programs where the repository has their sources. */
function sourceOf(path: string): string {
  return SOURCES[path] ?? path.replace(/\.js$/, ".ts");
}

/** Names for people and the place in the boot order speak for themselves. */
function isOption(line: string): boolean {
  return /^\w+=/.test(line) && !/^(Description|WantedBy)=/.test(line);
}

function exposure(path: string): number {
  const { stdout } = spawnSync(
    "systemd-analyze",
    ["security", "--offline=true", "--no-pager", path],
    {
      encoding: "utf8",
    },
  );
  return Number(/Overall exposure level for .*: ([\d.]+)/.exec(stdout)?.[1] ?? Number.NaN);
}

/** What a server boots into. */
const BOOT_TARGET = "multi-user.target";

function enable(rootDir: string, units: readonly string[]): void {
  const enabled = spawnSync("systemctl", [`--root=${rootDir}`, "enable", ...units]);
  expect(enabled.status).toBe(0);
}

/** @returns systemd's complaints about these units */
function verify(rootDir: string, paths: readonly string[]): string {
  const args = ["verify", "--man=no", `--root=${rootDir}`, ...paths];
  const { stdout, stderr } = spawnSync("systemd-analyze", args, { encoding: "utf8" });
  const about = new RegExp(paths.map((path) => path.split("/").pop()).join("|"));
  return `${stdout}${stderr}`
    .split("\n")
    .filter((line) => about.test(line) || /phantoma/.test(line))
    .join("\n");
}

/** The units beside systemd's own, and programs in the places that they name. */
function installInto(rootDir: string): string[] {
  const systemDir = join(rootDir, "etc/systemd/system");
  mkdirSync(systemDir, { recursive: true });
  cpSync("/usr/lib/systemd/system", join(rootDir, "usr/lib/systemd/system"), { recursive: true });
  const programs = names.flatMap((name) =>
    [...read(name).matchAll(/^Exec\w+=\+?(\S+)/gm)].map(([, path = ""]) => path),
  );
  for (const program of new Set(programs)) {
    const path = join(rootDir, program);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "#!/bin/sh\n");
    chmodSync(path, 0o755);
  }
  return names.map((name) => {
    cpSync(join(unitsDir, name), join(systemDir, name));
    return join(systemDir, name.replace("@.", "@1-2-3."));
  });
}
