/**
 * As many device lists as go into one answer.
 *
 * @module
 */
import { MAX_DEVICE_LISTS, MAX_DEVICE_LISTS_BYTES } from "@phantoma/protocol";

/** @param lists the oldest first; no more of them are read than are given */
export function deviceListPage(lists: Iterable<Buffer>): Buffer[] {
  const page: Buffer[] = [];
  let bytes = 0;
  for (const list of lists) {
    bytes += list.length;
    // The first one goes whatever its size: an empty answer says that there is none.
    if (page.length > 0 && bytes > MAX_DEVICE_LISTS_BYTES) break;
    page.push(list);
    if (page.length === MAX_DEVICE_LISTS) break;
  }
  return page;
}
