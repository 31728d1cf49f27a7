/** Facts as a shell prints them, read strictly, and what follows from each. */
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { MAX_FACT_LENGTH, factsScript } from "./facts-script.ts";
import { MAX_FACTS_BYTES, parseFacts, type Facts } from "./facts.ts";
import {
  isFit,
  judge,
  MAX_SKEW_SECONDS,
  MIN_DISK_KIB,
  MIN_MEMORY_KIB,
  type Check,
} from "./findings.ts";

const NOW = 1_800_000_000_000;
const FIT: Record<string, string> = {
  os: "debian",
  osVersion: "12",
  arch: "x86_64",
  kernel: "6.1.0-50-cloud-amd64",
  libc: "glibc 2.36",
  cgroups: "cgroup2fs",
  btf: "yes",
  isSystemd: "yes",
  systemd: "252",
  virtualisation: "kvm",
  isContainer: "no",
  memoryKib: "4000000",
  optKib: "5000000",
  stateKib: "5000000",
  avx2: "yes",
  cores: "2",
  clock: String(NOW / 1000),
  portHolder: "",
  aptLock: "free",
  swaps: "0",
  hibernation: "no",
  missing: "",
  release: "",
  nodeKey: "",
  newestKernel: "6.1.0-50-cloud-amd64",
  initOnFree: "no",
  grub: "yes",
  ufw: "no",
  firewalld: "no",
  nftables: "no",
  cloudInit: "done",
};
const lines = (facts: Record<string, string>) =>
  Object.entries(facts).map(([name, value]) => `${name}=${value}`);
const print = (facts: Record<string, string>, around = ["", ""]) =>
  Buffer.from([around[0], "facts=1", ...lines(facts), "facts=end", around[1]].join("\n"));
const facts = (change: Record<string, string> = {}): Facts =>
  parseFacts(print({ ...FIT, ...change }));
const findings = (change: Record<string, string> = {}) =>
  judge(facts(change), { port: 7443, now: NOW, uncertaintyMs: 400 });
const verdict = (check: Check, change: Record<string, string>) =>
  findings(change).find((finding) => finding.check === check)!.verdict;

test("a fresh Debian 12 is fit, and only its memory that is not cleaned is noted", () => {
  expect(isFit(findings())).toBe(true);
  expect(
    findings()
      .filter(({ verdict }) => verdict !== "good")
      .map(({ check }) => check),
  ).toEqual(["freedMemory"]);
});

test("what is noted or stops says what to do, and what is good says nothing", () => {
  const bad = {
    os: "",
    arch: "i686",
    kernel: "4.9",
    btf: "no",
    isSystemd: "no",
    memoryKib: "1",
    optKib: "1",
  };
  const all = [
    ...findings(),
    ...findings({ ...bad, portHolder: "L", swaps: "2", grub: "no", ufw: "yes" }),
  ];
  for (const { verdict, consequence } of all) expect(consequence === "").toBe(verdict === "good");
});

test.each<[Check, string, Record<string, string>]>([
  ["processor", "stop", { arch: "aarch64" }],
  ["processor", "note", { avx2: "no" }],
  ["kernel", "stop", { kernel: "5.15.0-100-generic" }],
  ["kernel", "stop", { kernel: "" }],
  ["kernel", "good", { kernel: "6.10.0" }],
  ["library", "stop", { libc: "glibc 2.35" }],
  ["library", "stop", { libc: "musl" }],
  ["virtualisation", "stop", { isContainer: "yes", virtualisation: "lxc" }],
  ["virtualisation", "stop", { isContainer: "yes", virtualisation: "openvz" }],
  ["types", "stop", { btf: "no" }],
  ["groups", "stop", { cgroups: "tmpfs" }],
  ["services", "stop", { isSystemd: "no" }],
  ["services", "stop", { systemd: "251" }],
  ["programs", "stop", { missing: "gzip systemd-run" }],
  ["port", "stop", { portHolder: "L" }],
  ["port", "good", { portHolder: "L", release: "/opt/phantoma/releases/0.1.0" }],
  ["port", "note", { portHolder: "unknown" }],
  ["packages", "stop", { cloudInit: "running" }],
  ["packages", "note", { aptLock: "held" }],
  ["swap", "note", { swaps: "1" }],
  ["hibernation", "note", { hibernation: "yes" }],
  ["kernelUpdate", "note", { newestKernel: "6.1.0-51-cloud-amd64" }],
  ["freedMemory", "good", { initOnFree: "yes" }],
  ["freedMemory", "note", { grub: "no" }],
  ["firewall", "note", { ufw: "yes" }],
  ["firewall", "note", { nftables: "yes" }],
  ["node", "note", { nodeKey: "ab".repeat(32) }],
  ["system", "note", { os: "ubuntu", osVersion: "24.04" }],
])("%s: %s", (check, expected, change) => {
  expect(verdict(check, change)).toBe(expected);
});

