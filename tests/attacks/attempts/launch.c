/*
 * Gets cells to their place, as root, from outside: prepares what an accomplice would hand it, joins the cgroup
 * or lets `enter` build the sandbox, and starts the inside part there.
 *
 *   launch control|policy|sandbox NETNS JOIN ENTER UNIT -- inside|flood|stranger ARGUMENT ...
 *
 *   control   outside every policy; what does not leak here proves nothing
 *   policy    in the cgroup JOIN with the whole network: the kernel policy alone
 *   sandbox   through ENTER, which joins the cgroup of UNIT below the parent of JOIN
 *
 * What is prepared is for the first cell; cells that need nothing prepared may follow it.
 */
#define _GNU_SOURCE
#include "attempts.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANYBODY 65534	 /* who attempts what needs no privilege */
#define SOMEBODY_ELSE 65533 /* another unit's user */
#define FIXED_ARGUMENTS 7

static char *const *arguments;
static const char *mode, *join;

static void need(int result, const char *what)
{
	if (result >= 0)
		return;
	fprintf(stderr, "attempts: launch: %s: %s\n", what, strerror(errno));
	exit(1);
}

static bool is_row(const struct cell *cell, const char *prefix)
{
	return strncmp(cell->row, prefix, strlen(prefix)) == 0;
}

/* The socket that the cell finds at HANDED_FD; made by us, so its cgroup is ours for good. */
static int make_handed(const struct cell *cell)
{
	struct sockaddr_in to = address4(cell, SINK_PORT);
	struct sockaddr_ll link = {.sll_family = AF_PACKET, .sll_protocol = htons(0x88b5), .sll_ifindex = (int)if_nametoindex("v0")};
	int type = is_row(cell, "16b") || is_row(cell, "17b") || is_row(cell, "17d") ? SOCK_DGRAM : SOCK_STREAM;
	int fd = -1;

	if (is_row(cell, "16") || is_row(cell, "17")) {
		need(fd = socket(AF_INET, type, 0), "socket");
		if (is_row(cell, "17"))
			need(connect(fd, (struct sockaddr *)&to, sizeof(to)), "connect");
	} else if (is_row(cell, "24")) {
		need(fd = socket(AF_PACKET, SOCK_RAW, 0), "packet socket");
		need(bind(fd, (struct sockaddr *)&link, sizeof(link)), "bind to v0");
	}
	return fd;
}

/* Outside the cgroup, with the network: hands over its socket when asked, and sends whatever is written into it. */
static _Noreturn void be_accomplice(const struct cell *cell, int channel)
{
	struct sockaddr_in to = address4(cell, SINK_PORT);
	int offered = socket(AF_INET, SOCK_DGRAM, 0);
	unsigned char copy[CANARY_BYTES];
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	need(dup2(offered, OFFERED_FD), "dup2");
	fcntl(channel, F_SETFL, O_NONBLOCK);
	become(is_row(cell, "32") && strcmp(mode, "control") != 0 ? SOMEBODY_ELSE : ANYBODY, false);
	prctl(PR_SET_DUMPABLE, 1);
	for (;; usleep(5000)) {
		memcpy(copy, (const void *)wound, sizeof(copy));
		if (copy[0] | copy[CANARY_BYTES - 1])
			sendto(OFFERED_FD, copy, sizeof(copy), 0, (struct sockaddr *)&to, sizeof(to));
		if (read(channel, &byte, 1) == 1) {
			union {
				struct cmsghdr head;
				char bytes[CMSG_SPACE(sizeof(int))];
			} control = {.head = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
			struct iovec part = {&byte, 1};
			struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};

			memcpy(CMSG_DATA(&control.head), &offered, sizeof(offered));
			sendmsg(channel, &message, 0);
		}
	}
}

/* For units that PID 1 starts: an accomplice of its own, by itself. */
int accomplice_main(int argc, char **argv)
{
	struct cell cell = {.row = "19", .number = argc > 1 ? atoi(argv[1]) : 0};
	int pair[2];

	mode = "sandbox";
	need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), "socketpair");
	puts("ready");
	fflush(stdout);
	be_accomplice(&cell, pair[1]);
}

