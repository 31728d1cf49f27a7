/**
 * phantoma provision: its own folder, which is loaded only when it is wanted: no other command speaks SSH.
 *
 * @module
 */
import type { Command } from "../command.ts";

export const provision: Command = {
  usage: `provision [USER@]HOST[:PORT] --bundle FILE [--release DIR] [--anchor FILE] [--unsigned]
          [--key FILE | --agent] [--host-key SHA256:… | --forget-host-key] [--node-port N] [--reach HOST:PORT] [--name NAME]
          [--no-reboot] [--no-firewall] [--update-kernel] [--harden-ssh] [--kit FILE [--kit-words]] [--yes]
          [--check | --update FILE | --rollback | --rotate-key | --reset-identity | --uninstall | --forget]`,
  summary: `makes a server of yours a node; --check only looks; --uninstall removes it, with a list first.
      --kit makes a recovery kit at the end, --kit-words with a passphrase to print.
      --update takes a newer release, --rollback the one from before; --rotate-key gives the node another key, with an
      admin's device; --reset-identity makes another node of it when every device is lost; --forget removes it from this machine only.
      passwords are asked for, or are lines of standard input`,
  run: async (args) => (await import("../provision/provision.ts")).provision(args),
};
