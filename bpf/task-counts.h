/* The attempts of single workers in the kernel's map: kept from filling up, and since when none is missing.
 *
 * The kernel makes an entry at a worker's first attempt, whether or not it ever says a key. An attempt that
 * finds no room in the map is refused as ever, but in no entry; it is counted as such, and who was alive then
 * has no part in its receipt, because the entry that it gets later would say too little.
 */
#ifndef TASK_COUNTS_H
#define TASK_COUNTS_H

#include "policy.h"

/* To be called before the programs are attached: a map that is new knows nothing of who lives already. */
void task_counts_begin(const struct policy *policy);

/* Every attempt of a worker that began after this moment, in boot ns, is in its entry. To be called only while
 * the programs are attached. */
__u64 task_counts_since(const struct policy *policy);

/* Takes away the entries of workers whose cgroups are gone and that have said no key. */
void task_counts_sweep(const struct policy *policy);

#endif
