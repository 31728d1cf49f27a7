/** Heartbeats that come together: one statement, and nobody is answered before it is committed. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { ControlPlaneError } from "../control-plane-error.ts";
import type { Sql } from "../database/sql.ts";
import { Together, type HeartbeatRow } from "./together.ts";

const MOST = 4;

/** Answers when it is told to. */
class SlowSql implements Sql {
  readonly asked: HeartbeatRow[][] = [];
  readonly #answers: ((error?: Error) => void)[] = [];

  query<Row>(_text: string, [rows]: readonly unknown[] = []): Promise<readonly Row[]> {
    const asked = JSON.parse(rows as string) as HeartbeatRow[];
    this.asked.push(asked);
    return new Promise((resolve, reject) => {
      this.#answers.push((error) => {
        if (error) reject(error);
        else resolve(asked.map(({ node }) => ({ node, taken: true, document: null })) as Row[]);
      });
    });
  }

  answer(error?: Error): void {
    this.#answers.shift()!(error);
  }
}

const row = (node: string, sequence = "1"): HeartbeatRow => ({
  node,
  sequence,
  heartbeat: "",
  release: "",
  root_version: 1,
  targets_version: 1,
  health: 1,
  seen_at: 1,
});
const sizes = (sql: SlowSql) => sql.asked.map(({ length }) => length);

test("those that come together are asked in one statement, and answered only after it", async () => {
  const sql = new SlowSql();
  const together = new Together(sql, { waitMs: 20, most: MOST });
  const answered: string[] = [];
  const all = ["a", "b", "c"].map(async (node) => {
    await together.take(row(node));
    answered.push(node);
  });
  expect(sql.asked).toEqual([]);
  await expect.poll(() => sizes(sql)).toEqual([3]);
  await sleep(50);
  expect(answered).toEqual([]);
  sql.answer();
  await Promise.all(all);
  expect(answered).toEqual(["a", "b", "c"]);
});

test("at its most a statement waits for nobody more, and one past it is the next one's", async () => {
  const sql = new SlowSql();
  const together = new Together(sql, { waitMs: 60_000, most: MOST });
  for (let i = 0; i < MOST - 1; i += 1) void together.take(row(`${i}`));
  expect(sizes(sql)).toEqual([]);
  void together.take(row("last"));
  expect(sizes(sql)).toEqual([MOST]);
  void together.take(row("more"));
  expect(sizes(sql)).toEqual([MOST]);
});

test("the second heartbeat of a node is another statement's, in its order", () => {
  const sql = new SlowSql();
  const together = new Together(sql, { waitMs: 60_000, most: MOST });
  void together.take(row("a", "1"));
  void together.take(row("a", "2"));
  void together.take(row("b"));
  void together.take(row("a", "3"));
  expect(sql.asked.map((rows) => rows.map(({ sequence }) => sequence))).toEqual([
    ["1"],
    ["2", "1"],
  ]);
});

test("when the statement fails, nobody of it is acknowledged, and the next one is asked", async () => {
  const sql = new SlowSql();
  const together = new Together(sql, { waitMs: 1, most: 2 });
  const first = [together.take(row("a")), together.take(row("b"))];
  sql.answer(new ControlPlaneError("ERR_DATABASE"));
  for (const { status } of await Promise.allSettled(first)) expect(status).toBe("rejected");
  const again = together.take(row("a"));
  await expect.poll(() => sizes(sql)).toEqual([2, 1]);
  sql.answer();
  expect(await again).toEqual({ isTaken: true, licences: [] });
});
