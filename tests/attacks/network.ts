/**
 * Two ends of one link: the near end has the attempts, the far end the sniffer. No real network is touched.
 *
 *   near   10.8.0.1, fd08::1        routes 10.9.0.0/16, fd09::/32 and groups over the link "v0"
 *   far    all of 10.9.0.0/16, fd09::/32 is its own; whatever arrives at its "v1" has left
 *
 * @module
 */
import { spawnSync } from "node:child_process";

export interface Network {
  /** Namespace files, as setns(2) and nsenter(1) take them. */
  readonly nearPath: string;
  readonly farPath: string;
  remove(): void;
}

const NEAR_MAC = "02:00:00:00:00:01";
const FAR_MAC = "02:00:00:00:00:02";

/** @param isNearHost the near end is the machine itself, for units that PID 1 starts there */
export function makeNetwork(id: string, isNearHost: boolean): Network {
  const near = `phantoma-near-${id}`;
  const far = `phantoma-far-${id}`;
  const nearPath = isNearHost ? "/proc/1/ns/net" : `/run/netns/${near}`;
  const network: Network = {
    nearPath,
    farPath: `/run/netns/${far}`,
    remove() {
      if (isNearHost) tryIp("link del v0");
      else tryIp(`netns del ${near}`);
      tryIp(`netns del ${far}`);
    },
  };
  const inNear = (command: string): void => ip(isNearHost ? command : `-n ${near} ${command}`);
  const inFar = (command: string): void => ip(`-n ${far} ${command}`);
  try {
    if (!isNearHost) ip(`netns add ${near}`);
    ip(`netns add ${far}`);
    for (const path of [nearPath, network.farPath]) quiet(path);
    inFar(`link add v1 type veth peer name v0 netns ${isNearHost ? "1" : near}`);
    inNear(`link set v0 address ${NEAR_MAC} addrgenmode none`);
    inFar(`link set v1 address ${FAR_MAC} addrgenmode none`);
    inNear("addr add 10.8.0.1/32 dev v0");
    inNear("addr add fd08::1/128 dev v0 nodad");
    inFar("addr add 10.7.0.2/32 dev v1");
    inFar("addr add fd07::2/128 dev v1 nodad");
    for (const end of [inNear, inFar]) end("link set lo up");
    inNear("link set v0 up");
    inFar("link set v1 up");
    // Fixed neighbours: no end asks for the other's address, so a frame is an attempt.
    inNear(`neigh replace 10.7.0.2 lladdr ${FAR_MAC} dev v0 nud permanent`);
    inNear(`neigh replace fd07::2 lladdr ${FAR_MAC} dev v0 nud permanent`);
    inFar(`neigh replace 10.8.0.1 lladdr ${NEAR_MAC} dev v1 nud permanent`);
    inFar(`neigh replace fd08::1 lladdr ${NEAR_MAC} dev v1 nud permanent`);
    inNear("route add 10.9.0.0/16 via 10.7.0.2 dev v0 onlink src 10.8.0.1");
    inNear("route add 239.9.0.0/16 dev v0");
    inNear("-6 route add fd07::2/128 dev v0");
    inNear("-6 route add fd09::/32 via fd07::2 dev v0 src fd08::1");
    if (!isNearHost) {
      // Whatever somebody else's program calls: the far end hears it.
      inNear("route add default via 10.7.0.2 dev v0 onlink src 10.8.0.1");
      inNear("-6 route add default via fd07::2 dev v0 src fd08::1");
    }
    inFar("route add 10.8.0.1/32 dev v1");
    inFar("-6 route add fd08::1/128 dev v1");
    inFar("route add local 10.9.0.0/16 dev lo");
    inFar("-6 route add local fd09::/32 dev lo");
  } catch (error) {
    network.remove();
    throw error;
  }
  return network;
}

/** Nothing is sent that no attempt asked for; what attempts need to work at all is open. */
function quiet(namespacePath: string): void {
  const settings = [
    "net.ipv6.conf.default.accept_ra=0",
    "net.ipv6.conf.default.autoconf=0",
    "net.ipv6.conf.default.accept_dad=0",
    "net.ipv6.conf.default.router_solicitations=0",
    "net.ipv4.ping_group_range=0 2147483647",
    // A call may come from any address of the far end's ranges.
    "net.ipv6.ip_nonlocal_bind=1",
    // 1 and 4: a client may send data in its first packet, without a cookie from before.
    "net.ipv4.tcp_fastopen=7",
  ];
  const result = spawnSync("nsenter", [`--net=${namespacePath}`, "sysctl", "-qw", ...settings], {
    encoding: "utf8",
  });
  if (result.status !== 0) throw new Error(`sysctl: ${result.stderr.trim()}`);
}

function ip(command: string): void {
  const result = spawnSync("ip", command.split(" "), { encoding: "utf8" });
  if (result.status !== 0) throw new Error(`ip ${command}: ${result.stderr.trim()}`);
}

function tryIp(command: string): void {
  spawnSync("ip", command.split(" "));
}
