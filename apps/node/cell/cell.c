/*
 * The cell: the parent of one worker or clerk, from before its first instruction until nothing is left of it.
 *
 *   cell [--witness SOCKET] KEEPER-SOCKET REPORT-SOCKET PROGRAM [ARGUMENT ...]
 *   cell check                    whether this machine lets a cell do its work: 0, or a status below
 *
 * The program gets the gateway's connection as descriptor 3, one to the keeper as 4, nothing else, and can
 * make no connection of that kind itself. How it ended, and what was overwritten, goes to REPORT-SOCKET; `-`
 * where nobody asks. With a witness, descriptor 5 is the program's way to say one word to the warden, or
 * leads nowhere where no warden listens. PID 1 gives the gateway's connection as 0. A starter of ours gives it as 3, and
 * connections in the place of sockets, as `fd:4` and `fd:0`: its cells may not be allowed to make any.
 *
 * What is started is the cell's guard (guard.h), and the cell its child. Its exit status is why it could not start
 * the program, or 0.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "descriptors.h"
#include "ending.h"
#include "guard.h"
#include "once.h"
#include "report.h"
#include "rights.h"
#include "seize.h"
#include "status.h"

static void stop_at(enum status status)
{
	if (status != STATUS_NONE)
		_exit((int)status);
}

static void expect(int holds, enum status otherwise)
{
	stop_at(holds ? STATUS_NONE : otherwise);
}

/* The rest of the child's life as ours. */
static void become_program(const struct seized *seized, int gateway, int keeper, int witness,
			   char *argv[])
{
	expect(arrange_descriptors(gateway, keeper, witness), STATUS_DESCRIPTORS);
	stop_at(give_up_rights(seized->password));
	execute_once(seized->password, argv[0], argv, environment);
	_exit(STATUS_PROGRAM);
}

/* The whole life of a cell, with a program that ends at once: this one, called wrongly. */
static int check(char *argv[])
{
	char *const wrongly[] = { argv[0], NULL };
	struct guarded guarded;
	struct seized seized;
	struct end end;
	int status;

	expect(start_guarded(&guarded) == 0, STATUS_SEIZE);
	if (guarded.cell > 0) {
		status = guard_until_gone(&guarded, &end);
		return WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_SEIZE;
	}
	switch (start_seized(&seized)) {
	case -1:
		return STATUS_SEIZE;
	case 0:
		stop_at(give_up_rights(seized.password));
		execute_once(seized.password, "/proc/self/exe", wrongly, environment);
		_exit(STATUS_PROGRAM);
	}
	seized.guard = guarded.line;
	watch_until_gone(&seized, -1, &end);
	return end.was_wiped && end.wiped.missed == 0 ? 0 : STATUS_SEIZE;
}

/* Says the cell's last word where the cell was killed; the gateway need not wait for that. */
static int guard(const struct guarded *guarded, int gateway, int report)
{
	struct end end;
	int status;

	close(gateway);
	status = guard_until_gone(guarded, &end);
	if (WIFSIGNALED(status) && report >= 0)
		send_report(report, KILLED, &end);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

int main(int argc, char *argv[])
{
	/* One byte: 0 does not stop a handler that the kernel pipes cores into, 1 does. */
	const struct rlimit no_core = { 1, 1 };
	int gateway, keeper, report = -1, witness = -1;
	struct seized seized;
	struct end end;
	struct memory_kills before;
	struct guarded guarded;

	if (argc == 2 && strcmp(argv[1], "check") == 0)
		return check(argv);
	if (argc > 2 && strcmp(argv[1], "--witness") == 0) {
		witness = witness_at(argv[2]);
		expect(witness >= 0, STATUS_DESCRIPTORS);
		argc -= 2;
		argv += 2;
	}
	expect(argc >= 4, STATUS_USAGE);
	gateway = is_inherited(argv[1]) ? GATEWAY : STDIN_FILENO;
	expect(is_connection(gateway), STATUS_CONNECTION);
	expect(setrlimit(RLIMIT_CORE, &no_core) == 0, STATUS_PRIVILEGE);
	keeper = channel_to(argv[1]);
	expect(keeper >= 0, STATUS_KEEPER);
	if (strcmp(argv[2], "-") != 0) {
		report = channel_to(argv[2]);
		expect(report >= 0 && pair(keeper, report), STATUS_REPORT);
	}
	before = memory_kills();
	expect(start_guarded(&guarded) == 0, STATUS_SEIZE);
	if (guarded.cell == 0) {
		switch (start_seized(&seized)) {
		case -1:
			return STATUS_SEIZE;
		case 0:
			become_program(&seized, gateway, keeper, witness, argv + 3);
		}
		seized.guard = guarded.line;
	}
	/* Else the keeper would not see the program's end. */
	close(keeper);
	if (witness >= 0)
		close(witness);
	if (is_inherited(argv[1]))
		close(KEEPER);
	if (guarded.cell > 0)
		return guard(&guarded, gateway, report);
	expect(prctl(PR_SET_DUMPABLE, 0) == 0, STATUS_PRIVILEGE);
	watch_until_gone(&seized, gateway, &end);
	if (report >= 0)
		send_report(report, ending_of(&end, &before), &end);
	/* What never ran its program has nothing to be overwritten, and its status is one of ours. */
	return end.was_wiped || !WIFEXITED(end.status) ? 0 : WEXITSTATUS(end.status);
}
