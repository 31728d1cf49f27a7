/**
 * What the page may load and do, as headers; the same in both shells.
 *
 * @module
 */
import { randomBytes } from "node:crypto";

/**
 * The page's content security policy.
 *
 * The nonce is for style elements that overlays make; styles of the bundle come from files.
 *
 * @param connect `'none'` in Electron, where all talk goes through the preload. In a browser `'self'`:
 *   the page reaches its console by fetch, and the console is the only origin that this admits.
 */
export function contentSecurityPolicy(nonce: string, connect: "'none'" | "'self'"): string {
  return (
    `default-src 'none'; script-src 'self'; style-src 'self' 'nonce-${nonce}'; ` +
    `img-src 'self' data: blob:; font-src 'self'; connect-src ${connect}; object-src 'none'; ` +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; frame-src 'none'; " +
    "worker-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"
  );
}

/** On every response: nothing is guessed, kept, framed or told to others. */
export const fixedHeaders = {
  "cache-control": "no-store",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=(), display-capture=(), usb=()",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
} as const;

/** 128 bits, fresh for every load of the page. */
export function newNonce(): string {
  return randomBytes(16).toString("base64url");
}
