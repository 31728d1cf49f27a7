/**
 * A server with a node on it: looked at from outside, by its RAM and its disk.
 *
 * Words of a chat reach it through the tunnel only. They are never in a command, and are searched for here.
 *
 * @module
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  ControlSession,
  Conversation,
  withRetry,
  type ConversationOptions,
  type NodeProfile,
} from "@phantoma/client";
import { generateDeviceIdentity, type Receipt } from "@phantoma/crypto";
import type { Doctor } from "@phantoma/protocol";
import { bundle } from "../../../tools/bundle/release-tree.ts";
import { cachedModel } from "../../node-under-test.ts";
import { bootedGuest, copyTree } from "../../vps/booted-guest.ts";
import type { Guest } from "../../vps/guest.ts";
import { CURRENT_DIR, installNode, NODE_PORT } from "../../vps/install-node.ts";
import { searchFile, searchLog, type Hit } from "./search.ts";

/** Enough for a node with two workers, and dumped in two seconds. */
const MEMORY_MIB = 1024;
/** An emulated processor takes a minute to warm a worker while others use this machine. */
const ATTEMPTS = 40;
/** A receipt is there when the cell has reported, which waits for the overwriting. */
const RECEIPT_TRIES = 60;
/** The doctor looks a minute after the boot, and takes its time there. */
const DOCTOR_TRIES = 180;

const WITHOUT_CELL_DIR = "/opt/phantoma/without-cell";
const DROP_IN_DIR = "/run/systemd/system/phantoma-worker@.service.d";
const WITHOUT_CELL = `[Service]
ExecStart=
ExecStart=${CURRENT_DIR}/bin/node ${WITHOUT_CELL_DIR}/without-cell.js ${CURRENT_DIR}/apps/node/worker/main.js /var/lib/phantoma/models /run/phantoma/for-workers/keeper.sock
`;

export interface Dump {
  readonly hits: readonly Hit[];
  /** When the guest was stopped for it, by this machine's clock. */
  readonly at: number;
  readonly tookMs: number;
}

export interface StageOptions {
  readonly prefix: string;
  /** Where dumps are kept; absent: they go once they are searched. */
  readonly keepDir: string | undefined;
  readonly say: (text: string) => void;
}

export class Stage {
  readonly guest: Guest;
  readonly #options: StageOptions;
  readonly #device = generateDeviceIdentity();
  readonly #dir = mkdtempSync(join(tmpdir(), "phantoma-ram-"));
  #profile!: NodeProfile;
  #model!: Buffer;
  #control: ControlSession | undefined;

  static async start(options: StageOptions): Promise<Stage> {
    const guest = await bootedGuest({ ports: [NODE_PORT], memoryMib: MEMORY_MIB });
    const stage = new Stage(guest, options);
    try {
      await stage.#install();
      return stage;
    } catch (error) {
      await stage.stop();
      throw error;
    }
  }

  private constructor(guest: Guest, options: StageOptions) {
    this.guest = guest;
    this.#options = options;
    if (options.keepDir) mkdirSync(options.keepDir, { recursive: true });
  }

