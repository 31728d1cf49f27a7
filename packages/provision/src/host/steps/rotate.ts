/**
 * The node's next key. It is made while the node runs; when an admin's device has signed for it the node stops, its old
 * key signs as well, and the new one takes its place. Until then nothing has changed; after it there is no way back.
 *
 * @module
 */
import { z } from "zod";
import { nextKeySchema } from "../../journal.ts";
import { STATE_DIR, StepError, type Machine } from "../machine.ts";
import { Wanted, type Context, type Step } from "../step.ts";
import { NEXT_DIR, NEXT_READY, setup } from "./node.ts";
import { start, stopAll } from "./start.ts";

/** What an admin's device is asked to sign for. */
const ASKED = `${NEXT_DIR}/asked.json`;
/** As the admin's device puts them here. */
const SIGNED = [`${NEXT_DIR}/devices-1.list`, `${NEXT_DIR}/approval`] as const;

export const rotate: Step = {
  name: "rotate",
  probe: ({ machine, order: { rotateFrom } }) =>
    rotateFrom !== undefined &&
    machine.read(`${STATE_DIR}/devices/node.pub`) !== rotateFrom &&
    machine.has(`${STATE_DIR}/devices/${rotateFrom}.succession`) &&
    !machine.has(NEXT_DIR),
  async apply(context) {
    const { machine } = context;
    const { rotateFrom } = context.order;
    if (rotateFrom === undefined) throw new StepError("nobody said which key another is to follow");
    const isDue = machine.read(`${STATE_DIR}/devices/node.pub`) === rotateFrom;
    if (!isDue && !machine.has(NEXT_DIR))
      throw new StepError("this node has neither that key nor one that followed it");
    if (isDue && !machine.has(NEXT_READY)) {
      await ask(machine);
      if (!SIGNED.every((path) => machine.has(path))) throw new Wanted("succession");
    }
    await stopAll(machine);
    const end = await swapped(context, rotateFrom);
    if (end === "rotated") return;
    // The devices changed meanwhile: the node goes on as it was, and is signed for anew.
    for (const path of SIGNED) machine.remove(path);
    await start.apply(context);
    throw new Wanted("succession");
  },
  list: () => [],
  async undo({ machine }) {
    await setup(machine, "keep-key", "--dir", machine.path(NEXT_DIR));
  },
};

async function ask(machine: Machine): Promise<void> {
  const said = await setup(machine, "next-key", "--dir", machine.path(NEXT_DIR));
  const asked = nextKeySchema.safeParse(JSON.parse(said));
  if (!asked.success) throw new StepError("the release's set-up named no next key");
  machine.write(ASKED, JSON.stringify(asked.data), 0o600);
}

const endSchema = z.object({ end: z.enum(["rotated", "stale"]) });

async function swapped({ machine }: Context, from: string): Promise<"rotated" | "stale"> {
  const flags = ["--dir", machine.path(NEXT_DIR), "--from", from];
  const end = endSchema.safeParse(JSON.parse(await setup(machine, "rotate", ...flags)));
  if (!end.success) throw new StepError("the release's set-up did not say how it ended");
  return end.data.end;
}
