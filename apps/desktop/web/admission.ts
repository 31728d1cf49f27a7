/**
 * Who may talk to the web console. This file decides; `loopback-server.ts` acts.
 *
 *   the link's token, once ──> a cookie, for the life of the console
 *         └─ a second time, soon ──> no cookie is good any more
 *
 * A link is an argument of the program that opens it, which other users of this machine may see. One
 * of them can be first; then the person is second, and both are shut out.
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

/** A browser opens a link within this time; later uses come from its history and mean no harm. */
const DOUBTFUL_MS = 60_000;

export class Admission {
  readonly host: string;
  readonly origin: string;
  /** Every address of the console begins with this, but the link's. */
  readonly path = `/${randomBytes(16).toString("hex")}/`;
  #secret = randomBytes(32).toString("hex");
  /** When each was used, in milliseconds since 1970 UTC; `undefined` until then. */
  readonly #tokens = new Map<string, number | undefined>();

  constructor(port: number) {
    this.host = `127.0.0.1:${port}`;
    this.origin = `http://${this.host}`;
  }

  /** A link that opens the console once. */
  newLink(): string {
    const token = randomBytes(32).toString("hex");
    this.#tokens.set(token, undefined);
    return `${this.origin}/open?token=${token}`;
  }

  /** The cookie for a token; `undefined` where it is unknown or was used. */
  redeem(untrusted: string | null, now: number): string | undefined {
    // A map compares by hash, in which the time of a guess tells nothing about a 256-bit token.
    if (untrusted === null || !this.#tokens.has(untrusted)) return undefined;
    const usedAt = this.#tokens.get(untrusted);
    if (usedAt === undefined) {
      this.#tokens.set(untrusted, now);
      return `${COOKIE}=${this.#secret}; Path=${this.path}; HttpOnly; SameSite=Strict`;
    }
    if (now - usedAt < DOUBTFUL_MS) this.#secret = randomBytes(32).toString("hex");
    return undefined;
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
