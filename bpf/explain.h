/* The policy for people: what is enforced, why, and what is not claimed. */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include "status.h"

void explain(const struct status *status, FILE *out);

#endif
