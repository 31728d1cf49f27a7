/*
 * Real attempts from inside each unit, in a network namespace with a sniffing peer: what is
 * refused, with which error, what is counted, and that nothing arrives. The control, a process
 * outside, must arrive.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "../clock.h"
#include "../units.h"
#include "../window.h"
#include "check.h"
#include "stage.h"

#define GATEWAY_PORT "8443"

struct call {
	int family, type, protocol;
	const char *to;
	int port;
	int is_sendto;
	int flags;
	int bind_port;
};

static struct stage stage;
static struct peer peer;

static socklen_t address_of(const struct call *call, struct sockaddr_storage *out)
{
	struct sockaddr_in *four = (struct sockaddr_in *)out;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (call->family == AF_INET) {
		four->sin_family = AF_INET;
		four->sin_port = htons((uint16_t)call->port);
		inet_pton(AF_INET, call->to, &four->sin_addr);
		return sizeof(*four);
	}
	six->sin6_family = AF_INET6;
	six->sin6_port = htons((uint16_t)call->port);
	inet_pton(AF_INET6, call->to, &six->sin6_addr);
	return sizeof(*six);
}

/* The errno of what failed first; 0 when all of it worked. */
static int try_call(void *context)
{
	const struct call *call = context;
	struct sockaddr_storage to;
	socklen_t length = address_of(call, &to);
	int fd = socket(call->family, call->type, call->protocol);
	int one = 1, failed;

	if (fd < 0)
		return errno;
	if (call->bind_port) {
		struct call own = { .family = call->family,
				    .to = "0.0.0.0",
				    .port = call->bind_port };
		struct sockaddr_storage from;

		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (bind(fd, (struct sockaddr *)&from, address_of(&own, &from)))
			return errno;
	}
	if (call->is_sendto)
		failed = sendto(fd, "x", 1, call->flags, (struct sockaddr *)&to, length) < 0;
	else
		failed = connect(fd, (struct sockaddr *)&to, length) || send(fd, "x", 1, 0) < 0;
	return failed ? errno : 0;
}

static unsigned interface;

/* Groups of this site, by both names of the option. */
static int join4(void *context)
{
	struct ip_mreqn group = { .imr_multiaddr.s_addr = htonl(0xefff0001),
				  .imr_ifindex = (int)interface };
	struct group_req any = { .gr_interface = interface, .gr_group.ss_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	((struct sockaddr_in *)&any.gr_group)->sin_addr = group.imr_multiaddr;
	(void)context;
	return setsockopt(fd, IPPROTO_IP, MCAST_JOIN_GROUP, &any, sizeof(any)) == 0        ? 0
	       : setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)) == 0 ? 0
											   : errno;
}

static int join6(void *context)
{
	struct ipv6_mreq group = { .ipv6mr_multiaddr.s6_addr = { 0xff, 5, [14] = 0x12, 0x34 },
				   .ipv6mr_interface = interface };
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	(void)context;
	return setsockopt(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &group, sizeof(group)) == 0
		       ? 0
		       : errno;
}

/* Other options, one of them longer than a page. */
static int other_options(void *context)
{
	static char name[8192];
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1, size = 0;
	socklen_t length = sizeof(size);

	(void)context;
	memcpy(name, &one, sizeof(one));
	return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, name, sizeof(name)) ||
			       setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) ||
			       getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &size, &length)
		       ? errno
	       : size ? 0
		      : EINVAL;
}

static const struct {
	const char *sentence;
	struct call call;
} calls[] = {
	{ "TCP over IPv4 is refused", { AF_INET, SOCK_STREAM, 0, "10.9.0.2", 443, .flags = 0 } },
	{ "TCP over IPv6 is refused", { AF_INET6, SOCK_STREAM, 0, "fd09::2", 443, .flags = 0 } },
	{ "TCP to a mapped address is refused",
	  { AF_INET6, SOCK_STREAM, 0, "::ffff:10.9.0.2", 443, .flags = 0 } },
	{ "connected UDP is refused", { AF_INET, SOCK_DGRAM, 0, "10.9.0.2", 53, .flags = 0 } },
	{ "connected UDP over IPv6 is refused",
	  { AF_INET6, SOCK_DGRAM, 0, "fd09::2", 53, .flags = 0 } },
	{ "UDP without a connection is refused",
	  { AF_INET, SOCK_DGRAM, 0, "10.9.0.2", 53, .is_sendto = 1 } },
	{ "UDP over IPv6 without one is refused",
	  { AF_INET6, SOCK_DGRAM, 0, "fd09::2", 53, .is_sendto = 1 } },
	{ "UDP to a mapped address is refused",
	  { AF_INET6, SOCK_DGRAM, 0, "::ffff:10.9.0.2", 53, .is_sendto = 1 } },
	{ "TCP Fast Open is refused",
	  { AF_INET, SOCK_STREAM, 0, "10.9.0.2", 443, .is_sendto = 1, .flags = MSG_FASTOPEN } },
	{ "TCP to loopback is refused", { AF_INET, SOCK_STREAM, 0, "127.0.0.1", 443, .flags = 0 } },
	{ "UDP to loopback is refused", { AF_INET6, SOCK_DGRAM, 0, "::1", 53, .is_sendto = 1 } },
	{ "a raw socket is refused",
	  { AF_INET, SOCK_RAW, IPPROTO_ICMP, "10.9.0.2", 0, .is_sendto = 1 } },
	{ "a raw socket over IPv6 is refused",
	  { AF_INET6, SOCK_RAW, IPPROTO_RAW, "fd09::2", 0, .is_sendto = 1 } },
	{ "MPTCP is refused",
	  { AF_INET, SOCK_STREAM, IPPROTO_MPTCP, "10.9.0.2", 443, .flags = 0 } },
	{ "UDP-Lite is refused",
	  { AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE, "10.9.0.2", 53, .is_sendto = 1 } },
	{ "SCTP is refused", { AF_INET, SOCK_STREAM, IPPROTO_SCTP, "10.9.0.2", 443, .flags = 0 } },
};

