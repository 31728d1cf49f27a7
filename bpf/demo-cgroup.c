/* The cgroups of a demo node, for hosts where systemd makes none. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "demo-cgroup.h"
#include "units.h"

/* 30 tries, 100 ms apart: who was told to end has ended by then. */
#define REMOVE_TRIES    30
#define REMOVE_PAUSE_US 100000

static const enum egress_kind folders[] = { UNIT_WORKER,  UNIT_CLERK,  UNIT_KEEPER,
					    UNIT_FETCHER, UNIT_WARDEN, UNIT_GATEWAY,
					    UNIT_HERALD };
#define FOLDERS (sizeof(folders) / sizeof(*folders))

/* Where this process was before, and goes back to, so that its own folder can be removed. */
static char came_from[CGROUP_PATH_BYTES];

int demo_cgroup_make(const char *path, struct fault *fault)
{
	char folder[CGROUP_PATH_BYTES];

	if (cgroup_of_self(came_from, fault))
		return -1;
	if (mkdir(path, 0755) && errno != EEXIST)
		return fault_set(fault, "ERR_NO_CGROUP", "%s: %s", path, strerror(errno));
	for (unsigned i = 0; i < FOLDERS; i++) {
		snprintf(folder, sizeof(folder), "%s/%s", path, unit_names[folders[i]]);
		if (mkdir(folder, 0755) && errno != EEXIST)
			return fault_set(fault, "ERR_NO_CGROUP", "%s: %s", folder, strerror(errno));
	}
	snprintf(folder, sizeof(folder), "%s/%s", path, unit_names[UNIT_WARDEN]);
	if (cgroup_join(folder))
		return fault_set(fault, "ERR_NO_CGROUP", "joining %s: %s", folder, strerror(errno));
	return 0;
}

int demo_cgroup_admit(const struct policy *policy, struct fault *fault)
{
	for (unsigned i = 0; i < FOLDERS; i++)
		if (folders[i] != UNIT_GATEWAY &&
		    admit_folder(policy, folders[i], 0, unit_names[folders[i]], fault))
			return -1;
	return 0;
}

/* Those of single workers, which `enter` makes. */
static void remove_instances(const struct policy *policy)
{
	int folder = openat(policy->root.fd, unit_names[UNIT_WORKER],
			    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *workers = folder < 0 ? NULL : fdopendir(folder);
	const struct dirent *entry;

	while (workers && (entry = readdir(workers)))
		if (*entry->d_name != '.' && entry->d_type == DT_DIR)
			unlinkat(folder, entry->d_name, AT_REMOVEDIR);
	if (workers)
		closedir(workers);
}

void demo_cgroup_remove(struct policy *policy)
{
	int tries, left = 1;

	cgroup_join(came_from);
	for (tries = 0; left && tries < REMOVE_TRIES; tries++) {
		if (tries)
			usleep(REMOVE_PAUSE_US);
		left = 0;
		remove_instances(policy);
		for (unsigned i = 0; i < FOLDERS; i++)
			left |= unlinkat(policy->root.fd, unit_names[folders[i]], AT_REMOVEDIR) &&
				errno != ENOENT;
	}
	if (left || rmdir(policy->root.path)) {
		log_event("cgroup-busy", "%s", "\"code\":\"ERR_NO_CGROUP\"");
		return;
	}
	policy_remove(policy);
}
