/** The terminal's saved conversations, as a person runs it: real processes, no node. */
import { spawnSync } from "node:child_process";
import {
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));
const dir = mkdtempSync(join(tmpdir(), "phantoma-cli-vault-"));
afterAll(() => rmSync(dir, { recursive: true }));

const CANARY = "canary question";

function vault(args: readonly string[], input = "", home = "home") {
  const all = [main, "vault", ...args, "--json", "--home", join(dir, home)];
  const { status, stdout } = spawnSync(process.execPath, all, { input, encoding: "utf8" });
  const value = JSON.parse(stdout.split("\n")[0] || "null");
  return { status, value };
}

test("saved, found, exported, backed up, deleted and restored", () => {
  const said = [
    { role: "user", text: CANARY },
    { role: "assistant", text: "answer" },
  ];
  const { saved: id } = vault(["save", "--title", "kept"], JSON.stringify(said)).value;
  const file = join(dir, "home", "vault.sqlite");
  expect(readFileSync(file).includes(CANARY)).toBe(false);
  expect(statSync(file).mode & 0o077).toBe(0);
  expect(vault(["list"]).value).toMatchObject([{ id, title: "kept", messages: 2 }]);
  expect(vault(["search", "CANARY"]).value).toHaveLength(1);
  expect(vault(["search", "parrot"]).value).toEqual([]);
  expect(vault(["show", id.slice(0, 6)]).value.messages).toHaveLength(2);

  const [json, backup] = [join(dir, "all.json"), join(dir, "all.backup")];
  expect(vault(["export", json]).value).toEqual({ exported: 1 });
  expect(statSync(json).mode & 0o077).toBe(0);
  writeFileSync(backup, "open to others", { mode: 0o644 });
  const reader = openSync(backup, "r");
  expect(vault(["backup", backup], "too short\n").status).not.toBe(0);
  expect(readFileSync(reader, "utf8")).toBe("open to others");
  expect(vault(["backup", backup], "correct horse\n").value).toEqual({ backedUp: 1 });
  expect(readFileSync(backup).includes(CANARY)).toBe(false);
  expect(statSync(backup).mode & 0o077).toBe(0);
  // Who had the old file open has the old one, and none of the new one.
  const seen = Buffer.alloc(64);
  expect(seen.toString("utf8", 0, readSync(reader, seen, 0, 64, 0))).toBe("open to others");

  expect(vault(["delete", id]).value).toEqual({ deleted: id });
  expect(vault(["status"]).value).toMatchObject({ saved: 0, node: null });
  expect(vault(["restore", backup], "wrong horse\n").value.error.code).toBe("ERR_VAULT_PASSPHRASE");
  expect(vault(["restore", backup], "correct horse\n").value).toEqual({ restored: 1 });
  expect(vault(["import", json]).value).toEqual({ imported: 1 });
  expect(vault(["list"]).value).toHaveLength(1);
  expect(vault(["import", json], "", "another").value).toEqual({ imported: 1 });
}, 60_000);

test("what cannot be done is refused with a code and an exit code", () => {
  expect(vault(["show", "ff"]).value.error.code).toBe("ERR_VAULT_UNKNOWN");
  expect(vault(["save"], "no json").status).toBe(2);
  expect(vault(["save"], '[{"role":"root","text":"x"}]').value.error.code).toBe("ERR_VAULT_FILE");
  expect(vault(["fly"]).status).toBe(2);
}, 60_000);
