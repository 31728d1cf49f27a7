/* The open window, and what a standing order lists: endpoints in the kernel's map. See window.h. */
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

static int list(int map, enum egress_kind kind, const __u8 address[16], __u16 port,
		__u64 deadline_boot_ns)
{
	struct egress_endpoint key = { .kind = kind, .port = port };

	memcpy(key.address, address, sizeof(key.address));
	return bpf_map_update_elem(map, &key, &deadline_boot_ns, BPF_ANY);
}

static int is_listed(const struct window_order *order, const struct egress_endpoint *key)
{
	for (int i = 0; order && i < order->n_endpoints; i++)
		if (order->endpoints[i].port == key->port &&
		    !memcmp(order->endpoints[i].address, key->address, sizeof(key->address)))
			return 1;
	return 0;
}

/* Takes those of `kind` out that `but` does not list. */
static void close_others(int map, enum egress_kind kind, const struct window_order *but)
{
	struct egress_endpoint keys[256], *at = NULL;
	unsigned count = 0;

	/* Collected first: a key that is deleted during a walk makes the walk start again. */
	for (; count < 256 && !bpf_map_get_next_key(map, at, &keys[count]); count++)
		at = &keys[count];
	while (count--)
		if (keys[count].kind == (__u32)kind && !is_listed(but, &keys[count]))
			bpf_map_delete_elem(map, &keys[count]);
}

int window_list(int map, const __u8 address[16], __u16 port, __u64 deadline_boot_ns)
{
	return list(map, UNIT_FETCHER, address, port, deadline_boot_ns);
}

void window_close(int map)
{
	close_others(map, UNIT_FETCHER, NULL);
}

int report_list(int map, const struct window_order *order, __u64 deadline_boot_ns)
{
	close_others(map, UNIT_HERALD, order);
	for (int i = 0; i < order->n_endpoints; i++)
		if (list(map, UNIT_HERALD, order->endpoints[i].address, order->endpoints[i].port,
			 deadline_boot_ns)) {
			report_close(map);
			return -1;
		}
	return 0;
}

void report_close(int map)
{
	close_others(map, UNIT_HERALD, NULL);
}
