/*
 * Holds one child from before its first instruction until it is gone, and overwrites its memory while it
 * still has it.
 *
 *   fork ──seized──> exec ──views opened──> running ──last thread's exit stop──> wiped ──> gone
 *
 * Every thread stops on its way out, whatever sends it there: a return, a signal, kill -9, the kernel's
 * search for memory. Memory lives as long as one thread does, so only the last one to stop is held, and
 * only for as long as the overwriting takes. When the cell itself dies, the kernel kills the child.
 */
#ifndef PHANTOMA_CELL_SEIZE_H
#define PHANTOMA_CELL_SEIZE_H

#include <stdbool.h>
#include <sys/types.h>

#include "wipe.h"

struct thread;

struct seized {
	pid_t pid;
	/* The child reads one byte here, and runs on when it comes. */
	int starting_line;
	/* SIGCHLD, and the three that mean: end the child. */
	int signals;
	struct address_space space;
	struct thread *threads;
	size_t thread_count;
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
	/* The child ran a program, and all that this program could write to was overwritten. */
	bool was_wiped;
	struct wiped wiped;
	/* Unix milliseconds. */
	uint64_t wiped_at;
};

/*
 * Forks and seizes. In the child it returns only when watch_until_gone() has begun; the caller then
 * executes the program there, once. Returns the child's pid, 0 in the child, -1 with errno.
 *
 * The child must be seized while the cell can still be dumped: until it executes its program it is as
 * undumpable as its maker, and what is undumpable cannot be seized.
 */
pid_t start_seized(struct seized *seized);

/*
 * Passes on every signal, and waits until the child and all that it made are gone. SIGTERM, SIGINT and
 * SIGHUP end the child at once.
 *
 * `line` is the child's connection to the gateway, or -1: when the gateway hangs up, the child has
 * HANG_UP_GRACE_MS to end by itself.
 */
void watch_until_gone(struct seized *seized, int line, struct end *end);

/* A worker gives itself 2,000 ms to let go of everything. */
#define HANG_UP_GRACE_MS 3000

#endif
