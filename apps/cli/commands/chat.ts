/**
 * phantoma chat: a conversation in the terminal.
 *
 * @module
 */
import type { Command } from "../command.ts";
import { Home } from "../home.ts";
import { chatOptions, commonOptions, modeOf, parse } from "../options.ts";
import { chooseModel } from "../session.ts";
import { terminalChat } from "../terminal-chat.ts";
import { savingTo } from "../vault-store.ts";

export const chat: Command = {
  usage:
    "chat [--node NAME] [--model NAME] [--mode conversation|turn] [--system TEXT] [sampling options]",
  summary: "talks with a model; Ctrl-C stops an answer, /end ends the worker, /quit leaves",
  async run(args) {
    const { values } = parse(args, { ...commonOptions, ...chatOptions });
    const home = new Home(values.home);
    const peer = home.peer(values.node);
    const save = savingTo(home, values.model ?? "", modeOf(values));
    await terminalChat(peer, await chooseModel(peer, values.model), values, save);
    return 0;
  },
};
