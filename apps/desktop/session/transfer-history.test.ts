import { expect, test } from "vitest";
import type { Transfer } from "../ipc/models.ts";
import { MAX_EARLIER, TransferHistory } from "./transfer-history.ts";

const transfer = (name: string, state: Transfer["state"]): Transfer => ({
  name,
  digest: "0a".repeat(32),
  bytes: 2,
  received: 1,
  state,
  error: null,
});
const told = (highestCounter: string, ...transfers: Transfer[]) => ({
  open: null,
  highestCounter,
  transfers,
});

test("transfers of the window that a node tells of are not earlier ones", () => {
  const history = new TransferHistory();
  history.add(told("1", transfer("a", "fetching")));
  expect(history.add(told("1", transfer("a", "stored"))).earlier).toEqual([]);
});

test("the next window makes the ended transfers of the one before earlier ones, newest first", () => {
  const history = new TransferHistory();
  history.add(told("1", transfer("a", "stored")));
  history.add(told("2", transfer("b", "failed"), transfer("c", "fetching")));
  const { earlier, transfers } = history.add(told("3"));
  expect([earlier.map(({ name }) => name), transfers]).toEqual([["b", "a"], []]);
});

test("as many are remembered as the limit says, and no more", () => {
  const history = new TransferHistory();
  for (let counter = 0; counter <= MAX_EARLIER + 1; counter++)
    history.add(told(String(counter), transfer(String(counter), "stored")));
  const { earlier } = history.add(told("last"));
  expect([earlier.length, earlier[0]!.name]).toEqual([MAX_EARLIER, String(MAX_EARLIER + 1)]);
});
