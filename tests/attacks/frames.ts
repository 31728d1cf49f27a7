/**
 * Whose frame is this? By the canary in it, or by an address that only one cell uses.
 *
 * @module
 */

/** What the sniffer tells of one frame, in hexadecimal. */
export type FrameHex = string;

/** The number of the cell that a frame belongs to; `undefined` for a frame that is nobody's. */
export function cellOf(
  frame: FrameHex,
  cellsByCanary: ReadonlyMap<string, number>,
): { readonly number: number; readonly hasCanary: boolean } | undefined {
  for (const [canary, number] of cellsByCanary)
    if (frame.includes(canary)) return { number, hasCanary: true };
  const number = numberInAddress(frame);
  return number === undefined ? undefined : { number, hasCanary: false };
}

/** A reset: the kernel's own answer to a call for a port where nobody listens. Without room for a word. */
export function isReset(frame: FrameHex): boolean {
  const isFour = frame.slice(24, 28) === "0800" && frame.slice(46, 48) === "06";
  const isSix = frame.slice(24, 28) === "86dd" && frame.slice(40, 42) === "06";
  if (!isFour && !isSix) return false;
  const flags = frame.slice(isFour ? 94 : 134).slice(0, 2);
  return (Number.parseInt(flags, 16) & 0x04) !== 0;
}

/** Traffic of the link itself, which nobody on it asked for: ARP, and ICMPv6 neighbour and router messages. */
export function isLinkNoise(frame: FrameHex): boolean {
  const type = frame.slice(24, 28);
  if (type === "0806") return true;
  // Next header 58 at offset 20; the ICMPv6 type follows the 40 bytes of the header.
  if (type === "86dd" && frame.slice(40, 42) === "3a")
    return ["85", "87", "88"].includes(frame.slice(108, 110));
  return false;
}

function numberInAddress(frame: FrameHex): number | undefined {
  const type = frame.slice(24, 28);
  // The group address carries the number in reports of IGMP and MLD, behind their headers.
  const group =
    type === "0800"
      ? /ef09([0-9a-f]{4})/.exec(frame.slice(28 + 40))
      : type === "86dd"
        ? /ff050{22}09([0-9a-f]{4})/.exec(frame.slice(28 + 80))
        : null;
  if (group) return Number.parseInt(group[1]!, 16);
  if (type === "0800" && frame.slice(60, 64) === "0a09")
    return Number.parseInt(frame.slice(64, 68), 16);
  if (type === "86dd" && frame.slice(76, 104) === `fd09${"0".repeat(24)}`)
    return Number.parseInt(frame.slice(104, 108), 16);
  return undefined;
}
