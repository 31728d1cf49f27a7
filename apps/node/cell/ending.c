/*
 * In what way a child ended, as a receipt says it (PROTOCOL.md, section 7, receipt, `end`).
 *
 * That it finished, ran out of time or lost its line is the child's own word, in its exit status; that it
 * crashed, was killed or was in want of memory is what the cell saw.
 */
#define _GNU_SOURCE
#include "ending.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

/* As in ipc/exit-status.ts. */
#define EXIT_FINISHED 0
#define EXIT_TIMEOUT 64
#define EXIT_DISCONNECTED 65

#define PATH_BYTES 512

static uint64_t read_memory_kills(const char *path)
{
	FILE *events = fopen(path, "re");
	char line[256];
	uint64_t count = 0;

	while (events && fgets(line, sizeof(line), events))
		if (sscanf(line, "oom_kill %" SCNu64, &count) == 1)
			break;
	if (events)
		fclose(events);
	return count;
}

uint64_t memory_kills(void)
{
	FILE *groups = fopen("/proc/self/cgroup", "re");
	char line[PATH_BYTES], path[2 * PATH_BYTES];
	uint64_t count = 0;

	while (groups && fgets(line, sizeof(line), groups)) {
		char *group = strchr(line, '/');

		if (!group)
			continue;
		group[strcspn(group, "\n")] = 0;
		if (!strncmp(line, "0::", 3))
			snprintf(path, sizeof(path), "/sys/fs/cgroup%s/memory.events", group);
		else if (strstr(line, ":memory:"))
			snprintf(path, sizeof(path), "/sys/fs/cgroup/memory%s/memory.oom_control", group);
		else
			continue;
		count += read_memory_kills(path);
	}
	if (groups)
		fclose(groups);
	return count;
}

static enum ending ending_of_signal(const struct end *end, int signal, uint64_t memory_kills_before)
{
	if (end->by == BY_ORDER)
		return KILLED;
	if (end->by == BY_HANG_UP)
		return DISCONNECTED;
	if (signal == SIGKILL && memory_kills() > memory_kills_before)
		return MEMORY;
	/* What a program does not do to itself. */
	if (signal == SIGKILL || signal == SIGTERM || signal == SIGINT || signal == SIGHUP)
		return KILLED;
	return CRASHED;
}

enum ending ending_of(const struct end *end, uint64_t memory_kills_before)
{
	if (WIFSIGNALED(end->status))
		return ending_of_signal(end, WTERMSIG(end->status), memory_kills_before);
	switch (WEXITSTATUS(end->status)) {
	case EXIT_FINISHED:
		return FINISHED;
	case EXIT_TIMEOUT:
		return TIMEOUT;
	case EXIT_DISCONNECTED:
		return DISCONNECTED;
	default:
		return CRASHED;
	}
}
