/* Rows 1 to 12, 30 and 43: sockets of the Internet families that the cell makes for itself. */
#define _GNU_SOURCE
#include "attempts.h"
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef IPPROTO_UDPLITE
#define IPPROTO_UDPLITE 136
#endif

enum shape { V4, V6, MAPPED };
union any {
	struct sockaddr plain;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t address(const struct cell *cell, enum shape shape, int port, union any *to)
{
	if (shape == V4)
		to->v4 = address4(cell, port);
	else
		to->v6 = shape == V6 ? address6(cell, port) : mapped(cell, port);
	return shape == V4 ? sizeof(to->v4) : sizeof(to->v6);
}

static int make(enum shape shape, int type, int protocol)
{
	step("socket");
	return must(socket(shape == V4 ? AF_INET : AF_INET6, type, protocol));
}

void send_over(int fd, const struct cell *cell)
{
	step("send");
	must((int)send(fd, cell->canary, CANARY_BYTES, 0));
	poll(NULL, 0, 30); /* let the far end take it before the exit resets the connection */
	done("sent");
}

static _Noreturn void connect_and_send(const struct cell *cell, enum shape shape, int type, int protocol)
{
	union any to;
	socklen_t size = address(cell, shape, SINK_PORT, &to);
	int fd = make(shape, type, protocol);

	step("connect");
	must(connect(fd, &to.plain, size));
	send_over(fd, cell);
}

static _Noreturn void send_to(const struct cell *cell, enum shape shape, int type, int protocol, int flags)
{
	union any to;
	socklen_t size = address(cell, shape, SINK_PORT, &to);
	int fd = make(shape, type, protocol);

	step("sendto");
	must((int)sendto(fd, cell->canary, CANARY_BYTES, flags, &to.plain, size));
	poll(NULL, 0, 30);
	done("sent");
}

void send_udp(const struct cell *cell)
{
	send_to(cell, V4, SOCK_DGRAM, 0, 0);
}

#define CONNECTED(name, shape, type, protocol) \
	static void name(const struct cell *c, const struct place *p) { (void)p; connect_and_send(c, shape, type, protocol); }
#define UNCONNECTED(name, shape, type, protocol, flags) \
	static void name(const struct cell *c, const struct place *p) { (void)p; send_to(c, shape, type, protocol, flags); }

CONNECTED(tcp4, V4, SOCK_STREAM, 0)
CONNECTED(tcp6, V6, SOCK_STREAM, 0)
CONNECTED(tcp_mapped, MAPPED, SOCK_STREAM, 0)
CONNECTED(udp4, V4, SOCK_DGRAM, 0)
CONNECTED(udp6, V6, SOCK_DGRAM, 0)
CONNECTED(udp_mapped, MAPPED, SOCK_DGRAM, 0)
UNCONNECTED(sendto4, V4, SOCK_DGRAM, 0, 0)
UNCONNECTED(sendto6, V6, SOCK_DGRAM, 0, 0)
UNCONNECTED(sendto_mapped, MAPPED, SOCK_DGRAM, 0, 0)
UNCONNECTED(fast_open4, V4, SOCK_STREAM, 0, MSG_FASTOPEN)
UNCONNECTED(fast_open6, V6, SOCK_STREAM, 0, MSG_FASTOPEN)
CONNECTED(mptcp4, V4, SOCK_STREAM, IPPROTO_MPTCP)
CONNECTED(mptcp6, V6, SOCK_STREAM, IPPROTO_MPTCP)
CONNECTED(udplite4, V4, SOCK_DGRAM, IPPROTO_UDPLITE)
CONNECTED(udplite6, V6, SOCK_DGRAM, IPPROTO_UDPLITE)
UNCONNECTED(udplite_to4, V4, SOCK_DGRAM, IPPROTO_UDPLITE, 0)
UNCONNECTED(udplite_to6, V6, SOCK_DGRAM, IPPROTO_UDPLITE, 0)
CONNECTED(sctp4, V4, SOCK_STREAM, IPPROTO_SCTP)
CONNECTED(sctp6, V6, SOCK_STREAM, IPPROTO_SCTP)
UNCONNECTED(sctp_to4, V4, SOCK_SEQPACKET, IPPROTO_SCTP, 0)
UNCONNECTED(sctp_to6, V6, SOCK_SEQPACKET, IPPROTO_SCTP, 0)

/* 3d: several messages in one call; an audit of another product missed exactly this call. */
static void sendmmsg4(const struct cell *cell, const struct place *place)
{
	struct sockaddr_in to = address4(cell, SINK_PORT);
	struct iovec part = {(void *)cell->canary, CANARY_BYTES};
	struct mmsghdr messages[2] = {0};
	int fd = make(V4, SOCK_DGRAM, 0);

	(void)place;
	for (int i = 0; i < 2; i++)
		messages[i].msg_hdr = (struct msghdr){.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &part, .msg_iovlen = 1};
	step("sendmmsg");
	must(sendmmsg(fd, messages, 2, 0));
	done("sent");
}

/* 3e: UDP takes an address of family AF_UNSPEC for an IPv4 one. */
static void unspecified(const struct cell *cell, const struct place *place)
{
	struct sockaddr_in to = address4(cell, SINK_PORT);
	int fd = make(V4, SOCK_DGRAM, 0);

	(void)place;
	to.sin_family = AF_UNSPEC;
	step("sendto");
	must((int)sendto(fd, cell->canary, CANARY_BYTES, 0, (struct sockaddr *)&to, sizeof(to)));
	done("sent");
}

/* 3f: an IPv4 address on an IPv6 socket. */
static void four_on_six(const struct cell *cell, const struct place *place)
{
	struct sockaddr_in to = address4(cell, SINK_PORT);
	int fd = make(V6, SOCK_DGRAM, 0);

	(void)place;
	step("sendto");
	must((int)sendto(fd, cell->canary, CANARY_BYTES, 0, (struct sockaddr *)&to, sizeof(to)));
	done("sent");
}

struct echo {
	unsigned char type, code, checksum[2], identity[2], sequence[2], body[CANARY_BYTES];
};

static _Noreturn void ping(const struct cell *cell, enum shape shape, bool is_connected)
{
	struct echo echo = {.type = shape == V4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST};
	union any to;
	socklen_t size = address(cell, shape, 0, &to);
	int fd = make(shape, SOCK_DGRAM, shape == V4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);

	memcpy(echo.body, cell->canary, CANARY_BYTES);
	if (is_connected) {
		step("connect");
		must(connect(fd, &to.plain, size));
		step("send");
		must((int)send(fd, &echo, sizeof(echo), 0));
	} else {
		step("sendto");
		must((int)sendto(fd, &echo, sizeof(echo), 0, &to.plain, size));
	}
	done("sent");
}

#define PING(name, shape, is_connected) \
	static void name(const struct cell *c, const struct place *p) { (void)p; ping(c, shape, is_connected); }
PING(ping_to4, V4, false)
PING(ping_to6, V6, false)
PING(ping4, V4, true)
PING(ping6, V6, true)

/* Rows 12: the kernel itself reports the membership, and the group's address carries bits. */
static void join4(const struct cell *cell, const struct place *place)
{
	struct ip_mreqn request = {.imr_multiaddr = group4(cell), .imr_ifindex = (int)if_nametoindex(place->link)};
	int fd = make(V4, SOCK_DGRAM, 0);

	step("join");
	must(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof(request)));
	poll(NULL, 0, 300); /* the report goes out from a timer */
	done("sent");
}

