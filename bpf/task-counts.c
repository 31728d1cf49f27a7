/* The attempts of single workers. See task-counts.h. */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "clock.h"
#include "egress.h"
#include "task-counts.h"

/* No moment of this boot is later. */
#define NEVER (~0ULL)

/* 4: PID 1 puts an instance below its slice's slice; a worker can make no deeper one. */
#define DEPTH 4

static __u64 note(const struct policy *policy, __u32 which)
{
	__u64 value = NEVER;

	bpf_map_lookup_elem(policy->map[MAP_TASKS_MISSED], &which, &value);
	return value;
}

static int set_note(const struct policy *policy, __u32 which, __u64 value)
{
	return bpf_map_update_elem(policy->map[MAP_TASKS_MISSED], &which, &value, BPF_ANY);
}

void task_counts_begin(const struct policy *policy)
{
	if (policy->is_map_new[MAP_TASKS] || policy->is_map_new[MAP_TASKS_MISSED])
		set_note(policy, MISSED_UNTIL, NEVER);
}

__u64 task_counts_since(const struct policy *policy)
{
	__u64 missed = note(policy, MISSED_ATTEMPTS), until = note(policy, MISSED_UNTIL);

	if (until != NEVER && missed == note(policy, MISSED_SEEN))
		return until;
	/* In this order: who dies in between looks again. The clock after the count, so that no attempt which
	 * it has is later. */
	until = boot_ns();
	if (set_note(policy, MISSED_UNTIL, until) || set_note(policy, MISSED_SEEN, missed))
		return NEVER;
	return until;
}

struct entries {
	__u64 cgroup[EGRESS_TASKS]; /* 0: to be kept */
	unsigned count;
};

static void keep(struct entries *entries, __u64 cgroup)
{
	for (unsigned i = 0; i < entries->count; i++)
		if (entries->cgroup[i] == cgroup)
			entries->cgroup[i] = 0;
}

static void read_entries(const struct policy *policy, struct entries *entries)
{
	const __u64 *at = NULL;

	entries->count = 0;
	while (entries->count < EGRESS_TASKS &&
	       !bpf_map_get_next_key(policy->map[MAP_TASKS], at,
				     &entries->cgroup[entries->count]))
		at = &entries->cgroup[entries->count++];
}

/* Of tasks that said a key: witness.c takes them away. */
static void keep_keyed(const struct policy *policy, struct entries *entries)
{
	__u8 key[32], *at = NULL;
	struct egress_task task;

	while (!bpf_map_get_next_key(policy->map[MAP_TASK_KEYS], at, key)) {
		at = key;
		if (!bpf_map_lookup_elem(policy->map[MAP_TASK_KEYS], key, &task))
			keep(entries, task.cgroup);
	}
}

/* What has a folder below `name`; -1 when not all of it could be read. */
static int keep_folders(int parent, const char *name, int depth, struct entries *entries)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int result = 0;

	if (!folder) {
		/* It has gone since its parent was read. */
		result = fd < 0 && errno == ENOENT ? 0 : -1;
		if (fd >= 0)
			close(fd);
		return result;
	}
	while (!result && (errno = 0, entry = readdir(folder))) {
		if (*entry->d_name == '.' || entry->d_type != DT_DIR)
			continue;
		keep(entries, cgroup_id(fd, entry->d_name));
		result = depth ? keep_folders(fd, entry->d_name, depth - 1, entries) : -1;
	}
	if (errno && errno != ENOENT)
		result = -1;
	closedir(folder);
	return result;
}

void task_counts_sweep(const struct policy *policy)
{
	static struct entries entries;

	/* The map is read before the folders: who is in it then and has no folder later is gone, not new. */
	read_entries(policy, &entries);
	if (!entries.count)
		return;
	keep_keyed(policy, &entries);
	if (keep_folders(policy->root.fd, ".", DEPTH, &entries))
		return;
	for (unsigned i = 0; i < entries.count; i++)
		if (entries.cgroup[i])
			bpf_map_delete_elem(policy->map[MAP_TASKS], &entries.cgroup[i]);
}
