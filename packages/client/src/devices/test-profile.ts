/**
 * A node's profile for tests: a real certificate, so that it can be taken apart and put together again.
 *
 * @module
 */
import type { NodeProfile } from "../node-profile.ts";

const certificate = [
  "-----BEGIN CERTIFICATE-----",
  "MIIBfDCCASOgAwIBAgIUYdzoTK5Uj16iyDijN5NbCYOJLMYwCgYIKoZIzj0EAwIw",
  "EzERMA8GA1UEAwwIcGhhbnRvbWEwIBcNMjYxMTMwMTEyODAxWhgPMjA1NjExMjIx",
  "MTI4MDFaMBMxETAPBgNVBAMMCHBoYW50b21hMFkwEwYHKoZIzj0CAQYIKoZIzj0D",
  "AQcDQgAEe7p07uw0mKJbtwv1o1BI1Aki2+H7r6sVH45YHc852yb/3xebgpH7cGuR",
  "3TWwE9Y6SYqfqIZGyDAKWNgtRZDKB6NTMFEwHQYDVR0OBBYEFGdBmCi0tmK3e/eH",
  "+2nTnOxF2z3oMB8GA1UdIwQYMBaAFGdBmCi0tmK3e/eH+2nTnOxF2z3oMA8GA1Ud",
  "EwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIhAJX8KM28MTW9i3HyfR+KFG6K",
  "fPliv+2o+SAEJXxoOqq/Ah9oOssa+wcWd3VwAMDizj5rYC4+l8tB+IS87Iebf8Ki",
  "-----END CERTIFICATE-----",
  "",
].join("\n");

export const testProfile: NodeProfile = {
  name: "home",
  url: "wss://192.0.2.1:7443",
  nodeKey: "0a".repeat(32),
  wardenKey: "0c".repeat(32),
  tlsCertificate: certificate,
  starter: "systemd",
  policy: "enforced",
  release: "0b".repeat(32),
};
