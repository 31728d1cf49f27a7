/** Which tickets a keeper certifies a cell for, and what its certificate says. */
import { certificateDocument, NO_MODEL } from "@phantoma/crypto";
import { CERTIFICATE_LIFETIME_MS, MAX_QUEUE_WAIT_MS, TICKET_LIFETIME_MS } from "@phantoma/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import type { CellRole } from "../ipc/keeper-link.ts";
import { MODEL, TestNode } from "../test-node.ts";
import { UsedTickets } from "../tickets/used-tickets.ts";
import { acceptTicket, certify, TICKET_MEMORY_MS, type Certifier } from "./certify.ts";

const NOW = 1_000_000_000;
const OLDEST_MS = MAX_QUEUE_WAIT_MS + TICKET_LIFETIME_MS;
const installation = {
  release: new Uint8Array(32).fill(5),
  starter: "gateway",
  policy: "demo",
} as const;

let node: TestNode;
let certifier: Certifier;
beforeEach(() => {
  node = new TestNode();
  certifier = certifierOf(0);
});

function certifierOf(startedAt: number): Certifier {
  return {
    identity: node.identity,
    installation,
    devices: node.devices,
    models: [{ name: "model", digest: MODEL.toString("hex"), bytes: 4 }],
    used: new UsedTickets(TICKET_MEMORY_MS),
    startedAt,
  };
}

const accept = (ticket: Uint8Array, role: CellRole = "worker", now = NOW) =>
  acceptTicket(ticket, role, certifier, now);
const ticketOf = (issuedAt = NOW) => node.ticket({ issuedAt });

test("a task's ticket is for a worker, a control session's for a clerk, and not the other way", () => {
  const [task, control] = (["task", "control"] as const).map((service) =>
    node.ticket({ issuedAt: NOW, service }),
  );
  expect(accept(task!, "clerk")).toBeUndefined();
  expect(accept(control!, "worker")).toBeUndefined();
  // Nor when what each role expects of the model would let it pass.
  const namesModel = node.ticket({ issuedAt: NOW, service: "control", model: MODEL });
  expect(accept(namesModel, "worker")).toBeUndefined();
  const namesNone = node.ticket({ issuedAt: NOW, model: NO_MODEL });
  expect(accept(namesNone, "clerk")).toBeUndefined();
  expect(accept(task!, "worker")?.ticket.service).toBe("task");
  expect(accept(control!, "clerk")?.ticket.service).toBe("control");
});

describe("a ticket is refused", () => {
  test("when it is older than the queue and its lifetime, by a millisecond", () => {
    expect(accept(ticketOf(NOW - OLDEST_MS))).toBeDefined();
    expect(accept(ticketOf(NOW - OLDEST_MS - 1))).toBeUndefined();
  });

  test("when it is further in the future than its lifetime, by a millisecond", () => {
    expect(accept(ticketOf(NOW + TICKET_LIFETIME_MS))).toBeDefined();
    expect(accept(ticketOf(NOW + TICKET_LIFETIME_MS + 1))).toBeUndefined();
  });

  test("when it is from before this keeper, which cannot know whether it was used", () => {
    certifier = certifierOf(NOW - 10);
    expect(accept(ticketOf(NOW - 10))).toBeDefined();
    expect(accept(ticketOf(NOW - 11))).toBeUndefined();
  });

  test("when it names a model that is not here, or a clerk's names one at all", () => {
    expect(accept(node.ticket({ issuedAt: NOW, model: Buffer.alloc(32, 1) }))).toBeUndefined();
    expect(accept(node.ticket({ issuedAt: NOW, model: NO_MODEL }))).toBeUndefined();
    const control = node.ticket({ issuedAt: NOW, service: "control", model: MODEL });
    expect(accept(control, "clerk")).toBeUndefined();
  });

  test("when its device is revoked, unknown, or it is another node's", () => {
    expect(accept(node.ticket({ issuedAt: NOW }, node.stranger))).toBeUndefined();
    expect(accept(node.ticket({ issuedAt: NOW, node: MODEL }))).toBeUndefined();
    node.revoke(node.chat);
    certifier = certifierOf(0);
    expect(accept(ticketOf())).toBeUndefined();
    expect(accept(node.ticket({ issuedAt: NOW }, node.admin))).toBeDefined();
  });

  test("when it is no ticket", () => {
    expect(accept(Buffer.alloc(0))).toBeUndefined();
    expect(accept(node.firstList)).toBeUndefined();
  });

  test("the second time, for either role", () => {
    const ticket = ticketOf();
    expect(accept(ticket)).toBeDefined();
    expect(accept(ticket)).toBeUndefined();
  });

  test("again at the very last moment that it could be accepted, however early it was", () => {
    const issuedAt = NOW + TICKET_LIFETIME_MS;
    const ticket = ticketOf(issuedAt);
    expect(accept(ticket)).toBeDefined();
    const unused = ticketOf(issuedAt);
    const lastMoment = issuedAt + OLDEST_MS;
    expect(accept(ticket, "worker", lastMoment)).toBeUndefined();
    expect(accept(unused, "worker", lastMoment)).toBeDefined();
  });
});

test("a ticket that was refused is not used up", () => {
  const ticket = ticketOf(NOW + TICKET_LIFETIME_MS + 1);
  expect(accept(ticket)).toBeUndefined();
  expect(accept(ticket, "worker", NOW + 1)).toBeDefined();
});

test("a certificate names the cell's key, the ticket, the device, the model and the installation", () => {
  const genuine = accept(ticketOf())!;
  const key = new Uint8Array(32).fill(9);
  const certificate = certify(genuine, "worker", key, certifier, NOW);
  expect(certificateDocument.open(certificate, () => node.key)).toEqual({
    role: "worker",
    node: node.key,
    key,
    ticket: genuine.hash,
    device: node.chat.tunnel.publicKey,
    model: new Uint8Array(MODEL),
    ...installation,
    issuedAt: NOW,
    expiresAt: NOW + CERTIFICATE_LIFETIME_MS,
  });
});
