/* The open window: endpoints in the kernel's map, each with its deadline. The map is the truth, and
 * outlives the warden. */
#include <bpf/bpf.h>
#include <string.h>
#include "clock.h"
#include "window.h"

__u64 window_deadline(int map)
{
	struct egress_endpoint key, *at = NULL;
	__u64 latest = 0, deadline, now = boot_ns();

	for (; !bpf_map_get_next_key(map, at, &key); at = &key)
		if (key.kind == UNIT_FETCHER && !bpf_map_lookup_elem(map, &key, &deadline) &&
		    deadline > now && deadline > latest)
			latest = deadline;
	return latest;
}

int window_list(int map, const __u8 address[16], __u16 port, __u64 deadline_boot_ns)
{
	struct egress_endpoint key = { .kind = UNIT_FETCHER, .port = port };

	memcpy(key.address, address, sizeof(key.address));
	return bpf_map_update_elem(map, &key, &deadline_boot_ns, BPF_ANY);
}

void window_close(int map)
{
	struct egress_endpoint keys[256], *at = NULL;
	unsigned count = 0;

	/* Collected first: a key that is deleted during a walk makes the walk start again. */
	for (; count < 256 && !bpf_map_get_next_key(map, at, &keys[count]); count++)
		at = &keys[count];
	while (count--)
		if (keys[count].kind == UNIT_FETCHER)
			bpf_map_delete_elem(map, &keys[count]);
}
