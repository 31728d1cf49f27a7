/* Loads the kernel programs, tier by tier: the first one must load, the others say why when they do
 * not. */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/magic.h>
#include <sodium.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "egress.h"
#include "policy.h"

/* From the kernel's own numbering; the headers that Debian 12 builds with are older than these two.
 */
#define CGROUP_UNIX_CONNECT 49
#define CGROUP_UNIX_SENDMSG 50

extern const char egress_cgroup[], egress_cgroup_end[], egress_unix[], egress_unix_end[],
	egress_lsm[], egress_lsm_end[];

static const struct {
	const char *start, *end;
} embedded[TIERS] = {
	[TIER_CGROUP] = { egress_cgroup, egress_cgroup_end },
	[TIER_UNIX] = { egress_unix, egress_unix_end },
	[TIER_LSM] = { egress_lsm, egress_lsm_end },
};

static const struct policy_program programs[POLICY_PROGRAMS] = {
	{ "connect4", TIER_CGROUP, BPF_CGROUP_INET4_CONNECT, -1, 0, "", -1 },
	{ "connect6", TIER_CGROUP, BPF_CGROUP_INET6_CONNECT, -1, 0, "", -1 },
	{ "sendmsg4", TIER_CGROUP, BPF_CGROUP_UDP4_SENDMSG, -1, 0, "", -1 },
	{ "sendmsg6", TIER_CGROUP, BPF_CGROUP_UDP6_SENDMSG, -1, 0, "", -1 },
	{ "sock_create", TIER_CGROUP, BPF_CGROUP_INET_SOCK_CREATE, -1, 0, "", -1 },
	{ "egress", TIER_CGROUP, BPF_CGROUP_INET_EGRESS, -1, 0, "", -1 },
	{ "ingress", TIER_CGROUP, BPF_CGROUP_INET_INGRESS, -1, 0, "", -1 },
	{ "setsockopt", TIER_CGROUP, BPF_CGROUP_SETSOCKOPT, -1, 0, "", -1 },
	{ "unix_connect", TIER_UNIX, CGROUP_UNIX_CONNECT, -1, 0, "", -1 },
	{ "unix_sendmsg", TIER_UNIX, CGROUP_UNIX_SENDMSG, -1, 0, "", -1 },
	{ "lsm_create", TIER_LSM, BPF_LSM_MAC, -1, 0, "", -1 },
	{ "lsm_connect", TIER_LSM, BPF_LSM_MAC, -1, 0, "", -1 },
	{ "lsm_sendmsg", TIER_LSM, BPF_LSM_MAC, -1, 0, "", -1 },
	{ "lsm_write", TIER_LSM, BPF_LSM_MAC, -1, 0, "", -1 },
	{ "lsm_option", TIER_LSM, BPF_LSM_MAC, -1, 0, "", -1 },
	{ "lsm_unix_connect", TIER_LSM, BPF_LSM_MAC, -1, 0, "", -1 },
	{ "lsm_unix_send", TIER_LSM, BPF_LSM_MAC, -1, 0, "", -1 },
};

const char *const tier_names[TIERS] = { "cgroup", "unix", "lsm" };
const char *const map_names[MAPS] = { "units",  "endpoints", "unix_paths", "counts",
				      "events", "tasks",     "tasks_missed", "task_keys" };

static int print_nothing(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level, (void)format, (void)arguments;
	return 0;
}

static int prepare(struct policy *policy, const char *cgroup, const char *pins, struct fault *fault)
{
	struct statfs fs;
	char parent[CGROUP_PATH_BYTES];
	char *slash;

	libbpf_set_print(print_nothing);
	policy->pins = pins;
	memcpy(policy->program, programs, sizeof(programs));
	for (int map = 0; map < MAPS; map++)
		policy->map[map] = -1;
	if (cgroup_open(&policy->root, cgroup, fault))
		return -1;
	strncpy(parent, pins, sizeof(parent) - 1);
	parent[sizeof(parent) - 1] = 0;
	slash = strrchr(parent, '/');
	if (!slash || slash == parent)
		return fault_set(fault, "ERR_NO_BPFFS", "%s is no place for pins", pins);
	*slash = 0;
	if (statfs(parent, &fs) || fs.f_type != BPF_FS_MAGIC)
		return fault_set(fault, "ERR_NO_BPFFS",
				 "%s is no bpf file system: mount -t bpf bpf /sys/fs/bpf", parent);
	return 0;
}

/* The pinned map, when it has the shape that `map` needs; a map of another shape is replaced by a
 * new, empty one. */
static int reuse_pinned(struct policy *policy, enum policy_map which, struct bpf_map *map)
{
	struct bpf_map_info info = {};
	__u32 length = sizeof(info);
	char path[CGROUP_PATH_BYTES];
	int fd = bpf_obj_get(policy_pin(policy, "", map_names[which], path));

	if (fd < 0)
		return 0;
	if (bpf_obj_get_info_by_fd(fd, &info, &length) || info.type != bpf_map__type(map) ||
	    info.key_size != bpf_map__key_size(map) ||
	    info.value_size != bpf_map__value_size(map) ||
	    info.max_entries != bpf_map__max_entries(map)) {
		close(fd);
		return 0;
	}
	policy->map[which] = fd;
	return bpf_map__reuse_fd(map, fd);
}

