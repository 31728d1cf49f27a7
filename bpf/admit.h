/* Registers cgroups as units. */
#ifndef ADMIT_H
#define ADMIT_H

#include "egress.h"
#include "policy.h"

/* Registers the direct child `folder` of the root as a unit. Faults: ERR_UNIT. */
int admit_folder(const struct policy *policy, enum egress_kind kind, __u32 port, const char *folder,
		 struct fault *fault);

/* Registers the child of the root that the cgroup `path` belongs to; NULL for the caller's own.
 * Sweeps dead cgroups first. Faults: ERR_NO_CGROUP ERR_UNIT. */
int admit(const struct policy *policy, enum egress_kind kind, __u32 port, const char *path,
	  struct fault *fault);

#endif
