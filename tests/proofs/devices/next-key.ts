/**
 * A node that gets another key between two runs: its devices, a new one, its vault and a kit from before.
 *
 * Root's part is the set-up's own program; who signs is the desk's device.
 *
 * @module
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import {
  openDeviceList,
  signFirstDeviceList,
  signSuccession,
  type NodeProfile,
} from "@phantoma/client";
import { cachedModel, nodeDir } from "../../node-under-test.ts";
import type { Proof } from "../../proof.ts";
import { codeOf, Machine, type Outcome } from "./machine.ts";

const SAVED = JSON.stringify([{ role: "user", text: "What is kept?" }]);

/** A node whose folders outlive its processes. */
class LastingNode {
  readonly dir = mkdtempSync(join(tmpdir(), "phantoma-key-"));
  #child: ChildProcess | undefined;
  #port = 0;

  setup(...args: string[]) {
    const state = ["--state", join(this.dir, "state")];
    const entry = join(nodeDir, "setup/main.ts");
    return JSON.parse(
      execFileSync(process.execPath, [entry, ...args, ...state], { encoding: "utf8" }),
    );
  }

  /** Always at the same port. */
  async start(): Promise<number> {
    const paths = ["--state", join(this.dir, "state"), "--run", join(this.dir, "run")];
    const flags = [...paths, "--port", String(this.#port), "--no-policy", "--", "--warm", "1"];
    const child = spawn(process.execPath, [join(nodeDir, "demo/main.ts"), ...flags], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    this.#child = child;
    const { port } = await new Promise<{ port: number }>((resolve, reject) => {
      createInterface(child.stdout).once("line", (line) => resolve(JSON.parse(line)));
      child.once("exit", () => reject(new Error("the node ended at once")));
    });
    return (this.#port = port);
  }

  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
  }
}

export async function showNextKey(proof: Proof): Promise<void> {
  const node = new LastingNode();
  try {
    const desk = new Machine();
    const profile = await setUp(node, desk);
    const phone = await paired(desk, "phone");
    const away = await paired(desk, "away");
    const kit = join(desk.home, "before.kit");
    const [made] = (await desk.run(["recovery", "make", kit, "--words"])).said;
    const words = (made as unknown as { words: string[] }).words.join(" ");
    await desk.run(["vault", "save", "--title", "first"], SAVED);
    const synced = await desk.run(["vault", "sync"]);

    await node.stop();
    const next = rotate(node, desk, profile.nodeKey);
    await node.start();

    const asked = await phone.run(["status"]);
    const known = knownOf(phone);
    proof.row({
      name: "a device follows its node to the next key by itself, and keeps the one before",
      holds:
        asked.exitCode === 0 &&
        known.nodeKey === next &&
        known.formerKeys?.join() === profile.nodeKey,
      detail: said(asked),
    });
    // As one that was away while another admin came, who then approved.
    const seenPath = join(away.home, "nodes/demo.devices.json");
    const seen = JSON.parse(readFileSync(seenPath, "utf8")) as object;
    writeFileSync(seenPath, JSON.stringify({ ...seen, admins: ["ab".repeat(32)] }));
    const refused = await away.run(["status"]);
    proof.row({
      name: "one that has seen no such admin does not: ERR_NODE_IDENTITY",
      holds: codeOf(refused) === "ERR_NODE_IDENTITY" && knownOf(away).nodeKey === profile.nodeKey,
      detail: said(refused),
    });
    await desk.run(["vault", "save", "--title", "second"], SAVED);
    const again = await desk.run(["vault", "sync"]);
    const { given } = again.said.at(-1) as unknown as { given?: number };
    proof.row({
      name: "what was saved goes on at the node under its next key",
      holds: synced.exitCode === 0 && again.exitCode === 0 && given === 1,
      detail: said(again),
    });
    const tablet = await paired(desk, "tablet");
    const tabletAsked = await tablet.run(["status"]);
    proof.row({
      name: "a device that is paired afterwards knows both keys, too",
      holds:
        tabletAsked.exitCode === 0 &&
        knownOf(tablet).nodeKey === next &&
        knownOf(tablet).formerKeys?.join() === profile.nodeKey,
      detail: said(tabletAsked),
    });
    const fresh = new Machine();
    const flags = ["--name", "fresh", "--lost", "none"];
    const restored = await fresh.run(["recovery", "restore", kit, ...flags], `${words}\n`);
    proof.row({
      name: "a recovery kit from before takes a machine in at the node under its next key",
      holds: restored.exitCode === 0 && knownOf(fresh).nodeKey === next,
      detail: said(restored),
    });
  } finally {
    await node.stop();
    rmSync(node.dir, { recursive: true, force: true });
  }
}

async function setUp(node: LastingNode, desk: Machine): Promise<NodeProfile> {
  const { nodeKey, wardenKey, tlsCertificate } = node.setup("init");
  const list = join(node.dir, "first");
  const key = Buffer.from(nodeKey, "hex");
  writeFileSync(list, signFirstDeviceList(desk.device, "desk", key, Date.now()).list);
  node.setup("pin-devices", "--list", list);
  node.setup("add-model", "--file", await cachedModel("echo"), "--name", "echo");
  const url = `wss://127.0.0.1:${await node.start()}`;
  const pins = { nodeKey, wardenKey, tlsCertificate, release: "00".repeat(32) };
  const profile: NodeProfile = { name: "demo", url, ...pins, starter: "gateway", policy: "none" };
  desk.knows(profile);
  return profile;
}

/** @returns the next key */
function rotate(node: LastingNode, { device }: Machine, from: string): string {
  const dir = join(node.dir, "next");
  mkdirSync(join(node.dir, "state/installer"), { recursive: true });
  const { nodeKey, devices } = node.setup("next-key", "--dir", dir);
  const current = openDeviceList(Buffer.from(devices, "base64"), from);
  const signed = signSuccession(device, current, Buffer.from(nodeKey, "hex"), Date.now());
  writeFileSync(join(dir, "devices-1.list"), signed.list);
  writeFileSync(join(dir, "approval"), signed.approval);
  if (node.setup("rotate", "--dir", dir, "--from", from).end !== "rotated")
    throw new Error("the node kept its key");
  return nodeKey;
}

async function paired(desk: Machine, name: string): Promise<Machine> {
  const machine = new Machine();
  const [first] = (await desk.run(["devices", "invite"])).said;
  const { invitation } = first as unknown as { invitation: string };
  const joining = machine.start(["devices", "join", invitation, "--name", name]);
  const { code, words } = (await joining.first) as unknown as { code: string; words: string[] };
  joining.type("yes\n");
  await desk.run(["devices", "add", code, "--words", words.join(" ")]);
  await joining.ended;
  return machine;
}

function knownOf({ home }: Machine): NodeProfile {
  return JSON.parse(readFileSync(join(home, "nodes/demo.json"), "utf8")) as NodeProfile;
}

function said(outcome: Outcome): string {
  return `${outcome.exitCode} ${codeOf(outcome) ?? ""}`.trim();
}
