/**
 * The bypass matrix: every attempt, and which layer is to stop it.
 *
 * Numbers are those of the measured matrix that the policy was designed from; letters are its variants. A row
 * ends with what makes its leak visible: a frame at the far end, or that the attempt could be done at all.
 *
 * @module
 */

/**
 * What has to stop a row where everything else is open to it:
 *
 *   cgroup   the programs that every host has; judged with the cgroup alone and in the sandbox
 *   unix     the same, where the kernel has hooks for unix sockets (Linux 6.7) or BPF LSM
 *   lsm      BPF LSM only: sockets made elsewhere, and families that no cgroup hook sees
 *   rights   file permissions, users and capabilities
 *   sandbox  what a unit is started in; judged there only
 *   nobody   not claimed
 */
export type Stopper = "cgroup" | "unix" | "lsm" | "rights" | "sandbox" | "nobody";

export interface Row {
  readonly id: string;
  readonly attempt: string;
  readonly stopper: Stopper;
  /**
   * Needs root's rights. In the cgroup tried with all of them by somebody who is not root, for root itself is never
   * claimed; in its sandbox with those that the unit has.
   */
  readonly isRoot?: true;
  /** That it could be done is the leak: no frame would show it. */
  readonly isDoneLeak?: true;
  /** Its maker outside has sent frames to the same address already. */
  readonly isCanaryOnly?: true;
  /** Not built into every kernel, or nothing of the kind runs on every machine. */
  readonly mayBeAbsent?: true;
  /** What anybody is refused root must be able to do, or the refusal means nothing. */
  readonly isControlRoot?: true;
  /** Another unit is another user, which is so under systemd; units of a demo node share one. */
  readonly isUserBound?: true;
  /** Somebody outside starts the cell with a socket of theirs. PID 1 hands none over, so a unit's sandbox has none. */
  readonly isHanded?: true;
  /** Something outside is made ready for it (attempts/launch.c), so it has a launch for itself. */
  readonly isPrepared?: true;
  /** Only a unit with a port of its own. */
  readonly isGatewayOnly?: true;
  /** The unit's own work, which has to pass. */
  readonly isWork?: true;
  /** The far end calls in while the attempt listens: at the cell's port, or at the gateway's. */
  readonly call?: { readonly family: 4 | 6; readonly isOwnPort: boolean };
}

