/**
 * Under load the control plane has no socket but those that others opened, and those to its database.
 *
 * @module
 */
import { createServer, type AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Proof } from "../../proof.ts";
import { startPostgresql } from "../../postgresql.ts";
import { FleetUnderTest, freePort, NodeKeys } from "./fleet-under-test.ts";
import { socketsOf } from "./sockets.ts";

const NODES = 200;
/** Below what one node may send at once. */
const BEATS = 8;
const SENDERS = 16;
/** Between two walks. */
const WALK_MS = 10;

const PHONING = fileURLToPath(new URL("phoning-control-plane.ts", import.meta.url));

export async function provePassive(proof: Proof): Promise<void> {
  const port = await freePort();
  const server = await startPostgresql({ port: String(port) });
  try {
    const quiet = await walkUnderLoad(server.url, port);
    proof.row({
      name: "it opens no connection but its database's",
      holds:
        quiet.others.length === 0 && quiet.toDatabase > 0 && quiet.accepted > 0 && quiet.taken > 0,
      detail: `${quiet.walks} walks while ${quiet.taken} heartbeats were taken; at most ${quiet.accepted} accepted, ${quiet.toDatabase} to the database, ${quiet.others.length} others${quiet.others
        .slice(0, 2)
        .map((one) => `, ${one}`)
        .join("")}`,
    });
    const sink = createServer();
    await new Promise<void>((resolve) => sink.listen(0, "127.0.0.1", resolve));
    process.env.PHONE_PORT = String((sink.address() as AddressInfo).port);
    const phoning = await walkUnderLoad(server.url, port, PHONING);
    delete process.env.PHONE_PORT;
    proof.control(
      "a control plane that connects somewhere is seen",
      phoning.others.length > 0,
      phoning.others[0] ?? "nothing was seen",
    );
    sink.close();
  } finally {
    await server.stop();
  }
}

async function walkUnderLoad(url: string, databasePort: number, main?: string) {
  const fleet = new FleetUnderTest(url, main);
  const nodes = Array.from({ length: NODES }, () => new NodeKeys());
  await fleet.license(nodes);
  await fleet.start();
  const seen = { walks: 0, taken: 0, accepted: 0, toDatabase: 0, others: [] as string[] };
  const load = { isOver: false };
  const ports = [fleet.nodesPort, fleet.operatorPort];
  const walking = (async () => {
    while (!load.isOver) {
      const { accepted, toDatabase, others } = socketsOf(fleet.pid, ports, databasePort);
      seen.walks += 1;
      seen.accepted = Math.max(seen.accepted, accepted);
      seen.toDatabase = Math.max(seen.toDatabase, toDatabase);
      for (const other of others) if (!seen.others.includes(other)) seen.others.push(other);
      await sleep(WALK_MS);
    }
  })();
  const headers = { authorization: `Bearer ${fleet.token}` };
  let next = 0;
  const sender = async () => {
    for (let turn = next++; turn < NODES * BEATS; turn = next++) {
      if ((await fleet.beat(nodes[turn % NODES]!)) === 200) seen.taken += 1;
      if (turn % 100 === 0)
        for (const path of ["fleet", "metrics", "health"])
          await fetch(`http://127.0.0.1:${fleet.operatorPort}/${path}`, { headers });
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
  load.isOver = true;
  await walking;
  await fleet.remove();
  return seen;
}
