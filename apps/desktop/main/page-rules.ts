/**
 * What a page may load, where it may go, and what it may ask of the system. This file decides;
 * `guard.ts` acts.
 *
 * @module
 */
import { HOST, SCHEME } from "../ipc/channels.ts";

/** Whether an address is of our own page. Compared in parts: custom schemes have no origin in Node. */
export function isOwnAddress(untrusted: string): boolean {
  const url = URL.parse(untrusted);
  return (
    url?.protocol === `${SCHEME}:` &&
    url.host === HOST &&
    url.username === "" &&
    url.password === ""
  );
}

/** The page has one document; what it shows is in the fragment, which is no navigation. */
export function mayNavigate(untrusted: string): boolean {
  return isOwnAddress(untrusted) && URL.parse(untrusted)!.pathname === "/";
}

/**
 * Every request of the page's network stack; the layer below the content security policy.
 *
 * @param isDeveloping admits the developer tools' own files
 */
export function mayRequest(untrusted: string, isDeveloping: boolean): boolean {
  if (isOwnAddress(untrusted)) return true;
  // Pictures that the page made itself; they name no host.
  if (/^(data|blob):/.test(untrusted)) return true;
  return isDeveloping && untrusted.startsWith("devtools://");
}

/** Copying text when a button was pressed; every other permission is refused. */
const permitted: ReadonlySet<string> = new Set(["clipboard-sanitized-write"]);

export function mayUse(permission: string, requestingOrigin: string): boolean {
  return permitted.has(permission) && isOwnAddress(requestingOrigin);
}
