/**
 * The console paired with the node as a third device, chatted with and locked: what its disk has then.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LocalNode } from "@phantoma/client";
import { exportDeviceIdentity, type DeviceIdentity } from "@phantoma/crypto";
import type {
  RequestInput,
  RequestName,
  RequestOutput,
} from "../../../apps/desktop/ipc/contract.ts";
import { keyStoreIn, openFileKeyStore } from "../../../apps/desktop/session/key-store.ts";
import { LockableConsole } from "../../../apps/desktop/session/lockable-console.ts";
import { scanFolder } from "../../file-scan.ts";
import type { Proof } from "../../proof.ts";
import type { Machine } from "./machine.ts";
import { refusalOf } from "./roles.ts";

const PASSPHRASE = "nine brown horses walk";

export async function showLock(proof: Proof, node: LocalNode, desk: Machine): Promise<void> {
  const homeDir = mkdtempSync(join(tmpdir(), "phantoma-proof-console-"));
  const store = openFileKeyStore(homeDir);
  const needles = needlesOf(store.device);
  const started = await LockableConsole.start({
    version: "0.1.0",
    shell: "web",
    homeDir,
    keys: keyStoreIn(homeDir, async () => openFileKeyStore(homeDir)),
    demo: { nodeDir: "", models: [] },
    maxAnswerTokens: 32,
  });
  const ask = <N extends RequestName>(name: N, input: RequestInput<N>) =>
    (started.requests[name] as (input: unknown) => Promise<RequestOutput<N>>)(input);
  try {
    const id = await pairConsole(ask, desk);
    const canary = `canary-${randomBytes(12).toString("hex")}`;
    const remembered = join(homeDir, "nodes", `${id}.seen`);
    proof.row({
      name: "from its pairing on the console remembers the list that let it in",
      holds: existsSync(remembered) && "version" in JSON.parse(readFileSync(remembered, "utf8")),
      detail: "before it asked for the list once",
    });
    const question = await chat(started, ask, id, node, canary);
    proof.row({
      name: "the console is paired by the same codes and words, and chats",
      holds: question.isAnswered,
      detail: `as a device of node ${id.slice(0, 8)}`,
    });

    const early = await refusalOf(ask("lock.now", {}));
    const inClear = total(homeDir, needles);
    proof.row({
      name: "without a passphrase locking is refused, for it would only pretend",
      holds: early === "ERR_LOCK_POINTLESS",
      detail: early,
    });
    proof.control(
      "the scan finds the key while it lies in a file",
      inClear.hits > 0,
      `${inClear.hits} hits in ${inClear.files} files`,
    );

    const short = await refusalOf(
      ask("lock.setPassphrase", { passphrase: "short", current: null }),
    );
    await ask("lock.setPassphrase", { passphrase: PASSPHRASE, current: null });
    const { isLocked } = await ask("lock.now", {});
    const refused = await refusalOf(ask("devices.list", { node: id }));
    const locked = total(homeDir, [...needles, canary, PASSPHRASE]);
    proof.row({
      name: "locked: no key, no word of the chat and no passphrase on its disk, and nothing answers",
      holds: isLocked && locked.hits === 0 && locked.files > 0 && refused === "ERR_LOCKED",
      detail: `${locked.hits} hits in ${locked.files} files; ${refused}; a short passphrase: ${short}`,
    });
    writeFileSync(join(homeDir, "planted"), `before ${canary} after`);
    const planted = total(homeDir, [canary]);
    proof.control(
      "the scan finds a word that was planted",
      planted.hits > 0,
      `${planted.hits} hit`,
    );

    const wrong = await refusalOf(ask("lock.open", { passphrase: "nine brown horses run" }));
    const none = await refusalOf(ask("lock.open", { passphrase: null }));
    await ask("lock.open", { passphrase: PASSPHRASE });
    const list = await ask("devices.list", { node: id });
    proof.row({
      name: "it opens with the passphrase and nothing else, and is the same device",
      holds:
        wrong === "ERR_PASSPHRASE" &&
        none === "ERR_LOCKED" &&
        list.devices.some(({ isThis, name }) => isThis && name === "console"),
      detail: `${wrong}, ${none}; then list ${list.version}`,
    });
  } finally {
    await started.close();
  }
}

type Ask = <N extends RequestName>(name: N, input: RequestInput<N>) => Promise<RequestOutput<N>>;

/** With the desk's terminal as the admin's side. */
async function pairConsole(ask: Ask, desk: Machine): Promise<string> {
  const { said } = await desk.run(["devices", "invite"]);
  const { invitation } = said[0] as unknown as { invitation: string };
  const joining = await ask("pairing.join", { invitation, name: "console" });
  const words = joining.words.join(" ");
  const accepting = ask("pairing.accept", {});
  await desk.run(["devices", "add", joining.code.text, "--words", words]);
  return (await accepting).id;
}

async function chat(
  { streams }: LockableConsole,
  ask: Ask,
  node: string,
  { models }: LocalNode,
  canary: string,
) {
  const mode = "conversation" as const;
  const { id, head } = await ask("conversations.create", { node, model: models[0]!.digest, mode });
  const { signal } = new AbortController();
  const asked = { conversation: id, parent: head, text: canary };
  await streams["chat.answer"](asked, () => undefined, signal);
  const { messages } = await ask("conversations.get", { conversation: id });
  return { isAnswered: messages.at(-1)!.text.length > 0 };
}

/** Both private keys, raw and as text. */
function needlesOf(device: DeviceIdentity): (string | Uint8Array)[] {
  const secret = exportDeviceIdentity(device);
  const keys = [secret.expose().subarray(0, 32), secret.expose().subarray(32)].map((one) =>
    Buffer.from(one),
  );
  secret.erase();
  return keys.flatMap((key) => [key, key.toString("hex"), key.toString("base64").slice(0, 40)]);
}

function total(dir: string, needles: readonly (string | Uint8Array)[]) {
  const scans = needles.map((needle) => scanFolder(dir, needle));
  return { hits: scans.reduce((sum, { hits }) => sum + hits, 0), files: scans[0]!.files };
}