test.each<[Check, string, number, string]>([
  ["memory", "memoryKib", MIN_MEMORY_KIB, "note"],
  ["disk", "optKib", MIN_DISK_KIB, "good"],
  ["disk", "stateKib", MIN_DISK_KIB, "good"],
])("%s: at the least of %s it goes on, one below it stops", (check, name, least, at) => {
  expect(verdict(check, { [name]: String(least) })).toBe(at);
  expect(verdict(check, { [name]: String(least - 1) })).toBe("stop");
});

test("a clock may be off by what a ticket survives, and by no second more, either way", () => {
  for (const sign of [-1, 1]) {
    const off = (seconds: number) =>
      verdict("clock", { clock: String(NOW / 1000 + sign * seconds) });
    expect(off(MAX_SKEW_SECONDS)).toBe("note");
    expect(off(MAX_SKEW_SECONDS + 3)).toBe("stop");
  }
});

test("a greeting of the login shell is not taken for facts", () => {
  expect(parseFacts(print(FIT, ["Welcome!\nos=windows", "bye\nos=windows"]))).toEqual(facts());
});

test.each<[string, Buffer]>([
  ["nothing", Buffer.alloc(0)],
  ["no end", Buffer.from(["facts=1", ...lines(FIT)].join("\n"))],
  ["a line twice", print({ ...FIT, " os": "x" })],
  ["a name that nobody asked for", print({ ...FIT, more: "x" })],
  ["a name of the language", print({ ...FIT, ["__proto__"]: "x", constructor: "x" })],
  [
    "a fact that is missing",
    print(Object.fromEntries(Object.entries(FIT).filter(([name]) => name !== "clock"))),
  ],
  ["a number that is none", print({ ...FIT, memoryKib: "much" })],
  ["a number that is too long", print({ ...FIT, memoryKib: "1".repeat(16) })],
  ["a word with a blank", print({ ...FIT, kernel: "6.1 $(id)" })],
  ["an answer that is neither yes nor no", print({ ...FIT, btf: "maybe" })],
])("%s is not believed", (_name, printed) => {
  expect(() => parseFacts(printed)).toThrow(expect.objectContaining({ code: "ERR_FACTS" }));
});

test("a fact of the longest length is taken, one longer is not, nor an answer that is too long", () => {
  expect(facts({ kernel: "6".repeat(MAX_FACT_LENGTH) }).kernel).toHaveLength(MAX_FACT_LENGTH);
  expect(() => facts({ kernel: "6".repeat(MAX_FACT_LENGTH + 1) })).toThrow();
  const greeting = (bytes: number) => print(FIT, ["x".repeat(bytes - print(FIT).length), ""]);
  expect(parseFacts(greeting(MAX_FACTS_BYTES))).toEqual(facts());
  expect(() => parseFacts(greeting(MAX_FACTS_BYTES + 1))).toThrow();
});

test.skipIf(process.platform !== "linux")(
  "the script runs here, and its facts are of this machine",
  () => {
    const here = parseFacts(execFileSync("sh", ["-c", factsScript(7443)]));
    expect(here.kernel).toBe(execFileSync("uname", ["-r"], { encoding: "utf8" }).trim());
    expect(Math.abs(here.clock - Date.now() / 1000)).toBeLessThan(30);
  },
);
