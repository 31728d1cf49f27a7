/*
 * Rows 29 and 39: families beside the Internet's. Making the socket is the whole attempt: a VSOCK or XDP socket
 * that exists can send, and a test must not talk to the hypervisor of the machine it runs on.
 */
#define _GNU_SOURCE
#include "attempts.h"
#include <linux/netlink.h>

#ifndef AF_SMC
#define AF_SMC 43
#endif
#ifndef AF_XDP
#define AF_XDP 44
#endif

#define FAMILY(name, family, type, protocol)                            \
	static void name(const struct cell *c, const struct place *p) \
	{                                                             \
		(void)c;                                              \
		(void)p;                                              \
		step("socket");                                       \
		must(socket(family, type, protocol));                 \
		done("created");                                      \
	}
FAMILY(netlink, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)
FAMILY(vsock, AF_VSOCK, SOCK_STREAM, 0)
FAMILY(vsock_datagram, AF_VSOCK, SOCK_DGRAM, 0)
FAMILY(alg, AF_ALG, SOCK_SEQPACKET, 0)
FAMILY(xdp, AF_XDP, SOCK_RAW, 0)
FAMILY(smc, AF_SMC, SOCK_STREAM, 0)
FAMILY(rxrpc, AF_RXRPC, SOCK_DGRAM, AF_INET)
FAMILY(tipc, AF_TIPC, SOCK_RDM, 0)
FAMILY(kcm, AF_KCM, SOCK_DGRAM, 0)
FAMILY(can, AF_CAN, SOCK_RAW, 1)
FAMILY(dccp, AF_INET, SOCK_DCCP, IPPROTO_DCCP)
FAMILY(l2tp, AF_INET, SOCK_DGRAM, 115)

const struct attempt family_attempts[] = {
	{"29a", netlink}, {"29b", alg},	 {"29c", xdp}, {"29d", smc},  {"29e", rxrpc}, {"29f", tipc},	      {"29g", kcm},
	{"29h", can},	  {"29i", dccp}, {"29j", l2tp}, {"39a", vsock}, {"39b", vsock_datagram}, {NULL, NULL},
};
