/*
 * In what way a child ended, as a receipt says it (PROTOCOL.md, section 7, receipt, `end`).
 */
#ifndef PHANTOMA_CELL_ENDING_H
#define PHANTOMA_CELL_ENDING_H

#include <stdint.h>

#include "seize.h"

enum ending {
	FINISHED = 1,
	TIMEOUT = 2,
	DISCONNECTED = 3,
	CRASHED = 4,
	KILLED = 5,
	MEMORY = 6,
};

/* How often the kernel has killed for want of memory; 0 where it does not say. */
struct memory_kills {
	uint64_t in_our_group;
	uint64_t on_this_machine;
};

struct memory_kills memory_kills(void);

/* `before` as it was when the child began. */
enum ending ending_of(const struct end *end, const struct memory_kills *before);

#endif
