/* The names of units, hooks and protocols. */
#ifndef UNITS_H
#define UNITS_H

#include "egress.h"

extern const char *const unit_names[UNIT_KINDS];
extern const char *const hook_names[HOOKS];

/* UNIT_UNKNOWN for a name that is none. */
enum egress_kind unit_named(const char *name);

/* Whether a cgroup folder of this name may hold units of this kind: "worker",
 * "phantoma-worker.slice" and so on. */
int unit_fits_folder(enum egress_kind kind, const char *folder);

/* "tcp", "udp", "icmp", "icmp6", or the number; `out` has room for 12 bytes. */
const char *protocol_name(char out[12], __u32 protocol);

#endif
