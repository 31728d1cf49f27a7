/**
 * A model host and its CDN on this machine, with an authority of their own, for tests and proofs. Not part
 * of the product.
 *
 * @module
 */
import "reflect-metadata";
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import * as x509 from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** 3 MB that look like nothing else. */
export const weights = Buffer.concat(
  Array.from({ length: 96 * 1024 }, (_, index) => createHash("sha256").update(`${index}`).digest()),
);
export const weightsDigest = createHash("sha256").update(weights).digest("hex");

const generateKeys = () => crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
type Keys = Awaited<ReturnType<typeof generateKeys>>;

export class TestAuthority {
  readonly #keys: Keys;
  readonly #certificate: x509.X509Certificate;

  static async make(): Promise<TestAuthority> {
    const keys = await generateKeys();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned(
      {
        name: "CN=test authority",
        keys,
        signingAlgorithm: ALGORITHM,
        extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
      },
      crypto,
    );
    return new TestAuthority(keys, certificate);
  }

  private constructor(keys: Keys, certificate: x509.X509Certificate) {
    this.#keys = keys;
    this.#certificate = certificate;
  }

  get pem(): string {
    return this.#certificate.toString("pem");
  }

  async issue(...names: string[]): Promise<{ key: string; cert: string }> {
    const keys = await generateKeys();
    const certificate = await x509.X509CertificateGenerator.create(
      {
        subject: `CN=${names[0]}`,
        issuer: this.#certificate.subject,
        publicKey: keys.publicKey,
        signingKey: this.#keys.privateKey,
        signingAlgorithm: ALGORITHM,
        extensions: [
          new x509.SubjectAlternativeNameExtension(
            names.map((value) => ({ type: "dns" as const, value })),
          ),
        ],
      },
      crypto,
    );
    const key = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
    const body = Buffer.from(key)
      .toString("base64")
      .match(/.{1,64}/g)!
      .join("\n");
    const pem = `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----\n`;
    return { key: pem, cert: certificate.toString("pem") };
  }
}

export class TestModelHost {
  readonly #server: Server;
  /** `METHOD host path range`, in the order they came. */
  readonly asked: string[] = [];
  /** Where redirects lead. */
  cdn = "cdn.test";
  #busy = 2;

  constructor(identity: { key: string; cert: string }) {
    this.#server = createServer(identity, (request, response) => this.#answer(request, response));
    this.#server.on("tlsClientError", () => undefined);
  }

  async listen(host: string, port = 0): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(port, host, resolve));
    return this.port;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { method, headers, url = "" } = request;
    const host = headers.host?.split(":")[0];
    this.asked.push([method, host, url, headers.range].filter(Boolean).join(" "));
    response.on("error", () => undefined);
    const redirect = (location: string) => {
      const seen = { "x-linked-size": weights.length, "x-linked-etag": `"${weightsDigest}"` };
      response.writeHead(302, { location, ...seen }).end();
    };
    switch (url) {
      case "/owner/repo/resolve/main/model.gguf":
        return redirect(`https://${this.cdn}:${this.port}/model.gguf`);
      case "/unlisted.gguf":
        return redirect(`https://unlisted.test:${this.port}/model.gguf`);
      case "/plain.gguf":
        return redirect(`http://${this.cdn}:${this.port}/model.gguf`);
      case "/loop.gguf":
        return redirect("/loop.gguf");
      case "/model.gguf":
        return sendPart(response, weights, headers.range);
      case "/wrong.gguf":
        return sendPart(response, Buffer.alloc(weights.length), headers.range);
      case "/longer.gguf":
        return void response.end(Buffer.concat([weights, Buffer.of(0)]));
      case "/longer-unsaid.gguf":
        response.write(weights);
        return void response.end(Buffer.of(0));
      case "/shorter-unsaid.gguf":
        response.write(weights.subarray(0, -2));
        return void response.end(Buffer.of(0));
      case "/zipped.gguf":
        return void response.writeHead(200, { "content-encoding": "gzip" }).end(weights);
      case "/busy.gguf":
        if (this.#busy-- > 0) return void response.writeHead(503).end();
        return sendPart(response, weights, headers.range);
      case "/cut.gguf":
        if (headers.range) return sendPart(response, weights, headers.range);
        response.writeHead(200, { "content-length": weights.length });
        response.write(weights.subarray(0, weights.length / 2), () =>
          setTimeout(() => response.destroy(), 200),
        );
        return;
      case "/silent.gguf":
        response.writeHead(200, { "content-length": weights.length });
        return void response.write(weights.subarray(0, 1000));
      case "/endless.gguf":
        return drip(response);
      default:
        return void response.writeHead(404).end();
    }
  }
}

function sendPart(response: ServerResponse, content: Buffer, range: string | undefined): void {
  const start = Number(/^bytes=(\d+)-/.exec(range ?? "")?.[1] ?? 0);
  if (!range)
    return void response.writeHead(200, { "content-length": content.length }).end(content);
  const part = content.subarray(start);
  const place = `bytes ${start}-${content.length - 1}/${content.length}`;
  const head = { "content-range": place, "content-length": part.length };
  response.writeHead(206, head).end(part);
}

/** 1,000 bytes every 50 ms: a file that comes slowly and never stops coming. */
function drip(response: ServerResponse): void {
  response.writeHead(200, { "content-length": weights.length });
  const timer = setInterval(() => response.write(weights.subarray(0, 1000)), 50);
  response.once("close", () => clearInterval(timer));
}
