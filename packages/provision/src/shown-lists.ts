/**
 * The device lists that a server shows over SSH, for whoever follows them from the one that was seen here. Also root's word
 * is not taken for who the admins are: the server may be another's by now, which is a reason to change its key.
 *
 * @module
 */
import type { ControlSession } from "@phantoma/client";
import { MAX_DOCUMENT_BYTES } from "@phantoma/crypto";
import type { Link } from "./link.ts";
import { get } from "./remote-run.ts";

/** @param current the one that is said to be in force */
export function shownLists(
  link: Pick<Link, "ask">,
  current: Uint8Array,
): Pick<ControlSession, "deviceList" | "deviceListsAfter"> {
  return {
    deviceList: async () => current,
    // One at a time: a machine missed few.
    deviceListsAfter: async (version) => {
      const name = `${String(version + 1).padStart(8, "0")}.list`;
      const path = `/var/lib/phantoma/devices/${name}`;
      const list = await link.ask((shell) => get(shell, path, MAX_DOCUMENT_BYTES));
      return list === undefined ? [] : [list];
    },
  };
}
