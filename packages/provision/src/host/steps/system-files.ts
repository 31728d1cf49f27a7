/**
 * Everything of the system's that a node brings as files: users, folders, settings, units. Each file has a name of our
 * own, so none of anybody else's is changed.
 *
 * @module
 */
import { readdirSync } from "node:fs";
import { CURRENT_DIR, SETUP_DIR, STATE_DIR, type Machine } from "../machine.ts";
import type { Context, Step } from "../step.ts";

const UNITS_DIR = `${CURRENT_DIR}/apps/node/units`;
const SYSUSERS = "/etc/sysusers.d/phantoma.conf";
const TMPFILES = "/etc/tmpfiles.d/phantoma.conf";
const PINS_DIR = "/sys/fs/bpf/phantoma";
const SYSTEM_DIR = "/etc/systemd/system";
/** In the order of their start. */
const RESTARTED = [
  "phantoma-warden.service",
  "phantoma-keeper.service",
  "phantoma-gateway.service",
];
const GATEWAY_ENV = "/etc/phantoma/gateway.env";

/** Where each lies on a server, by its name in a release. */
const SETTINGS = {
  "phantoma.sysctl.conf": "/etc/sysctl.d/90-phantoma.conf",
  "phantoma.sleep.conf": "/etc/systemd/sleep.conf.d/phantoma.conf",
  "phantoma.journald.conf": "/etc/systemd/journald@phantoma.conf",
} as const;

/** What they change in the kernel that runs; what was before is kept, to be put back. */
const KERNEL_VALUES = [
  "/proc/sys/kernel/core_pattern",
  "/proc/sys/fs/suid_dumpable",
  "/proc/sys/debug/exception-trace",
  "/sys/kernel/mm/ksm/run",
];
const BEFORE = `${SETUP_DIR}/before.json`;

export const users: Step = {
  name: "users",
  probe: ({ machine }) =>
    isSame(machine, "phantoma.sysusers.conf", SYSUSERS) && namesMissing(machine).length === 0,
  async apply({ machine }) {
    install(machine, "phantoma.sysusers.conf", SYSUSERS);
    await machine.run("systemd-sysusers", ...rootFlag(machine), machine.path(SYSUSERS));
  },
  list: ({ machine }) => namesPresent(machine).map(({ kind, name }) => `${kind} ${name}`),
  async undo({ machine }) {
    const prefix = machine.isLive ? [] : ["--prefix", machine.root];
    for (const { kind, name } of namesPresent(machine))
      if (machine.has("/etc/passwd")) await machine.run(`${kind}del`, ...prefix, name);
    machine.remove(SYSUSERS);
  },
};

export const folders: Step = {
  name: "folders",
  probe: ({ machine }) =>
    isSame(machine, "phantoma.tmpfiles.conf", TMPFILES) &&
    foldersIn(machine.read(TMPFILES) ?? "").every((path) => machine.has(path)),
  async apply({ machine }) {
    keepBefore(machine);
    install(machine, "phantoma.tmpfiles.conf", TMPFILES);
    await machine.run("systemd-tmpfiles", ...rootFlag(machine), "--create", machine.path(TMPFILES));
  },
  list: ({ machine }) =>
    machine.has(STATE_DIR)
      ? [`${STATE_DIR}: the node's identity, its list of devices and its models, for good`]
      : [],
  undo({ machine }) {
    machine.remove(TMPFILES);
    // The programs of the policy are gone with their pins.
    for (const path of ["/run/phantoma", STATE_DIR, PINS_DIR]) machine.removeFolder(path);
  },
};

export const settings: Step = {
  name: "settings",
  async probe({ machine }) {
    const areSame = Object.entries(SETTINGS).every(([name, path]) => isSame(machine, name, path));
    if (!areSame || !machine.isLive) return areSame;
    const valueOf = (name: string) => machine.read(`/proc/sys/${name}`)?.trim();
    const isSilent = (valueOf("debug/exception-trace") ?? "0") === "0";
    return isSilent && valueOf("kernel/core_pattern") === "|/bin/false";
  },
  async apply({ machine }) {
    keepBefore(machine);
    for (const [name, path] of Object.entries(SETTINGS)) install(machine, name, path);
    if (machine.isLive)
      await machine.run("/lib/systemd/systemd-sysctl", SETTINGS["phantoma.sysctl.conf"]);
  },
  list: ({ machine }) => present(machine, Object.values(SETTINGS)),
  undo({ machine }) {
    for (const path of Object.values(SETTINGS)) machine.remove(path);
    for (const dir of ["/run/log/journal", "/run/systemd"]) removeLogs(machine, dir);
    const values = valuesBefore(machine);
    if (values === undefined || !machine.isLive) return;
    for (const path of KERNEL_VALUES)
      if (values[path] !== undefined && machine.has(path))
        machine.setKernelValue(path, values[path]);
  },
};

