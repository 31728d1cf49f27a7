/*
 * A second process beside the cell, that overwrites what the cell held if the cell itself is killed.
 *
 *   guard ──> cell ──> program, anchor
 *     └───────────────────────> spare: a second anchor, which the guard holds
 *
 * Whoever of the two is killed, the kernel kills what that one traced, and the other one still has an anchor.
 * When both are killed nothing is overwritten, and nothing outlives them.
 */
#ifndef PHANTOMA_CELL_GUARD_H
#define PHANTOMA_CELL_GUARD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "seize.h"

struct guarded {
	/* 0 in the cell, the cell's pid in the guard. */
	pid_t cell;
	/* To the other of the two. */
	int line;
};

/* SIGCHLD, and the three that mean: end the program. */
sigset_t watched_signals(void);

/*
 * Makes this process the guard of a new one, which is the cell; returns in both. The cell gets SIGTERM when the
 * guard dies. 0, or -1 with errno.
 */
int start_guarded(struct guarded *guarded);

/*
 * In the cell: the guard takes `spare`, an anchor of `program` beside `anchor`, which stands at a stop of ours;
 * afterwards it stands at one of the guard's. False when that failed: then `program` may not run.
 */
bool hand_over(int line, pid_t program, pid_t anchor, pid_t spare);

/*
 * In the guard: waits until the cell is gone, passing those three on as SIGTERM; returns its wait status.
 * When the cell was killed, its program's memory is overwritten first, and `end` says so as the cell would have.
 */
int guard_until_gone(const struct guarded *guarded, struct end *end);

#endif