static void join6(const struct cell *cell, const struct place *place)
{
	struct ipv6_mreq request = {.ipv6mr_multiaddr = group6(cell), .ipv6mr_interface = if_nametoindex(place->link)};
	int fd = make(V6, SOCK_DGRAM, 0);

	step("join");
	must(setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof(request)));
	poll(NULL, 0, 300);
	done("sent");
}

/* Rows 30: the words are a label of the question, so any resolver that is asked carries them on. */
static size_t question(const struct cell *cell, unsigned char *to)
{
	static const unsigned char head[12] = {0x12, 0x34, 1, 0, 0, 1};
	static const unsigned char tail[] = {7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0, 0, 16, 0, 1};

	memcpy(to, head, sizeof(head));
	to[12] = CANARY_BYTES;
	memcpy(to + 13, cell->canary, CANARY_BYTES);
	memcpy(to + 13 + CANARY_BYTES, tail, sizeof(tail));
	return 13 + CANARY_BYTES + sizeof(tail);
}

static _Noreturn void ask(const struct cell *cell, struct sockaddr_in to, int type)
{
	unsigned char bytes[96];
	size_t length = question(cell, bytes + 2);
	int fd = make(V4, type, 0);

	bytes[0] = 0;
	bytes[1] = (unsigned char)length;
	step("connect");
	must(connect(fd, (struct sockaddr *)&to, sizeof(to)));
	step("send");
	if (type == SOCK_STREAM)
		must((int)send(fd, bytes, length + 2, 0));
	else
		must((int)send(fd, bytes + 2, length, 0));
	poll(NULL, 0, 60);
	done("sent");
}

