/*
 * Holds one child from before its first instruction until it is gone, and overwrites its memory then.
 *
 *   fork ──seized──> exec ──anchored──> running ──however it ends──> gone ──overwritten──> freed
 *
 * The anchor (anchor.h) keeps the memory when the program has ended: by return, signal, kill -9 or the
 * kernel's search for memory. When the cell itself dies, the kernel kills both; then the guard (guard.h) has
 * another anchor.
 */
#ifndef PHANTOMA_CELL_SEIZE_H
#define PHANTOMA_CELL_SEIZE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "wipe.h"

struct seized {
	pid_t pid;
	/* Our line to a guard (guard.h); -1 where there is none, unless the caller sets it. */
	int guard;
	/* For once.h. */
	uint64_t password;
	/* The child reads one byte here, and runs on when it comes. */
	int starting_line;
	/* A descriptor of the watched signals (guard.h). */
	int signals;
};

enum ended_by {
	BY_ITSELF,
	/* The cell was told to end it. */
	BY_ORDER,
	/* The gateway had hung up, and it stayed. */
	BY_HANG_UP,
};

struct end {
	/* As waitpid gave it. */
	int status;
	enum ended_by by;
	/* Not by us, and before the overwriting: the kernel does that for want of memory. */
	bool was_anchor_killed;
	/* The child ran its program, and all that this could write to was gone over; see `wiped.missed`. */
	bool was_wiped;
	struct wiped wiped;
	/* Unix milliseconds. */
	uint64_t wiped_at;
};

/*
 * Forks and seizes. In the child it returns when watch_until_gone() has begun; there the caller prepares,
 * then allows one program and executes it (once.h). Returns the child's pid, 0 in the child, -1 with errno.
 *
 * Until it executes its program the child is as undumpable as its maker, and what is undumpable cannot be
 * seized: so this comes before the cell makes itself undumpable.
 */
pid_t start_seized(struct seized *seized);

/*
 * Waits until the child and its memory are gone. SIGTERM, SIGINT and SIGHUP end the child at once.
 *
 * `line` is the child's connection to the gateway, or -1: when the gateway hangs up, the child has
 * HANG_UP_GRACE_MS to end by itself. It is closed before the overwriting, which the gateway need not wait for.
 */
void watch_until_gone(struct seized *seized, int line, struct end *end);

/* A worker gives itself 2,000 ms to let go of everything. */
#define HANG_UP_GRACE_MS 3000

#endif
