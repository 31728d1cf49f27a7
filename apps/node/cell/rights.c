/*
 * What the program is left with.
 */
#define _GNU_SOURCE
#include "rights.h"

#include <linux/capability.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "calls.h"
#include "once.h"

/*
 * What malloc is given back it keeps, because the cell overwrites what a
 * program has at its end, and not what it gave back to the kernel before: no mappings of their own for large
 * pieces, no heap but the one that only grows.
 */
char *const environment[] = {
	"GLIBC_TUNABLES=glibc.malloc.mmap_max=0:glibc.malloc.arena_max=1:"
	"glibc.malloc.trim_threshold=18446744073709551615",
	NULL,
};

/* Root's, where it has them: a demo node's worker could else read the cell itself. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[2] = { 0 };
	struct __user_cap_data_struct held[2];

	if (syscall(SYS_capget, &header, held) != 0)
		return 0;
	/* A unit has none, and a filter that refuses to change them. */
	return memcmp(held, none, sizeof(none)) == 0 || syscall(SYS_capset, &header, none) == 0;
}

enum status give_up_rights(uint64_t password)
{
	if (prctl(PR_SET_DUMPABLE, 0) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || !drop_capabilities())
		return STATUS_PRIVILEGE;
	return filter_calls() && allow_one_program(password) == 0 ? STATUS_NONE : STATUS_FILTER;
}