static void ask_resolver(const struct cell *cell, const struct place *place)
{
	(void)place;
	ask(cell, address4(cell, 53), SOCK_DGRAM);
}

static void ask_over_tcp(const struct cell *cell, const struct place *place)
{
	(void)place;
	ask(cell, address4(cell, 53), SOCK_STREAM);
}

static void ask_stub(const struct cell *cell, const struct place *place)
{
	struct sockaddr_in stub = {.sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(0x7f000035)};

	(void)place;
	ask(cell, stub, SOCK_DGRAM);
}

/* Row 43: another thread changes the address while the kernel reads it. */
#define RACES 1000
static struct sockaddr_in contested;
static volatile bool is_racing = true;

static void *flip(void *wanted)
{
	while (is_racing) {
		contested.sin_addr.s_addr = htonl(0x7f000001);
		contested.sin_addr = ((struct sockaddr_in *)wanted)->sin_addr;
	}
	return NULL;
}

static void race(const struct cell *cell, const struct place *place)
{
	struct sockaddr_in wanted = address4(cell, SINK_PORT);
	int refused = 0, fd = make(V4, SOCK_DGRAM, 0);
	pthread_t other;

	(void)place;
	contested = wanted;
	step("thread");
	must(pthread_create(&other, NULL, flip, &wanted) ? -1 : 0);
	step("sendto");
	for (int i = 0; i < RACES; i++, usleep(100)) /* the other thread gets its turns */
		if (sendto(fd, cell->canary, CANARY_BYTES, 0, (struct sockaddr *)&contested, sizeof(contested)) < 0)
			refused = errno;
	is_racing = false;
	if (refused)
		failed("sendto", refused);
	done("sent");
}

const struct attempt internet_attempts[] = {
	{"1a", tcp4},	      {"1b", tcp6},	   {"1c", tcp_mapped},	 {"2a", udp4},	       {"2b", udp6},
	{"2c", udp_mapped},   {"3a", sendto4},	   {"3b", sendto6},	 {"3c", sendto_mapped}, {"3d", sendmmsg4},
	{"3e", unspecified},  {"3f", four_on_six}, {"4a", fast_open4},	 {"4b", fast_open6},   {"5a", mptcp4},
	{"5b", mptcp6},	      {"6a", udplite4},	   {"6b", udplite6},	 {"7a", udplite_to4},  {"7b", udplite_to6},
	{"8a", sctp4},	      {"8b", sctp6},	   {"9a", sctp_to4},	 {"9b", sctp_to6},     {"10a", ping_to4},
	{"10b", ping_to6},    {"11a", ping4},	   {"11b", ping6},	 {"12a", join4},       {"12b", join6},
	{"30a", ask_resolver}, {"30b", ask_stub},  {"30c", ask_over_tcp}, {"43", race},	       {NULL, NULL},
};
