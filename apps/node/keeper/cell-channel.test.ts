/** A cell's channel to a keeper over a real socket: what is due, what is not, and how it ends. */
import { createHash } from "node:crypto";
import { rmSync, statSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { certificateDocument, generateX25519, receiptDocument } from "@phantoma/crypto";
import {
  doctorSchema,
  egressSchema,
  modelSchema,
  statusSchema,
  windowSchema,
} from "@phantoma/protocol";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { hostFindings } from "../doctor/host-findings.ts";
import { writeHostReport } from "../doctor/host-report.ts";
import { oneSwap, TestHost } from "../doctor/test-host.ts";
import { encodeFrame } from "../ipc/frames.ts";
import { KeeperClient } from "../ipc/keeper-client.ts";
import {
  CELL_ENDED_BYTES,
  CELL_HANDLE_BYTES,
  CELL_HANDLE_KIND,
  cellEndings,
  CellReport,
  keeperRequests,
  MAX_KEEPER_REQUEST_BYTES,
  type CellRole,
} from "../ipc/keeper-link.ts";
import { MODEL, TestNode } from "../test-node.ts";
import { Keeper } from "./keeper.ts";
import { unframed } from "./vault/framed.ts";

const refused = (code: string) => expect.objectContaining({ name: "KeeperRefused", code });
const hungUp = refused("ERR_UNAVAILABLE");
const installation = { release: new Uint8Array(32), starter: "gateway", policy: "none" } as const;
const anyList = Buffer.from([0, 10]);

let node: TestNode;
let keeper: Keeper;
const socketPath = (role: CellRole) => join(node.dir, `${role}.sock`);

beforeEach(async () => {
  node = new TestNode();
  const { identity, devicesDir, modelsDir } = node;
  const dirs = { keeperDir: node.dir, devicesDir, modelsDir, ...moreDirs(node.dir) };
  const log = () => undefined;
  const surroundings = { hasCells: true, hostReportPath: hostReportPath() };
  keeper = new Keeper({ identity, ...dirs, installation, surroundings, version: "0.0.0", log });
  for (const role of ["worker", "clerk"] as const) {
    const server = await keeper.listen(role, socketPath(role));
    onTestFinished(() => void server.close());
  }
  onTestFinished(() => keeper.close());
});

function moreDirs(dir: string) {
  return {
    incomingDir: join(dir, "incoming"),
    ordersDir: join(dir, "orders"),
    quarantineDir: join(dir, "quarantine"),
    heraldDir: join(dir, "herald"),
    updatesDir: join(dir, "updates"),
    outcomeDir: join(dir, "outcome"),
  };
}

const hostReportPath = () => join(node.dir, "host.json");

/** As the doctor's unit does, on a machine where nothing is left to do but for this. */
function look(change: Record<string, string>): void {
  const findings = hostFindings(new TestHost(change).files);
  writeHostReport(hostReportPath(), { readAt: Date.now(), findings });
}

function cell(role: CellRole): { client: KeeperClient; socket: Socket } {
  const socket = connect(socketPath(role));
  onTestFinished(() => void socket.destroy());
  return { client: new KeeperClient(socket), socket };
}

async function certified(role: CellRole, ticket = ticketFor(role)): Promise<KeeperClient> {
  const { client } = cell(role);
  await client.ask("certify", certifyBody(ticket));
  return client;
}

const ticketFor = (role: CellRole, device = node.chat) =>
  node.ticket({ service: role === "worker" ? "task" : "control" }, device);
const certifyBody = (ticket: Buffer, key = generateX25519().publicKey) =>
  Buffer.concat([key, ticket]);

function receiptsIn(answer: Buffer) {
  const found = [];
  for (let offset = 0; offset < answer.length;) {
    const end = offset + 4 + answer.readUInt32BE(offset);
    found.push(receiptDocument.open(answer.subarray(offset + 4, end), () => node.key));
    offset = end;
  }
  return found;
}

test("the sockets are for their owner and its group, which is the cells' under systemd", () => {
  for (const role of ["worker", "clerk"] as const)
    expect(statSync(socketPath(role)).mode & 0o777).toBe(0o660);
});

describe.each(["worker", "clerk"] as const)("a %s", (role) => {
  test("is certified for its own key and ticket", async () => {
    const key = generateX25519().publicKey;
    const bytes = await cell(role).client.ask("certify", certifyBody(ticketFor(role), key));
    const certificate = certificateDocument.open(bytes, () => node.key);
    expect(certificate).toMatchObject({ role, key, starter: "gateway", policy: "none" });
  });

  test("is hung up on when it asks to be certified again", async () => {
    const client = await certified(role);
    await expect(client.ask("certify", certifyBody(ticketFor(role)))).rejects.toThrow(hungUp);
  });

  test("gets no certificate for a ticket of the other role, and no second try", async () => {
    const { client } = cell(role);
    const foreign = ticketFor(role === "worker" ? "clerk" : "worker");
    await expect(client.ask("certify", certifyBody(foreign))).rejects.toThrow(
      refused("ERR_TICKET"),
    );
    await client.closed;
  });

  test("gets no certificate for a ticket that another cell had", async () => {
    const ticket = ticketFor(role);
    await certified(role, ticket);
    await expect(cell(role).client.ask("certify", certifyBody(ticket))).rejects.toThrow(
      refused("ERR_TICKET"),
    );
  });

  test.each([-1, 1])("gets no certificate for a body of the wrong length (%i)", async (change) => {
    const body = Buffer.alloc(certifyBody(ticketFor(role)).length + change);
    await expect(cell(role).client.ask("certify", body)).rejects.toThrow(refused("ERR_MALFORMED"));
  });

  test.each(["status", "models", "devices", "receipts", "submitDeviceList"] as const)(
    "is hung up on when it asks for %s before it is certified",
    async (request) => {
      await expect(cell(role).client.ask(request, anyList)).rejects.toThrow(hungUp);
    },
  );

  test.each([
    ["a request that nobody knows", encodeFrame(99, Buffer.alloc(0))],
    ["kind 0", encodeFrame(0, Buffer.alloc(0))],
    ["a body over the limit", encodeFrame(1, Buffer.alloc(MAX_KEEPER_REQUEST_BYTES + 1))],
    ["random bytes", Buffer.alloc(64, 0xa5)],
  ])("is hung up on after %s", async (_name, bytes) => {
    const { client, socket } = cell(role);
    socket.write(bytes);
    await client.closed;
  });

  test("is hung up on when its device is revoked, and others are not", async () => {
    const [revoked, other] = [await certified(role), await certified(role, adminTicket(role))];
    const clerk = await certified("clerk", adminTicket("clerk"));
    await clerk.ask("submitDeviceList", node.revoke(node.chat));
    await revoked.closed;
    expect((await clerk.ask("devices")).length).toBeGreaterThan(0);
    if (role === "clerk") expect((await other.ask("devices")).length).toBeGreaterThan(0);
    else
      expect(statusSchema.parse(JSON.parse(String(await clerk.ask("status")))).tasksLive).toBe(1);
  });
});

test.each([
  ["after the first request", "worker", CELL_HANDLE_BYTES, true],
  ["a second time", "worker", CELL_HANDLE_BYTES, false],
  ["too short", "worker", CELL_HANDLE_BYTES - 1, false],
  ["from a clerk", "clerk", CELL_HANDLE_BYTES, false],
] as const)("a handle %s ends the channel", async (_how, role, length, isLate) => {
  const { client, socket } = cell(role);
  if (isLate) await client.ask("certify", certifyBody(ticketFor(role)));
  const handle = encodeFrame(CELL_HANDLE_KIND, Buffer.alloc(length));
  socket.write(Buffer.concat([handle, handle]));
  await client.closed;
});

const adminTicket = (role: CellRole) => ticketFor(role, node.admin);

test.each(Object.keys(keeperRequests).filter((name) => name !== "certify"))(
  "a certified worker is hung up on when it asks for %s",
  async (request) => {
    const client = await certified("worker");
    await expect(client.ask(request as "status", anyList)).rejects.toThrow(hungUp);
  },
);

test("an empty or forged device list is refused, and the channel goes on", async () => {
  const client = await certified("clerk", adminTicket("clerk"));
  const forged = Buffer.from(node.revoke(node.chat));
  forged[forged.length - 1]! ^= 1;
  for (const list of [Buffer.alloc(0), forged])
    await expect(client.ask("submitDeviceList", list)).rejects.toThrow(
      refused("ERR_DOCUMENT_REFUSED"),
    );
  expect(await client.ask("devices")).toEqual(Buffer.from(node.firstList));
});

test("any device is given the lists after a version, oldest first, and none after the last", async () => {
  const client = await certified("clerk");
  const second = node.signList(2, node.devices.hash, node.devices.devices);
  await client.ask("submitDeviceList", second);
  const after = (version: number) => Buffer.of(0, 0, 0, version);
  const given = async (version: number) =>
    unframed(await client.ask("deviceLists", after(version)), 2 - version)?.parts;
  expect(await given(0)).toEqual([Buffer.from(node.firstList), Buffer.from(second)]);
  expect(await given(1)).toEqual([Buffer.from(second)]);
  expect(await client.ask("deviceLists", after(2))).toHaveLength(0);
  expect(await client.ask("deviceLists", Buffer.alloc(4, 255))).toHaveLength(0);
  for (const length of [3, 5])
    await expect(client.ask("deviceLists", Buffer.alloc(length))).rejects.toThrow(
      refused("ERR_MALFORMED"),
    );
});

test("a chat device can pass on what an admin signed, and nothing of its own", async () => {
  const client = await certified("clerk");
  const own = node.signList(2, node.devices.hash, node.devices.devices, node.chat);
  await expect(client.ask("submitDeviceList", own)).rejects.toThrow(
    refused("ERR_DOCUMENT_REFUSED"),
  );
  const signed = node.signList(2, node.devices.hash, node.devices.devices);
  await client.ask("submitDeviceList", signed);
  expect(await client.ask("devices")).toEqual(Buffer.from(signed));
});

test("the status counts live and ended tasks, and a cell without a certificate is none", async () => {
  const clerk = await certified("clerk");
  const status = async () => statusSchema.parse(JSON.parse(String(await clerk.ask("status"))));
  const worker = await certified("worker");
  cell("worker");
  expect(await status()).toMatchObject({ tasksLive: 1, tasksDone: 0, deviceListVersion: 1 });
  worker.close();
  await expect.poll(status).toMatchObject({ tasksLive: 0, tasksDone: 1 });
});

test("any device may ask the doctor; what nobody has read of the machine is not good", async () => {
  for (const client of [await certified("clerk"), await certified("clerk", adminTicket("clerk"))]) {
    const doctor = doctorSchema.parse(JSON.parse(String(await client.ask("doctor"))));
    expect(doctor).toMatchObject({ grade: "B", heldBy: "freedMemory", readAt: null });
  }
});

test("the models are those of the catalogue", async () => {
  const answer = await (await certified("clerk")).ask("models");
  expect(z.array(modelSchema).parse(JSON.parse(String(answer)))).toEqual(keeper.models());
});

describe("a receipt", () => {
  async function endTask(device = node.chat): Promise<void> {
    const before = keeper.receipts.issued;
    (await certified("worker", ticketFor("worker", device))).close();
    await expect.poll(() => keeper.receipts.issued).toBe(before + 1);
  }

  test("is issued when a worker's channel closes, with its key and task", async () => {
    const ticket = ticketFor("worker");
    const key = generateX25519().publicKey;
    const { client } = cell("worker");
    const certificate = certificateDocument.open(
      await client.ask("certify", certifyBody(ticket, key)),
      () => node.key,
    );
    const clerk = await certified("clerk");
    expect(receiptsIn(await clerk.ask("receipts", anyList))).toEqual([]);
    client.close();
    await expect.poll(() => keeper.receipts.issued).toBe(1);
    expect(receiptsIn(await clerk.ask("receipts", anyList))).toMatchObject([
      { task: certificate.ticket, workerKey: key, cell: null, warden: null, sequence: 1n },
    ]);
  });

  type End = (typeof cellEndings)[number];

  /** A certified worker in a cell, which has its own channel. */
  async function inCell() {
    const path = join(node.dir, "reports.sock");
    const server = await keeper.listenToCells(path);
    onTestFinished(() => void server.close());
    const handle = Buffer.alloc(CELL_HANDLE_BYTES, 7);
    const report = connect(path);
    report.write(encodeFrame(CellReport.handle, handle));
    await expect.poll(() => keeper.reports.count).toBe(1);
    const { client, socket } = cell("worker");
    socket.write(encodeFrame(CELL_HANDLE_KIND, handle));
    await client.ask("certify", certifyBody(ticketFor("worker")));
    const says = (end: End, wipedBytes: bigint) => {
      const body = Buffer.alloc(CELL_ENDED_BYTES);
      body.writeUInt8(cellEndings.indexOf(end) + 1);
      body.writeBigUInt64BE(wipedBytes, 1);
      body.writeBigUInt64BE(5n, 17);
      report.end(encodeFrame(CellReport.ended, body));
    };
    return { client, says };
  }

  async function newestReceipt() {
    const [receipt] = receiptsIn(await (await certified("clerk")).ask("receipts", anyList));
    return receipt!;
  }

  async function gradeOf(before: () => void, during: () => void): Promise<string> {
    before();
    const worker = await inCell();
    during();
    worker.client.close();
    worker.says("finished", 4096n);
    await expect.poll(() => keeper.receipts.issued).toBe(1);
    return (await newestReceipt()).grade;
  }

  const healthy = () => look({});

  test("has grade A where the doctor found nothing as the task began and as it ended", async () => {
    expect(await gradeOf(healthy, healthy)).toBe("A");
  });

  describe.each([
    ["swap was on", () => look({ "proc/swaps": oneSwap("/dev/vda2") })],
    ["nobody looked at the machine", () => rmSync(hostReportPath(), { force: true })],
  ])("has a lower grade where %s", (_what, change) => {
    test("as it ended", async () => expect(await gradeOf(healthy, change)).toBe("B"));
    test("as it began", async () => expect(await gradeOf(change, healthy)).toBe("B"));
  });

  test("has C where only the worker's own word says that it is over, however good the machine", async () => {
    healthy();
    await endTask();
    expect(await newestReceipt()).toMatchObject({ grade: "C", cell: null });
  });

  test.each([
    ["crashed", 4096n, "B"],
    ["memory", 4096n, "C"],
  ] as const)(
    "has what the task's own cell reported, and waits for it: %s",
    async (end, wipedBytes, grade) => {
      const { client, says } = await inCell();
      client.close();
      await client.closed;
      // The cell is still overwriting.
      await sleep(100);
      expect(keeper.receipts.issued).toBe(0);
      says(end, wipedBytes);
      await expect.poll(() => keeper.receipts.issued).toBe(1);
      expect(await newestReceipt()).toMatchObject({ grade, cell: { end, wipedBytes, wipedAt: 5 } });
    },
  );

  test("is not issued for a clerk, nor for a worker that was never certified", async () => {
    (await certified("clerk")).close();
    const { client, socket } = cell("worker");
    socket.write(encodeFrame(99, Buffer.alloc(0)));
    await client.closed;
    await endTask();
    expect(keeper.receipts.issued).toBe(1);
  });

  test("is shown to its own device and to an admin", async () => {
    await endTask(node.chat);
    await endTask(node.admin);
    const seen = async (device: TestNode["chat"]) => {
      const clerk = await certified("clerk", ticketFor("clerk", device));
      return receiptsIn(await clerk.ask("receipts", anyList)).map(({ sequence }) => sequence);
    };
    expect(await seen(node.chat)).toEqual([1n]);
    expect(await seen(node.admin)).toEqual([2n, 1n]);
  });

  test("is found by its task or below a number, and a query of another length is refused", async () => {
    await endTask();
    const clerk = await certified("clerk");
    const [receipt] = receiptsIn(await clerk.ask("receipts", anyList));
    const query = (task: Uint8Array) => clerk.ask("receipts", Buffer.concat([anyList, task]));
    expect(receiptsIn(await query(receipt!.task))).toHaveLength(1);
    expect(receiptsIn(await query(new Uint8Array(32)))).toEqual([]);
    expect(receiptsIn(await query(Buffer.from("0000000000000002", "hex")))).toHaveLength(1);
    expect(receiptsIn(await query(Buffer.from("0000000000000001", "hex")))).toEqual([]);
    for (const length of [7, 9, 31, 33])
      await expect(query(new Uint8Array(length))).rejects.toThrow(refused("ERR_MALFORMED"));
    await expect(clerk.ask("receipts", Buffer.of(1))).rejects.toThrow(refused("ERR_MALFORMED"));
  });
});

describe("without a warden", () => {
  const query = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);

  test("nothing is refused, nothing counted and no window opened, and the answers say so", async () => {
    const clerk = await certified("clerk", adminTicket("clerk"));
    const egress = egressSchema.parse(JSON.parse(String(await clerk.ask("egress", query))));
    expect(egress).toMatchObject({ policy: null, counts: [], days: [], events: [], latest: 0 });
    const window = windowSchema.parse(JSON.parse(String(await clerk.ask("window"))));
    expect(window).toEqual({ open: null, highestCounter: "0", transfers: [] });
    for (const request of ["openWindow", "closeWindow"] as const)
      await expect(clerk.ask(request, anyList)).rejects.toThrow(refused("ERR_NO_POLICY"));
  });

  test("an order or a licence that is none is refused, and nothing is reported", async () => {
    const clerk = await certified("clerk", adminTicket("clerk"));
    await expect(clerk.ask("submitStandingOrder", anyList)).rejects.toThrow(
      refused("ERR_ORDER_REFUSED"),
    );
    await expect(clerk.ask("submitLicence", anyList)).rejects.toThrow(
      refused("ERR_DOCUMENT_REFUSED"),
    );
    const silent = { order: null, highestCounter: "0", sent: [], licences: [] };
    expect(JSON.parse(String(await clerk.ask("reporting")))).toEqual(silent);
  });

  test("an admin is told in which hour a device was let in, its own included", async () => {
    const clerk = await certified("clerk", adminTicket("clerk"));
    const seen = JSON.parse(String(await clerk.ask("lastSeen"))) as { hour: number }[];
    expect(seen).toHaveLength(1);
    expect(seen[0]!.hour % 3_600_000).toBe(0);
  });

  test.each([9, 11])("a query of %i bytes is refused", async (length) => {
    const clerk = await certified("clerk");
    await expect(clerk.ask("egress", Buffer.alloc(length))).rejects.toThrow(
      refused("ERR_MALFORMED"),
    );
  });
});

