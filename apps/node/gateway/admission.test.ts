/** Who may open a tunnel: every reason to be refused, and 60 seconds either side of the clock. */
import { NO_MODEL } from "@phantoma/crypto";
import { TICKET_LIFETIME_MS } from "@phantoma/protocol";
import { expect, test } from "vitest";
import { MODEL, TestNode } from "../test-node.ts";
import { UsedTickets } from "../tickets/used-tickets.ts";
import { admit, successionFor, TICKET_MEMORY_MS, type Doorkeeper } from "./admission.ts";

const NOW = 1_000_000_000;

function door(node: TestNode, used = new UsedTickets(TICKET_MEMORY_MS)): Doorkeeper {
  const hasModel = (digest: Uint8Array) => MODEL.equals(digest);
  return { node: node.key, devices: node.devices, used, hasModel };
}

const header = (ticket: Buffer) => ticket.toString("base64url");

test("a good ticket is let in with its own bytes, for a task and for control", () => {
  const node = new TestNode();
  for (const service of ["task", "control"] as const) {
    const ticket = node.ticket({ issuedAt: NOW, service });
    expect(admit(header(ticket), door(node), NOW)).toMatchObject({
      genuine: { ticket: { service } },
      bytes: new Uint8Array(ticket),
    });
  }
});

test.each([undefined, "", "x", ["a", "b"], "A".repeat(513), "A".repeat(100_000)])(
  "the header %j is malformed",
  (untrusted) => {
    expect(admit(untrusted, door(new TestNode()), NOW)).toBe("ERR_TICKET_MALFORMED");
  },
);

test("a header longer than any ticket is refused though its start would do", () => {
  const node = new TestNode();
  const ticket = header(node.ticket({ issuedAt: NOW }));
  expect(admit(ticket.padEnd(512, "="), door(node), NOW)).toBeTypeOf("object");
  const another = header(node.ticket({ issuedAt: NOW }));
  expect(admit(another.padEnd(513, "="), door(node), NOW)).toBe("ERR_TICKET_MALFORMED");
});

test("a stranger is refused", () => {
  const node = new TestNode();
  const ticket = node.ticket({ issuedAt: NOW }, node.stranger);
  expect(admit(header(ticket), door(node), NOW)).toBe("ERR_TICKET_REFUSED");
});

test("a revoked device is refused", () => {
  const node = new TestNode();
  node.revoke(node.chat);
  const ticket = node.ticket({ issuedAt: NOW });
  expect(admit(header(ticket), door(node), NOW)).toBe("ERR_DEVICE_REVOKED");
});

test.each([-1, 1])("a ticket 60 s away is fresh, a millisecond more is stale (%i)", (direction) => {
  const node = new TestNode();
  const admitted = (age: number) =>
    admit(header(node.ticket({ issuedAt: NOW + direction * age })), door(node), NOW);
  expect(admitted(TICKET_LIFETIME_MS)).toBeTypeOf("object");
  expect(admitted(TICKET_LIFETIME_MS + 1)).toBe("ERR_TICKET_STALE");
  expect(TICKET_LIFETIME_MS).toBe(60_000);
});

test("a model that is not offered, and a control session that names one, are refused", () => {
  const node = new TestNode();
  const wrong = [
    { model: Buffer.alloc(32, 1) },
    { model: NO_MODEL },
    { service: "control", model: MODEL },
  ] as const;
  for (const change of wrong)
    expect(admit(header(node.ticket({ issuedAt: NOW, ...change })), door(node), NOW)).toBe(
      "ERR_MODEL_UNKNOWN",
    );
});

test("a ticket is let in once, in whatever way it is written", () => {
  const node = new TestNode();
  const used = new UsedTickets(TICKET_MEMORY_MS);
  const ticket = node.ticket({ issuedAt: NOW });
  expect(admit(header(ticket), door(node, used), NOW)).toBeTypeOf("object");
  for (const again of [header(ticket), `${header(ticket)}=`, ticket.toString("base64")])
    expect(admit(again, door(node, used), NOW)).toBe("ERR_TICKET_REUSED");
});

test("an early ticket is not let in again at the last moment that it is fresh", () => {
  const node = new TestNode();
  const used = new UsedTickets(TICKET_MEMORY_MS);
  const ticket = header(node.ticket({ issuedAt: NOW + TICKET_LIFETIME_MS }));
  expect(admit(ticket, door(node, used), NOW)).toBeTypeOf("object");
  const lastMoment = NOW + 2 * TICKET_LIFETIME_MS;
  expect(admit(ticket, door(node, used), lastMoment)).toBe("ERR_TICKET_REUSED");
  expect(admit(ticket, door(node, used), lastMoment + 1)).toBe("ERR_TICKET_STALE");
});

test("a refused ticket is not used up", () => {
  const node = new TestNode();
  const used = new UsedTickets(TICKET_MEMORY_MS);
  const ticket = header(node.ticket({ issuedAt: NOW + TICKET_LIFETIME_MS + 5 }));
  expect(admit(ticket, door(node, used), NOW)).toBe("ERR_TICKET_STALE");
  expect(admit(ticket, door(node, used), NOW + 5)).toBeTypeOf("object");
});

test("a memory that is full is the node's business, not the ticket's", () => {
  const node = new TestNode();
  const used = new UsedTickets(TICKET_MEMORY_MS);
  used.use = () => "full";
  const ticket = header(node.ticket({ issuedAt: NOW }));
  expect(admit(ticket, door(node, used), NOW)).toBe("ERR_BUSY");
});

test("a ticket for a key that the node had before is answered with what became of it, any other with nothing", () => {
  const [before, other] = [new TestNode(), new TestNode()];
  const document = Buffer.from("the document");
  const successions = new Map([[Buffer.from(before.key).toString("hex"), document]]);
  expect(successionFor(header(before.ticket()), successions)).toBe(document);
  for (const untrusted of [header(other.ticket()), undefined, "", ["a"], "A".repeat(250)])
    expect(successionFor(untrusted, successions)).toBeUndefined();
});
