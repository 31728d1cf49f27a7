/**
 * A node's next key, on servers that are folders: asked for, signed for, interrupted at each step by all that can come
 * between, and given up.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openDeviceList } from "@phantoma/client";
import { openSuccession } from "@phantoma/crypto";
import type { ServerFolder } from "../../../packages/provision/src/host/test-server-folder.ts";
import type { Proof } from "../../proof.ts";

interface Stage {
  readonly proof: Proof;
  /** One that stands, and is used up. */
  readonly node: ServerFolder;
  readonly copy: (server: ServerFolder) => ServerFolder;
}

const STATE = "var/lib/phantoma";
const NEXT = "var/lib/phantoma-setup/next";

export async function showNextKey(stage: Stage): Promise<void> {
  const { proof, node, copy } = stage;
  const [key, seed] = [node.nodeKey!, seedOf(node)];
  mkdirSync(node.path(STATE, "keeper/vaults"));
  writeFileSync(node.path(STATE, "keeper/vaults/one"), "sealed");
  const [kept, devices] = [keptBy(node), devicesOf(node)];

  /** What is true of a node that has its next key, and of no other. */
  const isNext = (server: ServerFolder): boolean => {
    const { nodeKey = "" } = server;
    if (nodeKey === key) return false;
    const document = readFileSync(server.path(STATE, "devices", `${key}.succession`));
    const { to } = openSuccession(document, Buffer.from(key, "hex"));
    return (
      Buffer.from(to).toString("hex") === nodeKey &&
      devicesOf(server) === devices &&
      keptBy(server) === kept &&
      !everyFile(server).some((bytes) => bytes.includes(seed))
    );
  };

  node.order({ rotateFrom: key });
  const beforeAll = copy(node);
  const asked = await node.run("rotate");
  proof.row({
    name: "a node that is to have another key asks an admin's device, and is what it was until then",
    holds: asked?.kind === "wants" && asked.what === "succession" && node.nodeKey === key,
  });
  const waiting = copy(node);
  node.approveNextKey();
  const last = await node.run("rotate");
  proof.row({
    name: "then it has the next key, with its devices, vault and models, and the old key is in no file",
    holds: last?.kind === "ended" && isNext(node),
    detail: last?.kind === "failed" ? last.why : "",
  });
  proof.control(
    "the search finds the old key on the server that still has it",
    everyFile(waiting).some((bytes) => bytes.includes(seed)),
  );
  const [next, said] = [node.nodeKey, node.events().length];
  await node.run("rotate");
  const states = node.events().slice(said);
  proof.row({
    name: "the same once more changes nothing, and says so",
    holds:
      node.nodeKey === next &&
      states.every((event) => event.kind !== "step" || event.state === "was-so"),
  });

  await showInterrupted(stage, { beforeAll, waiting }, isNext);
  await showGivenUp(stage, waiting);
  await showWrongApproval(stage, copy(waiting));
  await showNoSetUpBetween(stage, copy(waiting), isNext);
}

async function showInterrupted(
  { proof, copy }: Stage,
  { beforeAll, waiting }: { beforeAll: ServerFolder; waiting: ServerFolder },
  isNext: (server: ServerFolder) => boolean,
): Promise<void> {
  const approved = copy(waiting);
  approved.approveNextKey();
  const places: [string, ServerFolder, string][] = [
    ["while the next key is made", beforeAll, "rotate"],
    ["while the next key takes its place", approved, "rotate"],
    ["while its identity is handed over", approved, "identity"],
  ];
  for (const [when, server, step] of places) {
    const killed = copy(server);
    const wasThere = await killed.killedAt(step, "rotate");
    await showGoesOn(`${when} the power goes`, killed, wasThere);
    const cut = copy(server);
    const child = cut.start("rotate");
    // Nobody reads on; the run knows of no connection.
    child.stdout!.destroy();
    await new Promise((resolve) => child.once("close", resolve));
    await showGoesOn(`${when} SSH or the desktop goes`, cut, true);
  }

  async function showGoesOn(name: string, server: ServerFolder, wasThere: boolean): Promise<void> {
    let last = await server.run("rotate");
    if (last?.kind === "wants") {
      server.approveNextKey();
      last = await server.run("rotate");
    }
    proof.row({
      name: `${name}: it goes on to the same end`,
      holds: wasThere && last?.kind === "ended" && isNext(server),
      detail: last?.kind === "failed" ? last.why : "",
    });
  }
}

