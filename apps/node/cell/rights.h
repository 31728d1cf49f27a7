/*
 * What the program is left with: no right but to compute, in an environment of ours.
 */
#ifndef PHANTOMA_CELL_RIGHTS_H
#define PHANTOMA_CELL_RIGHTS_H

#include <stdint.h>

#include "status.h"

/* The program's whole environment. */
extern char *const environment[];

/* For this process and what it executes once (once.h); `password` as there. */
enum status give_up_rights(uint64_t password);

#endif
