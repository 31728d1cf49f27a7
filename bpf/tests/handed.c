/*
 * What the cgroup hooks cannot judge: sockets made elsewhere and handed in, families that are not
 * IP, Unix brokers. With the LSM tier every one is refused and counted; without it this says which
 * stay open on this kernel, and that is not called a success.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_alg.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "check.h"
#include "stage.h"

static struct stage stage;
static int has_lsm;
static char listed[128], other[128];

struct attempt {
	const char *what;
	int (*work)(void *);
	void *context;
};

static int send_on(void *fd)
{
	return send(*(int *)fd, "x", 1, MSG_NOSIGNAL) < 0 ? errno : 0;
}

static int send_to(void *fd)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(5353),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return sendto(*(int *)fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) < 0 ? errno : 0;
}

static int connect_with(void *fd)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(5454),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return connect(*(int *)fd, (struct sockaddr *)&to, sizeof(to)) ? errno : 0;
}

static int send_file(void *fd)
{
	int file = memfd_create("bytes", 0);

	if (write(file, "x", 1) != 1)
		return ENOSPC;
	return sendfile(*(int *)fd, file, &(off_t){ 0 }, 1) == 1 ? 0 : errno;
}

static int splice_into(void *fd)
{
	int ends[2];

	if (pipe(ends) || write(ends[1], "x", 1) != 1)
		return EPIPE;
	return splice(ends[0], NULL, *(int *)fd, NULL, 1, 0) == 1 ? 0 : errno;
}

static int write_on(void *fd)
{
	return write(*(int *)fd, "x", 1) == 1 ? 0 : errno;
}

/* 239.255.0.1 and ff05::1234, of this site only. */
static int join_group(void *fd)
{
	struct ip_mreqn group = { .imr_multiaddr.s_addr = htonl(0xefff0001), .imr_ifindex = 1 };

	return setsockopt(*(int *)fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)) &&
			       errno != EADDRINUSE
		       ? errno
		       : 0;
}

static int make(void *triple)
{
	const int *what = triple;

	return socket(what[0], what[1], what[2]) < 0 ? errno : 0;
}

static socklen_t unix_address(struct sockaddr_un *address, const char *path)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, path, strlen(path));
	if (*path == '@')
		address->sun_path[0] = 0;
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) +
			   (*path == '@' ? 0 : 1));
}

static int connect_unix(void *path)
{
	struct sockaddr_un address;
	socklen_t length = unix_address(&address, path);

	return connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, length) ? errno
											     : 0;
}

static int send_unix(void *path)
{
	struct sockaddr_un address;
	socklen_t length = unix_address(&address, path);

	return sendto(socket(AF_UNIX, SOCK_DGRAM, 0), "x", 1, 0, (struct sockaddr *)&address,
		      length) < 0
		       ? errno
		       : 0;
}

static int connect_dgram(void *path)
{
	struct sockaddr_un address;
	socklen_t length = unix_address(&address, path);

	return connect(socket(AF_UNIX, SOCK_DGRAM, 0), (struct sockaddr *)&address, length) ? errno
											    : 0;
}

static int use_pairs(void *context)
{
	int ends[2];

	(void)context;
	return socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) || send(ends[0], "x", 1, 0) != 1 ||
			       socketpair(AF_UNIX, SOCK_STREAM, 0, ends) ||
			       send(ends[0], "x", 1, 0) != 1
		       ? errno
		       : 0;
}

static int listen_unix(const char *path, int type)
{
	struct sockaddr_un address;
	socklen_t length = unix_address(&address, path);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	check("a broker outside is there", !bind(fd, (struct sockaddr *)&address, length) &&
						   (type == SOCK_DGRAM || !listen(fd, 64)));
	return fd;
}

static int listen_tcp(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(5454) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	check("a server outside is there",
	      !bind(fd, (struct sockaddr *)&any, sizeof(any)) && !listen(fd, 64));
	return fd;
}

static void refused(const char *unit, const struct attempt *attempt)
{
	unsigned long long before = stage_attempts(&stage, unit);
	int error = stage_in(&stage, unit, attempt->work, attempt->context);

	if (error == EAFNOSUPPORT || error == EPROTONOSUPPORT || error == ESOCKTNOSUPPORT) {
		printf("        not in this kernel: %s\n", attempt->what);
	} else if (has_lsm) {
		check("it is refused, and counted once",
		      error == EPERM && stage_attempts(&stage, unit) == before + 1);
		if (error != EPERM || stage_attempts(&stage, unit) != before + 1)
			printf("        %s: %s: %s\n", unit, attempt->what, strerror(error));
	} else if (error == 0) {
		printf("        open on this kernel: %s: %s\n", unit, attempt->what);
	}
}

