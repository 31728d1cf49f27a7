/** A device's tunnel to a process over a real connection: whom it reveals itself to, and how it ends. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  approveSuccession,
  generateDeviceIdentity,
  generateNodeIdentity,
  MAX_FORMER_KEYS,
  NO_MODEL,
  successionDocument,
} from "@phantoma/crypto";
import { CloseCode, type Note } from "@phantoma/protocol";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { makeTlsIdentity } from "../../../apps/node/setup/tls-identity.ts";
import type { ClientError, ClientErrorCode } from "./client-error.ts";
import { MODEL, TestGateway, type TestProcess } from "./test-gateway.ts";
import type { NodeProfile } from "./node-profile.ts";
import { followSuccession } from "./succession.ts";
import { Tunnel, type TunnelOptions } from "./tunnel.ts";

const failing = (code: ClientErrorCode) => expect.objectContaining({ name: "ClientError", code });

let gateway: TestGateway;
beforeEach(async () => {
  gateway = await TestGateway.start(await makeTlsIdentity());
});

async function open(options: Partial<TunnelOptions> = {}): Promise<Tunnel> {
  const { profile, device } = gateway;
  const tunnel = await Tunnel.open({ profile, device, model: MODEL, ...options });
  onTestFinished(() => tunnel.close());
  return tunnel;
}

const endOf = (tunnel: Tunnel) =>
  new Promise<ClientError>((closed) => tunnel.handle({ received: () => undefined, closed }));

test("a tunnel carries messages both ways, and its ticket names model and device", async () => {
  gateway.onMessage = (event, process) => {
    if (event.type === "message") process.say(event.stream, 0x91, String(event.bytes), true);
  };
  const tunnel = await open();
  const received: string[] = [];
  const ended = new Promise<void>((resolve) => {
    tunnel.handle({
      received: (event) => (event.type === "end" ? resolve() : received.push(String(event.bytes))),
      closed: () => undefined,
    });
  });
  tunnel.send([{ stream: 3, bytes: Buffer.from("ping"), isEnd: true }]);
  await ended;
  expect(received).toEqual([`\ufffd"ping"`]);
  expect(gateway.tickets).toMatchObject([
    { service: "task", model: MODEL, device: gateway.device.signing.publicKey },
  ]);
  expect(tunnel.certificate).toMatchObject({ role: "worker", ticket: tunnel.task });
});

test("a control session names no model and expects a clerk", async () => {
  const { profile, device } = gateway;
  const tunnel = await Tunnel.open({ profile, device });
  onTestFinished(() => tunnel.close());
  expect(gateway.tickets).toMatchObject([{ service: "control", model: NO_MODEL }]);
  expect(tunnel.certificate.role).toBe("clerk");
});

describe("a device does not reveal itself to a process", () => {
  test.each([
    ["for another ticket", { ticket: MODEL }],
    ["for another device", { device: MODEL }],
    ["with another key", { key: MODEL }],
    ["of another role", { role: "clerk" }],
    ["for another model", { model: NO_MODEL }],
    ["started another way", { starter: "systemd" }],
    ["under another policy", { policy: "demo" }],
  ] as const)("%s", async (_name, lie) => {
    gateway.lie = lie;
    await expect(open()).rejects.toThrow(failing("ERR_NODE_IDENTITY"));
    expect(gateway.messages).toBe(1);
  });

  test("of another release, though a control session may ask which one it is", async () => {
    gateway.lie = { release: MODEL };
    await expect(open()).rejects.toThrow(failing("ERR_OTHER_RELEASE"));
    expect(gateway.messages).toBe(1);
  });

  test("that another node certified", async () => {
    gateway.signer = generateNodeIdentity();
    await expect(open()).rejects.toThrow(failing("ERR_NODE_IDENTITY"));
    expect(gateway.messages).toBe(1);
  });

  test("that cannot do the handshake", async () => {
    gateway.takeOver = (socket) => {
      socket.on("message", () => socket.send(Buffer.alloc(1600, 1)));
      return true;
    };
    await expect(open()).rejects.toThrow(failing("ERR_HANDSHAKE"));
  });
});

describe("a stale ticket", () => {
  test("is signed again with the node's time, once", async () => {
    const nodeTime = 1_000_000;
    gateway.refuse = ({ issuedAt }) =>
      issuedAt === nodeTime ? undefined : { code: "ERR_TICKET_STALE", nodeTime };
    await open();
    expect(gateway.tickets).toHaveLength(2);
    expect(gateway.tickets[0]!.nonce).not.toEqual(gateway.tickets[1]!.nonce);
  });

  test("is not tried a third time", async () => {
    gateway.refuse = () => ({ code: "ERR_TICKET_STALE", nodeTime: 5 });
    await expect(open()).rejects.toThrow(failing("ERR_TICKET_STALE"));
    expect(gateway.tickets).toHaveLength(2);
  });
});

describe("in the queue", () => {
  test("the gateway's hints are shown, and what is no hint is ignored", async () => {
    const notes: Note[] = [];
    gateway.takeOver = (socket) => {
      socket.on("message", () => {
        socket.send(`{"note":"queued","position":2}`);
        socket.send(`{"note":"CANARY"}`);
        socket.close(CloseCode.busy);
      });
      return true;
    };
    const onNote = (note: Note) => void notes.push(note);
    await expect(open({ onNote })).rejects.toThrow(failing("ERR_BUSY"));
    expect(notes).toEqual([{ note: "queued", position: 2 }]);
  });

  test("a device may give up", async () => {
    const giveUp = new AbortController();
    const closed = Promise.withResolvers<void>();
    gateway.takeOver = (socket) => {
      socket.on("message", () => socket.send(`{"note":"queued","position":2}`));
      socket.on("close", () => closed.resolve());
      return true;
    };
    const opening = open({ signal: giveUp.signal, onNote: () => giveUp.abort() });
    await expect(opening).rejects.toThrow(failing("ERR_CONNECTION_LOST"));
    await closed.promise;
  });

  test("a gateway that goes away at once is noticed", async () => {
    gateway.takeOver = (socket) => {
      socket.close(CloseCode.goingAway);
      return true;
    };
    await expect(open()).rejects.toThrow(failing("ERR_CONNECTION_LOST"));
  });
});

describe("an open tunnel", () => {
  test.each([
    [CloseCode.revoked, "ERR_DEVICE_REVOKED"],
    [CloseCode.died, "ERR_CONNECTION_LOST"],
    [CloseCode.done, "ERR_CONVERSATION_ENDED"],
  ] as const)("that is closed with %i ends with %s", async (code, error) => {
    gateway.onMessage = (_event, { socket }) => socket.close(code);
    const tunnel = await open();
    const end = endOf(tunnel);
    tunnel.send([{ stream: 0, bytes: Buffer.from("x"), isEnd: false }]);
    expect(await end).toEqual(failing(error));
  });

  test.each([
    ["forged", Buffer.alloc(272, 1)],
    ["too short", Buffer.alloc(3)],
  ])("ends on a record that is %s", async (_name, record) => {
    gateway.onMessage = (_event, { socket }) => socket.send(record);
    const tunnel = await open();
    const end = endOf(tunnel);
    tunnel.send([{ stream: 0, bytes: Buffer.from("x"), isEnd: false }]);
    expect(await end).toEqual(failing("ERR_HANDSHAKE"));
  });

  test("tells a late listener that it has ended, and sends nothing more", async () => {
    gateway.onMessage = (_event, { socket }) => socket.close(CloseCode.died);
    const tunnel = await open();
    tunnel.send([{ stream: 0, bytes: Buffer.from("x"), isEnd: false }]);
    const ended = vi.spyOn(tunnel, "ended");
    await expect.poll(() => ended.mock.calls.length).toBe(1);
    tunnel.send([{ stream: 0, bytes: Buffer.from("x"), isEnd: false }]);
    expect(await endOf(tunnel)).toEqual(failing("ERR_CONNECTION_LOST"));
  });

  describe("to a node that says nothing", () => {
    const lost = failing("ERR_CONNECTION_LOST");
    let node: TestProcess;
    let heard: PromiseWithResolvers<void>;
    beforeEach(() => {
      heard = Promise.withResolvers();
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      onTestFinished(() => void vi.useRealTimers());
      gateway.onMessage = (_event, process) => {
        node = process;
        heard.resolve();
      };
    });

    async function openHeard(): Promise<Tunnel> {
      const tunnel = await open();
      tunnel.send([{ stream: 0, bytes: Buffer.from("x"), isEnd: false }]);
      await heard.promise;
      return tunnel;
    }

    test("ends after 45 s", async () => {
      const tunnel = await openHeard();
      const end = endOf(tunnel);
      vi.advanceTimersByTime(44_999);
      expect(tunnel.end).toBeUndefined();
      vi.advanceTimersByTime(1);
      expect(await end).toEqual(lost);
    });

    test.each([
      ["a ping", () => node.socket.ping()],
      ["a message", () => node.say(0, 0x91, "x")],
      ["a note", () => node.socket.send(`{"note":"queued","position":2}`)],
    ])("but %s counts as a word", async (_name, say) => {
      const tunnel = await openHeard();
      const end = endOf(tunnel);
      vi.advanceTimersByTime(44_999);
      say();
      // A ping would count itself, so the time that loopback takes is waited for.
      await sleep(200);
      vi.advanceTimersByTime(44_999);
      expect(tunnel.end).toBeUndefined();
      vi.advanceTimersByTime(1);
      expect(await end).toEqual(lost);
    });
  });

  test("is closed by its signal", async () => {
    const giveUp = new AbortController();
    const tunnel = await open({ signal: giveUp.signal });
    const end = endOf(tunnel);
    giveUp.abort();
    expect(await end).toEqual(failing("ERR_CONVERSATION_ENDED"));
  });
});

describe("a node that has another key now", () => {
  const admin = generateDeviceIdentity();
  const before = generateNodeIdentity();
  const hex = (key: Uint8Array) => Buffer.from(key).toString("hex");

  function succession(to: Uint8Array, { signing } = before): string {
    const { publicKey, privateKey } = admin.signing;
    const from = signing.publicKey;
    const approved = { from, to, devices: new Uint8Array(32), issuedAt: 1, admin: publicKey };
    const approval = approveSuccession(approved, privateKey);
    const document = successionDocument.sign({ ...approved, approval }, signing.privateKey);
    return Buffer.from(document).toString("base64");
  }

  const old = (): NodeProfile => ({ ...gateway.profile, nodeKey: hex(before.signing.publicKey) });
  const seen = (nodeKey: string, admins: string[]) => {
    return { nodeKey, version: 1, hash: "00".repeat(32), admins };
  };
  const follow = vi.fn((untrusted: Uint8Array, known: NodeProfile) => {
    const seenThere = seen(known.nodeKey, [hex(admin.signing.publicKey)]);
    return followSuccession(known, untrusted, seenThere).profile;
  });

  beforeEach(() => {
    follow.mockClear();
    const { publicKey } = gateway.node.signing;
    gateway.refuse = ({ node }) =>
      hex(node) === hex(publicKey)
        ? undefined
        : { code: "ERR_NODE_SUCCEEDED", nodeTime: 5, succession: succession(publicKey) };
  });

  test("is followed before anything is sent, and the tunnel says which profile it has", async () => {
    const tunnel = await open({ profile: old(), follow });
    expect(tunnel.profile.nodeKey).toBe(gateway.profile.nodeKey);
    expect(tunnel.profile.formerKeys).toEqual([hex(before.signing.publicKey)]);
    expect(follow).toHaveBeenCalledTimes(1);
  });

  test("is refused by whoever does not follow, and by a device that does not believe it", async () => {
    await expect(open({ profile: old() })).rejects.toThrow(failing("ERR_NODE_SUCCEEDED"));
    const stranger = hex(generateDeviceIdentity().signing.publicKey);
    const judge: TunnelOptions["follow"] = (untrusted, known) =>
      followSuccession(known, untrusted, seen(known.nodeKey, [stranger])).profile;
    await expect(open({ profile: old(), follow: judge })).rejects.toThrow(
      failing("ERR_NODE_IDENTITY"),
    );
    expect(gateway.messages).toBe(0);
  });

  test.each([
    [MAX_FORMER_KEYS, true],
    [MAX_FORMER_KEYS + 1, false],
  ])("is followed over %i keys: %s", async (keys, isFollowed) => {
    let last = before;
    let left = keys;
    gateway.refuse = () => {
      if (left === 0) return undefined;
      left -= 1;
      const next = left === 0 ? gateway.node : generateNodeIdentity();
      const document = succession(next.signing.publicKey, last);
      last = next;
      return { code: "ERR_NODE_SUCCEEDED", nodeTime: 5, succession: document };
    };
    const opened = open({ profile: old(), follow }).then(
      () => true,
      (error: ClientError) => error.code,
    );
    expect(await opened).toBe(isFollowed || "ERR_NODE_IDENTITY");
    expect(follow).toHaveBeenCalledTimes(MAX_FORMER_KEYS);
  });

  test("is not followed in a circle", async () => {
    const profile = { ...old(), formerKeys: [gateway.profile.nodeKey] };
    await expect(open({ profile, follow })).rejects.toThrow(failing("ERR_NODE_IDENTITY"));
  });
});
