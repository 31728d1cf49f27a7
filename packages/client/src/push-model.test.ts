/** Pushing a model: hashed first, in order, on after a cut, and given up when asked to. */
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloseCode, ControlKind, MAX_PUSH_CHUNK_BYTES } from "@phantoma/protocol";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { makeTlsIdentity } from "../../../apps/node/setup/tls-identity.ts";
import type { ClientErrorCode } from "./client-error.ts";
import { openModelFile, pushModel, type PushOptions } from "./push-model.ts";
import { TestGateway, type TestProcess } from "./test-gateway.ts";

const failing = (code: ClientErrorCode) => expect.objectContaining({ name: "ClientError", code });
/** Twelve pieces, more than are under way at once, and a rest. */
const content = randomBytes(12 * MAX_PUSH_CHUNK_BYTES + 1);

let gateway: TestGateway;
let path: string;
/** What the node has of the model. */
let node: Buffer;
let sessions: number;
/** Called for each piece before it is taken; `true` when it answered for itself. */
let onPiece: (offset: number, process: TestProcess) => boolean;

beforeEach(async () => {
  const dir = mkdtempSync(join(tmpdir(), "phantoma-push-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  path = join(dir, "Small-Q4.gguf");
  writeFileSync(path, content);
  gateway = await TestGateway.start(await makeTlsIdentity());
  [node, sessions, onPiece] = [Buffer.alloc(0), 0, () => false];
  gateway.onMessage = (event, process) => {
    if (event.type === "end") return;
    const request = JSON.parse(event.bytes.subarray(1).toString());
    if (request.request === "push-model") sessions += 1;
    else if (onPiece(request.offset, process)) return;
    else if (request.offset === node.length)
      node = Buffer.concat([node, Buffer.from(request.chunk, "base64")]);
    const response = { response: "push", offset: node.length };
    process.say(event.stream, ControlKind.response, response, true);
  };
});

async function push(options: Partial<PushOptions> = {}): Promise<void> {
  const file = await openModelFile(path);
  onTestFinished(() => file.close());
  const { profile, device } = gateway;
  await pushModel(file, { profile, device, ...options });
}

test("a file has its digest, its size and a name without its ending", async () => {
  const file = await openModelFile(path);
  onTestFinished(() => file.close());
  const digest = createHash("sha256").update(content).digest("hex");
  expect(file).toMatchObject({ name: "Small-Q4", digest, bytes: content.length });
});

test("every byte arrives, in order, and progress goes to the end", async () => {
  const seen: number[] = [];
  await push({ onProgress: ({ bytes }) => seen.push(bytes) });
  expect(node.equals(content)).toBe(true);
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  expect(seen.at(-1)).toBe(content.length);
});

test("what the node has already is not sent again", async () => {
  node = Buffer.from(content.subarray(0, 10 * MAX_PUSH_CHUNK_BYTES));
  const offsets: number[] = [];
  onPiece = (offset) => offsets.push(offset) === 0;
  await push();
  expect(Math.min(...offsets)).toBe(10 * MAX_PUSH_CHUNK_BYTES);
  expect(node.equals(content)).toBe(true);
});

test("a push that is cut goes on in a new session where it was cut", async () => {
  onPiece = (offset, process) => {
    if (sessions > 1 || offset < 5 * MAX_PUSH_CHUNK_BYTES) return false;
    process.socket.terminate();
    return true;
  };
  const onLost = vi.fn();
  await push({ onLost });
  expect(node.equals(content)).toBe(true);
  expect([sessions, onLost.mock.calls.length]).toEqual([2, 1]);
});

test("it goes on where the node is when another device has pushed meanwhile", async () => {
  onPiece = (offset) => {
    if (offset === 2 * MAX_PUSH_CHUNK_BYTES)
      node = Buffer.from(content.subarray(0, 6 * MAX_PUSH_CHUNK_BYTES + 7));
    return false;
  };
  await push();
  expect(node.equals(content)).toBe(true);
});

test("a node that takes nothing is not sent to for ever", async () => {
  gateway.onMessage = (event, process) => {
    if (event.type !== "end")
      process.say(event.stream, ControlKind.response, { response: "push", offset: 0 }, true);
  };
  await expect(push()).rejects.toThrow(failing("ERR_INVALID_MESSAGE"));
});

test("a refusal is the end of it", async () => {
  onPiece = (_offset, process) => {
    process.socket.close(CloseCode.revoked);
    return true;
  };
  await expect(push()).rejects.toThrow(failing("ERR_DEVICE_REVOKED"));
});

test("it is given up when asked to, in the middle and before the start", async () => {
  const giveUp = new AbortController();
  onPiece = (offset) => {
    if (offset === 3 * MAX_PUSH_CHUNK_BYTES) giveUp.abort();
    return false;
  };
  const cancelled = failing("ERR_CANCELLED");
  await expect(push({ signal: giveUp.signal })).rejects.toThrow(cancelled);
  expect(node.length).toBeLessThan(content.length);
  await expect(openModelFile(path, "m", { signal: giveUp.signal })).rejects.toThrow(cancelled);
});

test.each(["none.gguf", "."])("%j is no file to push", async (name) => {
  const other = join(path, "..", name);
  await expect(openModelFile(other)).rejects.toThrow(failing("ERR_MODEL_FILE"));
});
