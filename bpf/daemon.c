/* `warden run`: attaches the policy, gives up its power, then waits: for refused attempts, the
 * keeper, the clock.
 *
 *   set up (privileged): load, attach, probe  ──>  confine  ──>  loop
 *       loop ──SIGTERM──> 0: the policy stays
 *       loop ──a link lost its cgroup──> 75: whoever started it lets it attach anew
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "clock.h"
#include "confine.h"
#include "counts.h"
#include "daemon.h"
#include "demo-cgroup.h"
#include "events.h"
#include "task-counts.h"
#include "unix-paths.h"
#include "verify.h"
#include "window.h"

/* 1,000 ms: a window ends for the keeper, and a lost link is noticed, within a second; the kernel
 * itself waits for nobody. */
#define TICK_MS 1000

/* 30 ticks: the probe costs five refused calls. */
#define TICKS_PER_PROBE 30

/* 75: EX_TEMPFAIL. */
#define EXIT_ATTACH_ANEW 75

static const __u64 kept_capabilities = 1ULL << CAP_BPF | 1ULL << CAP_NET_ADMIN;

/* The top of the cgroup tree is read-only even for root; a demo's root is removed from it. */
static const __u64 kept_for_demo = 1ULL << CAP_DAC_OVERRIDE;

static int fail(const struct fault *fault)
{
	char text[FAULT_BYTES * 2];

	log_event("fault", "\"text\":%s", json_text(text, sizeof(text), fault->line));
	return 1;
}

/* Reads back what this process attached, by the ids it got: that needs no power to open other
 * people's programs. */
static int check_links(struct daemon *daemon, struct fault *fault)
{
	for (struct policy_program *p = daemon->policy.program;
	     p < daemon->policy.program + POLICY_PROGRAMS; p++)
		if (daemon->policy.is_loaded[p->tier] &&
		    policy_check_link(&daemon->policy, p, p->id, NULL, fault))
			return -1;
	return 0;
}

static int check(struct daemon *daemon)
{
	struct fault fault = {};

	if (!check_links(daemon, &fault) && !probe_ask(&daemon->probe, &daemon->policy, &fault)) {
		daemon->status.verified_at = unix_ms();
		if (daemon->fault.line[0])
			log_event("in-force", "%s", "");
	} else if (strcmp(fault.line, daemon->fault.line)) {
		fail(&fault);
	}
	if (fault.line[0])
		daemon->witness.broken_at = boot_ns();
	daemon->fault = fault;
	daemon->status.fault = daemon->fault.line[0] ? daemon->fault.line : NULL;
	return daemon->status.fault ? -1 : 0;
}

static int take_event(void *context, void *data, size_t size)
{
	struct daemon *daemon = context;
	const struct egress_event *event = data;
	char json[EVENT_BYTES];

	if (size != sizeof(*event) || event->kind >= UNIT_KINDS || event->hook >= HOOKS)
		return 0;
	/* The probe's own attempts are counted like all others, and are no news. */
	if (event->kind != UNIT_PROBE) {
		event_json(event, ++daemon->sequence, json);
		keeper_say(&daemon->keeper, "event %s", json);
	}
	return keeper_has_room(&daemon->keeper) ? 0 : -EAGAIN;
}

static void tell_lost(struct daemon *daemon)
{
	__u64 lost = counts_lost(daemon->policy.map[MAP_COUNTS]);

	if (lost == daemon->lost_told || !keeper_has_room(&daemon->keeper))
		return;
	keeper_say(&daemon->keeper, "lost %llu", (unsigned long long)(lost - daemon->lost_told));
	daemon->lost_told = lost;
}

/* Under systemd: the socket to say READY=1 on, made while that is still allowed; -1 without
 * systemd. */
