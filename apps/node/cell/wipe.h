/*
 * Overwrites the memory of another process, from outside, while that process stands still.
 */
#ifndef PHANTOMA_CELL_WIPE_H
#define PHANTOMA_CELL_WIPE_H

#include <stdint.h>

#include "address-space.h"

struct wiped {
	/* Overwritten with zeros. */
	uint64_t bytes;
	/* Should have been overwritten and could not be. */
	uint64_t missed;
	/* Were on a swap device, where overwriting the memory does not reach them. */
	uint64_t swapped;
	/* What the overwriting took. */
	uint64_t nanoseconds;
};

/*
 * Overwrites every resident page of a private mapping that the process could have written to, whatever its
 * protection is now. Pages of files, such as a model's weights, stay as they are. A shared mapping that is
 * writable is missed: nobody knows from here what of it is where. Returns 0, or -1 with errno when the address
 * space is gone.
 */
int wipe(const struct address_space *space, struct wiped *wiped);

#endif
