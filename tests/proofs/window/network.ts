/**
 * Two network namespaces with a cable between them: the node's, and the one of model host and CDN.
 *
 * @module
 */
import { execFileSync } from "node:child_process";

/** RFC 2544: for tests between devices, and routed nowhere. */
export const places = {
  node: "198.18.0.1",
  models: "198.18.0.2",
  cdn: "198.18.0.3",
  /** On the cable's network, and nobody answers there. */
  dead: "198.18.0.9",
} as const;

export function makeNetwork() {
  const node = `phantoma-node-${process.pid}`;
  const hosts = `phantoma-hosts-${process.pid}`;
  const ip = (...args: string[]) =>
    execFileSync("ip", args, { stdio: ["ignore", "ignore", "inherit"] });
  const remove = () => {
    for (const name of [node, hosts])
      try {
        execFileSync("ip", ["netns", "del", name], { stdio: "ignore" });
      } catch {
        continue;
      }
  };
  try {
    for (const name of [node, hosts]) {
      ip("netns", "add", name);
      ip("-n", name, "link", "set", "lo", "up");
    }
    ip("-n", node, "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", hosts);
    ip("-n", node, "addr", "add", `${places.node}/24`, "dev", "cable");
    for (const address of [places.models, places.cdn])
      ip("-n", hosts, "addr", "add", `${address}/24`, "dev", "cable");
    for (const name of [node, hosts]) ip("-n", name, "link", "set", "cable", "up");
  } catch (error) {
    remove();
    throw error;
  }
  return { node, hosts, remove };
}
