/* The exact counts of refused attempts, summed over CPUs. */
#ifndef COUNTS_H
#define COUNTS_H

#include "egress.h"

/* -1 when the map cannot be read. A sum taken during an attempt may show it as attempted and not
 * yet as logged or lost. */
int counts_read(int map, enum egress_kind kind, struct egress_count *sum);

/* Attempts of every kind that found no room in the ring. */
__u64 counts_lost(int map);

#endif
