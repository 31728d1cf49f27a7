/* The exact counts of refused attempts, summed over CPUs. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>
#include "counts.h"

/* 1,024: more CPUs than any host that we know has. */
#define CPUS 1024

int counts_read(int map, enum egress_kind kind, struct egress_count *sum)
{
	static struct egress_count each[CPUS];
	int cpus = libbpf_num_possible_cpus();
	__u32 key = kind;

	memset(sum, 0, sizeof(*sum));
	if (cpus < 1 || cpus > CPUS || bpf_map_lookup_elem(map, &key, each))
		return -1;
	for (int cpu = 0; cpu < cpus; cpu++) {
		sum->attempts += each[cpu].attempts;
		sum->logged += each[cpu].logged;
		sum->lost += each[cpu].lost;
	}
	return 0;
}

__u64 counts_lost(int map)
{
	struct egress_count count;
	__u64 lost = 0;

	for (enum egress_kind kind = UNIT_UNKNOWN; kind < UNIT_KINDS; kind++)
		if (!counts_read(map, kind, &count))
			lost += count.lost;
	return lost;
}
