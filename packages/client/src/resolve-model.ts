/**
 * What a node would have to reach for a model, found out here and before anything is signed: every host on
 * the way, their addresses, the file's size and its SHA-256.
 *
 * The file itself is not downloaded: each host is asked for one byte.
 *
 * @module
 */
import { lookup, resolve4, resolve6 } from "node:dns/promises";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { isIP, isIPv6, type LookupFunction } from "node:net";
import { ClientError } from "./client-error.ts";

/** A model host sends to its store, the store to a near copy; more is a loop. */
const MAX_REDIRECTS = 5;
/** Of one name; a large CDN has four to eight. */
const MAX_ADDRESSES = 16;
/** For one host's answer, in milliseconds. */
const HOST_TIMEOUT_MS = 15_000;
/** What an order can say as a file's name, in bytes. */
const MAX_PATH_BYTES = 255;
const HUB = "https://huggingface.co";

export interface ModelSource {
  /** An https address, or `owner/repository/file.gguf`, with `@revision` where it is not `main`. */
  readonly from: string;
  /** In hex, from somewhere more trustworthy than the host. */
  readonly sha256?: string;
  readonly bytes?: number;
  readonly signal?: AbortSignal;
  /** Instead of this machine's resolver. */
  readonly addressesOf?: (name: string) => Promise<readonly string[]>;
}

