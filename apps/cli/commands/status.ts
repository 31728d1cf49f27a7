/**
 * phantoma status: how a node is.
 *
 * @module
 */
import type { Command } from "../command.ts";
import { Home } from "../home.ts";
import { commonOptions, parse } from "../options.ts";
import { oneLine, timeText, write, writeJson } from "../output.ts";
import { withControl } from "../session.ts";

export const status: Command = {
  usage: "status [--node NAME]",
  summary: "shows version, mode, kernel policy and tasks of a node",
  async run(args) {
    const { values } = parse(args, commonOptions);
    const home = new Home(values.home);
    const peer = home.peer(values.node);
    const state = await withControl(peer, (session) => session.status());
    if (values.json) {
      writeJson({ node: peer.profile.name, ...state });
      return 0;
    }
    const mode = state.starter === "gateway" ? "demo (workers of the gateway's making)" : "systemd";
    const { name, url } = peer.profile;
    write(`node       ${name} at ${url}\n`);
    write(`version    ${oneLine(state.version)}\n`);
    write(`mode       ${mode}\n`);
    write(`policy     ${state.policy}\n`);
    write(`running    since ${timeText(state.startedAt)}\n`);
    write(`tasks      ${state.tasksLive} live, ${state.tasksDone} done\n`);
    write(`devices    list version ${state.deviceListVersion}\n`);
    return 0;
  },
};
