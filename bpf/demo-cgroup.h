/* The cgroups of a demo node, for hosts where systemd makes none. */
#ifndef DEMO_CGROUP_H
#define DEMO_CGROUP_H

#include "admit.h"

/* Makes the root and a folder per unit, and moves this process into that of the warden. Faults:
 * ERR_NO_CGROUP. */
int demo_cgroup_make(const char *path, struct fault *fault);

/* Registers every folder but the gateway's, whose port is not known yet. */
int demo_cgroup_admit(const struct policy *policy, struct fault *fault);

/* Removes cgroups and pins. While anything still runs in there it stays, policy and all. */
void demo_cgroup_remove(struct policy *policy);

#endif
