/**
 * How a model gets onto a rented server: pushed through the tunnel, or fetched by the server itself through a
 * window that an admin signed, and nothing else through it.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import {
  ControlSession,
  openModelFile,
  pushModel,
  signWindowOrder,
  withRetry,
  type NodeProfile,
  type ResolvedModel,
  type WindowState,
} from "@phantoma/client";
import type { DeviceIdentity } from "@phantoma/crypto";
import { cachedModel } from "../node-under-test.ts";
import type { Proof } from "../proof.ts";
import type { Guest } from "../vps/guest.ts";
import { CURRENT_DIR } from "../vps/install-node.ts";
import { startModelHost } from "../vps/model-host.ts";
import { places } from "./window/network.ts";
import { modelAt } from "./window/stage.ts";

const SLICE = "/sys/fs/cgroup/phantoma.slice";
const STATE_DIR = "/var/lib/phantoma";
/** An emulated processor takes its time, and is not cut off by a deadline that is not the subject. */
const LIFETIME_MS = 10 * 60_000;
const PATIENCE_MS = 240_000;
/** A fresh clerk is there by then. */
const ATTEMPTS = 40;

export interface ServerUnderTest {
  readonly guest: Guest;
  readonly proof: Proof;
  readonly device: DeviceIdentity;
  readonly profile: NodeProfile;
}

export async function showModels(server: ServerUnderTest): Promise<void> {
  await showPush(server);
  await startModelHost(server.guest);
  await showFetched(server);
  await showClosedEarly(server);
}

async function showPush({ guest, proof, device, profile }: ServerUnderTest): Promise<void> {
  const file = await openModelFile(await cachedModel("tiny"), "pushed");
  const { digest, bytes } = file;
  try {
    await pushModel(file, { profile, device });
  } finally {
    await file.close();
  }
  const isWhole = await ask({ device, profile }, (session) => session.verifyModel(digest));
  const stored = (
    await guest.check(`stat -c '%U %a %s' ${STATE_DIR}/models/${digest}.gguf`)
  ).trim();
  const left = (await guest.check(`ls ${STATE_DIR}/incoming`)).trim();
  proof.row({
    name: "a model pushed through the tunnel is stored whole, the keeper's, and nobody's to change",
    holds: isWhole && stored === `phantoma-keeper 444 ${bytes}` && left === "",
    detail: stored,
  });
}

async function showFetched(server: ServerUnderTest): Promise<void> {
  const { proof } = server;
  const model = modelAt("/owner/repo/resolve/main/model.gguf");
  await open(server, model);
  const { transfers } = await windowThat(server, ({ open }) => open === null);
  const { state, error } = transfers[0] ?? { state: "none", error: null };
  const { models, isWhole } = await ask(server, async (session) => ({
    models: await session.models(),
    isWhole: await session.verifyModel(model.digest),
  }));
  proof.row({
    name: "a window lets the fetcher get the listed file from its host's CDN, and closes itself",
    holds: state === "stored" && isWhole && models.some(({ digest }) => digest === model.digest),
    detail: error ?? state,
  });
  await showNothingIsLeft(server, "after a file that arrived");
}

/** While it is open the unit that may is let through, and a worker is not; closed, nobody is. */
async function showClosedEarly(server: ServerUnderTest): Promise<void> {
  const { guest, proof } = server;
  await open(server, modelAt("/endless.gguf"));
  await windowThat(server, ({ transfers }) => (transfers[0]?.received ?? 0) > 0);
  const during = await wardenWindow(guest);
  const connected = Promise.withResolvers<void>();
  const fetcher = connectAgain(guest, "phantoma-fetcher.service", connected.resolve);
  await Promise.race([connected.promise, fetcher]);
  const worker = await connectAgain(guest, "phantoma-worker.slice/probe");
  const { events, policy } = await ask(server, (session) => session.egress());
  proof.row({
    name: "an open window is the fetcher's alone: from a worker's place it is refused, and in the log",
    holds:
      during !== null &&
      worker === "EPERM" &&
      policy?.isInForce === true &&
      events.some(({ unit, address }) => unit === "worker" && address === places.models),
    detail: `worker ${worker}`,
  });
  await ask(server, (session) => session.closeWindow());
  const seen = await fetcher;
  proof.row({
    name: "closed early, it is closed at once, in the kernel as well",
    holds: seen === "connected EPERM" && (await wardenWindow(guest)) === null,
    detail: `from the fetcher's place: ${seen}`,
  });
  await showNothingIsLeft(server, "after a window that was closed early");
}

async function showNothingIsLeft({ guest, proof }: ServerUnderTest, when: string): Promise<void> {
  const look = async () =>
    (await guest.check(`ls ${STATE_DIR}/orders ${STATE_DIR}/quarantine`))
      .split("\n")
      .filter((name) => name !== "" && !name.endsWith(":"));
  const late = Date.now() + PATIENCE_MS;
  let left = await look();
  while (left.length > 0 && Date.now() < late) {
    await sleep(1_000);
    left = await look();
  }
  proof.row({
    name: `no order and no piece of a file is left ${when}`,
    holds: left.length === 0,
    detail: left.join(", "),
  });
}

async function open(server: ServerUnderTest, model: ResolvedModel): Promise<void> {
  const { device, profile } = server;
  await ask(server, async (session) => {
    const { highestCounter } = await session.window();
    const order = signWindowOrder(device, {
      node: Buffer.from(profile.nodeKey, "hex"),
      models: [model],
      highestCounter,
      lifetimeMs: LIFETIME_MS,
      nodeTime: Date.now(),
    });
    await session.openWindow(order);
  });
}

async function windowThat(
  server: ServerUnderTest,
  isIt: (state: WindowState) => boolean,
): Promise<WindowState> {
  const late = Date.now() + PATIENCE_MS;
  return ask(server, async (session) => {
    for (;;) {
      const state = await session.window();
      if (isIt(state)) return state;
      if (Date.now() > late) throw new Error(`the window stays ${JSON.stringify(state)}`);
      await sleep(1_000);
    }
  });
}

/** What the kernel and the warden's own file say, whoever has the warden's ear. */
async function wardenWindow(guest: Guest): Promise<object | null> {
  const text = await guest.check(`${CURRENT_DIR}/bin/warden status --json`);
  return (JSON.parse(text) as { window: object | null }).window;
}

/**
 * Connects again and again from that control group, with the whole network in sight, until it is refused.
 *
 * @returns what it saw, each answer once
 */
async function connectAgain(guest: Guest, cgroup: string, hear?: () => void): Promise<string> {
  const script = `const { connect } = require("node:net");
    let last = "";
    const say = (answer) => answer !== last && console.error((last = answer));
    const again = () => connect(443, "${places.models}")
      .on("connect", function () { say("connected"); this.destroy(); setTimeout(again, 20); })
      .on("error", ({ code }) => { say(code); process.exit(); });
    again();`;
  const enter = `mkdir -p ${SLICE}/${cgroup} && echo $$ > ${SLICE}/${cgroup}/cgroup.procs`;
  const { stderr } = await guest.ssh(`${enter} && exec ${CURRENT_DIR}/bin/node -`, script, hear);
  return stderr.trim().replaceAll("\n", " ");
}

async function ask<T>(
  { device, profile }: Pick<ServerUnderTest, "device" | "profile">,
  use: (session: ControlSession) => Promise<T>,
): Promise<T> {
  const session = await withRetry(() => ControlSession.open({ profile, device }), {
    attempts: ATTEMPTS,
  });
  return use(session).finally(() => session.close());
}
