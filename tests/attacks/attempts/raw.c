/* Rows 22, 23 and 25: what needs CAP_NET_RAW or CAP_SYS_ADMIN. */
#define _GNU_SOURCE
#include "attempts.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#define EXPERIMENT 253 /* RFC 3692: a protocol number that is nobody's */

static _Noreturn void send_raw(const struct cell *cell, int family, int protocol, const void *bytes, size_t length)
{
	struct sockaddr_in four = address4(cell, 0);
	struct sockaddr_in6 six = address6(cell, 0);
	bool is_four = family == AF_INET;
	int fd;

	step("socket");
	fd = must(socket(family, SOCK_RAW, protocol));
	step("sendto");
	must((int)sendto(fd, bytes, length, 0, is_four ? (struct sockaddr *)&four : (struct sockaddr *)&six,
			 is_four ? sizeof(four) : sizeof(six)));
	done("sent");
}

static void raw_echo4(const struct cell *cell, const struct place *place)
{
	unsigned char echo[8 + CANARY_BYTES] = {8};
	unsigned sum = 0;

	(void)place;
	memcpy(echo + 8, cell->canary, CANARY_BYTES);
	for (size_t i = 0; i < sizeof(echo); i += 2)
		sum += (unsigned)(echo[i] << 8 | echo[i + 1]);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = ~(sum + (sum >> 16)) & 0xffff;
	echo[2] = (unsigned char)(sum >> 8);
	echo[3] = (unsigned char)sum;
	send_raw(cell, AF_INET, IPPROTO_ICMP, echo, sizeof(echo));
}

static void raw_echo6(const struct cell *cell, const struct place *place)
{
	unsigned char echo[8 + CANARY_BYTES] = {128};

	(void)place;
	memcpy(echo + 8, cell->canary, CANARY_BYTES);
	send_raw(cell, AF_INET6, IPPROTO_ICMPV6, echo, sizeof(echo));
}

/* 22b: the whole header is the attempt's own, UDP inside. */
static void own_header(const struct cell *cell, const struct place *place)
{
	struct {
		struct iphdr ip;
		unsigned char udp[8], body[CANARY_BYTES];
	} packet = {.ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP, .daddr = address4(cell, 0).sin_addr.s_addr},
		    .udp = {0x1b, 0x58, 0x1b, 0x58, 0, 8 + CANARY_BYTES}};

	(void)place;
	memcpy(packet.body, cell->canary, CANARY_BYTES);
	send_raw(cell, AF_INET, IPPROTO_RAW, &packet, sizeof(packet));
}

static void experiment4(const struct cell *cell, const struct place *place)
{
	(void)place;
	send_raw(cell, AF_INET, EXPERIMENT, cell->canary, CANARY_BYTES);
}

static void experiment6(const struct cell *cell, const struct place *place)
{
	(void)place;
	send_raw(cell, AF_INET6, EXPERIMENT, cell->canary, CANARY_BYTES);
}

/* 23: below IP, where no hook on IP looks. */
static void frame(const struct cell *cell, const struct place *place)
{
	unsigned char bytes[14 + CANARY_BYTES + 30] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x88, 0xb5};
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_protocol = htons(0x88b5), .sll_halen = 6};
	int fd;

	memcpy(bytes + 14, cell->canary, CANARY_BYTES);
	step("socket");
	fd = must(socket(AF_PACKET, SOCK_RAW, 0));
	step("link");
	to.sll_ifindex = (int)if_nametoindex(place->link);
	if (to.sll_ifindex == 0)
		must(-1);
	step("sendto");
	must((int)sendto(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&to, sizeof(to)));
	done("sent");
}

/* 25: into a namespace that has a network. */
static void enter_namespace(const struct cell *cell, const struct place *place)
{
	int fd;

	step("open-netns");
	fd = must(open(place->netns, O_RDONLY));
	step("unshare");
	must(unshare(CLONE_NEWNET));
	step("setns");
	must(setns(fd, CLONE_NEWNET));
	send_udp(cell);
}

const struct attempt raw_attempts[] = {
	{"22a", raw_echo4},   {"22b", own_header}, {"22c", experiment4},	 {"22d", raw_echo6},
	{"22e", experiment6}, {"23", frame},	   {"25", enter_namespace}, {NULL, NULL},
};
