/**
 * The warden's part of receipts on a server: each worker of PID 1's has a cgroup of its own, and the warden
 * counts and signs by it.
 *
 * @module
 */
import {
  ControlSession,
  Conversation,
  withRetry,
  type NodeProfile,
  type VerifiedReceipt,
} from "@phantoma/client";
import type { DeviceIdentity } from "@phantoma/crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Proof } from "../proof.ts";
import type { Guest } from "../vps/guest.ts";

interface Server {
  readonly guest: Guest;
  readonly proof: Proof;
  readonly device: DeviceIdentity;
  readonly profile: NodeProfile;
}

/** An emulated server takes its time with a first connection. */
const ATTEMPTS = 12;
const RECEIPT_MS = 120_000;

/** By root, from inside the cgroups of all workers: a worker that was taken over is not easily had here. */
const TRY = `for dir in /sys/fs/cgroup/phantoma.slice/phantoma-worker.slice/*/; do
  bash -c "echo \\$\\$ > $dir/cgroup.procs; exec 3<>/dev/tcp/192.0.2.7/443" 2>/dev/null || true
done`;

export async function showWitness(server: Server, model: Uint8Array): Promise<void> {
  const quiet = await receiptOf(server, model, async () => undefined);
  row(server, "a task that tried nothing has 0 attempts, signed by the warden", quiet, 0n);
  const loud = await receiptOf(server, model, () => server.guest.check(TRY));
  row(server, "an attempt from a worker's cgroup is in that task's receipt", loud, 1n);
}

async function receiptOf(
  { profile, device }: Server,
  model: Uint8Array,
  act: () => Promise<unknown>,
): Promise<VerifiedReceipt | undefined> {
  const peer = { profile, device };
  const conversation = await withRetry(() => Conversation.open({ ...peer, model }), {
    attempts: ATTEMPTS,
  });
  await act();
  await conversation.end();
  const control = await withRetry(() => ControlSession.open(peer), { attempts: ATTEMPTS });
  try {
    for (const late = Date.now() + RECEIPT_MS; Date.now() < late; await sleep(500)) {
      const [signed] = await control.receipts({ task: conversation.task, limit: 1 });
      if (signed) return signed;
    }
    return undefined;
  } finally {
    control.close();
  }
}

function row({ proof }: Server, name: string, signed: VerifiedReceipt | undefined, most: bigint) {
  const attempts = signed?.receipt.warden?.attempts;
  proof.row({
    name,
    holds: signed?.witness === "verified" && attempts === most,
    detail: `${attempts} attempts, ${signed?.witness ?? "no receipt"}`,
  });
}