  async #install(): Promise<void> {
    const { profile, models } = await installNode(this.guest, {
      device: this.#device,
      models: [await cachedModel("echo")],
      gatewayFlags: "--warm 1",
      say: this.#options.say,
    });
    this.#profile = profile;
    this.#model = Buffer.from(models[0]!.digest, "hex");
  }

  async stop(): Promise<void> {
    this.#control?.close();
    await this.guest.stop();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** As set-up will do it: a word on the kernel's command line, and one boot. */
  async raiseToGradeA(): Promise<void> {
    await this.guest.check(
      `echo 'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX init_on_free=1"' > /etc/default/grub.d/95-wipe.cfg
       update-grub 2>/dev/null`,
    );
    this.#hangUp();
    await this.guest.reboot();
  }

  /** From the next worker on; the warm ones go. */
  async takeCellsAway(): Promise<void> {
    await copyTree(
      this.guest,
      (dir) => bundle("tests/proofs/ram/without-cell.ts", join(dir, "without-cell.js")),
      WITHOUT_CELL_DIR,
    );
    await this.guest.check(
      `mkdir -p ${DROP_IN_DIR} && cat > ${DROP_IN_DIR}/without-cell.conf
       systemctl daemon-reload && systemctl stop 'phantoma-worker@*'`,
      WITHOUT_CELL,
    );
  }

  async giveCellsBack(): Promise<void> {
    await this.guest.check(
      `rm -r ${DROP_IN_DIR} ${WITHOUT_CELL_DIR}
       systemctl daemon-reload && systemctl stop 'phantoma-worker@*'`,
    );
  }

  open(options: Pick<ConversationOptions, "mode" | "steady" | "history">): Promise<Conversation> {
    const peer = { profile: this.#profile, device: this.#device, model: this.#model };
    return withRetry(() => Conversation.open({ ...peer, ...options }), { attempts: ATTEMPTS });
  }

  /** Keeps one session, so that its clerk is there to be searched while tasks run; a clerk ends when idle. */
  async askNode<T>(question: (session: ControlSession) => Promise<T>): Promise<T> {
    const peer = { profile: this.#profile, device: this.#device };
    for (let tries = 0; ; tries += 1) {
      this.#control ??= await withRetry(() => ControlSession.open(peer), { attempts: ATTEMPTS });
      try {
        return await question(this.#control);
      } catch (error) {
        this.#hangUp();
        if (tries > 0) throw error;
      }
    }
  }

  /** What was not looked at since the boot counts as not good: asked until it was. */
  async doctor(): Promise<Doctor> {
    for (let tries = 0; ; tries += 1) {
      const doctor = await this.askNode((session) => session.doctor());
      if (doctor.grade === "A" || tries === DOCTOR_TRIES) return doctor;
      await sleep(1_000);
    }
  }

  async receipt(task: Uint8Array): Promise<Receipt | undefined> {
    for (let tries = 0; tries < RECEIPT_TRIES; tries += 1) {
      const [signed] = await this.askNode((session) => session.receipts({ task, limit: 1 }));
      if (signed) return signed.receipt;
      await sleep(1_000);
    }
    return undefined;
  }

  /** @param name of the file, where dumps are kept */
  async dump(name: string): Promise<Dump> {
    const path = this.#pathOf(`${name}.ram`);
    const at = Date.now();
    const paths = await this.guest.dumpMemory(path);
    if (paths.length !== 1) throw new Error("the guest's RAM is not in one piece");
    const tookMs = Date.now() - at;
    return { hits: await this.#search(paths[0]!), at, tookMs };
  }

  /** Everything that was written, whether it still belongs to a file or not. */
  async searchDisk(name: string): Promise<readonly Hit[]> {
    const path = this.#pathOf(`${name}.disk`);
    await this.guest.dumpDisk(path);
    return this.#search(path);
  }

  /** What the machine keeps of what programs said. */
  async searchLogs(): Promise<readonly Hit[]> {
    const logs = await this.guest.check(
      "journalctl --no-pager -o export; journalctl --no-pager -o export --namespace=phantoma; dmesg",
    );
    return searchLog(logs, this.#options.prefix);
  }

  /** For people, when something went wrong. */
  lastLogs(): Promise<string> {
    return this.guest.check(
      "date; dmesg | tail -40; journalctl --no-pager -n 20; journalctl --no-pager -n 30 --namespace=phantoma",
    );
  }

  /** The reset button: what RAM held stays in it. Then the server boots. */
  async reset(): Promise<void> {
    await this.guest.check("sync");
    this.#hangUp();
    await this.guest.resetAndBoot();
  }

  async powerCut(whileOff: () => Promise<void>): Promise<void> {
    this.#hangUp();
    await this.guest.powerCut(whileOff);
  }

  #hangUp(): void {
    this.#control?.close();
    this.#control = undefined;
  }

  #pathOf(name: string): string {
    return join(this.#options.keepDir ?? this.#dir, name.replaceAll(" ", "-"));
  }

  async #search(path: string): Promise<Hit[]> {
    try {
      return await searchFile(path, this.#options.prefix);
    } finally {
      if (!this.#options.keepDir) rmSync(path);
    }
  }
}
