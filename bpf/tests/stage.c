/* A place for tests against the live kernel. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/magic.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../counts.h"
#include "../units.h"
#include "stage.h"

static void need(int holds, const char *what)
{
	if (holds)
		return;
	printf("cannot run here: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void run(const char *command)
{
	need(!system(command), command);
}

void stage_make(struct stage *stage)
{
	struct fault fault;
	struct statfs fs;
	char mount_point[CGROUP_PATH_BYTES], path[128];

	memset(stage, 0, sizeof(*stage));
	need(!geteuid(), "these tests need root");
	need(!cgroup_of_self(stage->home, &fault) && !cgroup_mount_point(mount_point), "cgroup2");
	need(!statfs("/sys/fs/bpf", &fs) &&
		     (fs.f_type == BPF_FS_MAGIC || !mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL)),
	     "bpffs");
	need(!unshare(CLONE_NEWNET), "unshare(CLONE_NEWNET)");
	run("ip link set lo up");
	strcpy(stage->folder, "/tmp/phantoma-stage-XXXXXX");
	need(mkdtemp(stage->folder) != NULL, "mkdtemp");
	snprintf(stage->cgroup, sizeof(stage->cgroup), "%.200s/phantoma-test-%d", mount_point,
		 getpid());
	snprintf(stage->pins, sizeof(stage->pins), "/sys/fs/bpf/phantoma-test-%d", getpid());
	snprintf(stage->state, sizeof(stage->state), "%s/state", stage->folder);
	snprintf(stage->identity, sizeof(stage->identity), "%s/identity", stage->folder);
	snprintf(stage->socket, sizeof(stage->socket), "%s/warden.sock", stage->folder);
	need(!mkdir(stage->identity, 0755) && !chmod(stage->folder, 0755), "mkdir");
	for (int i = 0; i < 2; i++) {
		FILE *file;

		snprintf(path, sizeof(path), "%s/%s", stage->identity, i ? "genesis" : "node.pub");
		file = fopen(path, "w");
		need(file != NULL, path);
		fprintf(file, "%064d\n", i);
		fclose(file);
	}
}

void stage_remove(struct stage *stage)
{
	char command[2048];

	if (stage->warden)
		stage_end(stage, SIGKILL);
	cgroup_join(stage->home);
	snprintf(command, sizeof(command),
		 "for try in 1 2 3 4 5 6 7 8 9; do rmdir %s/*/* %s/* %s 2>/dev/null; [ -d %s ] || "
		 "break; "
		 "sleep 0.1; done;"
		 "rm -rf %s %s",
		 stage->cgroup, stage->cgroup, stage->cgroup, stage->cgroup, stage->pins,
		 stage->folder);
	if (system(command))
		printf("could not remove everything\n");
}

/* Starts the warden with its arguments; its output, both streams, comes out of `*out`. */
static pid_t start(struct stage *stage, const char *command, va_list more, int *out)
{
	const char *arguments[48] = { "build/warden", command,        "--cgroup", stage->cgroup,
				      "--pins",       stage->pins,    "--state",  stage->state,
				      "--identity",   stage->identity };
	int count = 10, ends[2];
	pid_t pid;

	if (!strcmp(command, "run")) {
		arguments[count++] = "--socket";
		arguments[count++] = stage->socket;
	}
	while (count < 47 && (arguments[count] = va_arg(more, const char *)))
		count++;
	need(!pipe2(ends, O_CLOEXEC), "pipe");
	pid = fork();
	if (!pid) {
		dup2(ends[1], 1);
		dup2(ends[1], 2);
		execv(arguments[0], (char *const *)arguments);
		_exit(127);
	}
	close(ends[1]);
	*out = ends[0];
	return pid;
}

int stage_start(struct stage *stage, ...)
{
	va_list more;
	size_t length = 0;
	ssize_t got;
	int out;

	va_start(more, stage);
	stage->warden = start(stage, "run", more, &out);
	va_end(more);
	while ((got = read(out, stage->said + length, sizeof(stage->said) - 1 - length)) > 0) {
		length += (size_t)got;
		stage->said[length] = 0;
		if (strstr(stage->said, "ready\n")) {
			/* Left open: what it says later goes into a pipe that nobody reads, and is
			 * little. */
			return 0;
		}
	}
	close(out);
	stage_end(stage, 0);
	return -1;
}

