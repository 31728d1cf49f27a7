/* Registers cgroups as units: until then the kernel refuses them everything. */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "admit.h"
#include "units.h"

/* 1,024: the size of the map. */
#define UNITS_MAX 1024

/* Forgets cgroups that are gone: their ids never come back, but they fill the map. */
static void sweep(const struct policy *policy)
{
	__u64 *known = calloc(UNITS_MAX, sizeof(*known));
	__u64 key, *at = NULL;
	unsigned count = 0;
	DIR *root;
	const struct dirent *entry;

	/* The map is read before the folders: who is in it then and has no folder later is gone,
	 * not new. */
	while (known && count < UNITS_MAX &&
	       !bpf_map_get_next_key(policy->map[MAP_UNITS], at, &key)) {
		known[count] = key;
		at = &known[count++];
	}
	root = opendir(policy->root.path);
	while (root && (entry = readdir(root))) {
		__u64 id = *entry->d_name == '.' || entry->d_type != DT_DIR
				   ? 0
				   : cgroup_id(policy->root.fd, entry->d_name);

		for (unsigned i = 0; id && i < count; i++)
			if (known[i] == id)
				known[i] = 0;
	}
	for (unsigned i = 0; root && i < count; i++)
		if (known[i])
			bpf_map_delete_elem(policy->map[MAP_UNITS], &known[i]);
	if (root)
		closedir(root);
	free(known);
}

int admit_folder(const struct policy *policy, enum egress_kind kind, __u32 port, const char *folder,
		 struct fault *fault)
{
	struct egress_unit unit = { .kind = kind, .port = port }, old;
	__u64 id = cgroup_id(policy->root.fd, folder);

	if (!id)
		return fault_set(fault, "ERR_NO_CGROUP", "%s/%s: %s", policy->root.path, folder,
				 strerror(errno));
	if (!unit_fits_folder(kind, folder))
		return fault_set(fault, "ERR_UNIT", "the cgroup %s is not one of the unit %s",
				 folder, unit_names[kind]);
	if (kind == UNIT_GATEWAY ? !port || port > 65535 : port)
		return fault_set(fault, "ERR_UNIT",
				 "the gateway needs --port 1..65535, and no other unit has one");
	if (!bpf_map_lookup_elem(policy->map[MAP_UNITS], &id, &old) && old.kind != (__u32)kind)
		return fault_set(fault, "ERR_UNIT", "the cgroup %s is registered as %s", folder,
				 unit_names[old.kind]);
	if (bpf_map_update_elem(policy->map[MAP_UNITS], &id, &unit, BPF_ANY))
		return fault_set(fault, "ERR_UNIT", "registering %s: %s", folder, strerror(errno));
	return 0;
}

int admit(const struct policy *policy, enum egress_kind kind, __u32 port, const char *path,
	  struct fault *fault)
{
	char own[CGROUP_PATH_BYTES], folder[256];

	if (path ? !realpath(path, own) : cgroup_of_self(own, fault))
		return path ? fault_set(fault, "ERR_NO_CGROUP", "%s: %s", path, strerror(errno))
			    : -1;
	if (cgroup_child_of(&policy->root, own, folder))
		return fault_set(fault, "ERR_UNIT", "%s is not below %s", own, policy->root.path);
	sweep(policy);
	return admit_folder(policy, kind, port, folder, fault);
}
