/** Every limit of the doctor's reading, at it and one past it. */
import { expect, test } from "vitest";
import { hostFindings } from "./host-findings.ts";
import { MAX_FOLDER_NAMES, MAX_HOST_FILE_BYTES } from "./host-files.ts";
import { MAX_INCLUDE_DEPTH, MAX_SSHD_FILES } from "./sshd-passwords.ts";
import { TestHost } from "./test-host.ts";

const ssh = (host: TestHost) => hostFindings(host.files).sshPasswords;
const refused = "PasswordAuthentication no\n";

test("a file may be as long as its limit, and not a byte longer", () => {
  const host = new TestHost();
  host.write(
    "etc/ssh/sshd_config",
    `${refused}#${" ".repeat(MAX_HOST_FILE_BYTES - refused.length - 1)}`,
  );
  expect(ssh(host).isGood).toBe(true);
  host.write(
    "etc/ssh/sshd_config",
    `${refused}#${" ".repeat(MAX_HOST_FILE_BYTES - refused.length)}`,
  );
  expect(ssh(host)).toEqual({ isGood: null, detail: "/etc/ssh/sshd_config is too long" });
});

test("a folder may have as many names as its limit, and not one more", () => {
  const host = new TestHost();
  const add = (number: number) => host.write(`boot/note-${number}`, "");
  // Two are there already.
  for (let number = 2; number < MAX_FOLDER_NAMES; number += 1) add(number);
  expect(hostFindings(host.files).kernelUpdate.isGood).toBe(true);
  add(MAX_FOLDER_NAMES);
  expect(hostFindings(host.files).kernelUpdate).toEqual({
    isGood: null,
    detail: "/boot has too many names",
  });
});

test("sshd's files may include each other as deeply as sshd allows, and no deeper", () => {
  const chain = (depth: number) => {
    const host = new TestHost({ "etc/ssh/sshd_config": "Include 1\n" });
    for (let level = 1; level < depth; level += 1)
      host.write(`etc/ssh/${level}`, `Include ${level + 1}\n`);
    host.write(`etc/ssh/${depth}`, refused);
    return host;
  };
  expect(ssh(chain(MAX_INCLUDE_DEPTH)).isGood).toBe(true);
  expect(ssh(chain(MAX_INCLUDE_DEPTH + 1)).isGood).toBeNull();
});

test("sshd may have as many files as the limit, and not one more", () => {
  const many = (count: number) => {
    const host = new TestHost({ "etc/ssh/sshd_config": `Include d/*\n${refused}` });
    for (let number = 1; number < count; number += 1) host.write(`etc/ssh/d/${number}`, "");
    return host;
  };
  expect(ssh(many(MAX_SSHD_FILES)).isGood).toBe(true);
  expect(ssh(many(MAX_SSHD_FILES + 1)).isGood).toBeNull();
});
