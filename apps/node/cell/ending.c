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
#include <stdbool.h>
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

static uint64_t kills_in_our_group(void)
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

struct memory_kills memory_kills(void)
{
	return (struct memory_kills){
		.in_our_group = kills_in_our_group(),
		.on_this_machine = read_memory_kills("/proc/vmstat"),
	};
}

/*
 * Where its control group's files are out of sight, the kernel still says that it killed somebody; and whom it
 * kills, it kills with all who share their memory: so the anchor too.
 */
static bool was_for_memory(const struct end *end, const struct memory_kills *before)
{
	struct memory_kills now = memory_kills();

	return now.in_our_group > before->in_our_group ||
	       (end->was_anchor_killed && now.on_this_machine > before->on_this_machine);
}

static enum ending ending_of_signal(const struct end *end, int signal, const struct memory_kills *before)
{
	if (end->by == BY_ORDER)
		return KILLED;
	if (end->by == BY_HANG_UP)
		return DISCONNECTED;
	if (signal == SIGKILL && was_for_memory(end, before))
		return MEMORY;
	/* What a program does not do to itself. */
	if (signal == SIGKILL || signal == SIGTERM || signal == SIGINT || signal == SIGHUP)
		return KILLED;
	return CRASHED;
}

enum ending ending_of(const struct end *end, const struct memory_kills *before)
{
	if (WIFSIGNALED(end->status))
		return ending_of_signal(end, WTERMSIG(end->status), before);
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