describe("a model", () => {
  const weights = Buffer.from("pushed");
  const digest = createHash("sha256").update(weights).digest();
  const number = (value: number) => Buffer.from(value.toString(16).padStart(16, "0"), "hex");
  const push = Buffer.concat([digest, number(weights.length), Buffer.from("new")]);

  test("is pushed, verified and removed by an admin", async () => {
    const clerk = await certified("clerk", adminTicket("clerk"));
    expect(await clerk.ask("pushModel", push)).toEqual(number(0));
    const chunk = Buffer.concat([digest, number(0), weights]);
    expect(await clerk.ask("pushChunk", chunk)).toEqual(number(weights.length));
    expect(keeper.models().map(({ name }) => name)).toEqual(["model", "new"]);
    expect(await clerk.ask("verifyModel", digest)).toEqual(Buffer.of(1));
    await clerk.ask("removeModel", digest);
    expect(keeper.models().map(({ name }) => name)).toEqual(["model"]);
    for (const request of ["verifyModel", "removeModel"] as const)
      await expect(clerk.ask(request, digest)).rejects.toThrow(refused("ERR_MODEL_UNKNOWN"));
  });

  test("is not whole when its file is not there", async () => {
    const clerk = await certified("clerk", adminTicket("clerk"));
    expect(await clerk.ask("verifyModel", MODEL)).toEqual(Buffer.of(0));
  });

  test("that a task uses stays until the task has ended", async () => {
    const clerk = await certified("clerk", adminTicket("clerk"));
    const worker = await certified("worker");
    await expect(clerk.ask("removeModel", MODEL)).rejects.toThrow(refused("ERR_MODEL_IN_USE"));
    worker.close();
    await expect
      .poll(async () => clerk.ask("removeModel", MODEL).then(() => "removed", String))
      .toBe("removed");
  });

  test.each([
    "openWindow",
    "closeWindow",
    "pushModel",
    "pushChunk",
    "removeModel",
    "verifyModel",
    "lastSeen",
    "reporting",
    "submitStandingOrder",
    "submitLicence",
  ] as const)("and a window are an admin's, and no chat device's: %s", async (request) => {
    const clerk = await certified("clerk");
    await expect(clerk.ask(request, push)).rejects.toThrow(refused("ERR_FORBIDDEN"));
  });

  test.each([
    ["pushModel", digest],
    ["pushModel", Buffer.concat([digest, number(0), Buffer.from("empty")])],
    ["pushModel", Buffer.concat([digest, number(1), Buffer.alloc(1_000, "n")])],
    ["pushChunk", Buffer.concat([digest, number(0)])],
    ["verifyModel", digest.subarray(1)],
    ["removeModel", Buffer.concat([digest, Buffer.of(0)])],
  ] as const)("is not named by a body of another form: %s", async (request, body) => {
    const clerk = await certified("clerk", adminTicket("clerk"));
    await expect(clerk.ask(request, body)).rejects.toThrow(refused("ERR_MALFORMED"));
  });
});
