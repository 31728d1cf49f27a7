/**
 * What a model's answer may turn into on the page. Everything not named here becomes its own text.
 *
 * A rendered image or link preview is a request that carries data out, so nothing on this list loads
 * anything: no images, no frames, no styles, no raw HTML, and a link is a button that asks first.
 *
 * @module
 */

/** Elements that only format text. */
export const allowedElements: readonly string[] = [
  "p", "br", "hr", "strong", "em", "del", "blockquote",
  "h1", "h2", "h3", "h4", "h5", "h6",
  "ul", "ol", "li", "input",
  "code", "pre",
  "table", "thead", "tbody", "tr", "th", "td",
  "a", "img", "sup", "section",
]; // prettier-ignore

/**
 * An address that a person may be asked about: absolute, https or mailto, no name or password in
 * it. Anything else is shown as text.
 */
export function openableAddress(untrusted: string | undefined): URL | undefined {
  if (untrusted === undefined || untrusted.length > MAX_ADDRESS_CHARACTERS) return undefined;
  if (!URL.canParse(untrusted)) return undefined;
  const url = new URL(untrusted);
  if (!["https:", "http:", "mailto:"].includes(url.protocol)) return undefined;
  if (url.username !== "" || url.password !== "") return undefined;
  return url;
}

/** Longer than any address a person would read before opening it; data travels in long ones. */
const MAX_ADDRESS_CHARACTERS = 2_000;