static __u32 pinned_ring_bytes(const struct policy *policy)
{
	struct bpf_map_info info = {};
	__u32 length = sizeof(info);
	char path[CGROUP_PATH_BYTES];
	int fd = bpf_obj_get(policy_pin(policy, "", map_names[MAP_EVENTS], path));

	if (fd >= 0) {
		bpf_obj_get_info_by_fd(fd, &info, &length);
		close(fd);
	}
	return info.max_entries;
}

static int prepare_maps(struct policy *policy, struct bpf_object *object)
{
	struct egress_root root = { .id = policy->root.id,
				    .level = policy->root.level,
				    .is_slice = policy->root.is_slice };
	struct bpf_map *map = bpf_object__find_map_by_name(object, ".rodata.root");

	if (!map || bpf_map__set_initial_value(map, &root, sizeof(root)))
		return -1;
	if (!policy->ring_bytes)
		policy->ring_bytes = pinned_ring_bytes(policy);
	for (int which = 0; which < MAPS; which++) {
		map = bpf_object__find_map_by_name(object, map_names[which]);
		if (!map ||
		    (which == MAP_EVENTS && bpf_map__set_max_entries(map, policy->ring_bytes)))
			return -1;
		if (policy->map[which] >= 0 ? bpf_map__reuse_fd(map, policy->map[which])
					    : reuse_pinned(policy, which, map))
			return -1;
	}
	return 0;
}

static int load_tier(struct policy *policy, enum policy_tier tier)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "phantoma");
	struct bpf_object *object =
		bpf_object__open_mem(embedded[tier].start,
				     (size_t)(embedded[tier].end - embedded[tier].start), &options);

	policy->object[tier] = object;
	if (!object || prepare_maps(policy, object))
		return -1;
	for (struct policy_program *p = policy->program; p < policy->program + POLICY_PROGRAMS;
	     p++) {
		struct bpf_program *program = bpf_object__find_program_by_name(object, p->name);

		if (p->tier != tier)
			continue;
		if (!program)
			return errno = ENOENT, -1;
		if (tier == TIER_UNIX) {
			bpf_program__set_type(program, BPF_PROG_TYPE_CGROUP_SOCK_ADDR);
			bpf_program__set_expected_attach_type(program, p->attach_type);
		}
	}
	if (bpf_object__load(object))
		return -1;
	for (struct policy_program *p = policy->program; p < policy->program + POLICY_PROGRAMS;
	     p++) {
		struct bpf_prog_info info = {};
		__u32 length = sizeof(info);

		if (p->tier != tier)
			continue;
		p->fd = bpf_program__fd(bpf_object__find_program_by_name(object, p->name));
		if (bpf_obj_get_info_by_fd(p->fd, &info, &length))
			return -1;
		p->id = info.id;
		memcpy(p->tag, info.tag, TAG_BYTES);
	}
	for (int which = 0; which < MAPS; which++) {
		if (policy->map[which] >= 0)
			continue;
		policy->map[which] =
			bpf_map__fd(bpf_object__find_map_by_name(object, map_names[which]));
		policy->is_map_new[which] = 1;
	}
	policy->is_loaded[tier] = 1;
	return 0;
}

int policy_load(struct policy *policy, const char *cgroup, const char *pins, __u32 ring_bytes,
		struct fault *fault)
{
	memset(policy, 0, sizeof(*policy));
	policy->ring_bytes = ring_bytes;
	if (prepare(policy, cgroup, pins, fault))
		return -1;
	/* A kernel that does not describe itself can never have the tier that closes the last ways out. */
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		return fault_set(
			fault, "ERR_NO_BTF",
			"this kernel was built without BTF: use the distribution's own kernel");
	for (int tier = 0; tier < TIERS; tier++) {
		if (load_tier(policy, tier)) {
			policy->missing[tier] =
				strerrorname_np(errno) ? strerrorname_np(errno) : "ERR_LOAD";
			bpf_object__close(policy->object[tier]);
			policy->object[tier] = NULL;
		}
	}
	if (policy->is_loaded[TIER_CGROUP])
		return 0;
	if (!strcmp(policy->missing[TIER_CGROUP], "EPERM"))
		return fault_set(fault, "ERR_NO_CAPABILITY",
				 "loading the policy needs CAP_BPF and CAP_NET_ADMIN");
	return fault_set(fault, "ERR_LOAD", "the kernel did not take the policy: %s",
			 policy->missing[TIER_CGROUP]);
}

int policy_open_maps(struct policy *policy, const char *cgroup, const char *pins,
		     struct fault *fault)
{
	char path[CGROUP_PATH_BYTES];

	memset(policy, 0, sizeof(*policy));
	if (prepare(policy, cgroup, pins, fault))
		return -1;
	for (int which = 0; which < MAPS; which++) {
		policy->map[which] = bpf_obj_get(policy_pin(policy, "", map_names[which], path));
		if (policy->map[which] < 0)
			return fault_set(fault, "ERR_MAP_MISSING", "%s: %s", path, strerror(errno));
	}
	return 0;
}

void policy_digest(const struct policy *policy, char out[65])
{
	crypto_hash_sha256_state state;
	unsigned char digest[crypto_hash_sha256_BYTES];

	crypto_hash_sha256_init(&state);
	for (const struct policy_program *p = policy->program;
	     p < policy->program + POLICY_PROGRAMS; p++)
		if (policy->is_loaded[p->tier])
			crypto_hash_sha256_update(&state, p->tag, TAG_BYTES);
	crypto_hash_sha256_final(&state, digest);
	sodium_bin2hex(out, 65, digest, sizeof(digest));
}
