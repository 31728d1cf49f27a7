/* The policy that every host has. Each unit gets what its rule says; whatever is not understood is
 * refused.
 *
 *   gateway          answers on its own TCP port; never opens a connection
 *   fetcher, herald  TCP to listed endpoints until their deadline, checked at connect and for every
 *                    packet both ways
 *   all others       nothing, loopback included; so too every cgroup that nobody registered
 *
 * connect and sendmsg judge the running task, packets judge the cgroup that made the socket: a
 * socket handed from one unit to another must satisfy both. An attempt counts once, where it is
 * first refused.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "egress_maps.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define ALLOW             1
#define AF_INET           2
#define AF_INET6          10
#define SOCK_STREAM       1
#define SOCK_DGRAM        2
#define IPV4_PREFIX       bpf_htonl(0x0000ffff) /* third word of ::ffff:0:0/96 */
#define FRAGMENT          0x3fff                /* "more fragments", or any offset */
#define IPV4_PLAIN_HEADER 0x45                  /* version 4, no options */

enum direction { OUTBOUND, INBOUND };

static __always_inline int may_connect(__u32 kind, const struct attempt *attempt)
{
	return (kind == UNIT_FETCHER || kind == UNIT_HERALD) && attempt->protocol == IPPROTO_TCP &&
	       is_open(kind, attempt->address, attempt->port);
}

/* The warden probes from its own cgroup. Refused and counted like everything else, but not held
 * against it. */
static __always_inline int is_probe(const struct attempt *attempt)
{
	if (attempt->port != PROBE_PORT)
		return 0;
	if (attempt->address[2] == IPV4_PREFIX)
		return !attempt->address[0] && !attempt->address[1] &&
		       attempt->address[3] == bpf_htonl(PROBE_ADDRESS4);
	return attempt->address[0] == bpf_htonl(PROBE_ADDRESS6) && !attempt->address[1] &&
	       !attempt->address[2] && attempt->address[3] == bpf_htonl(1);
}

static __always_inline int judge_call(struct bpf_sock_addr *ctx, __u32 hook,
				      struct attempt *attempt)
{
	struct egress_unit *unit = current_unit();

	fill_current(attempt, unit);
	attempt->hook = hook;
	attempt->protocol = ctx->protocol;
	attempt->port = bpf_ntohs((__u16)ctx->user_port);
	attempt->has_address = 1;
	if (attempt->kind == UNIT_WARDEN && is_probe(attempt))
		attempt->kind = UNIT_PROBE;
	if (unit && (hook == HOOK_CONNECT4 || hook == HOOK_CONNECT6) &&
	    may_connect(unit->kind, attempt))
		return ALLOW;
	return refuse(attempt);
}

static __always_inline int judge_call4(struct bpf_sock_addr *ctx, __u32 hook)
{
	struct attempt attempt = { .address = { 0, 0, IPV4_PREFIX, ctx->user_ip4 } };

	return judge_call(ctx, hook, &attempt);
}

static __always_inline int judge_call6(struct bpf_sock_addr *ctx, __u32 hook)
{
	struct attempt attempt = { .address = { ctx->user_ip6[0], ctx->user_ip6[1],
						ctx->user_ip6[2], ctx->user_ip6[3] } };

	return judge_call(ctx, hook, &attempt);
}

SEC("cgroup/connect4") int connect4(struct bpf_sock_addr *ctx)
{
	return judge_call4(ctx, HOOK_CONNECT4);
}
SEC("cgroup/connect6") int connect6(struct bpf_sock_addr *ctx)
{
	return judge_call6(ctx, HOOK_CONNECT6);
}
SEC("cgroup/sendmsg4") int sendmsg4(struct bpf_sock_addr *ctx)
{
	return judge_call4(ctx, HOOK_SENDMSG4);
}
SEC("cgroup/sendmsg6") int sendmsg6(struct bpf_sock_addr *ctx)
{
	return judge_call6(ctx, HOOK_SENDMSG6);
}

/* TCP and UDP sockets may be made, so that what they try is seen above, with its address. Nothing
 * above sees UDP-Lite, SCTP, ping or raw sockets whole, so those end here. */
SEC("cgroup/sock_create")
int sock_create(struct bpf_sock *ctx)
{
	struct attempt attempt = { .hook = HOOK_SOCK_CREATE, .protocol = ctx->protocol };

	if ((ctx->family == AF_INET || ctx->family == AF_INET6) &&
	    ((ctx->type == SOCK_STREAM && ctx->protocol == IPPROTO_TCP) ||
	     (ctx->type == SOCK_DGRAM && ctx->protocol == IPPROTO_UDP)))
		return ALLOW;
	fill_current(&attempt, current_unit());
	return refuse(&attempt);
}

/* Joining a group makes the kernel itself send a report, and the group's address can carry a
 * message. */
