/* How both optional tiers judge the path of a Unix socket. */
#ifndef EGRESS_UNIX_BPF_H
#define EGRESS_UNIX_BPF_H

#include "egress_maps.bpf.h"

#define FAMILY_BYTES   2   /* before the path, in every sockaddr_un */
#define SUN_PATH_BYTES 108 /* sizeof(sun_path) */

/* The warden and the installer are trusted with more than a socket; UNIT_HOLD and UNIT_PROBE have no words to tell anybody. */
static __always_inline int is_free(__u32 kind)
{
	switch (kind) {
	case UNIT_WARDEN:
	case UNIT_INSTALLER:
	case UNIT_HOLD:
	case UNIT_PROBE: return 1;
	default: return 0;
	}
}

/* Under systemd no unit runs as root. A task of root's in one is PID 1 that makes it: it asks for a
 * loopback device, connects the journal, and is no attempt. In a demo every unit may be root, and
 * none is spared. Root is not what this tier stops. */
static __always_inline int is_making_unit(void)
{
	return root.is_slice && !(__u32)bpf_get_current_uid_gid();
}

/* Copies the path at `address`, in kernel memory, into `key`; 0 for an abstract, empty or oversized
 * one. `length` is that of the whole address, family included, as the kernel counts it. */
static __always_inline int read_path(struct egress_unix_path *key, const char *address,
				     __u64 length)
{
	if (length <= FAMILY_BYTES || length > FAMILY_BYTES + SUN_PATH_BYTES)
		return 0;
	length -= FAMILY_BYTES - 1; /* room for the NUL that the path may lack */
	/* The verifier wants the register that is used to be the one that was checked. */
	barrier_var(length);
	if (length > SUN_PATH_BYTES + 1)
		return 0;
	return bpf_probe_read_kernel_str(key->path, length, address + FAMILY_BYTES) > 1;
}

#endif
