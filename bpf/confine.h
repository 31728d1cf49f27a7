/* How the warden and what it starts give up what they do not need. */
#ifndef CONFINE_H
#define CONFINE_H

#include <linux/types.h>

/* Keeps the capabilities in `keep` (bits by number) and no other, not even as a bound; sets
 * no_new_privs. -1 with errno. */
int confine_capabilities(__u64 keep);

/* The warden's own list of system calls; anything else ends the process. -1 with errno. */
int confine_calls(void);

#endif
