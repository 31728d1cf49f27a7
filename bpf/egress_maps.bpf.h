/* The maps of the policy, and the one way in which an attempt is refused: counted always, told if
 * there is room. */
#ifndef EGRESS_MAPS_BPF_H
#define EGRESS_MAPS_BPF_H

#include "egress.h"

/* In a section of its own, so that `warden verify` can read it back and compare. */
const volatile struct egress_root root SEC(".rodata.root") = {};

/* 1,024: two dozen cgroups live at once, and `warden admit` sweeps the dead ones. Never an LRU map:
 * eviction would be policy. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct egress_unit);
} units SEC(".maps");

/* 256: an order lists at most 64 endpoints, for each of two kinds, and one that is closing may
 * overlap one that opens. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, struct egress_endpoint);
	__type(value, __u64);
} endpoints SEC(".maps");

/* 16: the nine that a node of systemd has, and room. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, struct egress_unix_path);
	__type(value, __u8);
} unix_paths SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, UNIT_KINDS);
	__type(key, __u32);
	__type(value, struct egress_count);
} counts SEC(".maps");

/* By the id of a worker's own cgroup: made here at its first attempt, or by the warden when the worker
 * says its key; taken away by the warden, with its task or when its cgroup has gone. An attempt that finds it full
 * is in `tasks_missed`, and costs the tasks of that time their witness. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, EGRESS_TASKS);
	__type(key, __u64);
	__type(value, struct egress_count);
} tasks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MISSED_NOTES);
	__type(key, __u32);
	__type(value, __u64);
} tasks_missed SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, EGRESS_TASKS);
	__type(key, __u8[32]);
	__type(value, struct egress_task);
} task_keys SEC(".maps");

/* 1 MiB, about 13,000 attempts, unless the loader sets another size. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events SEC(".maps");

/* What a program knows of an attempt when it refuses it. */
struct attempt {
	__u32 kind;
	__u32 hook;
	__u32 protocol;
	__u16 port;
	__u16 has_address;
	__u64 cgroup;
	__u64 pid_tgid;
	__u64 uid_gid;
	__u32 address[4]; /* network order */
};

static __always_inline struct egress_count *count_of_task(__u64 cgroup)
{
	const struct egress_count none = {};
	const __u32 attempts = MISSED_ATTEMPTS;
	__u64 *missed;
	struct egress_count *count = bpf_map_lookup_elem(&tasks, &cgroup);

	if (count)
		return count;
	bpf_map_update_elem(&tasks, &cgroup, &none, BPF_NOEXIST);
	count = bpf_map_lookup_elem(&tasks, &cgroup);
	if (!count) {
		missed = bpf_map_lookup_elem(&tasks_missed, &attempts);
		if (missed)
			__sync_fetch_and_add(missed, 1);
	}
	return count;
}

/* Always 0, the verdict. Atomic, because a packet program may interrupt a connect on the same CPU.
 */
static __always_inline int refuse(const struct attempt *attempt)
{
	__u32 kind = attempt->kind;
	struct egress_count *count = bpf_map_lookup_elem(&counts, &kind);
	struct egress_count *of_task = kind == UNIT_WORKER ? count_of_task(attempt->cgroup) : NULL;
	struct egress_event *event;

	if (of_task)
		__sync_fetch_and_add(&of_task->attempts, 1);
	if (!count)
		return 0;
	__sync_fetch_and_add(&count->attempts, 1);
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		__sync_fetch_and_add(&count->lost, 1);
		if (of_task)
			__sync_fetch_and_add(&of_task->lost, 1);
		return 0;
	}
	__sync_fetch_and_add(&count->logged, 1);
	if (of_task)
		__sync_fetch_and_add(&of_task->logged, 1);
	__builtin_memset(event, 0, sizeof(*event));
	event->boot_ns = bpf_ktime_get_boot_ns();
	event->cgroup = attempt->cgroup;
	event->pid = attempt->pid_tgid >> 32;
	event->uid = (__u32)attempt->uid_gid;
	event->protocol = attempt->protocol;
	event->port = attempt->port;
	event->kind = kind;
	event->hook = attempt->hook;
	event->has_address = attempt->has_address;
	__builtin_memcpy(event->address, attempt->address, sizeof(event->address));
	bpf_ringbuf_submit(event, 0);
	return 0;
}

/* The rule of the unit that the running task belongs to; NULL for a task that belongs to none. */
static __always_inline struct egress_unit *current_unit(void)
{
	__u64 id = bpf_get_current_ancestor_cgroup_id(root.level + 1);

	return bpf_map_lookup_elem(&units, &id);
}

static __always_inline void fill_current(struct attempt *attempt, const struct egress_unit *unit)
{
	attempt->kind = unit ? unit->kind : UNIT_UNKNOWN;
	attempt->cgroup = bpf_get_current_cgroup_id();
	attempt->pid_tgid = bpf_get_current_pid_tgid();
	attempt->uid_gid = bpf_get_current_uid_gid();
}

/* Whether an open window lists this place, now. The clock is the kernel's, so no daemon has to be
 * alive to close it. */
static __always_inline int is_open(__u32 kind, const __u32 address[4], __u16 port)
{
	struct egress_endpoint key = { .kind = kind, .port = port };
	__u64 *deadline;

	__builtin_memcpy(key.address, address, sizeof(key.address));
	deadline = bpf_map_lookup_elem(&endpoints, &key);
	return deadline && bpf_ktime_get_boot_ns() < *deadline;
}

#endif
