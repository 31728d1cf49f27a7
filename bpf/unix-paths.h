/* Which Unix sockets a unit may connect to, in the map that the optional tiers read. */
#ifndef UNIX_PATHS_H
#define UNIX_PATHS_H

#include "policy.h"

/* Fills the map with `given`, each "UNIT=PATH"; with the places of a systemd host when none is given. Faults: ERR_UNIX_PATH. */
int unix_paths_fill(const struct policy *policy, const char *const *given, unsigned count, struct fault *fault);

#endif
