/* Whether the policy is in force, in two independent ways: read back, and tried. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "egress.h"
#include "probe.h"
#include "verify.h"

/* 16: a program uses the seven maps and its read-only data. */
#define MAPS_PER_PROGRAM 16

static __u32 map_id(int fd)
{
	struct bpf_map_info info = {};
	__u32 length = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &length) ? 0 : info.id;
}

/* The tag does not cover read-only data, so the place that a program was built for is compared by
 * itself. */
static int has_root(const struct policy *policy, __u32 id)
{
	struct bpf_map_info info = {};
	__u32 length = sizeof(info), key = 0;
	struct egress_root root;
	int fd = bpf_map_get_fd_by_id(id);
	int is_same = fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &length) &&
		      !strcmp(info.name, ".rodata.root") && info.value_size == sizeof(root) &&
		      !bpf_map_lookup_elem(fd, &key, &root) && root.id == policy->root.id &&
		      root.level == policy->root.level && root.is_slice == policy->root.is_slice;

	if (fd >= 0)
		close(fd);
	return is_same;
}

static int check_program(const struct policy *policy, const struct policy_program *program,
			 struct fault *fault)
{
	__u32 maps[MAPS_PER_PROGRAM], id, length = sizeof(struct bpf_prog_info);
	struct bpf_prog_info info = { .nr_map_ids = MAPS_PER_PROGRAM,
				      .map_ids = (__u64)(unsigned long)maps };
	int has_place = 0, has_units = 0, has_counts = 0, fd;

	if (policy_check_link(policy, program, 0, &id, fault))
		return -1;
	fd = bpf_prog_get_fd_by_id(id);
	if (fd < 0)
		return errno == EPERM ? fault_set(fault, "ERR_NO_CAPABILITY",
						  "reading programs needs CAP_SYS_ADMIN")
				      : fault_set(fault, "ERR_PROGRAM_DIFFERS", "%s: %s",
						  program->name, strerror(errno));
	if (bpf_obj_get_info_by_fd(fd, &info, &length))
		info.nr_map_ids = 0;
	close(fd);
	if (memcmp(info.tag, program->tag, TAG_BYTES))
		return fault_set(fault, "ERR_PROGRAM_DIFFERS",
				 "%s: its tag is not that of the program in this warden",
				 program->name);
	for (__u32 i = 0; i < info.nr_map_ids && i < MAPS_PER_PROGRAM; i++) {
		has_place |= has_root(policy, maps[i]);
		has_units |= maps[i] == map_id(policy->map[MAP_UNITS]);
		has_counts |= maps[i] == map_id(policy->map[MAP_COUNTS]);
	}
	if (!has_place)
		return fault_set(fault, "ERR_LINK_CGROUP", "%s: built for another cgroup than %s",
				 program->name, policy->root.path);
	if (!has_counts || !has_units)
		return fault_set(fault, "ERR_PROGRAM_DIFFERS", "%s: does not use the pinned maps",
				 program->name);
	return 0;
}

int verify_programs(struct policy *policy, struct fault *fault)
{
	for (struct policy_program *p = policy->program; p < policy->program + POLICY_PROGRAMS;
	     p++) {
		if (!policy->is_loaded[p->tier])
			continue;
		if (policy_open_link(policy, p, fault)) {
			/* A tier may be missing only where this kernel does not have it. */
			if (p->tier == TIER_CGROUP || policy_can_attach(policy, p))
				return -1;
			policy->is_loaded[p->tier] = 0;
			policy->missing[p->tier] = "ERR_LINK_MISSING";
			fault->line[0] = 0;
		} else if (check_program(policy, p, fault)) {
			return -1;
		}
	}
	return 0;
}

int verify_all(struct policy *policy, const char *cgroup, const char *pins, struct fault *fault)
{
	struct probe probe;
	char folder[32];
	int failed;

	if (policy_open_maps(policy, cgroup, pins, fault) ||
	    policy_load(policy, cgroup, pins, 0, fault) || verify_programs(policy, fault))
		return -1;
	snprintf(folder, sizeof(folder), "probe-%d", getpid());
	failed = probe_start(&probe, policy, folder, fault) || probe_ask(&probe, policy, fault);
	probe_stop(&probe, policy);
	return failed ? -1 : 0;
}
