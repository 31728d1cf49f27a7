/**
 * What the attempts are aimed at: a policy in force, units registered with it, and ways into their sandboxes.
 *
 * Two kinds: a demo node's units on this machine (`demo-node.ts`), systemd's in a guest (`systemd-node.ts`).
 *
 * @module
 */
import type { Cell, Cells, Outcome } from "./cell.ts";
import type { Stage, UnitPlace } from "./stage.ts";
import type { Warden } from "./warden.ts";

export interface NodeUnderAttack {
  readonly stage: Stage;
  readonly warden: Warden;
  readonly cells: Cells;
  /** Names of units, `unknown` among them. */
  readonly units: readonly string[];
  /** Units whose sandbox leaves them a network. */
  readonly networkUnits: ReadonlySet<string>;
  /** Whether PID 1 starts the units, each as a user and with a view of the file system of its own. */
  readonly isSystemd: boolean;
  readonly place: (unit: string) => UnitPlace;
  /** Makes a unit's cgroup be there and registered, should somebody have tidied it away. */
  readonly prepare: (unit: string) => void;
  /** Tries cells of one unit in its sandbox. */
  readonly trySandbox: (unit: string, cells: readonly Cell[]) => Promise<Outcome[]>;
  readonly close: () => Promise<void>;
}

/** As many attempts as it takes, told in one line each. */
export type Say = (text: string) => void;
