/* Which Unix sockets a unit may connect to, in the map that the optional tiers read. */
#ifndef UNIX_PATHS_H
#define UNIX_PATHS_H

#include "daemon.h"

/* Fills the map with what the options list; without a list, with the sockets of the node that
 * systemd runs. Faults: ERR_UNIX_PATH. */
int unix_paths_fill(const struct policy *policy, const struct options *options,
		    struct fault *fault);

#endif
