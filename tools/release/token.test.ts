/**
 * Signing with a key on a token, through the command that people use.
 *
 * The token is SoftHSM2's, which keeps keys in files: the only thing here that is not a real one.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Ceremony } from "./ceremony.ts";
import { draftFirstRoot } from "./change-keys.ts";
import { DEVELOPMENT_POLICY } from "./development/team.ts";
import { isTokenFile, makeKey, readPublicKey } from "./signing-key.ts";

const main = fileURLToPath(new URL("main.ts", import.meta.url));
const LIBRARY = "/usr/lib/softhsm/libsofthsm2.so";
const PIN = "correct horse";

const dir = mkdtempSync(join(tmpdir(), "token-"));
const path = (name: string) => join(dir, name);
const confBefore = process.env["SOFTHSM2_CONF"];
const onToken = (id: string) => ["--module", LIBRARY, "--token", "ada", "--id", id];

/** Neither Debian's softhsm2 nor opensc is on every machine; CI has both. */
describe.skipIf(!existsSync(LIBRARY))("a key on a token", () => {
  beforeAll(() => {
    mkdirSync(path("tokens"));
    writeFileSync(path("softhsm2.conf"), `directories.tokendir = ${path("tokens")}\n`);
    process.env["SOFTHSM2_CONF"] = path("softhsm2.conf");
    const token = ["--module", LIBRARY, "--token-label", "ada", "--login", "--pin", PIN];
    run("softhsm2-util", [
      "--init-token",
      "--free",
      "--label",
      "ada",
      "--pin",
      PIN,
      "--so-pin",
      PIN,
    ]);
    const make = (type: string, id: string) =>
      run("pkcs11-tool", [...token, "--keypairgen", "--key-type", type, "--id", id]);
    make("EC:edwards25519", "01");
    make("EC:prime256v1", "02");
    make("EC:edwards25519", "03");
  });
  afterAll(() => {
    if (confBefore === undefined) delete process.env["SOFTHSM2_CONF"];
    else process.env["SOFTHSM2_CONF"] = confBefore;
  });

  test("keygen names it without a PIN, and its files have no secret", async () => {
    const ended = await release([
      "keygen",
      "--person",
      "Ada",
      "--out",
      path("ada.key"),
      ...onToken("01"),
    ]);
    expect(ended).toMatchObject({ exitCode: 0 });
    const file = JSON.parse(readFileSync(path("ada.key"), "utf8")) as object;
    expect(Object.keys(file)).toEqual(["person", "keyid", "public", "pkcs11"]);
    expect(readPublicKey(path("ada.key.pub"))).toMatchObject({ person: "Ada" });
  });

  test("it signs a draft with the PIN that is typed, and says it nowhere", async () => {
    const { ceremony, line } = draft("a");
    const ended = await release(line, PIN);
    expect(ended).toMatchObject({ exitCode: 0 });
    expect(ended.words).not.toContain(PIN);
    const signature = readdirSync(ceremony.dir).find((name) => name.endsWith(".sig.json"))!;
    ceremony.merge(JSON.parse(readFileSync(join(ceremony.dir, signature), "utf8")));
    expect(ceremony.quorums("root").map(({ signers }) => signers)).toEqual([["Ada"]]);
  });

  test("with a wrong PIN, or none, nothing is signed", async () => {
    for (const pin of ["wrong horse", ""]) {
      const { ceremony, line } = draft(`b${pin}`);
      const ended = await release(line, pin);
      expect(ended).toMatchObject({ exitCode: 1 });
      expect(ended.words).toContain("ada: the PIN is wrong");
      expect(readdirSync(ceremony.dir).filter((name) => name.endsWith(".sig.json"))).toEqual([]);
    }
  });

  test("a token that is not there, and a library that is none, are said", async () => {
    for (const [change, words] of [
      [{ token: "ben" }, "no token has this label"],
      [{ module: "/usr/lib/none.so" }, "its library cannot be loaded"],
    ] as const) {
      const file = JSON.parse(readFileSync(path("ada.key"), "utf8")) as { pkcs11: object };
      Object.assign(file.pkcs11, change);
      writeFileSync(path("odd.key"), JSON.stringify(file));
      const ended = await release(draft(`c${words}`, path("odd.key")).line, PIN);
      expect(ended).toMatchObject({ exitCode: 1 });
      expect(ended.words).toContain(words);
    }
  });

  test("a key that is not Ed25519, and one that is not there, are not named", async () => {
    for (const [id, words] of [
      ["02", "no Ed25519 key"],
      ["09", "no Ed25519 key"],
    ] as const) {
      const ended = await release([
        "keygen",
        "--person",
        "Ben",
        "--out",
        path("ben.key"),
        ...onToken(id),
      ]);
      expect(ended).toMatchObject({ exitCode: 1 });
      expect(ended.words).toContain(words);
      expect(existsSync(path("ben.key"))).toBe(false);
    }
  });

  test("a file that names another key than the token signs with is found out", async () => {
    const file = JSON.parse(readFileSync(path("ada.key"), "utf8")) as { pkcs11: { id: string } };
    file.pkcs11.id = "03";
    writeFileSync(path("swapped.key"), JSON.stringify(file));
    const { line } = draft("d", path("swapped.key"));
    const ended = await release(line, PIN);
    expect(ended).toMatchObject({ exitCode: 1 });
    expect(ended.words).toContain("signed with another key");
  });
});

test("a key file without a token's place is none", () => {
  writeFileSync(path("other.key"), JSON.stringify({ person: "Ada" }));
  expect(isTokenFile(path("other.key"))).toBe(false);
});

/** A first root in which Ada's key is one of five. */
function draft(name: string, key = path("ada.key")) {
  const ceremony = new Ceremony(path(name));
  ceremony.begin(DEVELOPMENT_POLICY);
  const people = [
    readPublicKey(path("ada.key.pub")),
    ...["Ben", "Cleo", "Dara", "Emil"].map(makeKey),
  ];
  const roster = {
    root: { keys: people, threshold: 3 },
    targets: { keys: people, threshold: 2 },
    snapshot: { keys: [makeKey("snapshot machine")], threshold: 1 },
    timestamp: { keys: [makeKey("timestamp machine")], threshold: 1 },
  };
  draftFirstRoot(ceremony, "development", roster, Date.now());
  return { ceremony, line: ["sign", ceremony.dir, "--key", key, "--yes"] };
}

/** @param typed a line on standard input */
async function release(line: readonly string[], typed = "") {
  const child = spawn(process.execPath, [main, ...line], { stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.end(`${typed}\n`);
  let words = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (piece: Buffer) => (words += piece.toString("utf8")));
  const [exitCode] = (await once(child, "close")) as [number | null];
  return { exitCode, words };
}

function run(program: string, args: readonly string[]): void {
  execFileSync(program, args, { stdio: "ignore" });
}
