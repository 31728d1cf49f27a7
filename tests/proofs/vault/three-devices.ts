/**
 * What three devices do with one vault: share it, change it at once, delete, and lose one while it syncs.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { joinVault, syncVault, type VaultLink } from "@phantoma/client";
import type { Proof } from "../../proof.ts";
import { continued, newConversation, type DeviceOnStage, type Stage } from "./stage.ts";

/** Enough that a revocation lands in the middle of their sync. */
const MANY = 300;

export async function sharedByThree(proof: Proof, stage: Stage): Promise<void> {
  const { desk, canary } = stage;
  for (let i = 0; i < 3; i += 1) desk.local.save(newConversation(canary));
  const first = await stage.sync(desk);
  proof.row({ name: "the desk's three conversations are at the node", holds: first.given === 3 });

  const laptop = await joined(stage, "laptop");
  proof.row({
    name: "a second device has them once it was admitted, and not before",
    holds: laptop.before === "ERR_VAULT_KEY" && laptop.device.local.size === 3,
    detail: `before: ${laptop.before}`,
  });
  const [id] = desk.local.list().map((one) => one.id) as [string];
  desk.local.save(continued(desk.local.get(id), `desk ${canary}`));
  laptop.device.local.save(continued(laptop.device.local.get(id), `laptop ${canary}`));
  await Promise.all([stage.sync(desk), stage.sync(laptop.device)]);
  await stage.sync(desk);
  await stage.sync(laptop.device);
  const [here, there] = [desk, laptop.device].map(({ local }) => local.get(id));
  proof.row({
    name: "of two edits at the same time both are kept, and both devices have the same",
    holds: here!.messages.length === 4 && JSON.stringify(here) === JSON.stringify(there),
    detail: `${here!.messages.length} messages`,
  });

  const phone = await joined(stage, "phone");
  // Offline: nothing of this needs the node.
  phone.device.local.save(newConversation(canary));
  const found = phone.device.local.search(canary).length;
  proof.row({ name: "a third device saves and searches offline", holds: found === 4 });
  await stage.sync(phone.device);
  await stage.sync(desk);
  await stage.sync(laptop.device);
  const sizes = [desk, laptop.device, phone.device].map(({ local }) => local.size);
  proof.row({
    name: "and the other two have it after it was online again",
    holds: sizes.every((size) => size === 4),
    detail: sizes.join(", "),
  });

  const before = objectsAt(stage);
  desk.local.delete(id);
  await stage.sync(desk);
  await stage.sync(phone.device);
  proof.row({
    name: "deleted on one device, it is gone from the node's disk and from another device",
    holds: objectsAt(stage) === before - 1 && phone.device.local.size === 3,
    detail: `${before} objects, then ${objectsAt(stage)}`,
  });
}

export async function cutWhileSyncing(proof: Proof, stage: Stage): Promise<void> {
  const { desk, canary } = stage;
  const lost = (await joined(stage, "lost")).device;
  const atNode = desk.local.size;
  for (let i = 0; i < MANY; i += 1) lost.local.save(newConversation(canary));
  const session = await stage.connect(lost);
  let puts = 0;
  const told = Promise.withResolvers<void>();
  const link = withMethod(session.vault, "put", async (blob: Uint8Array) => {
    await session.vault.put(blob);
    if ((puts += 1) === 20) told.resolve();
  });
  const syncing = syncVault(stage.options(lost, link)).then(
    () => "it succeeded",
    (error: { code?: string }) => error.code ?? "no code",
  );
  await told.promise;
  await stage.revoke(lost);
  const code = await syncing;
  session.close();
  proof.row({
    name: "a device that is revoked in the middle of its sync is cut off",
    holds: ["ERR_DEVICE_REVOKED", "ERR_CONNECTION_LOST"].includes(code) && puts < MANY,
    detail: `${code} after ${puts} of ${MANY}`,
  });
  const back = await stage.connect(lost).then(
    () => "it came in",
    (error: { code?: string }) => error.code,
  );
  proof.row({
    name: "and does not come in again",
    holds: back === "ERR_TICKET_REFUSED" || back === "ERR_DEVICE_REVOKED",
    detail: String(back),
  });
  const turned = await stage.sync(desk);
  proof.row({
    name: "nothing of its half sync counts, and the vault has a new key",
    holds: turned.hasTurned && turned.taken === 0 && desk.local.size === atNode,
  });
  const secret = newConversation(canary);
  desk.local.save(secret);
  await stage.sync(desk);
  const epochs = objectEpochs(stage);
  const had = lost.local.state?.epoch?.epoch ?? Infinity;
  proof.row({
    name: "what is written now is under a key that it never had",
    holds: Math.max(...epochs) > had,
    detail: `it had key ${had}, this is under key ${Math.max(...epochs)}`,
  });
}

/** A new device that asks for the vault and is admitted by the desk. */
async function joined(
  stage: Stage,
  name: string,
): Promise<{ readonly device: DeviceOnStage; readonly before: string }> {
  const { desk } = stage;
  const device = await stage.add(name);
  const session = await stage.connect(device);
  const options = stage.options(device, session.vault);
  await joinVault(options, desk.identity.signing.publicKey);
  const before = await syncVault(options).then(
    () => "it had them",
    (error: { code?: string }) => error.code ?? "no code",
  );
  await stage.sync(desk, { admit: device.identity.signing.publicKey });
  await syncVault(options);
  session.close();
  return { device, before };
}

/** The same link with another way to do one thing. */
export function withMethod<K extends keyof VaultLink>(
  link: VaultLink,
  name: K,
  method: VaultLink[K],
): VaultLink {
  return new Proxy(link, {
    get: (target, key) => {
      if (key === name) return method;
      const value = Reflect.get(target, key, target) as unknown;
      return typeof value === "function" ? (value as () => unknown).bind(target) : value;
    },
  });
}

export function objectFiles({ vaultsDir }: Stage): string[] {
  return readdirSync(vaultsDir)
    .filter((name) => name !== "cards")
    .flatMap((name) => {
      const dir = join(vaultsDir, name, "objects");
      return readdirSync(dir).map((object) => join(dir, object));
    });
}

function objectsAt(stage: Stage): number {
  return objectFiles(stage).length;
}

/** Every object says under which key its own is sealed. */
function objectEpochs(stage: Stage): number[] {
  return objectFiles(stage).map((path) => readFileSync(path).readUInt32BE(8));
}
