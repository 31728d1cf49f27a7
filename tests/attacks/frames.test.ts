import { expect, test } from "vitest";
import { cellOf, isLinkNoise, isReset } from "./frames.ts";

const MACS = "020000000002020000000001";
const none = new Map<string, number>();

test("a canary names its cell in any frame", () => {
  const canary = "ab".repeat(16);
  expect(cellOf(`ffffffffffff02000000000188b5${canary}00`, new Map([[canary, 5]]))).toEqual({
    number: 5,
    hasCanary: true,
  });
});

test("an address names its cell without a canary, in both families", () => {
  expect(cellOf(ipv4("0a090102", "0000"), none)).toEqual({ number: 0x102, hasCanary: false });
  expect(cellOf(ipv6(`fd09${"0".repeat(24)}0203`, "3a", "8000"), none)?.number).toBe(0x203);
});

test("a report of IGMP or MLD names its cell by the group", () => {
  expect(cellOf(ipv4("e0000016", "2200f9020000000104000000ef090009"), none)?.number).toBe(9);
  const report = `8f0000000000000104000000ff05${"0".repeat(22)}090007`;
  expect(cellOf(ipv6(`ff02${"0".repeat(26)}16`, "00", report), none)?.number).toBe(7);
});

test("a reset is told from every other TCP packet", () => {
  const ports = "4e211b5800000000000000005";
  for (const [flags, isExpected] of [
    ["014", true],
    ["004", true],
    ["012", false],
    ["002", false],
    ["018", false],
  ] as const) {
    expect(isReset(tcp4(`${ports}${flags}`))).toBe(isExpected);
    expect(isReset(ipv6(`fd09${"0".repeat(28)}`, "06", `${ports}${flags}`))).toBe(isExpected);
  }
  expect(isReset(ipv4("0a090102", "0014"))).toBe(false);
});

test("a frame of nobody's is nobody's, and only the link's own messages are noise", () => {
  expect(cellOf(ipv4("08080808", "00"), none)).toBeUndefined();
  expect(isLinkNoise(ipv4("08080808", "00"))).toBe(false);
  expect(isLinkNoise(`${MACS}0806`)).toBe(true);
  expect(isLinkNoise(ipv6(`ff02${"0".repeat(28)}`, "3a", "8700"))).toBe(true);
  expect(isLinkNoise(ipv6(`ff02${"0".repeat(28)}`, "3a", "8000"))).toBe(false);
});

function ipv4(to: string, payload: string): string {
  return `${MACS}0800${"45000000000000004001000000000000".slice(0, 24)}0a080001${to}${payload}`;
}

function tcp4(payload: string): string {
  return `${MACS}08004500002800000000400600000a0800010a090102${payload}`;
}

function ipv6(to: string, next: string, payload: string): string {
  return `${MACS}86dd600000000000${next}ff${"fd08".padEnd(32, "0")}${to}${payload}`;
}
