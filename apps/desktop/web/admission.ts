/**
 * Who may talk to the web console. This file decides; `loopback-server.ts` acts.
 *
 *   the link's token, once ──> a cookie, for the life of the console
 *
 * Cookies are sent to every port of a host, so this one is bound to a path that no other local server
 * knows to ask for; and whoever has it still needs the right Host and Origin, which no foreign page
 * can make a browser send.
 *
 * @module
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

const COOKIE = "phantoma";

export class Admission {
  readonly host: string;
  readonly origin: string;
  /** Every address of the console begins with this, but the link's. */
  readonly path = `/${randomBytes(16).toString("hex")}/`;
  readonly #secret = randomBytes(32).toString("hex");
  readonly #tokens = new Set<string>();

  constructor(port: number) {
    this.host = `127.0.0.1:${port}`;
    this.origin = `http://${this.host}`;
  }

  /** A link that opens the console once. */
  newLink(): string {
    const token = randomBytes(32).toString("hex");
    this.#tokens.add(token);
    return `${this.origin}/open?token=${token}`;
  }

  /** The cookie for a token; `undefined` where it is unknown or was used. */
  redeem(untrusted: string | null): string | undefined {
    // A set compares by hash, in which the time of a guess tells nothing about a 256-bit token.
    if (untrusted === null || !this.#tokens.delete(untrusted)) return undefined;
    return `${COOKIE}=${this.#secret}; Path=${this.path}; HttpOnly; SameSite=Strict`;
  }

  /** A page of another name that resolves here is not ours: DNS rebinding ends at this line. */
  isOurHost({ host }: IncomingHttpHeaders): boolean {
    return host === this.host;
  }

  hasCookie({ cookie = "" }: IncomingHttpHeaders): boolean {
    return cookie.split(";").some((pair) => {
      const [name, value = ""] = pair.trim().split("=", 2);
      return name === COOKIE && equals(value, this.#secret);
    });
  }

  /** A browser says where a request comes from; one from another site never reaches the router. */
  isOurSite(headers: IncomingHttpHeaders): boolean {
    const { origin, "sec-fetch-site": site = "same-origin" } = headers;
    const isOurOrigin = origin === undefined || origin === this.origin;
    return isOurOrigin && (site === "same-origin" || site === "none");
  }
}

function equals(untrusted: string, secret: string): boolean {
  const a = Buffer.from(untrusted);
  const b = Buffer.from(secret);
  return a.length === b.length && timingSafeEqual(a, b);
}
