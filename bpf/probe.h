/* The live probe: a small process in a cgroup of its own that tries to get out, and must fail and
 * be counted. */
#ifndef PROBE_H
#define PROBE_H

#include <sys/types.h>
#include "policy.h"

struct probe {
	pid_t pid;
	int channel;
	__u64 id;
	char folder[64];
};

/* Makes the cgroup `folder` below the root, registers it, and starts the process in it; NULL: it
 * stays in this process's own cgroup, which is the warden's. Faults: ERR_PROBE. */
int probe_start(struct probe *probe, const struct policy *policy, const char *folder,
		struct fault *fault);

/* Tries every way once. Faults: ERR_PROBE_PASSED ERR_PROBE_NOT_COUNTED ERR_PROBE. */
int probe_ask(const struct probe *probe, const struct policy *policy, struct fault *fault);

/* Ends the process and removes its cgroup. */
void probe_stop(struct probe *probe, const struct policy *policy);

#endif
