/* Attaches the loaded programs to the root through pinned links, and reads back what is attached.
 *
 * A pinned link outlives whoever made it, and an update replaces the program inside it in one step:
 * neither the death nor the upgrade of the warden leaves a moment without a policy.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "policy.h"

const char *policy_pin(const struct policy *policy, const char *kind, const char *name,
		       char out[CGROUP_PATH_BYTES])
{
	snprintf(out, CGROUP_PATH_BYTES, "%s/%s%s", policy->pins, kind, name);
	return out;
}

/* "_new": a bpf file system takes no dots. */
static const char *fresh_pin(const char *path, char out[CGROUP_PATH_BYTES])
{
	snprintf(out, CGROUP_PATH_BYTES, "%.4000s_new", path);
	return out;
}

/* In one step: with no moment, and after no death, in which nothing is pinned there. */
static int pin(int fd, const char *path, struct fault *fault)
{
	char fresh[CGROUP_PATH_BYTES];

	unlink(fresh_pin(path, fresh));
	if (bpf_obj_pin(fd, fresh) || chmod(fresh, 0600) || rename(fresh, path))
		return fault_set(fault, "ERR_PIN", "%s: %s", path, strerror(errno));
	return 0;
}

static int pin_maps(struct policy *policy, struct fault *fault)
{
	char path[CGROUP_PATH_BYTES];

	if (mkdir(policy->pins, 0700) && errno != EEXIST)
		return fault_set(fault, "ERR_PIN", "%s: %s", policy->pins, strerror(errno));
	if (chmod(policy->pins, 0700))
		return fault_set(fault, "ERR_PIN", "%s: %s", policy->pins, strerror(errno));
	for (int which = 0; which < MAPS; which++) {
		policy_pin(policy, "", map_names[which], path);
		if (!policy->is_map_new[which])
			continue;
		if (pin(policy->map[which], path, fault))
			return -1;
		policy->is_map_new[which] = 0;
	}
	return 0;
}

static int link_info(int link, struct bpf_link_info *info)
{
	__u32 length = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return bpf_obj_get_info_by_fd(link, info, &length);
}

static int make_link(const struct policy *policy, const struct policy_program *program)
{
	struct bpf_program *lsm;
	struct bpf_link *link;

	if (program->tier != TIER_LSM)
		return bpf_link_create(program->fd, policy->root.fd, program->attach_type, NULL);
	lsm = bpf_object__find_program_by_name(policy->object[TIER_LSM], program->name);
	link = bpf_program__attach_lsm(lsm);
	return link ? bpf_link__fd(link) : -1;
}

static int attach(struct policy *policy, struct policy_program *program, struct fault *fault)
{
	char path[CGROUP_PATH_BYTES], fresh[CGROUP_PATH_BYTES];
	struct bpf_link_info info;
	int old = bpf_obj_get(policy_pin(policy, "link_", program->name, path));

	if (old >= 0 && !link_info(old, &info) && info.type == BPF_LINK_TYPE_CGROUP &&
	    info.cgroup.cgroup_id == policy->root.id &&
	    info.cgroup.attach_type == program->attach_type) {
		if (bpf_link_update(old, program->fd, NULL))
			return fault_set(fault, "ERR_ATTACH", "%s: update: %s", program->name,
					 strerror(errno));
		program->link = old;
		/* Of one who died before the rename. */
		unlink(fresh_pin(path, fresh));
		return 0;
	}
	program->link = make_link(policy, program);
	if (program->link < 0)
		return fault_set(fault, "ERR_ATTACH", "%s: %s", program->name, strerror(errno));
	/* The new link enforces already; only now does the old one, of a cgroup that is gone or of
	 * LSM, lose its pin. */
	if (pin(program->link, path, fault))
		return -1;
	if (old >= 0)
		close(old);
	return 0;
}

int policy_attach(struct policy *policy, struct fault *fault)
{
	if (pin_maps(policy, fault))
		return -1;
	for (struct policy_program *p = policy->program; p < policy->program + POLICY_PROGRAMS;
	     p++) {
		if (!policy->is_loaded[p->tier] || !attach(policy, p, fault))
			continue;
		if (p->tier == TIER_CGROUP)
			return -1;
		policy->is_loaded[p->tier] = 0;
		policy->missing[p->tier] = "ERR_ATTACH";
		fault->line[0] = 0;
	}
	return 0;
}

int policy_open_link(struct policy *policy, struct policy_program *program, struct fault *fault)
{
	char path[CGROUP_PATH_BYTES];

	program->link = bpf_obj_get(policy_pin(policy, "link_", program->name, path));
	if (program->link < 0)
		return fault_set(fault, "ERR_LINK_MISSING", "%s: %s", path, strerror(errno));
	return 0;
}

int policy_can_attach(const struct policy *policy, const struct policy_program *program)
{
	int link = make_link(policy, program);

	if (link < 0)
		return 0;
	close(link);
	return 1;
}

int policy_check_link(const struct policy *policy, const struct policy_program *program, __u32 id,
		      __u32 *attached, struct fault *fault)
{
	struct bpf_link_info info;

	if (link_info(program->link, &info))
		return fault_set(fault, "ERR_LINK_MISSING", "%s: %s", program->name,
				 strerror(errno));
	if (program->tier != TIER_LSM) {
		if (info.type != BPF_LINK_TYPE_CGROUP ||
		    info.cgroup.attach_type != program->attach_type)
			return fault_set(fault, "ERR_PROGRAM_DIFFERS",
					 "%s: the pin holds another kind of link", program->name);
		if (!info.cgroup.cgroup_id)
			return fault_set(fault, "ERR_LINK_DETACHED",
					 "%s: its link has cgroup_id 0: the cgroup was removed, or "
					 "the link detached",
					 program->name);
		if (info.cgroup.cgroup_id != policy->root.id)
			return fault_set(fault, "ERR_LINK_CGROUP",
					 "%s: attached to cgroup %llu, not to %llu", program->name,
					 (unsigned long long)info.cgroup.cgroup_id,
					 (unsigned long long)policy->root.id);
	} else if (info.type != BPF_LINK_TYPE_TRACING) {
		return fault_set(fault, "ERR_PROGRAM_DIFFERS",
				 "%s: the pin holds another kind of link", program->name);
	}
	if (id && info.prog_id != id)
		return fault_set(fault, "ERR_PROGRAM_DIFFERS", "%s: program %u is attached, not %u",
				 program->name, info.prog_id, id);
	if (attached)
		*attached = info.prog_id;
	return 0;
}

void policy_remove(struct policy *policy)
{
	char path[CGROUP_PATH_BYTES], fresh[CGROUP_PATH_BYTES];

	for (int which = 0; which < MAPS; which++) {
		unlink(policy_pin(policy, "", map_names[which], path));
		unlink(fresh_pin(path, fresh));
	}
	for (struct policy_program *p = policy->program; p < policy->program + POLICY_PROGRAMS;
	     p++) {
		unlink(policy_pin(policy, "link_", p->name, path));
		unlink(fresh_pin(path, fresh));
		if (p->link >= 0)
			close(p->link);
	}
	rmdir(policy->pins);
}
