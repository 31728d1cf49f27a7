/** What one run of the installer believes, with real folders and bundles. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { updateApprovalDocument, updatePolicyDocument, type UpdatePolicy } from "@phantoma/crypto";
import { expect, onTestFinished, test } from "vitest";
import { packTree } from "../../../tools/bundle/bundle.ts";
import { temporaryDir, TestNode } from "../test-node.ts";
import { hashOf } from "./approval.ts";
import { Disk } from "./disk.ts";
import { openInstaller } from "./run.ts";
import { StandingFile } from "./standing.ts";

test("a copy that is swapped between its verification and its unpacking gets no name", async () => {
  const dir = temporaryDir();
  const pack = (word: string) => {
    const tree = join(dir, word);
    mkdirSync(tree);
    writeFileSync(join(tree, "word"), word);
    const options = { version: "0.1.0", commit: null, time: 0, level: 1 } as const;
    return packTree(tree, join(dir, `${word}.tar.gz`), options);
  };
  const [good, other] = [await pack("good"), await pack("other")];
  const root = join(dir, "root");
  const ownDir = join(root, "var/lib/phantoma/installer");
  let swapped = 0;
  const installer = openInstaller({
    root,
    onStep(call, path) {
      if (call !== "flush" || !path.startsWith(`${ownDir}/bundle`)) return;
      copyFileSync(other.path, path);
      swapped += 1;
    },
  });
  await expect(installer.first(good.path, good.sha256)).rejects.toMatchObject({
    code: "ERR_OTHER_BUNDLE",
  });
  expect(swapped).toBe(1);
  expect(existsSync(join(root, "opt/phantoma/releases/0.1.0"))).toBe(false);
  await installer.recover();
  expect(readdirSync(ownDir)).toEqual(["lock"]);
});

test("one run at a time: another is refused until the process of the first has ended, however", async () => {
  const root = temporaryDir();
  const program = new URL("run.ts", import.meta.url).href;
  const script = `const { openInstaller } = await import(${JSON.stringify(program)});
    openInstaller({ root: ${JSON.stringify(root)} });
    process.stdout.write("held");
    setInterval(() => {}, 1000);`;
  const first = spawn(process.execPath, ["--input-type=module", "--eval", script]);
  onTestFinished(() => void first.kill("SIGKILL"));
  await once(first.stdout, "data");
  const open = () => openInstaller({ root, patienceSeconds: 0 });
  expect(open).toThrow(expect.objectContaining({ code: "ERR_BUSY" }));
  first.kill("SIGKILL");
  await once(first, "exit");
  expect(open).not.toThrow();
});

test("a policy that takes an earlier one back is remembered beside an approval that is spent", async () => {
  const node = new TestNode();
  const root = join(node.dir, "root");
  const stateDir = join(root, "var/lib/phantoma");
  const [ownDir, updatesDir] = [join(stateDir, "installer"), join(stateDir, "updates")];
  for (const dir of [ownDir, updatesDir]) mkdirSync(dir, { recursive: true });
  cpSync(node.devicesDir, join(stateDir, "devices"), { recursive: true });
  writeFileSync(join(stateDir, "devices/node.pub"), Buffer.from(node.key).toString("hex"));
  const { publicKey: signer, privateKey } = node.admin.signing;
  const order = { node: node.key, notAfter: Date.now() + 60_000, signer };
  const release = new Uint8Array(32);
  const approval = updateApprovalDocument.sign(
    { ...order, counter: 1n, release, version: "0.2.0" },
    privateKey,
  );
  const standing = new StandingFile(ownDir, new Disk());
  await standing.write({ counter: "1", approval: hashOf(approval), isUsed: true });
  writeFileSync(join(updatesDir, "update.approval"), approval);
  const policy = (counter: bigint, mode: UpdatePolicy["mode"]) =>
    writeFileSync(
      join(updatesDir, "update.policy"),
      updatePolicyDocument.sign({ ...order, counter, mode }, privateKey),
    );
  const installer = openInstaller({ root });
  policy(7n, "ask");
  await installer.update();
  expect(standing.read().policyCounter).toBe("7");
  policy(6n, "automatic");
  await installer.update();
  expect(standing.read().policyCounter).toBe("7");
});
