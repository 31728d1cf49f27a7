/* The live probe: a small process in a cgroup of its own that tries to get out, and must fail and
 * be counted. */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "confine.h"
#include "counts.h"
#include "probe.h"

/* 2,000 ms: the probe never waits for a network, so only a stopped process takes longer. */
#define ANSWER_MS 2000

struct answer {
	__u8 refused;
	__u8 passed; /* 1 + index of what was not refused, or 0 */
	__u8 errno_seen;
};

static const char *const ways[] = { "connect4", "connect6", "sendmsg4", "sendmsg6", "sock_create" };

static int try_call(int family, int type)
{
	struct sockaddr_in to4 = { .sin_family = AF_INET,
				   .sin_port = htons(PROBE_PORT),
				   .sin_addr.s_addr = htonl(PROBE_ADDRESS4) };
	struct sockaddr_in6 to6 = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(PROBE_PORT),
		.sin6_addr.s6_addr32 = { htonl(PROBE_ADDRESS6), 0, 0, htonl(1) },
	};
	const struct sockaddr *to =
		family == AF_INET ? (const struct sockaddr *)&to4 : (const struct sockaddr *)&to6;
	socklen_t length = family == AF_INET ? sizeof(to4) : sizeof(to6);
	int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int result;

	if (fd < 0)
		return errno;
	result = type == SOCK_STREAM ? connect(fd, to, length)
				     : (int)sendto(fd, "", 1, 0, to, length);
	result = result < 0 ? errno : 0;
	close(fd);
	return result;
}

/* Asks for a protocol that no unit may have; 0 when the socket could be made. */
static int try_create(void)
{
	const int protocols[][2] = { { SOCK_DGRAM, IPPROTO_UDPLITE },
				     { SOCK_STREAM, IPPROTO_MPTCP } };
	int error = EPROTONOSUPPORT;

	for (int i = 0; i < 2 && error == EPROTONOSUPPORT; i++) {
		int fd = socket(AF_INET, protocols[i][0] | SOCK_CLOEXEC, protocols[i][1]);

		error = fd < 0 ? errno : 0;
		if (fd >= 0)
			close(fd);
	}
	return error;
}

/* Making a socket has no address to be known by, so it is tried only from a scratch cgroup. */
static void answer_questions(int channel, int ways_tried)
{
	struct answer answer;
	char question;

	while (read(channel, &question, 1) == 1) {
		memset(&answer, 0, sizeof(answer));
		for (int way = 0; way < ways_tried; way++) {
			int error = way == 4 ? try_create()
					     : try_call(way & 1 ? AF_INET6 : AF_INET,
							way < 2 ? SOCK_STREAM : SOCK_DGRAM);

			/* A kernel without IPv6, or without either protocol, has nothing to refuse
			 * there. */
			if (error == EPERM) {
				answer.refused++;
			} else if (!answer.passed && error != EAFNOSUPPORT &&
				   error != EPROTONOSUPPORT) {
				answer.passed = (__u8)(way + 1);
				answer.errno_seen = (__u8)error;
			}
		}
		if (write(channel, &answer, sizeof(answer)) != sizeof(answer))
			break;
	}
}

static int make_scratch(struct probe *probe, const struct policy *policy, const char *folder)
{
	struct egress_unit unit = { .kind = UNIT_PROBE };

	snprintf(probe->folder, sizeof(probe->folder), "%s", folder);
	if (mkdirat(policy->root.fd, folder, 0755) && errno != EEXIST)
		return -1;
	probe->id = cgroup_id(policy->root.fd, folder);
	return probe->id ? bpf_map_update_elem(policy->map[MAP_UNITS], &probe->id, &unit, BPF_ANY)
			 : -1;
}

int probe_start(struct probe *probe, const struct policy *policy, const char *folder,
		struct fault *fault)
{
	char path[CGROUP_PATH_BYTES + 64];
	int ends[2];

	memset(probe, 0, sizeof(*probe));
	snprintf(path, sizeof(path), "%s/%s", policy->root.path, folder ? folder : "");
	if ((folder && make_scratch(probe, policy, folder)) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return fault_set(fault, "ERR_PROBE", "%s: %s", path, strerror(errno));
	probe->pid = fork();
	if (!probe->pid) {
		if (dup2(ends[1], 0) != 0 || close_range(3, ~0U, 0) ||
		    (folder && cgroup_join(path)) || confine_capabilities(0))
			_exit(1);
		answer_questions(0, folder ? 5 : 4);
		_exit(0);
	}
	close(ends[1]);
	probe->channel = ends[0];
	return probe->pid > 0 ? 0 : fault_set(fault, "ERR_PROBE", "fork: %s", strerror(errno));
}

int probe_ask(const struct probe *probe, const struct policy *policy, struct fault *fault)
{
	struct pollfd wait = { .fd = probe->channel, .events = POLLIN };
	struct egress_count before, after;
	struct answer answer;

	if (counts_read(policy->map[MAP_COUNTS], UNIT_PROBE, &before) ||
	    write(probe->channel, "?", 1) != 1 || poll(&wait, 1, ANSWER_MS) != 1 ||
	    read(probe->channel, &answer, sizeof(answer)) != sizeof(answer))
		return fault_set(fault, "ERR_PROBE", "the probe did not answer");
	if (answer.passed)
		return fault_set(fault, "ERR_PROBE_PASSED",
				 "%s from inside the policy was not refused (%s)",
				 ways[answer.passed - 1],
				 answer.errno_seen ? strerror(answer.errno_seen) : "it passed");
	if (counts_read(policy->map[MAP_COUNTS], UNIT_PROBE, &after) ||
	    after.attempts < before.attempts + answer.refused)
		return fault_set(fault, "ERR_PROBE_NOT_COUNTED",
				 "%u attempts were refused, %llu counted", answer.refused,
				 (unsigned long long)(after.attempts - before.attempts));
	return 0;
}

void probe_stop(struct probe *probe, const struct policy *policy)
{
	if (probe->pid > 0) {
		close(probe->channel);
		waitpid(probe->pid, NULL, 0);
	}
	probe->pid = 0;
	if (!probe->folder[0])
		return;
	bpf_map_delete_elem(policy->map[MAP_UNITS], &probe->id);
	unlinkat(policy->root.fd, probe->folder, AT_REMOVEDIR);
}
