/** The live egress log: what is new each time, also after the node was away. */
import { ControlKind, type EgressEvent } from "@phantoma/protocol";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { makeTlsIdentity } from "../../../apps/node/setup/tls-identity.ts";
import { TestGateway, type TestProcess } from "./test-gateway.ts";
import { watchEgress } from "./watch-egress.ts";

let gateway: TestGateway;
let events: EgressEvent[];
let connection: TestProcess;
let stop: AbortController;

beforeEach(async () => {
  gateway = await TestGateway.start(await makeTlsIdentity());
  events = [];
  stop = new AbortController();
  onTestFinished(() => stop.abort());
  gateway.onMessage = (event, process) => {
    if (event.type === "end") return;
    connection = process;
    const { after, limit } = JSON.parse(event.bytes.subarray(1).toString());
    const found = events.filter(({ sequence }) => sequence > after).slice(0, limit);
    const latest = events.at(-1)?.sequence ?? 0;
    const egress = { policy: null, countingSince: 1, counts: [], days: [], events: found, latest };
    process.say(event.stream, ControlKind.response, { response: "egress", egress }, true);
  };
});

function attempt(sequence: number): void {
  const fields = { unit: "worker", hook: "connect4", protocol: "tcp", address: "::1", port: 1 };
  events.push({ sequence, at: 1, ...fields } as EgressEvent);
}

/** Sequences as they come; ends with the test. */
function watch(after?: number): number[] {
  const seen: number[] = [];
  const { profile, device } = gateway;
  const options = {
    profile,
    device,
    signal: stop.signal,
    onLost,
    ...(after !== undefined && { after }),
  };
  void (async () => {
    for await (const egress of watchEgress(options))
      seen.push(...egress.events.map(({ sequence }) => sequence));
    seen.push(Infinity);
  })();
  return seen;
}
const onLost = vi.fn();

test("only what comes from now on is told, each attempt once", async () => {
  attempt(1);
  const seen = watch();
  await expect.poll(() => connection).toBeDefined();
  await new Promise((resolve) => setTimeout(resolve, 700));
  attempt(2);
  await expect.poll(() => seen, { timeout: 3_000 }).toEqual([2]);
  attempt(3);
  await expect.poll(() => seen, { timeout: 3_000 }).toEqual([2, 3]);
});

test("more than one answer holds comes without a pause", async () => {
  for (let sequence = 1; sequence <= 450; sequence += 1) attempt(sequence);
  const seen = watch(0);
  await expect.poll(() => seen.length, { timeout: 2_000 }).toBe(450);
});

test("a node that was away is found again, and nothing is told twice or left out", async () => {
  attempt(1);
  const seen = watch(0);
  await expect.poll(() => seen, { timeout: 3_000 }).toEqual([1]);
  connection.socket.terminate();
  attempt(2);
  await expect.poll(() => seen, { timeout: 5_000 }).toEqual([1, 2]);
  expect(onLost).toHaveBeenCalled();
});

test("a keeper that began anew is heard from its beginning", async () => {
  for (const sequence of [1, 2, 3]) attempt(sequence);
  const seen = watch(0);
  await expect.poll(() => seen, { timeout: 3_000 }).toEqual([1, 2, 3]);
  events = [];
  attempt(1);
  await expect.poll(() => seen, { timeout: 3_000 }).toEqual([1, 2, 3, 1]);
});

test("it ends when it is told to", async () => {
  const seen = watch(0);
  await expect.poll(() => connection).toBeDefined();
  stop.abort();
  await expect.poll(() => seen).toEqual([Infinity]);
});
