/**
 * phantoma doctor: how well a node wipes the memory of a task, and what of its machine needs a person.
 *
 * @module
 */
import { doctorLines, isHealthy } from "@phantoma/client";
import type { Command } from "../command.ts";
import { Home } from "../home.ts";
import { commonOptions, parse } from "../options.ts";
import { timeText, write, writeJson } from "../output.ts";
import { withControl } from "../session.ts";

export const doctor: Command = {
  usage: "doctor [--node NAME]",
  summary:
    "shows the node's wipe grade and what to do about it; exit code 0 only when nothing is left to do",
  async run(args) {
    const { values } = parse(args, commonOptions);
    const home = new Home(values.home);
    const peer = home.peer(values.node);
    const found = await withControl(peer, (session) => session.doctor());
    if (values.json) writeJson({ node: peer.profile.name, ...found });
    else {
      const { readAt } = found;
      for (const line of doctorLines(found)) write(`${line}\n`);
      write(`\nthe machine was looked at ${readAt === null ? "by nobody" : timeText(readAt)}\n`);
    }
    return isHealthy(found) ? 0 : 1;
  },
};
