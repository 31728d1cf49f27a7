import { randomBytes } from "node:crypto";
import { standingOrderDocument, updatePolicyDocument } from "@phantoma/crypto";
import { generateNodeIdentity, heartbeatDocument, licenceDocument } from "@phantoma/crypto";
import { expect, test } from "vitest";
import { pairedConsole } from "./console-under-test.ts";
import { NODE_KEY } from "./fake-node.ts";

const node = NODE_KEY;
const { publicKey, privateKey } = generateNodeIdentity().signing;
const sha256 = "0a".repeat(32);
const name = "phantoma-node-0.2.0-linux-x64.tar.gz";
const order = {
  counter: "5",
  notAfter: 9,
  endpoints: [{ name: "plane.example", address: "192.0.2.1", port: 443 }],
  controlPlane: "0b".repeat(32),
};

function heartbeat(): Uint8Array {
  const fields = {
    node: publicKey,
    sequence: 7n,
    nonce: randomBytes(16),
    issuedAt: 5,
    release: new Uint8Array(32),
    rootVersion: 3,
    targetsVersion: 4,
    licence: null,
    health: "degraded",
  } as const;
  return heartbeatDocument.sign(fields, privateKey);
}

test("what was sent is shown byte for byte, with what those bytes say", async () => {
  const { session, node: played } = await pairedConsole();
  const sent = heartbeat();
  const document = Buffer.from(sent).toString("base64");
  played.reporting = {
    ...played.reporting,
    order,
    sent: [{ at: 5, document, outcome: "answered" }],
  };
  const shown = await session.requests["reporting.read"]({ node });
  expect(shown.order).toEqual({ notAfter: 9, places: order.endpoints });
  expect(shown.sent).toEqual([
    {
      at: 5,
      outcome: "answered",
      hex: Buffer.from(sent).toString("hex"),
      sequence: "7",
      rootVersion: 3,
      targetsVersion: 4,
      health: "degraded",
    },
  ]);
});

test("the switch signs an order without a place, under the same control plane", async () => {
  const { session, node: played } = await pairedConsole();
  played.reporting = { ...played.reporting, order, highestCounter: "5" };
  await session.requests["reporting.stop"]({ node });
  const signed = standingOrderDocument.open(played.orders[0]!, ({ signer }) => signer);
  expect(signed.endpoints).toEqual([]);
  expect(Buffer.from(signed.controlPlane).toString("hex")).toBe(order.controlPlane);
});

test("a licence comes as its bytes, in base64, or as the control plane answers it", async () => {
  const { session, node: played } = await pairedConsole();
  const licence = Buffer.from(
    licenceDocument.sign(
      {
        id: randomBytes(16),
        sequence: 1n,
        node: publicKey,
        holder: "Ada",
        edition: "team",
        devices: 3,
        issuedAt: 1,
        notBefore: 1,
        notAfter: 2,
        graceDays: 30,
      },
      privateKey,
    ),
  );
  const text = licence.toString("base64");
  for (const file of [licence, Buffer.from(text), Buffer.from(JSON.stringify({ document: text }))])
    await session.requests["licences.take"]({ node, document: file.toString("base64") });
  expect(played.orders.map((one) => Buffer.from(one).toString("base64"))).toEqual([
    text,
    text,
    text,
  ]);
});

test("what this machine does not find to be a release is shown so, and cannot be approved", async () => {
  const { session, node: played } = await pairedConsole();
  played.update = { ...played.update, fetched: [{ name, version: "0.2.0", sha256, bytes: 9 }] };
  const { waiting } = await session.requests["updates.read"]({ node });
  // A build from source has no release keys in it.
  expect(waiting).toMatchObject({ version: "0.2.0", sha256, refusal: { code: "ERR_ANCHOR" } });
  const approving = session.requests["updates.approve"]({ node, sha256 });
  await expect(approving).rejects.toMatchObject({ code: "ERR_PROPOSAL_UNKNOWN" });
  expect(played.orders).toEqual([]);
});

test("what is not newer than what runs does not wait", async () => {
  const { session, node: played } = await pairedConsole();
  const version = played.update.version;
  played.update = { ...played.update, fetched: [{ name, version, sha256, bytes: 9 }] };
  expect((await session.requests["updates.read"]({ node })).waiting).toBeNull();
});

test("a policy is signed for this node, either way", async () => {
  const { session, node: played } = await pairedConsole();
  for (const isAutomatic of [true, false])
    await session.requests["updates.setPolicy"]({ node, isAutomatic });
  const [automatic, ask] = played.orders.map((one) =>
    updatePolicyDocument.open(one, ({ signer }) => signer),
  );
  expect([automatic!.mode, ask!.mode]).toEqual(["automatic", "ask"]);
  expect(Buffer.from(automatic!.node).toString("hex")).toBe(NODE_KEY);
});