/* Row 28: as if the cgroup had been delegated to the unit's user. */
static void delegate(const struct cell *cell, bool is_given)
{
	char procs[512], sibling[512], sibling_procs[560];
	uid_t owner = is_given ? ANYBODY : 0;

	snprintf(procs, sizeof(procs), "%s/cgroup.procs", join);
	snprintf(sibling, sizeof(sibling), "%s/attempt-%d-b", join, cell->number);
	snprintf(sibling_procs, sizeof(sibling_procs), "%s/cgroup.procs", sibling);
	need(chown(procs, owner, owner), "chown");
	if (!is_given) {
		rmdir(sibling);
		return;
	}
	need(mkdir(sibling, 0755), "mkdir");
	need(chown(sibling_procs, owner, owner), "chown");
}

static _Noreturn void start_inside(char *const *inside, int count, const char *enter, const char *unit, pid_t accomplice)
{
	char self[512], root[512], procs[560], number[16];
	const char *argv[64];
	int used = 0, fd;

	snprintf(number, sizeof(number), "%d", accomplice);
	need((int)readlink("/proc/self/exe", memset(self, 0, sizeof(self)), sizeof(self) - 1), "readlink");
	snprintf(root, sizeof(root), "%s", join);
	if (strrchr(root, '/'))
		*strrchr(root, '/') = 0;
	if (strcmp(mode, "policy") == 0) {
		snprintf(procs, sizeof(procs), "%s/cgroup.procs", join);
		need(fd = open(procs, O_WRONLY | O_CLOEXEC), procs);
		need((int)write(fd, "0", 1), procs);
	}
	if (strcmp(mode, "sandbox") == 0) {
		const char *through[] = {enter, unit, "--cgroup", root, "--"};

		for (size_t i = 0; i < sizeof(through) / sizeof(through[0]); i++)
			argv[used++] = through[i];
	}
	argv[used++] = self;
	for (int i = 0; i < count && used < 60; i++)
		argv[used++] = inside[i];
	if (strcmp(inside[0], "inside") == 0) {
		argv[used++] = "--accomplice";
		argv[used++] = number;
	}
	argv[used] = NULL;
	execv(argv[0], (char *const *)argv);
	need(-1, argv[0]);
	exit(1);
}

int launch_main(int argc, char **argv)
{
	int pair[2], cell_line[2], netns, handed, status;
	pid_t inside, accomplice = 0;
	char line[128], copy[128];
	struct cell cell;

	if (argc <= FIXED_ARGUMENTS || !fgets(line, sizeof(line), stdin) || !read_cell(strcpy(copy, line), &cell))
		return 2;
	arguments = argv + FIXED_ARGUMENTS;
	mode = argv[1];
	join = argv[3];
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	need(netns = open(argv[2], O_RDONLY | O_CLOEXEC), "netns");
	need(setns(netns, CLONE_NEWNET), "setns");
	need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), "socketpair");
	need(pipe(cell_line), "pipe");
	do
		need((int)write(cell_line[1], line, strlen(line)), "write");
	while (fgets(line, sizeof(line), stdin));
	close(cell_line[1]);
	handed = make_handed(&cell);
	if (is_row(&cell, "28"))
		delegate(&cell, true);
	if (is_row(&cell, "18") || is_row(&cell, "19") || is_row(&cell, "32")) {
		need(accomplice = fork(), "fork");
		if (accomplice == 0)
			be_accomplice(&cell, pair[1]);
		usleep(20000); /* until it is somebody else's */
	}
	need(inside = fork(), "fork");
	if (inside == 0) {
		int spare = fcntl(pair[0], F_DUPFD, 20), spare_handed = handed < 0 ? -1 : fcntl(handed, F_DUPFD, 20);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		need(dup2(cell_line[0], 0), "dup2");
		need(dup2(spare, ACCOMPLICE_FD), "dup2");
		if (spare_handed >= 0)
			need(dup2(spare_handed, HANDED_FD), "dup2");
		close_range(spare_handed >= 0 ? HANDED_FD + 1 : ACCOMPLICE_FD + 1, ~0U, 0);
		start_inside(arguments, argc - FIXED_ARGUMENTS, argv[4], argv[5], accomplice);
	}
	waitpid(inside, &status, 0);
	if (accomplice)
		kill(accomplice, SIGKILL);
	if (is_row(&cell, "28"))
		delegate(&cell, false);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
