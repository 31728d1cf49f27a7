/* The policy as the warden holds it: programs in tiers, the maps they share, and the links that
 * attach them. */
#ifndef POLICY_H
#define POLICY_H

#include <linux/bpf.h>
#include <linux/types.h>
#include "cgroup.h"
#include "fault.h"

struct bpf_object;

enum policy_tier { TIER_CGROUP, TIER_UNIX, TIER_LSM, TIERS };
enum policy_map {
	MAP_UNITS,
	MAP_ENDPOINTS,
	MAP_UNIX_PATHS,
	MAP_COUNTS,
	MAP_EVENTS,
	MAP_TASKS,
	MAP_TASKS_MISSED,
	MAP_TASK_KEYS,
	MAPS
};

/* 8: BPF_TAG_SIZE. */
#define TAG_BYTES 8

struct policy_program {
	const char *name;
	enum policy_tier tier;
	__u32 attach_type; /* enum bpf_attach_type */
	int fd;            /* of the program as this binary loads it */
	__u32 id;
	unsigned char tag[TAG_BYTES];
	int link; /* -1 until attached or opened */
};

/* 17: eight programs that every host has, two for Unix sockets, seven for LSM. */
#define POLICY_PROGRAMS 17

struct policy {
	struct cgroup_root root;
	const char *pins;
	__u32 ring_bytes;
	int is_loaded[TIERS];
	const char *missing[TIERS]; /* why a tier is not loaded */
	int map[MAPS];
	int is_map_new[MAPS];
	struct bpf_object *object[TIERS];
	struct policy_program program[POLICY_PROGRAMS];
};

extern const char *const tier_names[TIERS];
extern const char *const map_names[MAPS];

/* Where something is pinned: "<pins>/<kind><name>". */
const char *policy_pin(const struct policy *policy, const char *kind, const char *name,
		       char out[CGROUP_PATH_BYTES]);

/* Loads every tier that this kernel takes, into the pinned maps where they exist. Attaches nothing.
 * `ring_bytes` is the size of the event ring, 0 for that of the pinned one. Faults, for the tier
 * that every host must have: ERR_NO_CGROUP ERR_NO_BPFFS ERR_NO_BTF ERR_NO_CAPABILITY ERR_LOAD. */
int policy_load(struct policy *policy, const char *cgroup, const char *pins, __u32 ring_bytes,
		struct fault *fault);

/* Pins maps and links. A link that is pinned already is updated in place, so there is no moment
 * without a program. Faults: ERR_ATTACH, ERR_PIN. */
int policy_attach(struct policy *policy, struct fault *fault);

/* Opens the pinned maps, without loading anything. Faults: ERR_NO_CGROUP ERR_NO_BPFFS
 * ERR_MAP_MISSING. */
int policy_open_maps(struct policy *policy, const char *cgroup, const char *pins,
		     struct fault *fault);

/* Opens the pinned link of a program. Faults: ERR_LINK_MISSING. */
int policy_open_link(struct policy *policy, struct policy_program *program, struct fault *fault);

/* Whether this kernel lets the loaded `program` be attached to the root: tried, for a moment. */
int policy_can_attach(const struct policy *policy, const struct policy_program *program);

/* Whether `program` is attached through its link to this root, as loaded by whom `id` says (0:
 * anybody). Faults: ERR_LINK_DETACHED ERR_LINK_CGROUP ERR_PROGRAM_DIFFERS. */
int policy_check_link(const struct policy *policy, const struct policy_program *program, __u32 id,
		      __u32 *attached, struct fault *fault);

/* SHA-256 over the tags of all loaded programs in their order, as 64 hex digits. */
void policy_digest(const struct policy *policy, char out[65]);

/* Removes every pin and the folder; with the last link gone nothing is enforced any more. */
void policy_remove(struct policy *policy);

#endif
