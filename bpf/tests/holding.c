/*
 * The policy holds: when the warden is killed, while programs are swapped, when the ring is full,
 * at a deadline with nobody alive, against a user without rights, and when the cgroup it is
 * attached to is taken away.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../clock.h"
#include "../policy.h"
#include "../window.h"
#include "check.h"
#include "stage.h"

/* 65534: nobody. */
#define NOBODY 65534

#define SWAPS 3000
#define FLOOD 200000

static struct stage stage;
static struct peer peer;

static const struct sockaddr_in far_udp = { .sin_family = AF_INET,
					    .sin_port = 0x3500,
					    .sin_addr.s_addr = 0x0200090a };

static int send_one(void *context)
{
	(void)context;
	return sendto(socket(AF_INET, SOCK_DGRAM, 0), "x", 1, 0, (const struct sockaddr *)&far_udp,
		      sizeof(far_udp)) < 0
		       ? errno
		       : 0;
}

/* Sends as many times as it is told, or for ever; 0 when not one was let through. */
static int flood(void *context)
{
	long count = *(long *)context, passed_calls = 0;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	for (long i = 0; !count || i < count; i++)
		passed_calls += sendto(fd, "x", 1, 0, (const struct sockaddr *)&far_udp,
				       sizeof(far_udp)) >= 0;
	return passed_calls ? 1 : 0;
}

static pid_t flood_in_background(const char *unit)
{
	long forever = 0;
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(stage_in(&stage, unit, flood, &forever) & 127);
	}
	return pid;
}

static void end_flood(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	usleep(50000); /* its child goes with it */
}

/* Three thousand times another copy of the program into the same link, while a unit floods. */
static void swaps(void)
{
	static struct policy policies[2];
	struct fault fault = {};
	pid_t flooder;
	int links[POLICY_PROGRAMS], updated = 0;
	unsigned long long before;
	char name[64];

	for (int i = 0; i < 2; i++)
		check("another copy of the policy loads",
		      !policy_load(&policies[i], stage.cgroup, stage.pins, 0, &fault));
	for (int i = 0; i < POLICY_PROGRAMS; i++) {
		snprintf(name, sizeof(name), "link_%s", policies[0].program[i].name);
		links[i] =
			policies[0].program[i].tier == TIER_CGROUP ? stage_pin(&stage, name) : -1;
	}
	peer_frames(&peer);
	before = stage_attempts(&stage, "worker");
	flooder = flood_in_background("worker");
	for (int swap = 0; swap < SWAPS; swap++)
		for (int i = 0; i < POLICY_PROGRAMS; i++)
			if (links[i] >= 0)
				updated += !bpf_link_update(links[i],
							    policies[swap & 1].program[i].fd, NULL);
	end_flood(flooder);
	check("every swap worked", updated == SWAPS * 8);
	check("a flood ran meanwhile", stage_attempts(&stage, "worker") > before + 1000);
	check("3,000 swaps under a flood let nothing through", peer_frames(&peer) == 0);
	printf("        %d swaps, %llu attempts meanwhile\n", updated,
	       stage_attempts(&stage, "worker") - before);
	check("a swapped program with the same tag is in force",
	      stage_warden(&stage, "verify", NULL) == 0);
}

static void ring_is_full(void)
{
	long count = FLOOD;
	unsigned long long before = stage_attempts(&stage, "worker"),
			   lost = stage_lost(&stage, "worker");

	check("200,000 attempts with a full ring: none passes",
	      stage_in(&stage, "worker", flood, &count) == 0);
	check("all are counted", stage_attempts(&stage, "worker") == before + FLOOD);
	check("most are lost to the log, and said to be",
	      stage_lost(&stage, "worker") - lost > FLOOD - 100);
	check("logged and lost are all attempts", stage_adds_up(&stage));
	check("nothing arrived", peer_frames(&peer) == 0);
}

/* An open connection sends every 50 ms; prints how long it was answered. Result: tenths of a
 * second, 100 and more on error. */
static int talk(void *context)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(443),
				  .sin_addr.s_addr = 0x0200090a };
	struct timeval limit = { .tv_sec = 2 };
	struct linger at_once = { .l_onoff = 1 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	__u64 start = boot_ns(), last = 0;
	char byte;

	(void)context;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	/* A socket that waits for an answer to its FIN would keep the cgroup from dying. */
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		return 100;
	while (boot_ns() - start < 3000000000ULL) {
		if (send(fd, "x", 1, MSG_NOSIGNAL) != 1 || recv(fd, &byte, 1, 0) != 1)
			break;
		last = boot_ns() - start;
		usleep(50000);
	}
	return (int)(last / 100000000);
}