export interface Endpoint {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

export interface ResolvedModel {
  /** What is asked for at the first endpoint. */
  readonly path: string;
  readonly digest: string;
  readonly bytes: number;
  /** Whose word size and digest are: nobody else vouches for what a host says of itself. */
  readonly digestFrom: "given" | "host";
  /** In the order in which they are asked. */
  readonly endpoints: readonly Endpoint[];
}

/** @throws {@link ClientError} `ERR_MODEL_SOURCE`, `ERR_MODEL_HOST`, `ERR_MODEL_UNVERIFIABLE` */
export async function resolveModel(source: ModelSource): Promise<ResolvedModel> {
  const start = addressOf(source.from);
  const path = start.pathname + start.search;
  if (Buffer.byteLength(path) > MAX_PATH_BYTES)
    throw new ClientError("ERR_MODEL_SOURCE", "the address is too long for an order");
  const endpoints: Endpoint[] = [];
  const said: Said = {};
  let url = start;
  for (let redirects = 0; ; redirects += 1) {
    const addresses = await addressesOf(url, source);
    for (const address of addresses) {
      const endpoint = { name: url.hostname, address, port: Number(url.port || 443) };
      if (!endpoints.some((one) => isSame(one, endpoint))) endpoints.push(endpoint);
    }
    const response = await askForOneByte(url, addresses, source.signal);
    response.destroy();
    listen(said, response);
    const { statusCode = 0, headers } = response;
    if (statusCode < 300 || statusCode >= 400) {
      if (statusCode !== 200 && statusCode !== 206)
        throw new ClientError("ERR_MODEL_HOST", `${url.hostname} answered ${statusCode}`);
      break;
    }
    if (redirects >= MAX_REDIRECTS || !URL.canParse(headers.location ?? "", url.href))
      throw new ClientError("ERR_MODEL_HOST", `${url.hostname} redirects to nowhere`);
    url = assertHttps(new URL(headers.location!, url));
  }
  return { path, endpoints, ...agreed(source, said) };
}

/** What hosts on the way say of the file; the first word counts. */
interface Said {
  digest?: string;
  bytes?: number;
  /** What the last host would send. */
  length?: number;
}

function listen(said: Said, { headers, statusCode }: IncomingMessage): void {
  const etag = /^"?([0-9a-f]{64})"?$/.exec(String(headers["x-linked-etag"] ?? ""))?.[1];
  const size = Number(headers["x-linked-size"]);
  if (etag !== undefined) said.digest ??= etag;
  if (Number.isSafeInteger(size) && size > 0) said.bytes ??= size;
  const total =
    statusCode === 206
      ? /\/(\d+)$/.exec(headers["content-range"] ?? "")?.[1]
      : statusCode === 200
        ? headers["content-length"]
        : undefined;
  if (total !== undefined) said.length = Number(total);
}

function agreed(
  source: ModelSource,
  { digest: hostDigest, bytes: hostBytes, length }: Said,
): Pick<ResolvedModel, "digest" | "bytes" | "digestFrom"> {
  const given = source.sha256?.toLowerCase();
  const digest = given ?? hostDigest;
  const bytes = source.bytes ?? hostBytes ?? length;
  if (digest === undefined || bytes === undefined)
    throw new ClientError(
      "ERR_MODEL_UNVERIFIABLE",
      `the host does not say the file's ${digest === undefined ? "SHA-256" : "size"}`,
    );
  if (!/^[0-9a-f]{64}$/.test(digest) || !Number.isSafeInteger(bytes) || bytes <= 0)
    throw new ClientError("ERR_MODEL_UNVERIFIABLE", "a SHA-256 has 64 hex digits, a file a size");
  if (hostDigest !== undefined && hostDigest !== digest)
    throw new ClientError("ERR_MODEL_UNVERIFIABLE", "the host says another SHA-256 than given");
  for (const other of [hostBytes, length])
    if (other !== undefined && other !== bytes)
      throw new ClientError("ERR_MODEL_UNVERIFIABLE", `the host has ${other} bytes, not ${bytes}`);
  return { digest, bytes, digestFrom: given === undefined ? "host" : "given" };
}

function addressOf(from: string): URL {
  if (/^[a-z][a-z0-9+.-]*:/i.test(from)) {
    if (!URL.canParse(from)) throw new ClientError("ERR_MODEL_SOURCE", "that is no address");
    const url = assertHttps(new URL(from));
    // What a browser's address line shows of a file is its page.
    if (url.origin === HUB) url.pathname = url.pathname.replace("/blob/", "/resolve/");
    return url;
  }
  const [place = "", revision = "main", ...rest] = from.split("@");
  const [owner, repository, ...file] = place.split("/");
  const parts = [owner, repository, revision, ...file];
  if (rest.length > 0 || file.length === 0 || !parts.every((part) => /^[\w.-]+$/.test(part ?? "")))
    throw new ClientError(
      "ERR_MODEL_SOURCE",
      "that is neither an address nor owner/repository/file",
    );
  return new URL(`${HUB}/${owner}/${repository}/resolve/${revision}/${file.join("/")}`);
}

function assertHttps(url: URL): URL {
  if (url.protocol !== "https:" || url.username !== "" || url.password !== "")
    throw new ClientError("ERR_MODEL_SOURCE", `${url.hostname} is not asked over https alone`);
  return url;
}

async function addressesOf({ hostname }: URL, source: ModelSource): Promise<readonly string[]> {
  const literal = hostname.replace(/^\[(.*)\]$/, "$1");
  if (isIP(literal)) return [literal];
  const found = await (source.addressesOf ?? fromResolver)(hostname);
  if (found.length > 0) return [...new Set(found)].slice(0, MAX_ADDRESSES);
  throw new ClientError("ERR_MODEL_HOST", `${hostname} has no address`);
}

/** What this machine uses, and the other family as well: the node may have only that. */
async function fromResolver(name: string): Promise<string[]> {
  const [used, v4, v6] = await Promise.allSettled([
    lookup(name, { all: true }),
    resolve4(name),
    resolve6(name),
  ]);
  return [
    ...(used.status === "fulfilled" ? used.value.map(({ address }) => address) : []),
    ...(v4.status === "fulfilled" ? v4.value : []),
    ...(v6.status === "fulfilled" ? v6.value : []),
  ];
}

function askForOneByte(
  url: URL,
  addresses: readonly string[],
  signal: AbortSignal | undefined,
): Promise<IncomingMessage> {
  const found = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
  const listed: LookupFunction = (_name, { all }, done) =>
    all ? done(null, found) : done(null, found[0]!.address, found[0]!.family);
  return new Promise((resolve, reject) => {
    const asked = request(url, {
      agent: false,
      lookup: listed,
      rejectUnauthorized: true,
      timeout: HOST_TIMEOUT_MS,
      headers: { "user-agent": "phantoma", "accept-encoding": "identity", range: "bytes=0-0" },
      ...(signal ? { signal } : {}),
    });
    asked.once("timeout", () => asked.destroy(new Error("it does not answer")));
    asked.once("response", (response) => {
      asked.on("error", () => undefined);
      resolve(response);
    });
    asked.once("error", (error) =>
      reject(
        signal?.aborted
          ? new ClientError("ERR_CANCELLED", "it was cancelled")
          : new ClientError("ERR_MODEL_HOST", `${url.hostname}: ${describe(error)}`),
      ),
    );
    asked.end();
  });
}

/** Node's own text for several addresses is empty. */
function describe(error: Error): string {
  return error.message || String((error as NodeJS.ErrnoException).code);
}

function isSame(a: Endpoint, b: Endpoint): boolean {
  return a.name === b.name && a.address === b.address && a.port === b.port;
}