int stage_start_silent(struct stage *stage)
{
	char command[1024];

	unlink(stage->socket);
	stage->warden = fork();
	if (!stage->warden) {
		snprintf(command, sizeof(command),
			 "exec build/warden run --cgroup %s --pins %s --state %s --identity %s "
			 "--socket %s >/dev/null 2>&1",
			 stage->cgroup, stage->pins, stage->state, stage->identity, stage->socket);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	for (int tries = 0; tries < 100 && access(stage->socket, F_OK); tries++)
		usleep(50000);
	usleep(200000);
	return access(stage->socket, F_OK);
}

int stage_end(struct stage *stage, int signal)
{
	int status = 0;

	if (signal)
		kill(stage->warden, signal);
	waitpid(stage->warden, &status, 0);
	stage->warden = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int stage_warden(struct stage *stage, const char *command, ...)
{
	va_list more;
	size_t length = 0;
	ssize_t got;
	int out, status;
	pid_t pid;

	va_start(more, command);
	pid = start(stage, command, more, &out);
	va_end(more);
	while (length < sizeof(stage->said) - 1 &&
	       (got = read(out, stage->said + length, sizeof(stage->said) - 1 - length)) > 0)
		length += (size_t)got;
	stage->said[length] = 0;
	close(out);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int stage_in(const struct stage *stage, const char *unit, int (*work)(void *), void *context)
{
	char folder[300];
	int status;
	pid_t pid = fork();

	if (!pid) {
		snprintf(folder, sizeof(folder), "%s/%s", stage->cgroup, unit);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (cgroup_join(folder))
			_exit(126);
		_exit(work(context));
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) != 126 ? WEXITSTATUS(status) : -1;
}

int stage_pin(const struct stage *stage, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", stage->pins, name);
	return bpf_obj_get(path);
}

static struct egress_count count_of(const struct stage *stage, enum egress_kind kind)
{
	struct egress_count count;
	int map = stage_pin(stage, "counts");

	counts_read(map, kind, &count);
	close(map);
	return count;
}

unsigned long long stage_attempts(const struct stage *stage, const char *unit)
{
	return count_of(stage, unit_named(unit)).attempts;
}

unsigned long long stage_lost(const struct stage *stage, const char *unit)
{
	return count_of(stage, unit_named(unit)).lost;
}

int stage_adds_up(const struct stage *stage)
{
	for (enum egress_kind kind = UNIT_UNKNOWN; kind < UNIT_KINDS; kind++) {
		struct egress_count count = count_of(stage, kind);

		if (count.attempts != count.logged + count.lost)
			return 0;
	}
	return 1;
}

/* Answers every TCP connection on port 443 with what it sends. */
static void echo_forever(void)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(443) };
	int listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, fd;
	char bytes[512];
	ssize_t got;

	signal(SIGCHLD, SIG_IGN);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&any, sizeof(any)) || listen(listener, 16))
		_exit(1);
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		if (fork()) {
			close(fd);
			continue;
		}
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while ((got = read(fd, bytes, sizeof(bytes))) > 0 &&
		       write(fd, bytes, (size_t)got) == got)
			;
		_exit(0);
	}
}

static void be_peer(int channel)
{
	unsigned char frame[128];
	unsigned long frames = 0;
	struct pollfd wait[2] = { { .fd = channel, .events = POLLIN }, { .events = POLLIN } };
	int size = 64 << 20;
	char question;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNET) || write(channel, "!", 1) != 1 ||
	    read(channel, &question, 1) != 1)
		_exit(1);
	if (system("ip link set lo up; ip addr add 10.9.0.2/24 dev stage1; ip addr add fd09::2/64 "
		   "dev stage1 nodad;"
		   "ip link set stage1 up"))
		_exit(1);
	wait[1].fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ALL));
	setsockopt(wait[1].fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(channel);
		echo_forever();
	}
	if (write(channel, "!", 1) != 1)
		_exit(1);
	while (poll(wait, 2, -1) >= 0) {
		struct sockaddr_ll from;
		socklen_t length = sizeof(from);
		int next = 0;
		ssize_t got;

		while ((got = recvfrom(wait[1].fd, frame, sizeof(frame), MSG_DONTWAIT,
				       (struct sockaddr *)&from, &length)) > 0) {
			if (from.sll_pkttype != PACKET_OUTGOING) {
				next = from.sll_protocol == htons(ETH_P_IP)     ? frame[9]
				       : from.sll_protocol == htons(ETH_P_IPV6) ? frame[6]
										: 0;
				frames += next == IPPROTO_TCP || next == IPPROTO_UDP;
			}
			length = sizeof(from);
		}
		if (wait[0].revents) {
			if (read(channel, &question, 1) != 1 ||
			    write(channel, &frames, sizeof(frames)) != sizeof(frames))
				_exit(0);
			frames = 0;
		}
	}
}

void peer_make(struct peer *peer)
{
	char command[128], answer;
	int ends[2];

	need(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "socketpair");
	peer->pid = fork();
	if (!peer->pid) {
		close(ends[0]);
		be_peer(ends[1]);
		_exit(1);
	}
	close(ends[1]);
	peer->channel = ends[0];
	need(read(peer->channel, &answer, 1) == 1, "a second network namespace");
	snprintf(command, sizeof(command), "ip link add stage0 type veth peer name stage1 netns %d",
		 peer->pid);
	run(command);
	run("ip addr add 10.9.0.1/24 dev stage0; ip addr add fd09::1/64 dev stage0 nodad; ip link "
	    "set stage0 up");
	need(write(peer->channel, "?", 1) == 1 && read(peer->channel, &answer, 1) == 1, "the peer");
	usleep(300000);
	peer_frames(peer);
}

unsigned long peer_frames(struct peer *peer)
{
	unsigned long frames = 0;

	usleep(100000);
	need(write(peer->channel, "?", 1) == 1 &&
		     read(peer->channel, &frames, sizeof(frames)) == sizeof(frames),
	     "the peer");
	return frames;
}

void peer_end(struct peer *peer)
{
	kill(peer->pid, SIGKILL);
	waitpid(peer->pid, NULL, 0);
	close(peer->channel);
}