static int notify_socket(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (!path || strlen(path) >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, path, strlen(path));
	if (*path == '@')
		address.sun_path[0] = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 &&
	    connect(fd, (const struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static int set_up(struct daemon *daemon, const struct options *options)
{
	struct fault *fault = &daemon->fault;
	char own[CGROUP_PATH_BYTES], folder[256];
	int is_member;

	if (options->make_cgroup && demo_cgroup_make(options->cgroup, fault))
		return -1;
	if (policy_load(&daemon->policy, options->cgroup, options->pins, options->ring_bytes,
			fault) ||
	    unix_paths_fill(&daemon->policy, options, fault))
		return -1;
	task_counts_begin(&daemon->policy);
	if (policy_attach(&daemon->policy, fault))
		return -1;
	task_counts_since(&daemon->policy);
	if (options->make_cgroup && demo_cgroup_admit(&daemon->policy, fault))
		return -1;
	is_member =
		!cgroup_of_self(own, fault) && !cgroup_child_of(&daemon->policy.root, own, folder);
	if (is_member && admit(&daemon->policy, UNIT_WARDEN, 0, own, fault))
		return -1;
	daemon->status.policy = &daemon->policy;
	if (probe_start(&daemon->probe, &daemon->policy, is_member ? NULL : "probe", fault) ||
	    check(daemon))
		return -1;
	if (mkdir(options->state, 0700) && errno != EEXIST)
		return fault_set(fault, "ERR_STORAGE", "%s: %s", options->state, strerror(errno));
	if (standing_open(&daemon->standing, options->state, options->identity))
		return fault_set(fault, "ERR_STORAGE",
				 "what the warden remembers in %s cannot be trusted",
				 options->state);
	daemon->status.device_version = standing_device_version(daemon->standing);
	daemon->status.highest_counter = standing_counter(daemon->standing);
	daemon->deadline = window_deadline(daemon->policy.map[MAP_ENDPOINTS]);
	daemon->lost_told = counts_lost(daemon->policy.map[MAP_COUNTS]);
	if (witness_open(&daemon->witness, options->witness, options->state, options->identity,
			 fault))
		return -1;
	daemon->witness.removes_cgroups = options->make_cgroup;
	return keeper_listen(&daemon->keeper, options->socket, fault);
}

static void tick(struct daemon *daemon)
{
	static unsigned ticks;
	struct fault fault = {};

	if (daemon->deadline && boot_ns() >= daemon->deadline)
		request_close_window(daemon);
	tell_lost(daemon);
	task_counts_since(&daemon->policy);
	task_counts_sweep(&daemon->policy);
	if (++ticks % TICKS_PER_PROBE == 0 || check_links(daemon, &fault))
		check(daemon);
}

static int loop(struct daemon *daemon, const struct options *options, struct ring_buffer *ring,
		int signals)
{
	__u64 next_tick = boot_ns();

	for (;;) {
		struct keeper *keeper = &daemon->keeper;
		struct pollfd wait[] = {
			{ .fd = signals, .events = POLLIN },
			{ .fd = keeper->client < 0 ? keeper->listener : -1, .events = POLLIN },
			{ .fd = keeper->client,
			  .events = (short)(POLLIN | (keeper->out_used ? POLLOUT : 0)) },
			{ .fd = keeper_has_room(keeper) ? ring_buffer__epoll_fd(ring) : -1,
			  .events = POLLIN },
			{ .fd = daemon->witness.socket, .events = POLLIN },
		};

		poll(wait, 5, TICK_MS);
		if (wait[0].revents)
			return 0;
		/* Before the keeper: a worker says its key here first, and only then there. */
		witness_take(&daemon->witness, &daemon->policy);
		if (wait[1].revents)
			keeper_accept(keeper);
		if (wait[2].revents & ~POLLOUT)
			keeper_read(keeper, request_answer, daemon);
		/* Also without being woken: the kernel does not wake for events that came while
		 * nobody waited. */
		if (keeper_has_room(keeper))
			ring_buffer__consume(ring);
		if (boot_ns() >= next_tick) {
			tick(daemon);
			next_tick = boot_ns() + TICK_MS * 1000000ULL;
		}
		keeper_flush(keeper);
		/* Nothing here may load programs any more, so whoever started the warden lets it
		 * attach again. */
		if (daemon->status.fault && !strncmp(daemon->status.fault, "ERR_LINK", 8) &&
		    !options->make_cgroup)
			return EXIT_ATTACH_ANEW;
	}
}

int daemon_run(const struct options *options)
{
	static struct daemon daemon;
	struct ring_buffer *ring;
	int notify, signals, status;
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (set_up(&daemon, options))
		return fail(&daemon.fault);
	/* Not before it has registered itself: the policy of a warden that ran before refuses it the
	 * socket. */
	notify = notify_socket();
	ring = ring_buffer__new(daemon.policy.map[MAP_EVENTS], take_event, &daemon, NULL);
	if (!ring || signals < 0 ||
	    confine_capabilities(kept_capabilities | (options->make_cgroup ? kept_for_demo : 0)) ||
	    confine_calls()) {
		fault_set(&daemon.fault, "ERR_CONFINE", "%s", strerror(errno));
		return fail(&daemon.fault);
	}
	/* Not puts, which asks a character device whether it is a terminal: that call is not
	 * allowed any more. */
	if (write(STDOUT_FILENO, "ready\n", 6) != 6)
		log_event("ready-unread", "%s", "");
	if (notify >= 0 && write(notify, "READY=1", 7) != 7)
		log_event("notify-failed", "%s", "");
	status = loop(&daemon, options, ring, signals);
	probe_stop(&daemon.probe, &daemon.policy);
	if (options->make_cgroup)
		demo_cgroup_remove(&daemon.policy);
	return status;
}
