/*
 * The far end of the link: takes TCP at SINK_PORT and at 53, and calls into the near end when told to.
 *
 *   in    call NUMBER 4|6 PORT SECONDS     from the cell's own address to PORT at the near end, again and again
 */
#define _GNU_SOURCE
#include "attempts.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <unistd.h>

#define CALL_MS 150 /* a packet has long arrived, or was dropped */
#define CALL_GAP_MS 50

static int listen_at(int port)
{
	struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int on = 1, fd = socket(AF_INET6, SOCK_STREAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 1024) < 0) {
		perror("attempts: outside");
		_exit(1);
	}
	return fd;
}

/* A connection is read to its end by a process of its own. */
static void take(int listening)
{
	char bytes[512];
	int fd = accept(listening, NULL, NULL);

	if (fd >= 0 && fork() == 0) {
		alarm(3);
		while (read(fd, bytes, sizeof(bytes)) > 0)
			;
		_exit(0);
	}
	close(fd);
}

static void call(const struct cell *cell, int family, int port, int seconds)
{
	struct sockaddr_in from4 = address4(cell, 0), to4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 from6 = address6(cell, 0), to6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	bool is_four = family == 4;
	char bytes[64];

	inet_pton(AF_INET, "10.8.0.1", &to4.sin_addr);
	inet_pton(AF_INET6, "fd08::1", &to6.sin6_addr);
	for (int i = 0; i < seconds * 1000 / CALL_MS; i++) {
		int fd = socket(is_four ? AF_INET : AF_INET6, SOCK_STREAM, 0);
		struct pollfd waiting = {.fd = fd, .events = POLLOUT};
		int error = 0;
		socklen_t size = sizeof(error);

		bind(fd, is_four ? (struct sockaddr *)&from4 : (struct sockaddr *)&from6, is_four ? sizeof(from4) : sizeof(from6));
		fcntl(fd, F_SETFL, O_NONBLOCK);
		connect(fd, is_four ? (struct sockaddr *)&to4 : (struct sockaddr *)&to6, is_four ? sizeof(to4) : sizeof(to6));
		if (poll(&waiting, 1, CALL_MS) > 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0) {
			fcntl(fd, F_SETFL, 0);
			if (read(fd, bytes, sizeof(bytes)) > 0)
				return;
		}
		close(fd);
		poll(NULL, 0, error ? CALL_GAP_MS : 0);
	}
}

int outside_main(int argc, char **argv)
{
	struct pollfd waiting[] = {{.fd = 0, .events = POLLIN}, {.fd = listen_at(SINK_PORT), .events = POLLIN}, {.fd = listen_at(53), .events = POLLIN}};
	char line[128];

	(void)argc;
	(void)argv;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	signal(SIGCHLD, SIG_IGN);
	setvbuf(stdin, NULL, _IONBF, 0); /* a line held back in a buffer would not wake poll */
	puts("ready");
	fflush(stdout);
	while (poll(waiting, 3, -1) >= 0 || errno == EINTR) {
		struct cell cell = {0};
		int family, port, seconds;

		for (int i = 1; i < 3; i++)
			if (waiting[i].revents & POLLIN)
				take(waiting[i].fd);
		if (!(waiting[0].revents & (POLLIN | POLLHUP)))
			continue;
		if (!fgets(line, sizeof(line), stdin))
			return 0;
		if (sscanf(line, "call %d %d %d %d", &cell.number, &family, &port, &seconds) == 4 && fork() == 0) {
			alarm((unsigned)seconds + 2);
			call(&cell, family, port, seconds);
			_exit(0);
		}
	}
	return 1;
}
