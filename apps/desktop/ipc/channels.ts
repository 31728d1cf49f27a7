/**
 * How page and console meet in Electron: names of channels and the page's own origin.
 *
 * @module
 */
export const channels = {
  request: "phantoma:request",
  /** Carries a MessagePort; closing it is Stop. */
  stream: "phantoma:stream",
  event: "phantoma:event",
} as const;

/** The page's own scheme: nothing that is on the network can have it. */
export const SCHEME = "app";
export const HOST = "console";
export const ORIGIN = `${SCHEME}://${HOST}`;

/** What main posts on a stream's port. */
export type StreamMessage = { readonly event: unknown } | { readonly isOver: true };
