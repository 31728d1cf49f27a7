/*
 * Stands outside and prints every frame that arrives at a link, in hexadecimal, one a line. "ready" comes first;
 * at SIGTERM the last line is "dropped N": frames that the socket could not hold, which no count may hide.
 */
#define _GNU_SOURCE
#include "attempts.h"
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#define SNAP_BYTES 256		/* headers, options and a canary behind them */
#define BUFFER_BYTES (64 << 20) /* a flood of a few seconds */

static volatile sig_atomic_t is_over;

static void end(int signal)
{
	(void)signal;
	is_over = 1;
}

int sniff_main(int argc, char **argv)
{
	struct sockaddr_ll link = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)}, from;
	struct sigaction ending = {.sa_handler = end};
	struct tpacket_stats statistics = {0};
	unsigned char frame[SNAP_BYTES];
	socklen_t size = sizeof(statistics);
	int fd, room = BUFFER_BYTES;

	if (argc != 2)
		return 2;
	link.sll_ifindex = (int)if_nametoindex(argv[1]);
	fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	if (link.sll_ifindex == 0 || fd < 0 || bind(fd, (struct sockaddr *)&link, sizeof(link)) < 0) {
		perror("attempts: sniff");
		return 1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	sigaction(SIGTERM, &ending, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("ready");
	while (!is_over) {
		socklen_t from_size = sizeof(from);
		ssize_t length = recvfrom(fd, frame, sizeof(frame), 0, (struct sockaddr *)&from, &from_size);

		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0 || from.sll_pkttype == PACKET_OUTGOING)
			continue;
		for (ssize_t i = 0; i < length; i++)
			printf("%02x", frame[i]);
		putchar('\n');
	}
	getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &statistics, &size);
	printf("dropped %u\n", statistics.tp_drops);
	return 0;
}
