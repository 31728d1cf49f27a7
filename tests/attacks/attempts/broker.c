/*
 * Somebody outside every policy who passes on what it hears: unix sockets by path and by abstract name in DIR,
 * and a resolver at 127.0.0.53. All of it goes to the far end, so an escape by way of others is a frame too.
 */
#define _GNU_SOURCE
#include "attempts.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <signal.h>
#include <unistd.h>

#define FORWARD_NUMBER 32767 /* the last cell's, which no cell has */
#define HEARERS 5

static int hear_unix(const char *folder, const char *name, int type, bool is_abstract)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	socklen_t size;

	snprintf(at.sun_path + is_abstract, sizeof(at.sun_path) - 1, "%s/%s", folder, name);
	size = offsetof(struct sockaddr_un, sun_path) + is_abstract + strlen(at.sun_path + is_abstract);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, size) < 0 || (type == SOCK_STREAM && listen(fd, 256) < 0)) {
		perror("attempts: broker");
		_exit(1);
	}
	if (!is_abstract)
		chmod(at.sun_path, 0777);
	return fd;
}

static int hear_questions(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(0x7f000035)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		perror("attempts: broker");
		_exit(1);
	}
	return fd;
}

int broker_main(int argc, char **argv)
{
	const struct cell forward = {.number = FORWARD_NUMBER};
	struct sockaddr_in to = address4(&forward, SINK_PORT);
	int out = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct pollfd hearers[HEARERS];
	char bytes[512];

	if (argc != 2)
		return 2;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < 4; i++)
		hearers[i].fd = hear_unix(argv[1], i & 1 ? "datagram" : "stream", i & 1 ? SOCK_DGRAM : SOCK_STREAM, i >= 2);
	hearers[4].fd = hear_questions();
	for (int i = 0; i < HEARERS; i++)
		hearers[i].events = POLLIN;
	puts("ready");
	fflush(stdout);
	while (poll(hearers, HEARERS, -1) >= 0 || errno == EINTR) {
		for (int i = 0; i < HEARERS; i++) {
			bool is_stream = i == 0 || i == 2;
			int fd = hearers[i].fd;
			ssize_t length;

			if (!(hearers[i].revents & POLLIN))
				continue;
			if (is_stream && (fd = accept(fd, NULL, NULL)) < 0)
				continue;
			length = recv(fd, bytes, sizeof(bytes), 0);
			if (length > 0)
				sendto(out, bytes, (size_t)length, 0, (struct sockaddr *)&to, sizeof(to));
			if (is_stream)
				close(fd);
		}
	}
	return 1;
}
