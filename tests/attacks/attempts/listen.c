/* Rows 15: what answers an inbound connection sends as well. A gateway may do so at its own port, and nowhere else. */
#define _GNU_SOURCE
#include "attempts.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

static int listen_at(int family, int port)
{
	struct sockaddr_in six4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 six6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	bool is_four = family == AF_INET;
	int fd, on = 1;

	step("socket");
	fd = must(socket(family, SOCK_STREAM, 0));
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)); /* 15c to 15e share the port */
	step("bind");
	must(bind(fd, is_four ? (struct sockaddr *)&six4 : (struct sockaddr *)&six6, is_four ? sizeof(six4) : sizeof(six6)));
	step("listen");
	must(listen(fd, 4));
	return fd;
}

static _Noreturn void answer(const struct cell *cell, const struct place *place, int family, int port)
{
	struct pollfd listening = {.fd = listen_at(family, port), .events = POLLIN};

	step("accept");
	if (poll(&listening, 1, place->seconds * 400) <= 0) /* well before its time is over */
		failed("accept", ETIMEDOUT);
	send_over(must(accept(listening.fd, NULL, NULL)), cell);
}

static void answer4(const struct cell *cell, const struct place *place)
{
	answer(cell, place, AF_INET, FIRST_OWN_PORT + cell->number);
}

static void answer6(const struct cell *cell, const struct place *place)
{
	answer(cell, place, AF_INET6, FIRST_OWN_PORT + cell->number);
}

/* 15c: the gateway's own work. It must go through, or the policy would be one that blocks everything. */
static void answer_own(const struct cell *cell, const struct place *place)
{
	answer(cell, place, AF_INET, place->own_port);
}

/* 15d: out again from the port that is allowed to answer: a bare SYN must not pass. */
static void call_from_own(const struct cell *cell, const struct place *place)
{
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_port = htons(place->own_port)};
	struct sockaddr_in to = address4(cell, SINK_PORT);
	int fd, on = 1;

	step("socket");
	fd = must(socket(AF_INET, SOCK_STREAM, 0));
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)); /* 15c to 15e share the port */
	step("bind");
	must(bind(fd, (struct sockaddr *)&from, sizeof(from)));
	step("connect");
	must(connect(fd, (struct sockaddr *)&to, sizeof(to)));
	send_over(fd, cell);
}

/* 15e: UDP from the number of that port. */
static void udp_from_own(const struct cell *cell, const struct place *place)
{
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_port = htons(place->own_port)};
	struct sockaddr_in to = address4(cell, SINK_PORT);
	int fd;

	step("socket");
	fd = must(socket(AF_INET, SOCK_DGRAM, 0));
	step("bind");
	must(bind(fd, (struct sockaddr *)&from, sizeof(from)));
	step("sendto");
	must((int)sendto(fd, cell->canary, CANARY_BYTES, 0, (struct sockaddr *)&to, sizeof(to)));
	done("sent");
}

const struct attempt listen_attempts[] = {
	{"15a", answer4}, {"15b", answer6}, {"15c", answer_own}, {"15d", call_from_own}, {"15e", udp_from_own}, {NULL, NULL},
};
