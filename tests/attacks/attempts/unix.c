/* Rows 20, 21 and 31: through a unix socket to somebody who has a network. */
#define _GNU_SOURCE
#include "attempts.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

static socklen_t broker_address(const struct place *place, const char *name, bool is_abstract, struct sockaddr_un *to)
{
	*to = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (is_abstract)
		snprintf(to->sun_path + 1, sizeof(to->sun_path) - 1, "%s/%s", place->broker, name);
	else
		snprintf(to->sun_path, sizeof(to->sun_path), "%s/%s", place->broker, name);
	return offsetof(struct sockaddr_un, sun_path) + is_abstract + strlen(to->sun_path + is_abstract);
}

static _Noreturn void tell_broker(const struct cell *cell, const struct place *place, int type, bool is_abstract)
{
	struct sockaddr_un to;
	socklen_t size = broker_address(place, type == SOCK_STREAM ? "stream" : "datagram", is_abstract, &to);
	int fd;

	step("socket");
	fd = must(socket(AF_UNIX, type, 0));
	if (type == SOCK_STREAM) {
		step("connect");
		must(connect(fd, (struct sockaddr *)&to, size));
		step("write");
		must((int)write(fd, cell->canary, CANARY_BYTES));
	} else {
		step("sendto");
		must((int)sendto(fd, cell->canary, CANARY_BYTES, 0, (struct sockaddr *)&to, size));
	}
	usleep(30000);
	done("sent");
}

/* 20c, 21c: a datagram socket connected first, then written to. */
static _Noreturn void tell_connected(const struct cell *cell, const struct place *place, bool is_abstract)
{
	struct sockaddr_un to;
	socklen_t size = broker_address(place, "datagram", is_abstract, &to);
	int fd;

	step("socket");
	fd = must(socket(AF_UNIX, SOCK_DGRAM, 0));
	step("connect");
	must(connect(fd, (struct sockaddr *)&to, size));
	step("write");
	must((int)write(fd, cell->canary, CANARY_BYTES));
	usleep(30000);
	done("sent");
}

/* 20d: half of a socket pair, which no family list forbids a worker, turned to the broker. */
static void turn_pair(const struct cell *cell, const struct place *place)
{
	struct sockaddr_un to;
	socklen_t size = broker_address(place, "datagram", false, &to);
	int pair[2];

	step("socketpair");
	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	step("sendto");
	must((int)sendto(pair[0], cell->canary, CANARY_BYTES, 0, (struct sockaddr *)&to, size));
	usleep(30000);
	done("sent");
}

#define TELL(name, type, is_abstract) \
	static void name(const struct cell *c, const struct place *p) { tell_broker(c, p, type, is_abstract); }
TELL(path_stream, SOCK_STREAM, false)
TELL(path_datagram, SOCK_DGRAM, false)
TELL(abstract_stream, SOCK_STREAM, true)
TELL(abstract_datagram, SOCK_DGRAM, true)

static void path_connected(const struct cell *cell, const struct place *place) { tell_connected(cell, place, false); }
static void abstract_connected(const struct cell *cell, const struct place *place) { tell_connected(cell, place, true); }

/* 31: whoever starts programs for others starts them outside the cgroup. Reaching one is counted as an escape. */
static void reach_starter(const struct cell *cell, const struct place *place)
{
	static const char *const starters[] = {"/run/dbus/system_bus_socket", "/run/systemd/private", "/run/docker.sock",
					       "/run/containerd/containerd.sock", "/run/podman/podman.sock", "/run/snapd.socket"};
	int fd, refused = 0;

	(void)cell;
	(void)place;
	for (size_t i = 0; i < sizeof(starters) / sizeof(starters[0]); i++) {
		struct sockaddr_un to = {.sun_family = AF_UNIX};

		strcpy(to.sun_path, starters[i]);
		step("socket");
		fd = must(socket(AF_UNIX, SOCK_STREAM, 0));
		if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
			done(starters[i]);
		if (errno != ENOENT)
			refused = errno;
		close(fd);
	}
	failed("connect", refused ? refused : ENOENT);
}

const struct attempt unix_attempts[] = {
	{"20a", path_stream},	  {"20b", path_datagram},     {"20c", path_connected},	   {"20d", turn_pair},
	{"21a", abstract_stream}, {"21b", abstract_datagram}, {"21c", abstract_connected}, {"31", reach_starter},
	{NULL, NULL},
};
