/**
 * ufw, which keeps what it is told. Rules are read as they were added: `ufw allow 7443/tcp comment 'phantoma'`.
 *
 * @module
 */
import type { Machine } from "../machine.ts";
import { hasProgram, MARK, type Dialect } from "./dialect.ts";

export const ufw: Dialect = {
  name: "ufw",
  forgets: false,
  async places(machine) {
    const isOn = /^ENABLED=yes$/im.test(machine.read("/etc/ufw/ufw.conf") ?? "");
    return isOn && hasProgram(machine, "ufw") ? ["the server"] : [];
  },
  async isOpen(machine, _place, port) {
    const added = await rules(machine);
    // A limit lets in too, only not everybody as often: a rule of ours beside it would end it.
    return added.some((line) =>
      new RegExp(`^ufw (?:allow|limit) ${port}(?:/tcp)?(?: comment .*)?$`).test(line),
    );
  },
  async open(machine, _place, port) {
    await machine.run("ufw", "allow", `${port}/tcp`, "comment", MARK);
  },
  async close(machine, _place, port) {
    if (!(await rules(machine)).includes(`ufw allow ${port}/tcp comment '${MARK}'`)) return;
    await machine.run("ufw", "delete", "allow", `${port}/tcp`);
  },
};

async function rules(machine: Machine): Promise<string[]> {
  return (await machine.run("ufw", "show", "added")).split("\n").map((line) => line.trim());
}
