/* What a packet and a connect cost whoever makes them; started by kernel-policy.ts inside and outside the policy.
 *
 *   socket-cost answer PORT PACKETS ROUNDS    listens; per round writes PACKETS packets to who connected, prints ns per packet
 *   socket-cost drain PORT                    connects and reads until the end: the other end of `answer`
 *   socket-cost accept PORT                   listens, takes and drops every connection until it is ended
 *   socket-cost connect PORT CONNECTS ROUNDS  per round connects CONNECTS times, prints ns per connect
 *
 * All on 127.0.0.1. Prints "ready" when it listens.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void require(int holds, const char *what)
{
	if (!holds) {
		perror(what);
		exit(1);
	}
}

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int listen_at(int port)
{
	struct sockaddr_in address = loopback(port);
	int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	require(!bind(listener, (struct sockaddr *)&address, sizeof(address)), "bind");
	require(!listen(listener, SOMAXCONN), "listen");
	puts("ready");
	fflush(stdout);
	return listener;
}

static int connect_to(int port)
{
	struct sockaddr_in address = loopback(port);
	/* Closing sends a reset: thousands of connections in TIME_WAIT would be measured as well. */
	struct linger at_once = { .l_onoff = 1 };
	int connection = socket(AF_INET, SOCK_STREAM, 0);

	require(!connect(connection, (struct sockaddr *)&address, sizeof(address)), "connect");
	setsockopt(connection, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	return connection;
}

static void answer(int port, int packets, int rounds)
{
	int one = 1, connection = accept(listen_at(port), NULL, NULL);
	char byte = 0;

	require(connection >= 0, "accept");
	setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	for (int round = 0; round < rounds; round++) {
		double began = now_ns();

		for (int packet = 0; packet < packets; packet++)
			require(write(connection, &byte, 1) == 1, "write");
		printf("%.1f\n", (now_ns() - began) / packets);
		fflush(stdout);
	}
}

static void connects(int port, int count, int rounds)
{
	for (int round = 0; round < rounds; round++) {
		double began = now_ns();

		for (int i = 0; i < count; i++)
			close(connect_to(port));
		printf("%.1f\n", (now_ns() - began) / count);
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";
	int port = argc > 2 ? atoi(argv[2]) : 0;
	int count = argc > 3 ? atoi(argv[3]) : 0, rounds = argc > 4 ? atoi(argv[4]) : 0;
	char buffer[65536];

	if (!strcmp(what, "answer"))
		answer(port, count, rounds);
	else if (!strcmp(what, "connect"))
		connects(port, count, rounds);
	else if (!strcmp(what, "accept"))
		for (int listener = listen_at(port);;)
			close(accept(listener, NULL, NULL));
	else if (!strcmp(what, "drain"))
		for (int connection = connect_to(port); read(connection, buffer, sizeof(buffer)) > 0;)
			;
	else
		return 2;
	return 0;
}
