/* Whether the policy is in force, in two independent ways: read back, and tried. */
#ifndef VERIFY_H
#define VERIFY_H

#include "policy.h"

/* Reads back every link, the tag and the read-only data of the program in it, and its maps;
 * `policy` is freshly loaded. Needs CAP_SYS_ADMIN, to open programs by id. */
int verify_programs(struct policy *policy, struct fault *fault);

/* Loads, reads back, and probes from a scratch cgroup: what `warden verify` does. 0, or the fault
 * says what is wrong. */
int verify_all(struct policy *policy, const char *cgroup, const char *pins, struct fault *fault);

#endif
