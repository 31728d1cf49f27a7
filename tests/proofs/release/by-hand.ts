/**
 * The ceremony as people hold it: every step a process of its own, every key in a sealed file, and the terminal's
 * `verify` at the end.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DEVELOPMENT_POLICY } from "../../../tools/release/development/team.ts";
import { json } from "../../../tools/release/signing-key.ts";
import type { Report } from "./main.ts";
import { repositoryDir, type Stage, tamperInside } from "./stage.ts";

interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

const PASSPHRASE = "correct horse battery staple";

export async function holdCeremony(stage: Stage, { shown }: Report): Promise<void> {
  const keys = stage.newDir("keys");
  const ceremony = join(stage.dir, "by-hand");
  const key = (person: string) => join(keys, `${person.toLowerCase()}.key`);
  const pub = (person: string) => `${key(person)}.pub`;
  const release = (args: readonly string[], input = "") =>
    run(["tools/release/main.ts", ...args], input);
  const good = async (name: string, outcome: Promise<Outcome>): Promise<string> => {
    const { code, output } = await outcome;
    if (code !== 0) throw new Error(`${name}: ${output}`);
    return output;
  };

  const people = ["Ada", "Ben", "Cleo", "Dara", "Emil"];
  for (const person of [...people, "Snapshot", "Timestamp"])
    await good(
      "keygen",
      release(
        ["keygen", "--person", person, "--out", key(person)],
        `${PASSPHRASE}\n${PASSPHRASE}\n`,
      ),
    );
  const trustedRoot = join(keys, "sigstore.json");
  writeFileSync(trustedRoot, json(stage.team.sigstore.trustedRoot));
  const { issuer, repository, workflow } = DEVELOPMENT_POLICY;
  const everybody = (role: string) => people.flatMap((person) => [`--${role}`, pub(person)]);
  await good(
    "init",
    release([
      "init",
      ceremony,
      "--kind",
      "development",
      ...everybody("root"),
      ...everybody("targets"),
      "--snapshot",
      pub("Snapshot"),
      "--timestamp",
      pub("Timestamp"),
      "--trusted-root",
      trustedRoot,
      "--issuer",
      issuer,
      "--repository",
      repository,
      "--workflow",
      workflow,
    ]),
  );
  const provenance = join(keys, "bundle.sigstore.json");
  writeFileSync(
    provenance,
    json(await stage.team.attest({ bundlePath: stage.artifactPath, version: "0.3.0" })),
  );
  await good(
    "propose",
    release([
      "propose",
      ceremony,
      "--version",
      "0.3.0",
      "--min-from",
      "0.1.0",
      "--bundle",
      stage.artifactPath,
      "--cyclonedx",
      join(stage.dir, "cyclonedx.json"),
      "--spdx",
      join(stage.dir, "spdx.json"),
      "--provenance",
      provenance,
    ]),
  );

  const publish = () =>
    release(
      ["publish", ceremony, "--snapshot-key", key("Snapshot"), "--timestamp-key", key("Timestamp")],
      `${PASSPHRASE}\n${PASSPHRASE}\n`,
    );
  const wrong = await release(["sign", ceremony, "--key", key("Ada"), "--yes"], "wrong\n");
  shown(
    "a wrong passphrase signs nothing",
    wrong.code === 1 && wrong.output.includes("does not open"),
  );
  for (const person of ["Ada", "Ben"])
    await good(
      "sign",
      release(
        ["sign", ceremony, "--key", key(person), "--bundle", stage.artifactPath, "--yes"],
        `${PASSPHRASE}\n`,
      ),
    );
  await good("merge", release(["merge", ceremony, ...signatureFiles(ceremony)]));
  const early = await publish();
  shown("two people cannot publish the first keys", early.code === 1, early.output.trim());
  await good("sign", release(["sign", ceremony, "--key", key("Cleo"), "--yes"], `${PASSPHRASE}\n`));
  const merged = await good("merge", release(["merge", ceremony, ...signatureFiles(ceremony)]));
  shown("three people can", merged.includes("signed by Ada, Ben, Cleo: 3, needed 3 of 5"));
  await good("publish", publish());

  const home = stage.newDir("home");
  const verify = (path: string) =>
    run([
      "apps/cli/main.ts",
      "verify",
      path,
      "--release",
      join(ceremony, "repository"),
      "--anchor",
      join(ceremony, "anchor.json"),
      "--home",
      home,
    ]);
  const verified = await verify(stage.artifactPath);
  shown(
    "phantoma verify accepts it and says who signed",
    verified.code === 0 && verified.output.includes("signed by Ada, Ben, Cleo"),
  );
  const refused = await verify(tamperInside(stage.artifactPath, stage.dir));
  shown(
    "phantoma verify refuses a changed bundle with exit code 1",
    refused.code === 1 && refused.output.includes("ERR_DIGEST"),
  );
  const secrets = readdirSync(keys)
    .filter((name) => name.endsWith(".key"))
    .map((name) => readFileSync(join(keys, name), "utf8"));
  shown(
    "no key file can be read without its passphrase",
    secrets.every((text) => !text.includes(PASSPHRASE) && JSON.parse(text).sealed !== undefined),
  );
}

function signatureFiles(ceremony: string): string[] {
  return readdirSync(ceremony)
    .filter((name) => name.endsWith(".sig.json"))
    .map((name) => join(ceremony, name));
}

function run(args: readonly string[], input = ""): Promise<Outcome> {
  const child = spawn(process.execPath, args, { cwd: repositoryDir });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (part: Buffer) => (output += part.toString("utf8")));
  child.stdin.end(input);
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, output })));
}
