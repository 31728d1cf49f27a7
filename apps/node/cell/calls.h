/*
 * What the program may call.
 *
 * The unit's filter has let through what an ordinary service calls. This one takes away what only the cell
 * needed, what would name another process or reach one, and what would leave something behind. once.h has the calls
 * that would make one, and what a list of refusals cannot say.
 *
 * Source: seccomp(2), seccomp_rule_add(3).
 */
#ifndef PHANTOMA_CELL_CALLS_H
#define PHANTOMA_CELL_CALLS_H

/* For this process and all that it becomes; needs no_new_privs. False when the kernel does not take it. */
int filter_calls(void);

#endif
