/*
 * Row 37: as many attempts as possible, to drown a log or to find the moment when nobody looks. Run in its place
 * by launch or a unit like every other part; prints "flood TRIED REFUSED" at the end.
 *
 *   flood COUNT SECONDS UID PAUSE     ends at whichever comes first, or at SIGTERM; PAUSE microseconds between two attempts
 */
#define _GNU_SOURCE
#include "attempts.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define KINDS 3

static volatile sig_atomic_t is_over;

static void end_early(int signal)
{
	(void)signal;
	is_over = 1;
}

int flood_main(int argc, char **argv)
{
	struct cell cell;
	char line[128];
	long count, tried = 0, refused = 0;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
	time_t end;
	unsigned pause;
	int fd4, fd6;

	if (argc != 5 || !fgets(line, sizeof(line), stdin) || !read_cell(line, &cell))
		return 2;
	count = atol(argv[1]);
	end = time(NULL) + atol(argv[2]);
	become((uid_t)atoi(argv[3]), false);
	four = address4(&cell, SINK_PORT);
	six = address6(&cell, SINK_PORT);
	fd4 = socket(AF_INET, SOCK_DGRAM, 0);
	fd6 = socket(AF_INET6, SOCK_DGRAM, 0);
	if (fd4 < 0 || fd6 < 0)
		return 1;
	pause = (unsigned)atoi(argv[4]);
	signal(SIGTERM, end_early);
	for (; !is_over && tried < count && ((tried & 255) || time(NULL) < end); tried++) {
		if (pause)
			usleep(pause);
		switch (tried % KINDS) {
		case 0: refused += sendto(fd4, cell.canary, CANARY_BYTES, 0, (struct sockaddr *)&four, sizeof(four)) < 0; break;
		case 1: refused += sendto(fd6, cell.canary, CANARY_BYTES, 0, (struct sockaddr *)&six, sizeof(six)) < 0; break;
		default: refused += connect(fd4, (struct sockaddr *)&four, sizeof(four)) < 0; break;
		}
	}
	printf("flood %ld %ld\n", tried, refused);
	return 0;
}
