/**
 * How a task can end, each brought about for real.
 *
 * @module
 */
import type { Conversation, TurnEvent } from "@phantoma/client";
import type { Receipt } from "@phantoma/crypto";
import type { Guest } from "../../vps/guest.ts";
import { fault } from "./faults.ts";

/** A task in the middle of its answer. */
export interface LiveTask {
  readonly guest: Guest;
  readonly conversation: Conversation;
  /** The rest of the answer. */
  readonly answer: AsyncIterator<TurnEvent>;
  /** In the guest. */
  readonly worker: number;
  readonly cell: number | undefined;
  /** Of its unit. */
  readonly cgroup: string;
}

export interface Ending {
  readonly name: string;
  /** Only with --all. */
  readonly isLong?: boolean;
  readonly mode?: "turn";
  /** A record every 5 ms, as shipped: an emulated processor has little time for anything else. */
  readonly isSteady?: boolean;
  /** Stands still while it is looked at and until its end, so that the pages it has then are known. */
  readonly isFrozen?: boolean;
  /** What comes before the end, and is waited for. */
  readonly before?: (task: LiveTask) => Promise<unknown>;
  readonly end: (task: LiveTask) => Promise<unknown>;
  /** The cell's word in the receipt; none where the keeper went, and its receipts with it. */
  readonly says: NonNullable<Receipt["cell"]>["end"] | "no receipt";
}

/** The worker's own limit is two minutes; an emulated one's are longer, in milliseconds. */
const IDLE_MS = 400_000;
/** How much less a worker may have than it has and cannot give back, in bytes. */
const MISSING_MEMORY = 8 * 1024 ** 2;

const whole = async ({ answer }: LiveTask): Promise<void> => {
  while (!(await answer.next()).done);
};
const signal = (name: string, pid: number | undefined, { guest }: LiveTask) =>
  guest.check(`kill -${name} ${pid}`);
const killService = (name: string, { guest }: LiveTask) =>
  guest.check(`kill -KILL $(systemctl show -P MainPID phantoma-${name})`);

const normalEnd: Ending = {
  name: "normal end",
  before: whole,
  end: ({ conversation }) => conversation.end(),
  says: "finished",
};

const WORKERS = "/sys/fs/cgroup/phantoma.slice/phantoma-worker.slice";
/** An emulated processor takes its time to stop, in seconds. */
const FREEZING = 20;

/** A signal is delivered to what is frozen, and to nothing else of it. */
export const frozenEnd: Ending = {
  name: "kill -9 of the worker as it stands still",
  isFrozen: true,
  end: (task) => task.guest.check(`kill -KILL ${task.worker} && echo 0 > ${WORKERS}/cgroup.freeze`),
  says: "killed",
};

/** Workers, and their cells. */
export function freeze(guest: Guest): Promise<string> {
  return guest.check(
    `cd ${WORKERS} && echo 1 > cgroup.freeze
     timeout ${FREEZING} sh -c "until grep -q 'frozen 1' cgroup.events; do sleep 0.1; done"`,
  );
}

export const endings: readonly Ending[] = [
  normalEnd,
  {
    name: "kill -9 of the worker",
    end: (task) => signal("KILL", task.worker, task),
    says: "killed",
  },
  {
    name: "the client vanishes",
    end: async ({ conversation }) => conversation.drop(),
    says: "disconnected",
  },
  { ...normalEnd, name: "normal end of a steady answer", isLong: true, isSteady: true },
  {
    name: "one turn",
    isLong: true,
    mode: "turn",
    before: whole,
    end: ({ conversation }) => conversation.closed,
    says: "finished",
  },
  {
    name: "idle timeout",
    isLong: true,
    before: whole,
    end: ({ conversation }) => conversation.closedWithin(IDLE_MS),
    says: "timeout",
  },
  {
    name: "kill -9 of the cell",
    isLong: true,
    end: (task) => signal("KILL", task.cell, task),
    // Its guard's word.
    says: "killed",
  },
  {
    name: "out of memory",
    isLong: true,
    end: ({ guest, cgroup }) =>
      guest.check(
        `cd ${cgroup} && file=$(awk '$1 == "file" { print $2 }' memory.stat) &&
         echo $(($(cat memory.current) - file - ${MISSING_MEMORY})) > memory.max`,
      ),
    says: "memory",
  },
  {
    name: "segmentation fault",
    isLong: true,
    end: ({ guest, worker }) => fault(guest, worker),
    says: "crashed",
  },
  {
    name: "kill -9 of the gateway",
    isLong: true,
    end: (task) => killService("gateway", task),
    says: "disconnected",
  },
  {
    name: "kill -9 of the keeper",
    isLong: true,
    end: (task) => killService("keeper", task),
    says: "no receipt",
  },
  {
    name: "kill -9 of the warden, and a normal end",
    isLong: true,
    before: async (task) => {
      await killService("warden", task);
      await whole(task);
    },
    end: ({ conversation }) => conversation.end(),
    says: "finished",
  },
];
