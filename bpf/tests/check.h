/* Counting checks. */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static unsigned passed, failed;

/* `sentence` is true of the program when `holds`. */
static inline void check(const char *sentence, bool holds)
{
	if (holds) {
		passed++;
		return;
	}
	failed++;
	printf("FAILED: %s\n", sentence);
}

/* The last line of every test program, and its exit status. */
static inline int conclude(void)
{
	printf("%u passed, %u failed\n", passed, failed);
	return failed == 0 && passed > 0 ? 0 : 1;
}

#endif
