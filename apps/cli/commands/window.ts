/**
 * phantoma window: the one hole in a node's kernel policy: open it for a file, look at it, close it.
 *
 * @module
 */
import type { ControlSession } from "@phantoma/client";
import type { Command } from "../command.ts";
import { Home } from "../home.ts";
import { interruptibly } from "../interruption.ts";
import { commonOptions, parse } from "../options.ts";
import { oneLine, timeText, UsageError, write, writeJson } from "../output.ts";
import { withControl } from "../session.ts";
import { assertPolicy, openWindow, propose, windowOptions } from "../window-proposal.ts";
import { describe } from "../window-watch.ts";

const options = { ...commonOptions, ...windowOptions } as const;

export const window: Command = {
  usage: "window [status | open SOURCE ... [window options] | close]",
  summary:
    "lets the node fetch what you sign for, from where you sign for; SOURCE is an https address or owner/repo/file.gguf",
  async run(args) {
    const { values, positionals } = parse(args, options);
    const home = new Home(values.home);
    const peer = home.peer(values.node);
    const [action = "status", ...sources] = positionals;
    switch (action) {
      case "status":
        return withControl(peer, (session) => showWindow(session, values.json));
      case "close":
        await withControl(peer, (session) => session.closeWindow());
        if (values.json) writeJson({ closed: true });
        else write("the window is closed\n");
        return 0;
      case "open": {
        await withControl(peer, assertPolicy);
        const models = await interruptibly((signal) => propose(sources, values, signal));
        const notAfter = await withControl(peer, (session) =>
          openWindow(session, peer, models, values),
        );
        if (values.json) writeJson({ opened: models, notAfter });
        else write(`a window is open until ${timeText(notAfter)}, or until its files are there\n`);
        return 0;
      }
      default:
        throw new UsageError(`window cannot ${JSON.stringify(action)}`);
    }
  },
};

async function showWindow(session: ControlSession, isJson: boolean): Promise<number> {
  const state = await session.window();
  if (isJson) {
    writeJson(state);
    return 0;
  }
  const { open, transfers } = state;
  if (!open) write("no window is open\n");
  else {
    write(`open       until ${timeText(open.notAfter)}\n`);
    for (const { name, address, port } of open.endpoints)
      write(`reachable  ${oneLine(name)}  ${address}  port ${port}\n`);
  }
  for (const transfer of transfers) write(`file       ${describe(transfer)}\n`);
  return 0;
}