static void nothing_leaves(const char *unit, const char *counted_as)
{
	unsigned expected = 0;
	unsigned long long before = stage_attempts(&stage, counted_as);

	for (unsigned i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		struct call call = calls[i].call;
		int error = stage_in(&stage, unit, try_call, &call);

		/* What this kernel was built without has nothing to refuse. */
		if (error == EPROTONOSUPPORT || error == ESOCKTNOSUPPORT)
			continue;
		expected++;
		check(calls[i].sentence, error == EPERM);
		if (error != EPERM)
			printf("        %s: %s\n", unit, strerror(error));
	}
	check("joining a group is refused, which would make the kernel send",
	      stage_in(&stage, unit, join4, NULL) == EPERM);
	check("over IPv6 too", stage_in(&stage, unit, join6, NULL) == EPERM);
	expected += 3;
	check("other options work", stage_in(&stage, unit, other_options, NULL) == 0);
	check("every refused call is counted once",
	      stage_attempts(&stage, counted_as) == before + expected);
	check("not one packet arrived", peer_frames(&peer) == 0);
	printf("        %s: %u calls\n", unit, expected);
}

/* Listens, and says with 0 that a connection came in and was answered. */
static int serve(void *context)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(*(uint16_t *)context) };
	int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1, fd;
	struct pollfd wait = { .fd = listener, .events = POLLIN };
	char byte;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&any, sizeof(any)) || listen(listener, 1))
		return 2;
	if (poll(&wait, 1, 700) != 1)
		return 3;
	fd = accept(listener, NULL, NULL);
	return read(fd, &byte, 1) == 1 && write(fd, &byte, 1) == 1 ? 0 : 4;
}

/* Asks from outside; 0 when an answer came. */
static int ask(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval limit = { .tv_usec = 600000 };
	char byte = 'x';
	int fd, result = -1;

	for (int i = 0; i < 3 && result; i++) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		usleep(100000);
		if (!connect(fd, (struct sockaddr *)&to, sizeof(to)) && write(fd, &byte, 1) == 1 &&
		    read(fd, &byte, 1) == 1)
			result = 0;
		close(fd);
		if (errno == EINPROGRESS)
			break;
	}
	return result;
}

static int serves(const char *unit, uint16_t port)
{
	pid_t pid = fork();
	int answered;

	if (!pid)
		_exit(stage_in(&stage, unit, serve, &port));
	answered = !ask(port);
	kill(pid, SIGKILL);
	return answered;
}

static int open_unix(void *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	return connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address,
		       (socklen_t)(sizeof(sa_family_t) + strlen(path) + 1))
		       ? errno
		       : 0;
}

static int send_unix(void *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	return sendto(socket(AF_UNIX, SOCK_DGRAM, 0), "x", 1, 0, (struct sockaddr *)&address,
		      sizeof(address)) < 0
		       ? errno
		       : 0;
}

static int use_pair(void *context)
{
	int ends[2];

	(void)context;
	return socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) || send(ends[0], "x", 1, 0) != 1 ? errno
											 : 0;
}

static void unix_tier(void)
{
	char listed[128], other[128], longer[128], around[128];
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (strstr(stage.said, "\"unix\",") == NULL && strstr(stage.said, "\"unix\"]") == NULL) {
		printf("        no unix tier on this kernel\n");
		return;
	}
	snprintf(listed, sizeof(listed), "%s/for-worker.sock", stage.folder);
	snprintf(other, sizeof(other), "%s/other.sock", stage.folder);
	snprintf(longer, sizeof(longer), "%s/for-worker.sock2", stage.folder);
	snprintf(around, sizeof(around), "%s/../%s/for-worker.sock", stage.folder,
		 strrchr(stage.folder, '/') + 1);
	const char *paths[] = { listed, other, longer };
	for (int i = 0; i < 3; i++) {
		strcpy(address.sun_path, paths[i]);
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		check("a broker listens",
		      !bind(fd, (struct sockaddr *)&address, sizeof(address)) && !listen(fd, 8));
	}
	check("a worker connects to the path that is listed for it",
	      stage_in(&stage, "worker", open_unix, listed) == 0);
	check("not to another path", stage_in(&stage, "worker", open_unix, other) == EPERM);
	check("not to a path that begins with the listed one",
	      stage_in(&stage, "worker", open_unix, longer) == EPERM);
	check("not by another spelling of the listed one",
	      stage_in(&stage, "worker", open_unix, around) == EPERM);
	check("a clerk has no part in a worker's list",
	      stage_in(&stage, "clerk", open_unix, listed) == EPERM);
	check("a fetcher connects nowhere",
	      stage_in(&stage, "fetcher", open_unix, listed) == EPERM);
	check("a keeper and a gateway connect nowhere that is not listed for them",
	      stage_in(&stage, "keeper", open_unix, other) == EPERM &&
		      stage_in(&stage, "gateway", open_unix, other) == EPERM);
	check("a worker sends no datagram to a path",
	      stage_in(&stage, "worker", send_unix, other) == EPERM);
	check("a pair of sockets is nobody else's",
	      stage_in(&stage, "worker", use_pair, NULL) == 0);
}

