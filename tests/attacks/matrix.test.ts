import { expect, test } from "vitest";
import { Cells, type Outcome } from "./cell.ts";
import { assignEvents, countFrames } from "./matrix.ts";
import { rows } from "./rows.ts";

const event = { unit: "worker", hook: "connect4", address: "", port: 0, pid: 0 };

test("an event belongs to the cell of its address, else of its process", () => {
  const [first, second] = [outcome("1a"), outcome("5a")];
  assignEvents(
    [first, second],
    [
      { ...event, address: `10.9.0.${first.cell.number}`, pid: second.report.pid },
      { ...event, hook: "sock_create", pid: second.report.pid },
      { ...event, hook: "egress", address: "192.0.2.1" },
    ],
  );
  expect([...first.hooks]).toEqual(["connect4"]);
  expect([...second.hooks]).toEqual(["sock_create"]);
});

test("mapped and plain addresses of both families name the same cell", () => {
  const only = outcome("1c");
  const { number } = only.cell;
  assignEvents(
    [only],
    [
      { ...event, hook: "connect6", address: `::ffff:10.9.0.${number}` },
      { ...event, hook: "sendmsg6", address: `fd09::${number.toString(16)}` },
    ],
  );
  expect([...only.hooks]).toEqual(["connect6", "sendmsg6"]);
});

test("an inherited connection leaks by its canary only, any other row by its address too", () => {
  const [inherited, own] = [outcome("17a"), outcome("1a")];
  const frames = [inherited, own].map(({ cell }) => tcpTo(cell.number));
  expect(countFrames([inherited, own], frames, cells.byCanary)).toEqual([]);
  expect([inherited.frames, own.frames]).toEqual([0, 1]);
  countFrames([inherited], [`${tcpTo(1)}${inherited.cell.canary}`], cells.byCanary);
  expect(inherited.frames).toBe(1);
});

test("a frame to anywhere else is a stray", () => {
  const stray = tcpTo(1).replace("0a09", "0808");
  expect(countFrames([outcome("1a")], [stray, "dropped 0"], cells.byCanary)).toEqual([stray]);
});

const cells = new Cells();

function outcome(id: string): Outcome {
  const row = rows.find((row) => row.id === id)!;
  const cell = cells.make(row, "worker", "policy");
  const report = { step: "connect", error: "EPERM", pid: 1000 + cell.number };
  return { cell, report, frames: 0, hooks: new Set() };
}

function tcpTo(number: number): string {
  const to = `0a09${number.toString(16).padStart(4, "0")}`;
  return `02000000000202000000000108004500002800000000400600000a080001${to}${"00".repeat(13)}02`;
}
