/*
 * Three views of the memory of another process, which outlast every change of what that process allows.
 */
#ifndef PHANTOMA_CELL_ADDRESS_SPACE_H
#define PHANTOMA_CELL_ADDRESS_SPACE_H

#include <sys/types.h>

/* They follow the memory, not the process: an exec makes them useless. */
struct address_space {
	int mem;
	int pagemap;
	int maps;
};

#define NO_ADDRESS_SPACE { .mem = -1, .pagemap = -1, .maps = -1 }

/*
 * Opens the three views of `pid`, which must be a child that we trace and that runs none of its own code
 * yet: a process that made itself undumpable can no longer be opened. 0, or -1 with errno.
 */
int open_address_space(struct address_space *space, pid_t pid);

void close_address_space(struct address_space *space);

#endif
