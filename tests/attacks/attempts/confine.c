/*
 * The seccomp filters that PID 1 would have put on, read from a file that the runner makes of the unit:
 *
 *   family N     an address family that may be made into a socket; any other gives EAFNOSUPPORT
 *   call NAME    a system call that may be made; any other gives EPERM. None named: all may be
 */
#define _GNU_SOURCE
#include "attempts.h"
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>

#define FAMILIES 64 /* more than any kernel has */

static void load(scmp_filter_ctx filter)
{
	if (seccomp_load(filter) < 0) {
		fprintf(stderr, "attempts: the filter does not load\n");
		exit(1);
	}
	seccomp_release(filter);
}

void confine(const char *path)
{
	scmp_filter_ctx calls = seccomp_init(SCMP_ACT_ERRNO(EPERM)), families = seccomp_init(SCMP_ACT_ALLOW);
	bool may[FAMILIES] = {0}, has_families = false, has_calls = false;
	FILE *file = fopen(path, "re");
	char line[64], name[48];
	int family;

	if (!file || !calls || !families) {
		perror("attempts: confine");
		exit(1);
	}
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "family %d", &family) == 1 && family >= 0 && family < FAMILIES) {
			may[family] = has_families = true;
		} else if (sscanf(line, "call %47s", name) == 1) {
			int call = seccomp_syscall_resolve_name(name);

			has_calls = true;
			if (call >= 0)
				seccomp_rule_add(calls, SCMP_ACT_ALLOW, call, 0);
		}
	}
	fclose(file);
	for (family = 0; has_families && family < FAMILIES; family++)
		if (!may[family])
			seccomp_rule_add(families, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
					 SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)family));
	if (has_families)
		load(families);
	if (has_calls)
		load(calls);
}
