/**
 * Who is on the stage, and what is seen of the node after each act.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Front } from "./front.ts";
import type { Person } from "./person.ts";
import type { UpdatingNode } from "./updating-node.ts";

/** An update on a busy machine. */
const PATIENCE_MS = 120_000;

export interface Stage {
  readonly person: Person;
  readonly node: UpdatingNode;
  readonly front: Front;
}

/** Whether that release is whole, runs, states its version and answers. */
export async function runs(
  { person, node: updating }: Pick<Stage, "person" | "node">,
  version: string,
  also = true,
  more = "",
): Promise<{ readonly holds: boolean; readonly detail: string }> {
  const said = await person.chats();
  const whole = await updating.machine.wholeCurrent().catch(() => "nothing whole");
  return {
    holds: also && said === version && whole === version,
    detail: `${more === "" ? "" : `${more}; `}${whole} runs, asked it says ${said}`,
  };
}

export async function runsNow(
  { person }: Pick<Stage, "person">,
  version: string,
): Promise<boolean> {
  const { version: running, outcome } = await person.update();
  return running === version && outcome?.version === version;
}

export async function until(holds: () => Promise<boolean>): Promise<boolean> {
  for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline;) {
    if (await holds()) return true;
    await sleep(300);
  }
  return false;
}

export function signersOf(report: any): { isEnough: boolean; text: string } {
  const found = (report?.quorums ?? []).find(({ role }: { role: string }) => role === "targets");
  const { signers = [], needed = Infinity } = found ?? {};
  return { isEnough: signers.length >= needed, text: `${signers.join(", ")}; ${needed} needed` };
}
