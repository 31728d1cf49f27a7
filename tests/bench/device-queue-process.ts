/**
 * Many sessions of one device that wait for a worker. In a process of its own, so that what it needs
 * is not taken for the gateway's.
 *
 * @module
 */
import { Tunnel, type NodeProfile } from "@phantoma/client";
import { importDeviceIdentity, Secret } from "@phantoma/crypto";

export interface QueueOrder {
  readonly profile: NodeProfile;
  /** The device's secret and the model's digest, in hexadecimal. */
  readonly device: string;
  readonly model: string;
  readonly count: number;
}

export interface QueueReport {
  readonly queued: number;
  readonly failed: number;
  readonly tookMs: number;
}

/** Connections being made at once. */
const LANES = 16;

process.once("message", (order: QueueOrder) => void queueUp(order));
process.on("disconnect", () => process.exit(0));

async function queueUp({ profile, device: secret, model, count }: QueueOrder): Promise<void> {
  const device = importDeviceIdentity(new Secret(Buffer.from(secret, "hex")));
  const startedAt = performance.now();
  let begun = 0;
  let failed = 0;
  const lane = async () => {
    while (begun < count) {
      begun += 1;
      await new Promise<void>((resolve) => {
        const options = { profile, device, model: Buffer.from(model, "hex") };
        // Queued or assigned: either way it is in. A session that is not queued stays open too.
        Tunnel.open({ ...options, onNote: () => resolve() }).catch(() => {
          failed += 1;
          resolve();
        });
      });
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  const report: QueueReport = {
    queued: count - failed,
    failed,
    tookMs: performance.now() - startedAt,
  };
  process.send!(report);
}
