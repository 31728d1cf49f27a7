/**
 * app://console: the page from memory, with its policy. Nothing is read from the disk for a request.
 *
 * @module
 */
import type { PageFiles } from "../session/page-files.ts";
import { contentSecurityPolicy, fixedHeaders, newNonce } from "../session/page-policy.ts";
import { isOwnAddress } from "./page-rules.ts";

export function answerPage(page: PageFiles, method: string, untrusted: string): Response {
  if (method !== "GET" || !isOwnAddress(untrusted)) return notFound();
  const path = URL.parse(untrusted)!.pathname.slice(1);
  if (path === "") {
    const nonce = newNonce();
    return new Response(bytes(page.index(nonce)), {
      headers: {
        ...fixedHeaders,
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": contentSecurityPolicy(nonce, "'none'"),
      },
    });
  }
  const file = page.get(path);
  if (!file) return notFound();
  return new Response(bytes(file.body), {
    headers: { ...fixedHeaders, "content-type": file.contentType },
  });
}

function notFound(): Response {
  return new Response(null, { status: 404, headers: fixedHeaders });
}

function bytes(body: Buffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(body);
}
