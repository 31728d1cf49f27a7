/**
 * Saved conversations, ten thousand of them: opening the store, listing, searching, and a sync through a real node.
 *
 * @module
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ControlSession, syncVault } from "@phantoma/client";
import { vaultKeysOf, type DeviceIdentity } from "@phantoma/crypto";
import { LocalVault } from "@phantoma/vault";
import { conversationOf } from "../vault-under-test.ts";
import { row, type Benchmark } from "./row.ts";
import { median } from "./statistics.ts";

const WORDS = "tunnel worker receipt kernel window device answer question memory record".split(" ");
const ROUNDS = 9;

export const vault: Benchmark = {
  name: "vault",
  async *run({ isQuick, standing }) {
    const count = isQuick ? 500 : 10_000;
    const { node, device } = await standing();
    const dir = mkdtempSync(join(tmpdir(), "phantoma-bench-vault-"));
    const open = (name: string) => LocalVault.open(join(dir, name), vaultKeysOf(device).storeKey);
    const seconds = (value: number) => ({ value: value / 1000, unit: "s" });
    const many = `${count.toLocaleString("en")} conversations`;
    try {
      let local = open("first.sqlite");
      fill(local, count);
      local.close();
      const opening = await timed(() => void (local = open("first.sqlite")));
      yield row({ name: `vault, opens ${many} and makes the index`, ...seconds(opening) });
      const listing = await rounds(() => local.list());
      yield figure(`vault, lists ${many}`, listing, 100);
      const searching = await rounds((i) => local.search(`${WORDS[i % 10]} about x${i}`));
      yield figure(`vault, searches ${many}`, searching, 100);
      const connection = { profile: node.profile, device };
      const first = await timed(() => synced(connection, node.devices, local));
      yield row({ name: `vault, first sync of ${many}`, ...seconds(first) });
      const idle = await timed(() => synced(connection, node.devices, local));
      yield figure("vault, sync without a change", [idle], 1500);
      local.save(conversationOf(nameOf(1), "changed", "answer", "more"));
      const one = await timed(() => synced(connection, node.devices, local));
      yield figure("vault, sync of one change", [one], 1500);
      const fresh = open("second.sqlite");
      const taking = await timed(() => synced(connection, node.devices, fresh));
      yield row({ name: `vault, all ${many} onto a new machine`, ...seconds(taking) });
      if (fresh.size !== count) throw new Error(`${fresh.size} of ${count} came`);
      fresh.close();
      local.close();
    } finally {
      rmSync(dir, { recursive: true });
    }
  },
};

function fill(local: LocalVault, count: number): void {
  local.together(() => {
    for (let i = 0; i < count; i += 1) {
      const said = `${WORDS[i % 10]} about x${i % 97}`;
      local.save(conversationOf(nameOf(i), said, `${WORDS.join(" ")} `.repeat(8), said));
    }
  });
}

async function synced(
  connection: {
    readonly profile: Parameters<typeof ControlSession.open>[0]["profile"];
    readonly device: DeviceIdentity;
  },
  devices: Parameters<typeof syncVault>[0]["devices"],
  local: LocalVault,
): Promise<void> {
  const session = await ControlSession.open(connection);
  const node = new Uint8Array(Buffer.from(connection.profile.nodeKey, "hex"));
  const all = { link: session.vault, local, device: connection.device, node, devices };
  await syncVault(all).finally(() => session.close());
}

function figure(name: string, samples: readonly number[], budgetMs: number) {
  const value = median(samples);
  const holds = value <= budgetMs;
  return row({
    name,
    value,
    unit: "ms",
    budget: `≤ ${budgetMs} ms`,
    holds,
    samples: { ms: samples },
  });
}

async function rounds(act: (round: number) => unknown): Promise<number[]> {
  const samples: number[] = [];
  for (let i = 0; i < ROUNDS; i += 1) samples.push(await timed(() => act(i)));
  return samples;
}

async function timed(act: () => unknown): Promise<number> {
  const begunAt = performance.now();
  await act();
  return performance.now() - begunAt;
}

function nameOf(i: number): string {
  return i.toString(16).padStart(16, "0");
}