static void deadline(void)
{
	unsigned char address[16];
	int endpoints = stage_pin(&stage, "endpoints"), tenths;

	inet_pton(AF_INET6, "::ffff:10.9.0.2", address);
	window_list(endpoints, address, 443, boot_ns() + 1000000000ULL);
	check("no warden is alive", stage.warden == 0);
	tenths = stage_in(&stage, "fetcher", talk, NULL);
	check("an open connection works until the deadline", tenths >= 3 && tenths < 100);
	check("and is cut at the deadline, with nobody alive", tenths <= 10);
	printf("        answered for %d.%d of 1.0 s\n", tenths / 10, tenths % 10);
	window_close(endpoints);
	close(endpoints);
}

static int without_rights(void *context)
{
	const struct egress_unit unit = { .kind = UNIT_FETCHER };
	const __u64 id = 1;
	char path[300];
	int map = *(int *)context, opened = 0;
	static const char *const names[] = { "units",  "endpoints",     "counts",
					     "events", "link_connect4", "link_egress" };

	if (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
		return 99;
	for (unsigned i = 0; i < 6; i++) {
		snprintf(path, sizeof(path), "%s/%s", stage.pins, names[i]);
		opened += bpf_obj_get(path) >= 0;
		opened += open(path, O_RDONLY) >= 0;
		opened += unlink(path) == 0;
	}
	opened += open(stage.pins, O_RDONLY | O_DIRECTORY) >= 0;
	/* Not even which ids there are. */
	for (__u32 next = 0, steps = 0; steps < 64 && !bpf_map_get_next_id(next, &next); steps++)
		opened += bpf_map_get_fd_by_id(next) >= 0;
	for (__u32 next = 0, steps = 0; steps < 64 && !bpf_link_get_next_id(next, &next); steps++)
		opened += bpf_link_get_fd_by_id(next) >= 0;
	for (__u32 next = 0, steps = 0; steps < 64 && !bpf_prog_get_next_id(next, &next); steps++)
		opened += bpf_prog_get_fd_by_id(next) >= 0;
	snprintf(path, sizeof(path), "%s/cgroup.procs", stage.cgroup);
	opened += open(path, O_WRONLY) >= 0;
	opened += cgroup_join(stage.home) == 0;
	/* A number that is a descriptor in another process is none here. */
	close(map);
	opened += bpf_map_update_elem(map, &id, &unit, BPF_ANY) == 0;
	return opened;
}

static void user_without_rights(void)
{
	int map = stage_pin(&stage, "units");

	check("a user without rights opens no pin, map, link or program, and leaves no cgroup",
	      stage_in(&stage, "worker", without_rights, &map) == 0);
	close(map);
}

static void detach_connect4(void)
{
	int link = stage_pin(&stage, "link_connect4");

	check("root can detach a link", !bpf_link_detach(link));
	close(link);
	check("verify names the link", stage_warden(&stage, "verify", NULL) == 1 &&
					       strstr(stage.said, "connect4") &&
					       strstr(stage.said, "ERR_LINK_DETACHED"));
}

/* Takes the pins over for another cgroup, and is killed at the first of these calls. */
static int take_over_until(const char *other, int call, unsigned comparisons,
			   struct scmp_arg_cmp comparison)
{
	static struct policy policy;
	struct fault fault = {};
	int status;
	pid_t pid = fork();

	if (!pid) {
		scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

		if (policy_load(&policy, other, stage.pins, 0, &fault) || !filter ||
		    seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, call, comparisons,
				     comparison) ||
		    seccomp_load(filter))
			_exit(1);
		_exit(policy_attach(&policy, &fault) ? 2 : 3);
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

static int half_made_pins(void)
{
	static struct policy policy;
	struct fault fault = {};
	char path[CGROUP_PATH_BYTES];
	int count = 0;

	if (policy_load(&policy, stage.cgroup, stage.pins, 0, &fault))
		return -1;
	for (int i = 0; i < POLICY_PROGRAMS; i++) {
		snprintf(path, sizeof(path), "%s/link_%s_new", stage.pins, policy.program[i].name);
		count += !access(path, F_OK);
	}
	return count;
}

/* With nobody alive to hold a link but its pin: what is pinned is all that is attached. */
static void dies_while_pinning(void)
{
	const struct scmp_arg_cmp any = {};
	char other[300];

	snprintf(other, sizeof(other), "%s-other", stage.cgroup);
	check("there is another cgroup", !mkdir(other, 0755));
	check("one that takes over dies before its first pin",
	      take_over_until(other, SCMP_SYS(bpf), 1, SCMP_A0(SCMP_CMP_EQ, BPF_OBJ_PIN)));
	check("every hook is still attached", stage_warden(&stage, "verify", NULL) == 0);
	check("one that takes over dies with its first pin beside the old one",
	      take_over_until(other, SCMP_SYS(rename), 0, any) && half_made_pins() == 1);
	check("every hook is still attached then", stage_warden(&stage, "verify", NULL) == 0);
	check("and refuses", stage_in(&stage, "worker", send_one, NULL) == EPERM);
	rmdir(other);
}

static void cgroup_is_taken(void)
{
	static const char *const folders[] = { "worker", "clerk",   "keeper", "fetcher",
					       "warden", "gateway", "herald" };
	char path[300];
	int removed = 0;

	for (unsigned i = 0; i < 7; i++) {
		snprintf(path, sizeof(path), "%s/%s", stage.cgroup, folders[i]);
		removed += !rmdir(path);
	}
	check("the slice can be removed once it is empty", removed == 7 && !rmdir(stage.cgroup));
	snprintf(path, sizeof(path), "%s/worker", stage.cgroup);
	check("and made again", !mkdir(stage.cgroup, 0755) && !mkdir(path, 0755));
	check("the control: nobody filters the new one",
	      stage_in(&stage, "worker", send_one, NULL) == 0);
	/* The kernel lets go of a dead cgroup when its last socket is gone; until then the link
	 * says which one it was. */
	check("verify says at once that the links are not on this cgroup",
	      stage_warden(&stage, "verify", NULL) == 1 && strstr(stage.said, "ERR_LINK_"));
	for (int tries = 0; tries < 50 && !strstr(stage.said, "cgroup_id 0"); tries++) {
		usleep(100000);
		stage_warden(&stage, "verify", NULL);
	}
	check("and then that they lost theirs",
	      strstr(stage.said, "ERR_LINK_DETACHED connect4") != NULL);
	check("no unit is admitted there",
	      stage_warden(&stage, "admit", "worker", "--of", path, NULL) == 1 &&
		      strstr(stage.said, "ERR_LINK_DETACHED"));
	check("a new warden attaches to it", !stage_start(&stage, NULL));
	check("its links are in force", stage_warden(&stage, "verify", NULL) == 0);
	check("the unit is refused everything until it is admitted",
	      stage_in(&stage, "worker", send_one, NULL) == EPERM);
	check("and counts as unknown", stage_attempts(&stage, "unknown") > 0);
	check("it can be admitted again",
	      stage_warden(&stage, "admit", "worker", "--of", path, NULL) == 0);
	/* The warden of this test is outside the root, so its probe is the only other thing inside.
	 */
	detach_connect4();
	check("a warden whose link was detached ends with 75, to be started again",
	      stage_end(&stage, 0) == 75);
	check("the next one attaches again",
	      !stage_start(&stage, NULL) && stage_warden(&stage, "verify", NULL) == 0);
	stage_end(&stage, SIGTERM);
}

int main(void)
{
	stage_make(&stage);
	peer_make(&peer);
	/* 4,096: the smallest ring, which 42 events fill; nobody reads it. */
	if (stage_start(&stage, "--make-cgroup", "--events", "4096", NULL))
		return printf("the warden did not start: %s\n", stage.said), stage_remove(&stage),
		       1;
	check("the control arrives from outside", send_one(NULL) == 0 && peer_frames(&peer) > 0);
	swaps();
	ring_is_full();
	user_without_rights();

	pid_t flooder = flood_in_background("worker");
	check("killed, the warden ends by the signal", stage_end(&stage, SIGKILL) == -SIGKILL);
	usleep(300000);
	end_flood(flooder);
	check("nothing arrived while it died", peer_frames(&peer) == 0);
	check("without a warden the policy is in force", stage_warden(&stage, "verify", NULL) == 0);
	check("and refuses", stage_in(&stage, "worker", send_one, NULL) == EPERM);
	dies_while_pinning();
	deadline();
	peer_frames(&peer);

	flooder = flood_in_background("worker");
	check("a new warden takes over the pins", !stage_start(&stage, "--events", "4096", NULL));
	check("and clears away what was half made", half_made_pins() == 0);
	usleep(200000);
	end_flood(flooder);
	check("nothing arrived while it took over", peer_frames(&peer) == 0);
	check("counts go on where they were",
	      stage_attempts(&stage, "worker") > FLOOD && stage_adds_up(&stage));
	check("a new ring size is taken with the next warden",
	      stage_end(&stage, SIGTERM) == 0 && !stage_start(&stage, "--events", "8192", NULL));
	check("and verifies", stage_warden(&stage, "verify", NULL) == 0);
	check("SIGTERM leaves the policy in force",
	      stage_end(&stage, SIGTERM) == 0 &&
		      stage_in(&stage, "worker", send_one, NULL) == EPERM);
	cgroup_is_taken();
	peer_end(&peer);
	stage_remove(&stage);
	return conclude();
}
