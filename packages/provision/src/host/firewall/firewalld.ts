/**
 * firewalld: the port goes into the zone of the interface that leads out, for now and for every boot. It is not reloaded:
 * that would drop what others added for now only.
 *
 * @module
 */
import { StepError } from "../machine.ts";
import { hasProgram, type Dialect } from "./dialect.ts";

const FOR_NOW_AND_LATER = [[], ["--permanent"]] as const;

export const firewalld: Dialect = {
  name: "firewalld",
  forgets: false,
  async places(machine) {
    if (!hasProgram(machine, "firewall-cmd")) return [];
    if (!(await machine.succeeds("firewall-cmd", "--state"))) return [];
    const { said } = await machine.end("ip", ["route", "show", "default"]);
    const [, device] = /\bdev (\S+)/.exec(said) ?? [];
    const ofDevice =
      device === undefined
        ? undefined
        : await machine.end("firewall-cmd", [`--get-zone-of-interface=${device}`]);
    if (ofDevice?.code === 0) return [zoneIn(ofDevice.said)];
    return [zoneIn(await machine.run("firewall-cmd", "--get-default-zone"))];
  },
  async isOpen(machine, zone, port) {
    for (const when of FOR_NOW_AND_LATER)
      if (!(await machine.succeeds("firewall-cmd", ...when, ...rule("query", zone, port))))
        return false;
    return true;
  },
  async open(machine, zone, port) {
    for (const when of FOR_NOW_AND_LATER)
      await machine.run("firewall-cmd", ...when, ...rule("add", zone, port));
  },
  async close(machine, zone, port) {
    // Switched off since: then only what it will know when it is on again.
    const isOn = await machine.succeeds("firewall-cmd", "--state");
    for (const when of FOR_NOW_AND_LATER)
      if (isOn && (await machine.succeeds("firewall-cmd", ...when, ...rule("query", zone, port))))
        await machine.run("firewall-cmd", ...when, ...rule("remove", zone, port));
  },
};

function rule(verb: "query" | "add" | "remove", zone: string, port: number): string[] {
  return [`--zone=${zone}`, `--${verb}-port=${port}/tcp`];
}

function zoneIn(said: string): string {
  const zone = said.trim();
  if (!/^[\w-]{1,64}$/.test(zone)) throw new StepError("firewalld names no zone");
  return zone;
}
