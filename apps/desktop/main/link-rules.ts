/**
 * Which addresses of an answer may leave the console, and in which form. This file decides;
 * `open-link.ts` asks the person.
 *
 * @module
 */

/** The longest address that a dialog shows in full. */
const MAX_CHARS = 2048;

export interface OutgoingLink {
  /** Written anew from its parts, so that what is opened is what was judged. */
  readonly url: string;
  /** The host in ASCII, or the mail address: what a person judges by. */
  readonly target: string;
}

/** @returns `undefined` for everything but https with a plain host, and mail to one address */
export function readLink(untrusted: string): OutgoingLink | undefined {
  // oxlint-disable-next-line no-control-regex -- these are what a person would not see
  if (untrusted.length > MAX_CHARS || /[\u0000-\u0020\u007f]/.test(untrusted)) return undefined;
  const url = URL.parse(untrusted);
  if (!url || url.username !== "" || url.password !== "") return undefined;
  if (url.protocol === "https:" && url.hostname !== "") return { url: url.href, target: url.host };
  // Subject, text and attachments of a mail are not a model's to write.
  if (url.protocol === "mailto:" && /^[\w.+-]+@[\w.-]+$/.test(url.pathname))
    return { url: `mailto:${url.pathname}`, target: url.pathname };
  return undefined;
}
