/** Whether a ticket is genuine: whose, for whom, and unchanged. */
import { documentHash, TICKET_BYTES } from "@phantoma/crypto";
import { expect, test } from "vitest";
import { TestNode } from "../test-node.ts";
import { checkTicket } from "./ticket-check.ts";

test("a ticket of a listed device is genuine and names it", () => {
  const node = new TestNode();
  const ticket = node.ticket();
  expect(checkTicket(ticket, node.key, node.devices)).toMatchObject({
    ticket: { service: "task" },
    device: { role: "chat", tunnelKey: node.chat.tunnel.publicKey },
    hash: documentHash(ticket),
  });
});

test("a ticket by a device that is not listed is refused", () => {
  const node = new TestNode();
  const ticket = node.ticket({}, node.stranger);
  expect(checkTicket(ticket, node.key, node.devices)).toBe("ERR_TICKET_REFUSED");
});

test("a ticket that names a listed device but is signed by another is refused", () => {
  const node = new TestNode();
  const ticket = node.ticket({ device: node.admin.signing.publicKey }, node.chat);
  expect(checkTicket(ticket, node.key, node.devices)).toBe("ERR_TICKET_REFUSED");
});

test("a ticket for another node is refused", () => {
  const node = new TestNode();
  const ticket = node.ticket({ node: new Uint8Array(32).fill(1) });
  expect(checkTicket(ticket, node.key, node.devices)).toBe("ERR_TICKET_REFUSED");
});

test("a ticket of a revoked device says so, and a forged one of it does not", () => {
  const node = new TestNode();
  node.revoke(node.chat);
  const ticket = node.ticket();
  expect(checkTicket(ticket, node.key, node.devices)).toBe("ERR_DEVICE_REVOKED");
  ticket[ticket.length - 1]! ^= 1;
  expect(checkTicket(ticket, node.key, node.devices)).toBe("ERR_TICKET_REFUSED");
});

test("a ticket of another length, or another document, is malformed", () => {
  const node = new TestNode();
  const check = (bytes: Uint8Array) => checkTicket(bytes, node.key, node.devices);
  const ticket = node.ticket();
  expect(check(ticket.subarray(1))).toBe("ERR_TICKET_MALFORMED");
  expect(check(Buffer.concat([ticket, Buffer.of(0)]))).toBe("ERR_TICKET_MALFORMED");
  expect(check(Buffer.alloc(0))).toBe("ERR_TICKET_MALFORMED");
  expect(check(node.firstList.subarray(0, TICKET_BYTES))).toBe("ERR_TICKET_MALFORMED");
});

test("a flipped bit anywhere makes a ticket false", () => {
  const node = new TestNode();
  const ticket = node.ticket();
  for (let offset = 0; offset < ticket.length; offset += 1) {
    const changed = Buffer.from(ticket);
    changed[offset]! ^= 1;
    expect(checkTicket(changed, node.key, node.devices)).toMatch(/^ERR_TICKET_/);
  }
});