SEC("cgroup/setsockopt")
int setsockopt(struct bpf_sockopt *ctx)
{
	struct attempt attempt = { .hook = HOOK_SETSOCKOPT };

	if (!(ctx->level == IPPROTO_IP &&
	      (ctx->optname == IP_ADD_MEMBERSHIP || ctx->optname == IP_ADD_SOURCE_MEMBERSHIP)) &&
	    !(ctx->level == IPPROTO_IPV6 &&
	      (ctx->optname == IPV6_ADD_MEMBERSHIP || ctx->optname == IPV6_JOIN_ANYCAST)) &&
	    !((ctx->level == IPPROTO_IP || ctx->level == IPPROTO_IPV6) &&
	      (ctx->optname == MCAST_JOIN_GROUP || ctx->optname == MCAST_JOIN_SOURCE_GROUP))) {
		/* The caller's own bytes are used; the kernel would refuse more than a page through
		 * here. */
		ctx->optlen = 0;
		return ALLOW;
	}
	attempt.protocol = ctx->sk ? ctx->sk->protocol : 0;
	fill_current(&attempt, current_unit());
	return refuse(&attempt);
}

/* Reads the far end of `skb` into `attempt`, its TCP header into `tcp`; 0 unless it is TCP in a
 * plain, whole packet. */
static __always_inline int read_packet(struct __sk_buff *skb, enum direction direction,
				       struct attempt *attempt, struct tcphdr *tcp)
{
	__u32 at;

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		struct iphdr ip;

		if (bpf_skb_load_bytes(skb, 0, &ip, sizeof(ip)))
			return 0;
		attempt->address[2] = IPV4_PREFIX;
		attempt->address[3] = direction == OUTBOUND ? ip.daddr : ip.saddr;
		attempt->has_address = 1;
		attempt->protocol = ip.protocol;
		if (*(__u8 *)&ip != IPV4_PLAIN_HEADER || (ip.frag_off & bpf_htons(FRAGMENT)))
			return 0;
		at = sizeof(ip);
	} else if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr ip;

		if (bpf_skb_load_bytes(skb, 0, &ip, sizeof(ip)))
			return 0;
		__builtin_memcpy(attempt->address, direction == OUTBOUND ? &ip.daddr : &ip.saddr,
				 sizeof(attempt->address));
		attempt->has_address = 1;
		attempt->protocol = ip.nexthdr;
		if (ip.version != 6)
			return 0;
		at = sizeof(ip);
	} else {
		return 0;
	}
	/* UDP keeps its ports in the same place, and the log should name them. */
	if (attempt->protocol == IPPROTO_TCP || attempt->protocol == IPPROTO_UDP) {
		__u16 ports[2];

		if (bpf_skb_load_bytes(skb, at, ports, sizeof(ports)))
			return 0;
		attempt->port = bpf_ntohs(ports[direction == OUTBOUND]);
	}
	return attempt->protocol == IPPROTO_TCP &&
	       !bpf_skb_load_bytes(skb, at, tcp, sizeof(*tcp)) && tcp->doff >= 5;
}

static __always_inline int may_pass(const struct egress_unit *unit, enum direction direction,
				    const struct attempt *attempt, const struct tcphdr *tcp)
{
	int is_opening = tcp->syn && !tcp->ack;

	switch (unit->kind) {
	case UNIT_GATEWAY:
		if (direction == INBOUND)
			return bpf_ntohs(tcp->dest) == unit->port;
		return bpf_ntohs(tcp->source) == unit->port && !is_opening;
	case UNIT_FETCHER:
	case UNIT_HERALD:
		if (direction == INBOUND && is_opening)
			return 0;
		return is_open(unit->kind, attempt->address, attempt->port);
	default: return 0;
	}
}

static __always_inline int judge_packet(struct __sk_buff *skb, enum direction direction)
{
	__u64 id = bpf_skb_ancestor_cgroup_id(skb, root.level + 1);
	struct egress_unit *unit = bpf_map_lookup_elem(&units, &id);
	struct attempt attempt = { .hook = direction == OUTBOUND ? HOOK_EGRESS : HOOK_INGRESS };
	struct tcphdr tcp = {};

	if (read_packet(skb, direction, &attempt, &tcp) && unit &&
	    may_pass(unit, direction, &attempt, &tcp))
		return ALLOW;
	attempt.kind = unit ? unit->kind : UNIT_UNKNOWN;
	attempt.cgroup = bpf_skb_cgroup_id(skb);
	return refuse(&attempt);
}

SEC("cgroup_skb/egress") int egress(struct __sk_buff *skb)
{
	return judge_packet(skb, OUTBOUND);
}
SEC("cgroup_skb/ingress") int ingress(struct __sk_buff *skb)
{
	return judge_packet(skb, INBOUND);
}