async function showGivenUp({ proof, copy }: Stage, waiting: ServerFolder): Promise<void> {
  const server = copy(waiting);
  const last = await server.run("keep-key");
  proof.row({
    name: "what nobody signed for is given up, and the node is what it was",
    holds:
      last?.kind === "ended" &&
      server.nodeKey === waiting.nodeKey &&
      keptBy(server) === keptBy(waiting) &&
      !readdirSync(server.path("var/lib/phantoma-setup")).includes("next"),
    detail: last?.kind === "failed" ? last.why : "",
  });
}

/** Root's programs are the server's, and the old key signs for no list that an admin did not. */
async function showWrongApproval({ proof }: Stage, server: ServerFolder): Promise<void> {
  const key = server.nodeKey;
  server.approveNextKey();
  const path = server.path(NEXT, "approval");
  const approval = readFileSync(path);
  approval[9]! ^= 1;
  writeFileSync(path, approval);
  const last = await server.run("rotate");
  proof.row({
    name: "an approval that is not the admin's is asked for again, and the old key signs nothing",
    holds:
      last?.kind === "wants" &&
      server.nodeKey === key &&
      !readdirSync(server.path(NEXT)).includes("succession"),
    detail: last?.kind ?? "nothing",
  });
}

/** Half of a next key in place looks like a node that has no device yet. */
async function showNoSetUpBetween(
  { proof }: Stage,
  server: ServerFolder,
  isNext: (server: ServerFolder) => boolean,
): Promise<void> {
  server.approveNextKey();
  // In the way of one of the files that change, and not to be taken away: the run fails in the middle of them.
  const inTheWay = server.path(STATE, "devices/node.pub.new");
  mkdirSync(inTheWay);
  execFileSync("mount", ["-t", "tmpfs", "tmpfs", inTheWay]);
  const halfway = async () => {
    const failed = await server.run("rotate");
    const between = failed?.kind === "failed" && readdirSync(server.path(NEXT)).includes("ready");
    return { between, refused: await server.run("install") };
  };
  const { between, refused } = await halfway().finally(() => execFileSync("umount", [inTheWay]));
  const last = await server.run("rotate");
  proof.row({
    name: "a set-up does not begin on a node whose next key is half in place, and that goes on to its end",
    holds: between && refused?.kind === "failed" && last?.kind === "ended" && isNext(server),
    detail: refused?.kind === "failed" ? refused.why : String(between),
  });
}

function seedOf(server: ServerFolder): Buffer {
  return readFileSync(server.path(STATE, "keeper/node.key"));
}

/** Vault, models and the warden's key. */
function keptBy(server: ServerFolder): string {
  const hash = createHash("sha256");
  for (const dir of ["keeper/vaults", "models"])
    for (const name of readdirSync(server.path(STATE, dir)).toSorted())
      hash.update(`${name}\n`).update(readFileSync(server.path(STATE, dir, name)));
  return hash.update(readFileSync(server.path(STATE, "warden/receipt.key"))).digest("hex");
}

function devicesOf(server: ServerFolder): string {
  const lists = readdirSync(server.path(STATE, "devices")).filter((name) => name.endsWith(".list"));
  const newest = readFileSync(server.path(STATE, "devices", lists.toSorted().at(-1)!));
  return JSON.stringify(openDeviceList(newest, server.nodeKey!).devices);
}

/** Of the node's and of the set-up's. */
function everyFile(server: ServerFolder): Buffer[] {
  return [STATE, "var/lib/phantoma-setup"].flatMap((top) =>
    readdirSync(server.path(top), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith(".tar.gz"))
      .map((entry) => readFileSync(join(entry.parentPath, entry.name))),
  );
}
