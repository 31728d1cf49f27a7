/** The demo does not wait for ever for a receipt. */
import { ControlSession } from "@phantoma/client";
import { generateDeviceIdentity } from "@phantoma/crypto";
import { afterEach, expect, test, vi } from "vitest";
import type { Peer } from "../session.ts";
import { fetchReceipt } from "./demo.ts";

afterEach(() => vi.restoreAllMocks());

test("a receipt that is never signed is an error, and the session is closed", async () => {
  const session = { receipts: vi.fn(async () => []), close: vi.fn() };
  vi.spyOn(ControlSession, "open").mockResolvedValue(session as unknown as ControlSession);
  const peer = { device: generateDeviceIdentity() } as Peer;
  await expect(fetchReceipt(peer, new Uint8Array(32), 200)).rejects.toThrow(
    expect.objectContaining({
      code: "ERR_TIMEOUT",
      message: "the node signed no receipt in 0.2 s",
    }),
  );
  expect(session.receipts.mock.calls.length).toBeGreaterThan(1);
  expect(session.close).toHaveBeenCalledOnce();
});
