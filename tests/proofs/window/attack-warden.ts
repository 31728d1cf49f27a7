/**
 * What a keeper that was taken over could say to the warden: each refused for its reason, and logged.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { signAddedDevice, signRevokedDevice } from "@phantoma/client";
import {
  addressBytes,
  deviceListDocument,
  documentHash,
  generateDeviceIdentity,
  windowOrderDocument,
  type DeviceIdentity,
  type VerifiedDeviceList,
  type WindowOrder,
} from "@phantoma/crypto";
import type { Proof } from "../../proof.ts";
import { places } from "./network.ts";
import { modelAt, until, type Stage } from "./stage.ts";

/** The warden answers in milliseconds, unless somebody else has its ear. */
const ANSWER_MS = 10_000;

export async function attackWarden(stage: Stage, proof: Proof): Promise<void> {
  const revoked = generateDeviceIdentity();
  const chat = generateDeviceIdentity();
  const lists = await enrol(stage, revoked, chat);
  // So that there is a counter to be below.
  await stage.open(modelAt("/endless.gguf"), 60_000);
  const { highestCounter } = await stage.ask(async (session) => {
    await session.closeWindow();
    return session.window();
  });
  const highest = BigInt(highestCounter);
  // The attacker takes the keeper's place, and nobody brings that back: the warden hears one at a time.
  process.kill(stage.node.pid, "SIGSTOP");
  for (const pid of stage.pids("keeper")) process.kill(pid, "SIGKILL");
  try {
    const now = Date.now();
    const next = BigInt(now) > highest ? BigInt(now) : highest + 1n;
    const order = (change: Partial<WindowOrder> = {}, by: DeviceIdentity = stage.device) =>
      orderOf(stage, { counter: next, ...change }, by);
    const good = order();
    const flipped = Buffer.from(good);
    flipped[flipped.length - 100]! ^= 1;
    const refused: readonly (readonly [string, string, string])[] = [
      ["an order with one bit flipped", line("window", flipped), "ERR_AUTHENTICATION"],
      ["an order cut short", line("window", good.subarray(0, -70)), "ERR_LENGTH"],
      [
        "an order by a stranger",
        line("window", order({}, generateDeviceIdentity())),
        "ERR_NOT_AUTHORISED",
      ],
      [
        "an order by a device that is no admin",
        line("window", order({}, chat)),
        "ERR_NOT_AUTHORISED",
      ],
      ["an order by a revoked admin", line("window", order({}, revoked)), "ERR_NOT_AUTHORISED"],
      ["another node's order", line("window", order({ node: randomBytes(32) })), "ERR_ORDER_NODE"],
      ["an order that is over", line("window", order({ notAfter: now - 1 })), "ERR_ORDER_EXPIRED"],
      [
        "an order for more than 30 minutes",
        line("window", order({ notAfter: now + 31 * 60_000 })),
        "ERR_ORDER_TOO_LONG",
      ],
      [
        "an order older than the last one",
        line("window", order({ counter: highest - 1n })),
        "ERR_ORDER_REPLAYED",
      ],
      [
        "an order with the last one's counter",
        line("window", order({ counter: highest })),
        "ERR_ORDER_REPLAYED",
      ],
      ["a device list for an order", line("window", lists[0]!), "ERR_DOCUMENT_TYPE"],
      [
        "a device list older than the last one",
        line("device-list", lists[0]!),
        "ERR_NOT_AUTHORISED",
      ],
      [
        "a device list by a device that is no admin",
        line("device-list", forgedList(lists, chat)),
        "ERR_NOT_AUTHORISED",
      ],
      [
        "a device list by a revoked admin",
        line("device-list", forgedList(lists, revoked)),
        "ERR_NOT_AUTHORISED",
      ],
    ];
    for (const [name, said, code] of refused) await expectRefusal(stage, proof, name, said, code);
    const accepted = await say(stage, line("window", good));
    proof.control("an honest order is accepted", accepted.startsWith("ok "), accepted);
    await expectRefusal(
      stage,
      proof,
      "a second window",
      line("window", order({ counter: next + 1n })),
      "ERR_WINDOW_OPEN",
    );
    await say(stage, "close-window");
    await expectRefusal(
      stage,
      proof,
      "the same order again",
      line("window", good),
      "ERR_ORDER_REPLAYED",
    );
    const { window } = await stage.wardenStatus();
    proof.row({ name: "after all of these no window is open", holds: window === null });
  } finally {
    process.kill(stage.node.pid, "SIGCONT");
  }
}

