/**
 * A node in a guest as its admin has it, and as somebody with root on that server sees it.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import {
  ControlSession,
  signWindowOrder,
  withRetry,
  type NodeProfile,
  type ResolvedModel,
  type WindowState,
} from "@phantoma/client";
import type { DeviceIdentity } from "@phantoma/crypto";
import type { Guest } from "./guest.ts";
import { CURRENT_DIR } from "./install-node.ts";

const SLICE = "/sys/fs/cgroup/phantoma.slice";
/** An emulated processor takes its time, in milliseconds. */
export const PATIENCE_MS = 240_000;
/** A fresh clerk is there by then. */
const ATTEMPTS = 40;

export class ServerUnderTest {
  readonly guest: Guest;
  readonly peer: { readonly device: DeviceIdentity; readonly profile: NodeProfile };

  constructor(guest: Guest, device: DeviceIdentity, profile: NodeProfile) {
    this.guest = guest;
    this.peer = { device, profile };
  }

  async ask<T>(use: (session: ControlSession) => Promise<T>): Promise<T> {
    const session = await withRetry(() => ControlSession.open(this.peer), { attempts: ATTEMPTS });
    return use(session).finally(() => session.close());
  }

  /** @returns the deadline */
  async openWindow(model: ResolvedModel, lifetimeMs: number): Promise<number> {
    const { device, profile } = this.peer;
    return this.ask(async (session) => {
      const { highestCounter } = await session.window();
      const nodeTime = Date.now();
      const node = Buffer.from(profile.nodeKey, "hex");
      const request = { node, models: [model], highestCounter, lifetimeMs, nodeTime };
      await session.openWindow(signWindowOrder(device, request));
      return nodeTime + lifetimeMs;
    });
  }

  async windowThat(isIt: (state: WindowState) => boolean): Promise<WindowState> {
    const late = Date.now() + PATIENCE_MS;
    return this.ask(async (session) => {
      for (;;) {
        const state = await session.window();
        if (isIt(state)) return state;
        if (Date.now() > late) throw new Error(`the window stays ${JSON.stringify(state)}`);
        await sleep(1_000);
      }
    });
  }

  /** What the kernel and the warden's own file say, whoever has the warden's ear. */
  async windowOfWarden(): Promise<object | null> {
    const text = await this.guest.check(`${CURRENT_DIR}/bin/warden status --json`);
    return (JSON.parse(text) as { window: object | null }).window;
  }

  /**
   * Runs a script in a unit's control group, with the whole network in sight.
   *
   * @param hear is told each line that it says on standard error
   * @returns all of them
   */
  async inPlaceOf(
    cgroup: string,
    script: string,
    hear?: (line: string) => void,
  ): Promise<readonly string[]> {
    const enter = `mkdir -p ${SLICE}/${cgroup} && echo $$ > ${SLICE}/${cgroup}/cgroup.procs`;
    const command = `${enter} && exec ${CURRENT_DIR}/bin/node -`;
    return (await this.guest.ssh(command, script, hear)).stderr.trim().split("\n");
  }
}
