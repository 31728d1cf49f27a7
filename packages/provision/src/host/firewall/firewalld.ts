/**
 * firewalld: the port goes into the zone of the interface that leads out, for now and for every boot. These are two places:
 * what somebody else opened in one of them stays theirs. It is not reloaded: that would drop what others added for now only.
 *
 * @module
 */
import { StepError } from "../machine.ts";
import { hasProgram, type Dialect } from "./dialect.ts";

const PERMANENT = "--permanent";

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
    const zone = zoneIn(
      ofDevice?.code === 0
        ? ofDevice.said
        : await machine.run("firewall-cmd", "--get-default-zone"),
    );
    return [zone, `${zone} ${PERMANENT}`];
  },
  isOpen: (machine, place, port) => machine.succeeds("firewall-cmd", ...rule("query", place, port)),
  async open(machine, place, port) {
    await machine.run("firewall-cmd", ...rule("add", place, port));
  },
  async close(machine, place, port) {
    // Switched off since, it answers nothing.
    if (await machine.succeeds("firewall-cmd", ...rule("query", place, port)))
      await machine.run("firewall-cmd", ...rule("remove", place, port));
  },
};

function rule(verb: "query" | "add" | "remove", place: string, port: number): string[] {
  const [zone, ...when] = place.split(" ");
  return [...when, `--zone=${zone}`, `--${verb}-port=${port}/tcp`];
}

function zoneIn(said: string): string {
  const zone = said.trim();
  if (!/^[\w-]{1,64}$/.test(zone)) throw new StepError("firewalld names no zone");
  return zone;
}