static void window(void)
{
	int endpoints = stage_pin(&stage, "endpoints");
	struct call listed = { AF_INET, SOCK_STREAM, 0, "10.9.0.2", 443, .flags = 0 };
	struct call mapped = { AF_INET6, SOCK_STREAM, 0, "::ffff:10.9.0.2", 443, .flags = 0 };
	struct call fast = { AF_INET,        SOCK_STREAM,          0, "10.9.0.2", 443,
			     .is_sendto = 1, .flags = MSG_FASTOPEN };
	struct call port = { AF_INET, SOCK_STREAM, 0, "10.9.0.2", 80, .flags = 0 };
	struct call udp = { AF_INET, SOCK_DGRAM, 0, "10.9.0.2", 443, .is_sendto = 1 };
	struct call connected_udp = { AF_INET, SOCK_DGRAM, 0, "10.9.0.2", 443, .flags = 0 };
	unsigned char address[16];

	inet_pton(AF_INET6, "::ffff:10.9.0.2", address);
	window_list(endpoints, address, 443, boot_ns() + 60 * 1000000000ULL);
	check("a fetcher reaches a listed endpoint",
	      stage_in(&stage, "fetcher", try_call, &listed) == 0);
	check("also by its mapped name", stage_in(&stage, "fetcher", try_call, &mapped) == 0);
	peer_frames(&peer);
	check("not its other ports", stage_in(&stage, "fetcher", try_call, &port) == EPERM);
	check("not by UDP", stage_in(&stage, "fetcher", try_call, &udp) == EPERM);
	check("not by connected UDP",
	      stage_in(&stage, "fetcher", try_call, &connected_udp) == EPERM);
	check("nothing of that arrived", peer_frames(&peer) == 0);
	check("TCP Fast Open goes where connect may",
	      stage_in(&stage, "fetcher", try_call, &fast) == 0);
	peer_frames(&peer);
	nothing_leaves("worker", "worker");
	nothing_leaves("keeper", "keeper");
	window_close(endpoints);
	check("after the window it reaches nothing",
	      stage_in(&stage, "fetcher", try_call, &listed) == EPERM);
	close(endpoints);
}

int main(void)
{
	struct call control = { AF_INET, SOCK_STREAM, 0, "10.9.0.2", 443, .flags = 0 };
	struct call own_port = { AF_INET, SOCK_STREAM, 0, "10.9.0.2", 443, .bind_port = 8443 };
	static const char *const units[] = { "worker", "clerk",   "keeper",
					     "warden", "gateway", "fetcher" };
	char listed[160];

	stage_make(&stage);
	peer_make(&peer);
	snprintf(listed, sizeof(listed), "worker=%s/for-worker.sock", stage.folder);
	if (stage_start(&stage, "--make-cgroup", "--unix", listed, NULL))
		return printf("the warden did not start: %s\n", stage.said), stage_remove(&stage),
		       1;
	interface = if_nametoindex("stage0");
	check("the control, outside, joins groups", join4(NULL) == 0 && join6(NULL) == 0);
	check("the control, outside, connects", try_call(&control) == 0);
	check("and its packets arrive", peer_frames(&peer) > 0);
	nothing_leaves("gateway", "unknown"); /* not registered yet */
	char of[300];
	snprintf(of, sizeof(of), "%s/gateway", stage.cgroup);
	check("a gateway is registered with its port",
	      stage_warden(&stage, "admit", "gateway", "--port", GATEWAY_PORT, "--of", of, NULL) ==
		      0);
	for (unsigned i = 0; i < sizeof(units) / sizeof(*units); i++)
		nothing_leaves(units[i], units[i]);
	check("a gateway opens nothing from its own port either",
	      stage_in(&stage, "gateway", try_call, &own_port) == EPERM);
	check("a gateway answers on its port", serves("gateway", 8443));
	check("not on another", !serves("gateway", 8444));
	check("a worker answers on none", !serves("worker", 8445));
	window();
	stage_warden(&stage, "status", "--json", NULL);
	unix_tier();
	check("attempts are logged or lost, exactly", stage_adds_up(&stage));
	peer_end(&peer);
	stage_end(&stage, SIGTERM);
	stage_remove(&stage);
	return conclude();
}
