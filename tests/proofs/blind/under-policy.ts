/**
 * Under the kernel policy a herald reaches the control plane that an admin signed for, nothing of it is refused, and it
 * reaches nothing any more when the admin takes that back. Needs root.
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ControlSession, signStandingOrder } from "@phantoma/client";
import { openAuthority } from "../../../apps/control-plane/authority.ts";
import { startNode, type NodeUnderTest } from "../../node-under-test.ts";
import type { Proof } from "../../proof.ts";
import { FleetUnderTest, NodeKeys } from "./fleet-under-test.ts";
import { PLANE_NAME, Recorder } from "./recorder.ts";

const DAY_MS = 86_400_000;
const CARRY_TIMEOUT_MS = 60_000;

export async function proveUnderPolicy(proof: Proof): Promise<void> {
  if (process.getuid?.() !== 0) return proof.say("  not root: nothing is tried under the policy");
  const fleet = new FleetUnderTest();
  await fleet.license([new NodeKeys()]);
  await fleet.start();
  const recorder = await Recorder.start(fleet.nodesPort);
  const caPath = join(fleet.stateDir, "ca.pem");
  writeFileSync(caPath, recorder.authorityPem);
  process.env.NODE_EXTRA_CA_CERTS = caPath;
  const under = await startNode({ models: ["echo"] });
  delete process.env.NODE_EXTRA_CA_CERTS;
  try {
    const key = openAuthority(fleet.stateDir).publicKey;
    const outcome = await report(under, recorder.port, key);
    proof.row({
      name: "under the kernel policy the herald reaches what an admin signed, and nothing of it is refused",
      holds:
        under.node.policyReason === undefined &&
        outcome === "answered" &&
        recorder.heartbeats.length === 1 &&
        (await attemptsOf(under, "herald")) === 0,
      detail: `${under.node.policyReason ?? "in force"}, ${outcome}, ${recorder.heartbeats.length} heartbeat`,
    });
    const elsewhere = await report(under, 9, key);
    proof.control(
      "where nobody listens it is told apart",
      elsewhere === "ERR_UNREACHABLE" && recorder.heartbeats.length === 1,
      elsewhere,
    );
  } finally {
    await under.node.stop();
    recorder.stop();
    await fleet.remove();
  }
}

async function report(
  { node, device }: NodeUnderTest,
  port: number,
  controlPlane: Uint8Array,
): Promise<string> {
  const session = await ControlSession.open({ profile: node.profile, device });
  try {
    const { nodeTime } = await session.status();
    const { highestCounter, sent } = await session.reporting();
    const order = signStandingOrder(device, {
      node: Buffer.from(node.profile.nodeKey, "hex"),
      endpoints: [{ name: PLANE_NAME, address: "127.0.0.1", port }],
      controlPlane,
      highestCounter,
      lifetimeMs: DAY_MS,
      nodeTime,
    });
    await session.submitStandingOrder(order);
    const deadline = performance.now() + CARRY_TIMEOUT_MS;
    for (;;) {
      const [newest] = (await session.reporting()).sent;
      const isNew = newest !== undefined && newest.document !== sent[0]?.document;
      if (isNew && newest.outcome !== "waiting") return newest.outcome;
      if (performance.now() > deadline) return "waiting";
      await sleep(200);
    }
  } finally {
    session.close();
  }
}

async function attemptsOf({ node, device }: NodeUnderTest, unit: string): Promise<number> {
  const session = await ControlSession.open({ profile: node.profile, device });
  const { counts } = await session.egress();
  session.close();
  return counts.find((one) => one.unit === unit)?.attempts ?? 0;
}
