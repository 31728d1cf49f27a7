/**
 * What was acknowledged is kept: the database crashes under load and comes back, or the whole control plane is killed.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Proof } from "../../proof.ts";
import { startPostgresql } from "../../postgresql.ts";
import { FleetUnderTest, NodeKeys } from "./fleet-under-test.ts";

const NODES = 300;
/** Below what one node may send at once. */
const BEATS = 9;
const SENDERS = 8;

export async function proveDurable(proof: Proof): Promise<void> {
  const good = await crashPostgresql();
  proof.row({
    name: "PostgreSQL gone and back: no heartbeat acknowledged and lost",
    holds:
      good.lost === 0 &&
      good.acknowledgedBefore > 0 &&
      good.acknowledgedAfter > 0 &&
      good.refused > 0,
    detail: `${good.acknowledgedBefore} acknowledged before the crash, ${good.refused} refused meanwhile, ${good.acknowledgedAfter} after it, ${good.lost} nodes with a loss`,
  });
  proof.control(
    "if it had acknowledged what it refused meanwhile, that would be seen as lost",
    good.missing > 0,
    `${good.missing} nodes`,
  );
  const embedded = await killEmbedded();
  proof.row({
    name: "the embedded database with kill -9 in the middle: none acknowledged and lost",
    holds: embedded.lost === 0 && embedded.acknowledged > 0,
    detail: `${embedded.acknowledged} acknowledged, ${embedded.lost} nodes with a loss`,
  });
}

async function crashPostgresql() {
  const server = await startPostgresql();
  const fleet = new FleetUnderTest(server.url);
  try {
    const nodes = newNodes();
    await fleet.license(nodes);
    await fleet.start();
    const load = new Load(fleet, nodes);
    const running = load.run();
    await load.acknowledgedAtLeast(NODES * 2);
    await server.kill();
    const acknowledgedBefore = load.acknowledged;
    await sleep(500);
    // A later heartbeat of the same node would hide that an earlier one is gone.
    await load.pause();
    await server.start();
    const lost = await fleet.lost(nodes);
    const missing = await fleet.lost(nodes, "answered");
    load.isPaused = false;
    await running;
    const lostLater = await fleet.lost(nodes);
    const { acknowledged, refused } = load;
    return {
      acknowledgedBefore,
      acknowledgedAfter: acknowledged - acknowledgedBefore,
      refused,
      lost: Math.max(lost, lostLater),
      missing,
    };
  } finally {
    await fleet.remove();
    await server.stop();
  }
}

async function killEmbedded() {
  const fleet = new FleetUnderTest();
  try {
    const nodes = newNodes();
    await fleet.license(nodes);
    await fleet.start();
    const load = new Load(fleet, nodes);
    const running = load.run();
    await load.acknowledgedAtLeast(NODES);
    await fleet.stop("SIGKILL");
    load.isOver = true;
    await running;
    return { acknowledged: load.acknowledged, lost: await fleet.lost(nodes) };
  } finally {
    await fleet.remove();
  }
}

class Load {
  acknowledged = 0;
  refused = 0;
  isOver = false;
  isPaused = false;
  #underWay = 0;
  readonly #fleet: FleetUnderTest;
  readonly #nodes: readonly NodeKeys[];

  constructor(fleet: FleetUnderTest, nodes: readonly NodeKeys[]) {
    this.#fleet = fleet;
    this.#nodes = nodes;
  }

  async run(): Promise<void> {
    let next = 0;
    const total = this.#nodes.length * BEATS;
    const sender = async () => {
      for (let turn = next++; turn < total && !this.isOver; turn = next++) {
        while (this.isPaused) await sleep(20);
        this.#underWay += 1;
        const status = await this.#fleet.beat(this.#nodes[turn % this.#nodes.length]!);
        this.#underWay -= 1;
        if (status === 200) this.acknowledged += 1;
        else {
          this.refused += 1;
          // As a node does; otherwise the load is over before the database is back.
          await sleep(250);
        }
      }
    };
    await Promise.all(Array.from({ length: SENDERS }, sender));
  }

  /** Resolves when every answer that was under way is there. */
  async pause(): Promise<void> {
    this.isPaused = true;
    while (this.#underWay > 0) await sleep(5);
  }

  async acknowledgedAtLeast(count: number): Promise<void> {
    while (this.acknowledged < count) await sleep(5);
  }
}

function newNodes(): NodeKeys[] {
  return Array.from({ length: NODES }, () => new NodeKeys());
}