async function expectRefusal(
  stage: Stage,
  proof: Proof,
  name: string,
  said: string,
  code: string,
): Promise<void> {
  const logged = () =>
    stage.log.filter((text) => text.includes('"refused"') && text.includes(code)).length;
  const before = logged();
  const answer = await say(stage, said);
  const isLogged = await until(async () => logged() > before || undefined, 3_000).catch(
    () => false,
  );
  proof.row({
    name: `the warden refuses and logs: ${name}`,
    holds: answer === `refused ${code}` && isLogged,
    detail: `${answer}${isLogged ? "" : ", not logged"}`,
  });
}

/** Enrols both through the node, revokes one, and waits until the warden knows. @returns every list */
async function enrol(
  stage: Stage,
  revoked: DeviceIdentity,
  chat: DeviceIdentity,
): Promise<Uint8Array[]> {
  const lists: Uint8Array[] = [];
  let current: VerifiedDeviceList = stage.node.devices;
  const submit = async (list: Uint8Array) => {
    await stage.ask((session) => session.submitDeviceList(list));
    lists.push(list);
    current = {
      ...deviceListDocument.open(list, ({ signer }) => signer),
      hash: documentHash(list),
    };
  };
  const keys = ({ signing, tunnel }: DeviceIdentity) => ({
    signingKey: signing.publicKey,
    tunnelKey: tunnel.publicKey,
  });
  const { device } = stage;
  const added = (who: DeviceIdentity, name: string, role: "admin" | "chat") =>
    signAddedDevice(device, current, { ...keys(who), name, role }, Date.now());
  await submit(added(revoked, "was an admin", "admin"));
  await submit(added(chat, "chats", "chat"));
  await submit(signRevokedDevice(device, current, revoked.signing.publicKey, Date.now()));
  await until(async () => {
    const { deviceListVersion } = await stage.wardenStatus();
    return deviceListVersion === current.version || undefined;
  });
  return lists;
}

/** The next list, signed by who may not. */
function forgedList(lists: readonly Uint8Array[], by: DeviceIdentity): Uint8Array {
  const last = lists.at(-1)!;
  const fields = deviceListDocument.open(last, ({ signer }) => signer);
  return deviceListDocument.sign(
    {
      ...fields,
      version: fields.version + 1,
      previous: documentHash(last),
      signer: by.signing.publicKey,
    },
    by.signing.privateKey,
  );
}

function orderOf(stage: Stage, change: Partial<WindowOrder>, by: DeviceIdentity): Uint8Array {
  const order: WindowOrder = {
    node: Buffer.from(stage.node.profile.nodeKey, "hex"),
    counter: 0n,
    notAfter: Date.now() + 60_000,
    signer: by.signing.publicKey,
    endpoints: [{ name: "models.test", address: addressBytes(places.models), port: 443 }],
    files: [{ name: "/model.gguf", digest: randomBytes(32), size: 1n }],
    ...change,
  };
  return windowOrderDocument.sign(order, by.signing.privateKey);
}

function line(word: string, document: Uint8Array): string {
  return `${word} ${Buffer.from(document).toString("hex")}`;
}

/** One line straight to the warden's socket, and its answer. */
function say(stage: Stage, said: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(stage.paths.warden, () => socket.write(`${said}\n`));
    socket.setTimeout(ANSWER_MS, () => socket.destroy());
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the warden hung up")));
    createInterface(socket).on("line", (answer) => {
      if (!/^(?:ok|refused) /.test(answer)) return;
      resolve(answer);
      socket.destroy();
    });
  });
}
