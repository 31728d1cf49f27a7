import { ClientError } from "@phantoma/client";
import { windowOrderDocument } from "@phantoma/crypto";
import { expect, test } from "vitest";
import { newConsole, pairedConsole } from "./console-under-test.ts";
import { MODEL, NODE_KEY } from "./fake-node.ts";

const node = NODE_KEY;
const address = "https://models.example/a/b.gguf";

test("what is signed is what was proposed, for this node, by this device, until the deadline", async () => {
  const { session, node: played } = await pairedConsole();
  played.window = { open: null, highestCounter: "41", transfers: [] };
  const proposal = await session.requests["window.propose"]({ node, address });
  expect(proposal).toMatchObject({
    endpoints: [{ name: "models.example", address: "192.0.2.7", port: 443 }],
    files: [{ name: "/a/b.gguf", digest: MODEL, bytes: 7 }],
    digestFrom: "host",
    privateAddresses: [],
  });
  const before = Date.now();
  await session.requests["window.open"]({ node, proposal: proposal.id, minutes: 5 });
  const order = windowOrderDocument.open(played.orders[0]!, ({ signer }) => signer);
  expect(Buffer.from(order.node).toString("hex")).toBe(NODE_KEY);
  expect(Number(order.counter)).toBeGreaterThanOrEqual(before);
  expect(order.notAfter).toBeGreaterThanOrEqual(before + 5 * 60_000);
  expect(order.notAfter).toBeLessThanOrEqual(Date.now() + 5 * 60_000);
  expect(order.endpoints.map(({ name, port }) => [name, port])).toEqual([["models.example", 443]]);
  expect(order.files.map(({ name, size }) => [name, size])).toEqual([["/a/b.gguf", 7n]]);
});

test("nothing is signed for a node whose clock is another one, and it stays online", async () => {
  const { session, node: played } = await pairedConsole();
  const { id: proposal } = await session.requests["window.propose"]({ node, address });
  played.nodeTime = () => Date.now() + 365 * 24 * 60 * 60_000;
  const opening = session.requests["window.open"]({ node, proposal, minutes: 5 });
  await expect(opening).rejects.toMatchObject({ code: "ERR_CLOCKS" });
  expect(played.orders).toEqual([]);
  const { nodes } = await session.requests["console.state"]({});
  expect(nodes[0]?.state).toBe("online");
});

test("only the last proposal can be signed, and once", async () => {
  const { session, node: played } = await pairedConsole();
  const propose = session.requests["window.propose"];
  const open = session.requests["window.open"];
  const first = await propose({ node, address });
  const second = await propose({ node, address, digest: "0b".repeat(32) });
  expect(played.resolved).toEqual([{ from: address }, { from: address, sha256: "0b".repeat(32) }]);
  const unknown = { code: "ERR_PROPOSAL_UNKNOWN" };
  await expect(open({ node, proposal: first.id, minutes: 5 })).rejects.toMatchObject(unknown);
  await open({ node, proposal: second.id, minutes: 5 });
  await expect(open({ node, proposal: second.id, minutes: 5 })).rejects.toMatchObject(unknown);
  expect(played.orders).toHaveLength(1);
});

test("a proposal whose order was refused can be signed again, and the node stays online", async () => {
  const { session, node: played } = await pairedConsole();
  const { id: proposal } = await session.requests["window.propose"]({ node, address });
  const open = session.requests["window.open"];
  played.failures.push(new ClientError("ERR_WINDOW_OPEN", "one is open"));
  await expect(open({ node, proposal, minutes: 5 })).rejects.toMatchObject({
    code: "ERR_WINDOW_OPEN",
  });
  const { nodes } = await session.requests["console.state"]({});
  expect(nodes[0]?.state).toBe("online");
  await expect(open({ node, proposal, minutes: 5 })).resolves.toMatchObject({ open: null });
});

test("nothing is looked up for a node that was not confirmed", async () => {
  const { session, node: played } = newConsole();
  await session.requests["demo.start"]({});
  await expect(session.requests["window.propose"]({ node, address })).rejects.toMatchObject({
    code: "ERR_NOT_CONFIRMED",
  });
  expect(played.resolved).toEqual([]);
});

test("a demo node says why it has no kernel policy", async () => {
  const { session } = await pairedConsole();
  const { nodes } = await session.requests["console.state"]({});
  expect(nodes[0]?.policyReason).toBe("a played node has no kernel");
});
