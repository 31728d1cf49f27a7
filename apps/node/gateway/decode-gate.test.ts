/** How many compute at once, in which order the others follow, and what they are told. */
import { expect, test } from "vitest";
import { DecodeGate } from "./decode-gate.ts";

function named(name: string, said: string[]) {
  return {
    go: () => void said.push(`${name} goes`),
    waits: (position: number) => void said.push(`${name} waits ${position}`),
  };
}

function gateFor(max: number) {
  const said: string[] = [];
  const [a, b, c] = ["a", "b", "c"].map((name) => named(name, said));
  return { gate: new DecodeGate(max), said, a: a!, b: b!, c: c! };
}

test("as many as allowed go at once, the next waits", () => {
  const { gate, said, a, b, c } = gateFor(2);
  for (const decoder of [a, b, c]) gate.wants(decoder);
  expect(said).toEqual(["a goes", "b goes", "c waits 1"]);
});

test("who waits longest goes next, and the others move up", () => {
  const { gate, said, a, b, c } = gateFor(1);
  for (const decoder of [a, b, c]) gate.wants(decoder);
  said.length = 0;
  gate.done(a);
  expect(said).toEqual(["b goes", "c waits 1"]);
  said.length = 0;
  gate.done(b);
  expect(said).toEqual(["c goes"]);
});

test("asking twice gives no second place, neither while waiting nor while computing", () => {
  const { gate, said, a, b, c } = gateFor(1);
  for (const decoder of [a, a, b, b, c]) gate.wants(decoder);
  expect(said).toEqual(["a goes", "b waits 1", "c waits 2"]);
});

test("who leaves the queue frees no place among those who compute", () => {
  const { gate, said, a, b, c } = gateFor(1);
  for (const decoder of [a, b, c]) gate.wants(decoder);
  said.length = 0;
  gate.done(b);
  expect(said).toEqual(["c waits 1"]);
  gate.done(a);
  expect(said.at(-1)).toBe("c goes");
});

test("who never asked, or is done already, changes nothing", () => {
  const { gate, said, a, b, c } = gateFor(1);
  gate.wants(a);
  gate.done(b);
  gate.done(a);
  gate.done(a);
  gate.wants(b);
  gate.wants(c);
  expect(said).toEqual(["a goes", "b goes", "c waits 1"]);
});

test("threads count: a worker that wants more than are left waits, and holds back who came later", () => {
  const { gate, said, a, b, c } = gateFor(3);
  gate.wants(a, 2);
  gate.wants(b, 2);
  gate.wants(c, 1);
  expect(said).toEqual(["a goes", "b waits 1", "c waits 2"]);
  said.length = 0;
  gate.done(a);
  expect(said).toEqual(["b goes", "c goes"]);
});

test("one always computes, however many threads it wants", () => {
  const { gate, said, a, b } = gateFor(1);
  gate.wants(a, 8);
  gate.wants(b, 1);
  expect(said).toEqual(["a goes", "b waits 1"]);
});