int main(void)
{
	int server, udp, fresh, connected, connected_udp, pair[2];
	int packet[] = { AF_PACKET, SOCK_RAW, 0 }, netlink[] = { AF_NETLINK, SOCK_RAW, 0 },
	    vsock[] = { 40, SOCK_STREAM, 0 }, alg[] = { AF_ALG, SOCK_SEQPACKET, 0 },
	    key[] = { AF_KEY, SOCK_RAW, 2 };
	static const char *const units[] = { "worker", "clerk", "fetcher", "keeper" };
	char option[160], abstract[64], datagram[128];

	stage_make(&stage);
	snprintf(listed, sizeof(listed), "%s/listed.sock", stage.folder);
	snprintf(other, sizeof(other), "%s/other.sock", stage.folder);
	snprintf(datagram, sizeof(datagram), "%s/datagram.sock", stage.folder);
	snprintf(abstract, sizeof(abstract), "@phantoma-test-%d", getpid());
	snprintf(option, sizeof(option), "worker=%s", listed);
	if (stage_start(&stage, "--make-cgroup", "--unix", option, NULL))
		return printf("the warden did not start: %s\n", stage.said), stage_remove(&stage),
		       1;
	stage_warden(&stage, "status", "--json", NULL);
	has_lsm = strstr(stage.said, "\"lsm\"]") != NULL;
	printf("        %s\n", has_lsm ? "with the LSM tier" : "without the LSM tier");

	server = listen_tcp();
	listen_unix(listed, SOCK_STREAM);
	listen_unix(other, SOCK_STREAM);
	listen_unix(abstract, SOCK_STREAM);
	listen_unix(datagram, SOCK_DGRAM);
	udp = socket(AF_INET, SOCK_DGRAM, 0);
	fresh = socket(AF_INET, SOCK_STREAM, 0);
	connected = socket(AF_INET, SOCK_STREAM, 0);
	connected_udp = socket(AF_INET, SOCK_DGRAM, 0);
	check("the control outside connects",
	      connect_with(&connected) == 0 && accept(server, NULL, NULL) >= 0);
	check("and sends in every way",
	      send_on(&connected) == 0 && send_to(&udp) == 0 && connect_with(&connected_udp) == 0 &&
		      send_file(&connected) == 0 && splice_into(&connected) == 0 &&
		      splice_into(&connected_udp) == 0 && write_on(&connected) == 0 &&
		      join_group(&udp) == 0);
	check("and makes what it likes", make(packet) == 0 && make(netlink) == 0);
	check("and reaches the brokers",
	      connect_unix(other) == 0 && connect_unix(abstract) == 0 && send_unix(datagram) == 0);

	const struct attempt attempts[] = {
		{ "an inherited UDP socket sends", send_to, &udp },
		{ "an inherited connection sends", send_on, &connected },
		{ "a socket made before connects", connect_with, &fresh },
		{ "sendfile into an inherited connection", send_file, &connected },
		{ "splice into an inherited connection", splice_into, &connected },
		{ "splice into an inherited UDP socket", splice_into, &connected_udp },
		{ "write on an inherited connection", write_on, &connected },
		{ "an inherited socket joins a group", join_group, &udp },
		{ "AF_PACKET", make, packet },
		{ "AF_NETLINK", make, netlink },
		{ "AF_VSOCK", make, vsock },
		{ "AF_ALG", make, alg },
		{ "AF_KEY", make, key },
	};
	const struct attempt brokers[] = {
		{ "a broker by its path", connect_unix, other },
		{ "an abstract broker", connect_unix, abstract },
		{ "a datagram to a broker", send_unix, datagram },
		{ "a datagram socket that connects to one", connect_dgram, datagram },
	};
	for (unsigned u = 0; u < 4; u++) {
		for (unsigned i = 0; i < sizeof(attempts) / sizeof(*attempts); i++)
			refused(units[u], &attempts[i]);
		for (unsigned i = 0; i < sizeof(brokers) / sizeof(*brokers); i++)
			refused(units[u], &brokers[i]);
	}
	check("a worker reaches the path that is listed for it",
	      stage_in(&stage, "worker", connect_unix, listed) == 0);
	check("a pair of its own works", stage_in(&stage, "worker", use_pairs, NULL) == 0);
	check("an inherited Unix connection works",
	      !socketpair(AF_UNIX, SOCK_STREAM, 0, pair) &&
		      stage_in(&stage, "worker", send_on, pair) == 0);
	check("who is outside is not affected",
	      connect_unix(other) == 0 && send_to(&udp) == 0 && make(packet) == 0);
	check("attempts are logged or lost, exactly", stage_adds_up(&stage));
	stage_end(&stage, SIGTERM);
	stage_remove(&stage);
	return conclude();
}