export const units: Step = {
  name: "units",
  probe: ({ machine, order }) =>
    unitNames(machine).length > 0 &&
    unitNames(machine).every((name) => isSame(machine, name, `${SYSTEM_DIR}/${name}`)) &&
    machine.read(GATEWAY_ENV) === gatewayEnv(order),
  async apply({ machine, order }) {
    for (const name of unitNames(machine)) install(machine, name, `${SYSTEM_DIR}/${name}`);
    machine.write(GATEWAY_ENV, gatewayEnv(order));
    if (!machine.isLive) return;
    await machine.run("systemctl", "daemon-reload");
    // Those that run, after an update or a way back; at a set-up none does.
    await machine.succeeds("systemctl", "try-restart", ...RESTARTED);
  },
  list: ({ machine }) => present(machine, [...ourUnits(machine), GATEWAY_ENV]),
  async undo({ machine }) {
    for (const path of ourUnits(machine)) machine.remove(path);
    machine.remove("/etc/phantoma");
    if (machine.isLive) await machine.run("systemctl", "daemon-reload");
  },
};

/** The node's own journal, in memory. */
function removeLogs(machine: Machine, dir: string): void {
  if (!machine.has(dir)) return;
  for (const name of readdirSync(machine.path(dir)))
    if (name.endsWith(".phantoma")) machine.remove(`${dir}/${name}`);
}

function gatewayEnv({ port }: Context["order"]): string {
  return `PHANTOMA_PORT=${port}\nPHANTOMA_GATEWAY_FLAGS=\n`;
}

function install(machine: Machine, name: string, path: string): void {
  machine.write(path, machine.read(`${UNITS_DIR}/${name}`)!);
}

function isSame(machine: Machine, name: string, path: string): boolean {
  const wanted = machine.read(`${UNITS_DIR}/${name}`);
  return wanted !== undefined && wanted === machine.read(path);
}

function present(machine: Machine, paths: readonly string[]): string[] {
  return paths.filter((path) => machine.has(path));
}

/** In a release: everything that systemd calls a unit. */
function unitNames(machine: Machine): string[] {
  if (!machine.has(UNITS_DIR)) return [];
  return readdirSync(machine.path(UNITS_DIR)).filter((name) => !name.endsWith(".conf"));
}

/** On the server, whichever release brought them. */
function ourUnits(machine: Machine): string[] {
  if (!machine.has(SYSTEM_DIR)) return [];
  return readdirSync(machine.path(SYSTEM_DIR))
    .filter((name) => /^phantoma[-.]/.test(name) && name !== "phantoma-setup.service")
    .map((name) => `${SYSTEM_DIR}/${name}`);
}

interface Name {
  readonly kind: "user" | "group";
  readonly name: string;
}

/** Users first: a group that is somebody's cannot be removed. */
function namesIn(conf: string): Name[] {
  return [...conf.matchAll(/^([ug]) (phantoma-[a-z]+) /gm)].map(([, kind, name]) => ({
    kind: kind === "u" ? "user" : "group",
    name: name!,
  }));
}

function namesMissing(machine: Machine): Name[] {
  return namesIn(machine.read(SYSUSERS) ?? "").filter((name) => !isNamed(machine, name));
}

function namesPresent(machine: Machine): Name[] {
  return namesIn(machine.read(SYSUSERS) ?? "").filter((name) => isNamed(machine, name));
}

function isNamed(machine: Machine, { kind, name }: Name): boolean {
  const text = machine.read(kind === "user" ? "/etc/passwd" : "/etc/group") ?? "";
  return text.split("\n").some((line) => line.startsWith(`${name}:`));
}

function foldersIn(conf: string): string[] {
  return [...conf.matchAll(/^d (\/\S+) /gm)]
    .map(([, path]) => path!)
    .filter((path) => !path.startsWith("/sys/"));
}

function rootFlag({ isLive, root }: Machine): string[] {
  return isLive ? [] : [`--root=${root}`];
}

/** Each value once, before it is changed; a release may change more of them than the one before. */
function keepBefore(machine: Machine): void {
  const kept = valuesBefore(machine) ?? {};
  const values = KERNEL_VALUES.map(
    (path) => [path, kept[path] ?? machine.read(path)?.trim()] as const,
  );
  machine.write(BEFORE, JSON.stringify(Object.fromEntries(values)), 0o600);
}

function valuesBefore(machine: Machine): Record<string, string> | undefined {
  const before = machine.read(BEFORE);
  return before === undefined ? undefined : (JSON.parse(before) as Record<string, string>);
}
