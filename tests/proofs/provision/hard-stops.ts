/**
 * What ends a set-up before it has begun, or before it is believed: seen from here, over a real OpenSSH server where one
 * can run.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { generateDeviceIdentity, Secret } from "@phantoma/crypto";
import { parseFacts } from "../../../packages/provision/src/preflight/facts.ts";
import { factsScript } from "../../../packages/provision/src/preflight/facts-script.ts";
import { judge, type Finding } from "../../../packages/provision/src/preflight/findings.ts";
import { put } from "../../../packages/provision/src/remote-run.ts";
import { readNode } from "../../../packages/provision/src/set-up.ts";
import { SshConnection } from "../../../packages/provision/src/ssh/connection.ts";
import { RootShell } from "../../../packages/provision/src/ssh/root-shell.ts";
import { noSshd, PASSWORD, TestSshd } from "../../../packages/provision/src/ssh/test-sshd.ts";
import type { Proof } from "../../proof.ts";

const DAY_MS = 86_400_000;
/** KiB of the server's own /var/lib. */
const DISK_KIB = 1_024;

export async function showHardStops(proof: Proof): Promise<void> {
  await showPreflight(proof);
  const obstacle = noSshd();
  if (obstacle === undefined) await showChangedNode(proof);
  else proof.say(`  not run here: a changed node key: ${obstacle}`);
}

async function showPreflight(proof: Proof): Promise<void> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  const taken = find("port", port);
  listener.close();
  await once(listener, "close");
  proof.row({
    name: "a port that is taken stops it before anything is sent",
    holds: taken.verdict === "stop",
    detail: taken.fact,
  });
  proof.control("the same port, free again, does not", find("port", port).verdict === "good");
  for (const offMs of [DAY_MS, -DAY_MS]) {
    const { verdict, fact } = find("clock", port, offMs);
    proof.row({
      name: "a clock that is off by a day stops it",
      holds: verdict === "stop",
      detail: fact,
    });
  }
  proof.control("a clock that is right does not", find("clock", port).verdict === "good");
}

function find(check: Finding["check"], port: number, offMs = 0): Finding {
  const facts = parseFacts(execFileSync("sh", ["-c", factsScript(port)]));
  const circumstances = { port, now: Date.now() + offMs, uncertaintyMs: 2_000 };
  return judge(facts, circumstances).find((finding) => finding.check === check)!;
}

/** Whoever was there before us: a node that was set up anew, under the address of one that we know. */
async function showChangedNode(proof: Proof): Promise<void> {
  const sshd = await TestSshd.start([], DISK_KIB);
  const password = new Secret(Buffer.from(PASSWORD));
  try {
    const connection = await SshConnection.open({
      target: { ...sshd.address, user: "root" },
      hostKey: sshd.hostKey(),
      signIn: { kind: "password", password },
    });
    const shell = await RootShell.find(connection);
    const [nodeKey, wardenKey] = [randomBytes(32).toString("hex"), randomBytes(32).toString("hex")];
    const identity = { nodeKey, wardenKey, tlsCertificate: "a certificate" };
    await put(shell, "identity.json", Buffer.from(JSON.stringify(identity)));
    const options = {
      connect: () => Promise.resolve(shell),
      host: "127.0.0.1",
      port: 7443,
      name: "known",
      device: generateDeviceIdentity(),
      deviceName: "this",
      hear: () => undefined,
    };
    const known = await codeOf(
      readNode(shell, { ...options, knownNodeKey: randomBytes(32).toString("hex") }),
    );
    proof.row({
      name: "a node with another key than the one that was set up from here stops it",
      holds: known === "ERR_NODE_CHANGED",
      detail: known,
    });
    const same = await codeOf(readNode(shell, { ...options, knownNodeKey: nodeKey }));
    proof.control("the same key goes past that check", same === "ERR_OTHER_OWNER", same);
    shell.close();
  } finally {
    password.erase();
    await sshd.stop();
  }
}

function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "nothing",
    (error: { code?: string }) => error.code ?? "an error without a code",
  );
}