export const rows: readonly Row[] = [
  { id: "1a", attempt: "TCP over IPv4", stopper: "cgroup" },
  { id: "1b", attempt: "TCP over IPv6", stopper: "cgroup" },
  { id: "1c", attempt: "TCP to an IPv4-mapped address", stopper: "cgroup" },
  { id: "2a", attempt: "UDP connect and send, IPv4", stopper: "cgroup" },
  { id: "2b", attempt: "UDP connect and send, IPv6", stopper: "cgroup" },
  { id: "2c", attempt: "UDP connect and send, IPv4-mapped", stopper: "cgroup" },
  { id: "3a", attempt: "UDP sendto, IPv4", stopper: "cgroup" },
  { id: "3b", attempt: "UDP sendto, IPv6", stopper: "cgroup" },
  { id: "3c", attempt: "UDP sendto, IPv4-mapped", stopper: "cgroup" },
  { id: "3d", attempt: "UDP sendmmsg", stopper: "cgroup" },
  { id: "3e", attempt: "UDP sendto with an unspecified family", stopper: "cgroup" },
  { id: "3f", attempt: "UDP sendto, IPv4 address on an IPv6 socket", stopper: "cgroup" },
  { id: "4a", attempt: "TCP Fast Open, IPv4", stopper: "cgroup" },
  { id: "4b", attempt: "TCP Fast Open, IPv6", stopper: "cgroup" },
  { id: "5a", attempt: "MPTCP, IPv4", stopper: "cgroup", mayBeAbsent: true },
  { id: "5b", attempt: "MPTCP, IPv6", stopper: "cgroup", mayBeAbsent: true },
  { id: "6a", attempt: "UDP-Lite connect and send, IPv4", stopper: "cgroup", mayBeAbsent: true },
  { id: "6b", attempt: "UDP-Lite connect and send, IPv6", stopper: "cgroup", mayBeAbsent: true },
  { id: "7a", attempt: "UDP-Lite sendto, IPv4", stopper: "cgroup", mayBeAbsent: true },
  { id: "7b", attempt: "UDP-Lite sendto, IPv6", stopper: "cgroup", mayBeAbsent: true },
  { id: "8a", attempt: "SCTP connect, IPv4", stopper: "cgroup", mayBeAbsent: true },
  { id: "8b", attempt: "SCTP connect, IPv6", stopper: "cgroup", mayBeAbsent: true },
  { id: "9a", attempt: "SCTP sendto, IPv4", stopper: "cgroup", mayBeAbsent: true },
  { id: "9b", attempt: "SCTP sendto, IPv6", stopper: "cgroup", mayBeAbsent: true },
  { id: "10a", attempt: "ping socket sendto, IPv4", stopper: "cgroup" },
  { id: "10b", attempt: "ping socket sendto, IPv6", stopper: "cgroup" },
  { id: "11a", attempt: "ping socket connect and send, IPv4", stopper: "cgroup" },
  { id: "11b", attempt: "ping socket connect and send, IPv6", stopper: "cgroup" },
  { id: "12a", attempt: "IGMP report by joining a group", stopper: "cgroup" },
  { id: "12b", attempt: "MLD report by joining a group", stopper: "cgroup" },
  { id: "13", attempt: "io_uring socket, connect, send", stopper: "cgroup", mayBeAbsent: true },
  { id: "14a", attempt: "io_uring sendmsg, IPv4", stopper: "cgroup", mayBeAbsent: true },
  { id: "14b", attempt: "io_uring sendmsg, IPv6", stopper: "cgroup", mayBeAbsent: true },
  {
    id: "15a",
    attempt: "listen, accept, reply, IPv4",
    stopper: "cgroup",
    call: { family: 4, isOwnPort: false },
  },
  {
    id: "15b",
    attempt: "listen, accept, reply, IPv6",
    stopper: "cgroup",
    call: { family: 6, isOwnPort: false },
  },
  {
    id: "15c",
    attempt: "reply from the gateway's own port",
    stopper: "cgroup",
    isGatewayOnly: true,
    isWork: true,
    call: { family: 4, isOwnPort: true },
  },
  { id: "15d", attempt: "TCP out from its own port", stopper: "cgroup", isGatewayOnly: true },
  { id: "15e", attempt: "UDP out from its own port", stopper: "cgroup", isGatewayOnly: true },
  {
    id: "16a",
    attempt: "TCP socket made before the cgroup was joined",
    stopper: "lsm",
    isPrepared: true,
    isHanded: true,
  },
  {
    id: "16b",
    attempt: "UDP socket made before the cgroup was joined",
    stopper: "lsm",
    isPrepared: true,
    isHanded: true,
  },
  {
    id: "17a",
    attempt: "connected TCP socket inherited",
    stopper: "lsm",
    isPrepared: true,
    isHanded: true,
    isCanaryOnly: true,
  },
  {
    id: "17b",
    attempt: "connected UDP socket inherited",
    stopper: "lsm",
    isPrepared: true,
    isHanded: true,
  },
  {
    id: "17c",
    attempt: "sendfile into an inherited TCP socket",
    stopper: "lsm",
    isPrepared: true,
    isHanded: true,
    isCanaryOnly: true,
  },
  {
    id: "17d",
    attempt: "splice into an inherited UDP socket",
    stopper: "lsm",
    isPrepared: true,
    isHanded: true,
  },
  {
    id: "18",
    attempt: "UDP socket received by SCM_RIGHTS",
    stopper: "lsm",
    isPrepared: true,
    isHanded: true,
  },
  { id: "19", attempt: "UDP socket taken by pidfd_getfd", stopper: "lsm", isPrepared: true },
  { id: "20a", attempt: "unix stream to a broker, by path", stopper: "unix" },
  { id: "20b", attempt: "unix datagram to a broker, by path", stopper: "unix" },
  { id: "20c", attempt: "unix datagram, connected, by path", stopper: "unix" },
  { id: "20d", attempt: "half a socket pair turned to a broker", stopper: "unix" },
  { id: "21a", attempt: "unix stream to a broker, abstract", stopper: "unix" },
  { id: "21b", attempt: "unix datagram to a broker, abstract", stopper: "unix" },
  { id: "21c", attempt: "unix datagram, connected, abstract", stopper: "unix" },
  { id: "22a", attempt: "raw ICMP", stopper: "cgroup", isRoot: true },
  { id: "22b", attempt: "raw IPv4 with a header of its own", stopper: "cgroup", isRoot: true },
  { id: "22c", attempt: "raw protocol 253, IPv4", stopper: "cgroup", isRoot: true },
  { id: "22d", attempt: "raw ICMPv6", stopper: "cgroup", isRoot: true },
  { id: "22e", attempt: "raw protocol 253, IPv6", stopper: "cgroup", isRoot: true },
  { id: "23", attempt: "AF_PACKET frame", stopper: "lsm", isRoot: true },
  {
    id: "24",
    attempt: "AF_PACKET socket made before the cgroup was joined",
    stopper: "lsm",
    isPrepared: true,
    isHanded: true,
    isRoot: true,
  },
  {
    id: "25",
    attempt: "into another network namespace, then UDP",
    stopper: "cgroup",
    isRoot: true,
  },
  {
    id: "26",
    attempt: "root leaves the cgroup, or sends from it",
    stopper: "nobody",
    isRoot: true,
  },
  {
    id: "27",
    attempt: "anybody moves itself to the root cgroup",
    stopper: "rights",
    isControlRoot: true,
  },
  {
    id: "28",
    attempt: "moves to a sibling in a delegated subtree",
    stopper: "cgroup",
    isPrepared: true,
    isControlRoot: true,
  },
  { id: "29a", attempt: "NETLINK socket", stopper: "lsm", isDoneLeak: true },
  { id: "29b", attempt: "ALG socket", stopper: "lsm", isDoneLeak: true, mayBeAbsent: true },
  {
    id: "29c",
    attempt: "XDP socket",
    stopper: "lsm",
    isDoneLeak: true,
    isRoot: true,
    mayBeAbsent: true,
  },
  { id: "29d", attempt: "SMC socket", stopper: "lsm", isDoneLeak: true, mayBeAbsent: true },
  { id: "29e", attempt: "RXRPC socket", stopper: "lsm", isDoneLeak: true, mayBeAbsent: true },
  { id: "29f", attempt: "TIPC socket", stopper: "lsm", isDoneLeak: true, mayBeAbsent: true },
  { id: "29g", attempt: "KCM socket", stopper: "lsm", isDoneLeak: true, mayBeAbsent: true },
  { id: "29h", attempt: "CAN socket", stopper: "lsm", isDoneLeak: true, mayBeAbsent: true },
  { id: "29i", attempt: "DCCP socket", stopper: "cgroup", isDoneLeak: true, mayBeAbsent: true },
  { id: "29j", attempt: "L2TP socket", stopper: "cgroup", isDoneLeak: true, mayBeAbsent: true },
  { id: "30a", attempt: "words in a DNS question, UDP", stopper: "cgroup" },
  { id: "30b", attempt: "words in a DNS question to 127.0.0.53", stopper: "cgroup" },
  { id: "30c", attempt: "words in a DNS question, TCP", stopper: "cgroup" },
  {
    id: "31",
    attempt: "D-Bus, systemd or a container daemon",
    stopper: "unix",
    isDoneLeak: true,
    mayBeAbsent: true,
  },
  {
    id: "32a",
    attempt: "ptrace of another unit's process",
    stopper: "rights",
    isPrepared: true,
    isUserBound: true,
  },
  {
    id: "32b",
    attempt: "process_vm_writev into another unit's process",
    stopper: "rights",
    isPrepared: true,
    isUserBound: true,
  },
  {
    id: "32c",
    attempt: "/proc/PID/mem of another unit's process",
    stopper: "rights",
    isPrepared: true,
    isUserBound: true,
  },
  { id: "33a", attempt: "bpf(): detach a program", stopper: "rights", isControlRoot: true },
  { id: "33b", attempt: "bpf(): detach a link", stopper: "rights", isControlRoot: true },
  { id: "33c", attempt: "bpf(): load a program", stopper: "rights", isControlRoot: true },
  {
    id: "34",
    attempt: "open the map of endpoints by its pin",
    stopper: "rights",
    isControlRoot: true,
  },
  { id: "35", attempt: "end the warden", stopper: "rights", isControlRoot: true },
  {
    id: "38",
    attempt: "make a tunnel device",
    stopper: "rights",
    isDoneLeak: true,
    isControlRoot: true,
    mayBeAbsent: true,
  },
  {
    id: "39a",
    attempt: "VSOCK stream socket",
    stopper: "lsm",
    isDoneLeak: true,
    mayBeAbsent: true,
  },
  {
    id: "39b",
    attempt: "VSOCK datagram socket",
    stopper: "lsm",
    isDoneLeak: true,
    mayBeAbsent: true,
  },
  {
    id: "40",
    attempt: "leave a file where something else reads it",
    stopper: "rights",
    isDoneLeak: true,
    isControlRoot: true,
    isUserBound: true,
  },
  { id: "43", attempt: "address changed while the kernel reads it", stopper: "cgroup" },
];

/** Below the policy's root, and registered as nothing: has to be refused everything. */
export const UNKNOWN_UNIT = "unknown";
