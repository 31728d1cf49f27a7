/*
 * A second process on the memory of the first, which never runs: memory lasts as long as somebody has it,
 * so with an anchor it outlasts its process, however that ends, and is overwritten in peace.
 */
#ifndef PHANTOMA_CELL_ANCHOR_H
#define PHANTOMA_CELL_ANCHOR_H

#include <stdint.h>
#include <sys/types.h>

#include "address-space.h"

/*
 * Makes the anchor of `program`, a child that we have seized and that stands at its PTRACE_EVENT_EXEC stop;
 * it stands as it stood afterwards, before its first instruction. `password` as in once.h, `guard` our line to
 * a guard (guard.h), which gets a second one, or -1.
 *
 * The anchor is our child, seized with the program's options, stopped, and has no descriptor open. `space`
 * is opened; then their memory is made undumpable, so that nobody else opens it and no core is written.
 * Returns the anchor's pid, or -1: then `program` is in no state to run.
 */
pid_t make_anchor(pid_t program, uint64_t password, int guard, struct address_space *space);

#endif
