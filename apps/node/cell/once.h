/*
 * One process, one program: what the cell's child may execute and make.
 *
 * A second program would leave the memory of the first behind, and a second process would take a copy of
 * it along, both past the overwriting. So the kernel refuses both: clone makes threads only.
 *
 * The first program has to be started and its memory anchored (anchor.h), with the filter already in
 * force. Both calls leave the sixth argument unused; there they carry a number that was drawn for this
 * child alone. The program never gets to see it: an exec clears registers and memory.
 *
 * Here is also what rules of calls.h cannot say, which name only what is refused: calls that are too new to be
 * known there do not exist, and of a device nothing is asked but what Node asks of its connections.
 */
#ifndef PHANTOMA_CELL_ONCE_H
#define PHANTOMA_CELL_ONCE_H

#include <stdint.h>

/* For this process and all that it becomes. Sets no_new_privs. 0, or -1 with errno. */
int allow_one_program(uint64_t password);

/* Returns only when it fails, -1 with errno. */
int execute_once(uint64_t password, const char *path, char *const argv[], char *const envp[]);

#endif
