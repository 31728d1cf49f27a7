/* How both optional tiers judge the path of a Unix socket. */
#ifndef EGRESS_UNIX_BPF_H
#define EGRESS_UNIX_BPF_H

#include "egress_maps.bpf.h"

/* Units that talk to others over Unix sockets by design, whom file permissions bind. UNIT_PROBE tries only the network. */
static __always_inline int is_free(__u32 kind)
{
	switch (kind) {
	case UNIT_GATEWAY:
	case UNIT_KEEPER:
	case UNIT_WARDEN:
	case UNIT_INSTALLER:
	case UNIT_HOLD:
	case UNIT_PROBE:
		return 1;
	default:
		return 0;
	}
}

/* Copies the path of `length` bytes at `from`, in kernel memory, into `key`; 0 for an abstract, empty or oversized one. What
 * lies behind a NUL is not part of a path, and would make the key another one. */
static __always_inline int read_path(struct egress_unix_path *key, const void *from, __u32 length)
{
	if (length < 1 || length > EGRESS_PATH_BYTES)
		return 0;
	if (bpf_probe_read_kernel(key->path, length, from) || !key->path[0])
		return 0;
	for (int i = 1; i < EGRESS_PATH_BYTES; i++)
		if (!key->path[i - 1])
			key->path[i] = 0;
	return 1;
}

#endif
