/**
 * The outer TLS identity: a self-signed certificate that devices pin at set-up.
 *
 * It hides upgrade and ticket from the network; nothing inside the tunnel depends on it.
 * `@peculiar/x509` writes the certificate, because node:crypto reads X.509 but cannot make it and
 * the alternative (`selfsigned`) wraps the same library; it needs `reflect-metadata` loaded first.
 *
 * @module
 */
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

/** Devices pin the certificate itself, so its end would only cut them off. */
const LIFETIME_YEARS = 30;

export async function makeTlsIdentity(): Promise<{ keyPem: string; certificatePem: string }> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const notBefore = new Date();
  const notAfter = new Date(notBefore);
  notAfter.setFullYear(notAfter.getFullYear() + LIFETIME_YEARS);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    { name: "CN=phantoma", notBefore, notAfter, signingAlgorithm: algorithm, keys },
    webcrypto,
  );
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  return { keyPem: pem("PRIVATE KEY", der), certificatePem: certificate.toString("pem") };
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g)!;
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
