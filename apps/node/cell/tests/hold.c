/*
 * Runs a program as the cell does and prints how it ended; the cell's own set-up is not part of it. Where the
 * cell is killed its guard prints. Linked a second time with no-wipe.c, it is the control: everything the same but the overwriting.
 *
 *   hold PROGRAM [ARG...]
 */
#include <inttypes.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../guard.h"
#include "../once.h"
#include "../seize.h"

static void print(const struct end *end)
{
	struct timespec used;

	/* Of this process, which has done little else: a busy machine does not show in it. */
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	printf("{\"status\":%d,\"by\":%d,\"wasAnchorKilled\":%s,\"wasWiped\":%s,\"bytes\":%" PRIu64
	       ",\"missed\":%" PRIu64 ",\"swapped\":%" PRIu64 ",\"nanoseconds\":%" PRIu64
	       ",\"processorNanoseconds\":%" PRIu64 "}\n",
	       end->status, end->by, end->was_anchor_killed ? "true" : "false",
	       end->was_wiped ? "true" : "false", end->wiped.bytes, end->wiped.missed, end->wiped.swapped,
	       end->wiped.nanoseconds, (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec);
}

int main(int argc, char **argv)
{
	char *const no_environment[] = { NULL };
	struct guarded guarded;
	struct seized seized;
	struct end end;

	if (argc < 2 || start_guarded(&guarded))
		return 2;
	if (guarded.cell > 0) {
		if (WIFSIGNALED(guard_until_gone(&guarded, &end)))
			print(&end);
		return 0;
	}
	switch (start_seized(&seized)) {
	case -1:
		perror("start_seized");
		return 2;
	case 0:
		if (allow_one_program(seized.password) == 0)
			execute_once(seized.password, argv[1], argv + 1, no_environment);
		_exit(127);
	}
	seized.guard = guarded.line;
	watch_until_gone(&seized, -1, &end);
	print(&end);
	return 0;
}
