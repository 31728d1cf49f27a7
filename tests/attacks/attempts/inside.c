/*
 * Runs cells from inside a cgroup and sandbox: a line in, a child that tries it, a line out.
 *
 *   in    ROW NUMBER CANARY(hex)
 *   out   ROW NUMBER STEP ERRNO PID     STEP is the last one begun; ERRNO 0 means that all were done
 *
 * A child that outlives its time is ended by its own alarm, so nothing here can hang.
 */
#define _GNU_SOURCE
#include "attempts.h"
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Written by the child, read by its parent after the child's end. */
static struct report {
	char step[48];
	int error;
	bool is_done;
} *report;

static void try_cell(const struct cell *cell, const struct place *place);
static attempt_function *find(const char *row);

int inside_main(int argc, char **argv)
{
	struct place place;
	struct cell cell;
	char line[128];

	read_place(argc, argv, &place);
	report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (report == MAP_FAILED)
		return 1;
	setvbuf(stdout, NULL, _IONBF, 0);
	become(place.uid, place.keeps_capabilities);
	if (place.confine)
		confine(place.confine);
	while (fgets(line, sizeof(line), stdin)) {
		if (!read_cell(line, &cell)) {
			printf("? 0 not-a-cell %d 0\n", EINVAL);
			continue;
		}
		try_cell(&cell, &place);
	}
	return 0;
}

static void try_cell(const struct cell *cell, const struct place *place)
{
	attempt_function *attempt = find(cell->row);
	int status;
	pid_t pid;

	memset(report, 0, sizeof(*report));
	step("start");
	report->error = attempt ? ECANCELED : ENOSYS;
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGPIPE, SIG_IGN);
		alarm((unsigned)place->seconds);
		if (attempt)
			attempt(cell, place);
		_exit(0);
	}
	if (pid < 0) {
		printf("%s %d fork %d 0\n", cell->row, cell->number, errno);
		return;
	}
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		report->error = WTERMSIG(status) == SIGALRM ? ETIMEDOUT : EINTR;
	printf("%s %d %s %d %d\n", cell->row, cell->number, report->step, report->is_done ? 0 : report->error, pid);
}

static attempt_function *find(const char *row)
{
	const struct attempt *tables[] = {internet_attempts, listen_attempts, uring_attempts,
					  handed_attempts,   unix_attempts,   raw_attempts,
					  escape_attempts,   policy_attempts, family_attempts};

	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
		for (const struct attempt *at = tables[t]; at->row; at++)
			if (strcmp(at->row, row) == 0)
				return at->run;
	return NULL;
}

void step(const char *name)
{
	snprintf(report->step, sizeof(report->step), "%s", name);
}

int must(int result)
{
	if (result < 0)
		failed(report->step, errno);
	return result;
}

void done(const char *what)
{
	step(what);
	report->is_done = true;
	_exit(0);
}

void failed(const char *name, int error)
{
	report->error = error;
	if (name != report->step)
		step(name);
	_exit(0);
}

/* What was permitted before is in force again: becoming somebody takes effect away, not permission. */
static int take_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct held[2];

	if (syscall(SYS_capget, &header, held) < 0)
		return -1;
	held[0].effective = held[0].permitted;
	held[1].effective = held[1].permitted;
	return (int)syscall(SYS_capset, &header, held);
}

void become(uid_t uid, bool keeps_capabilities)
{
	if (uid == 0)
		return;
	if (getuid() != uid &&
	    (setgroups(0, NULL) < 0 || prctl(PR_SET_KEEPCAPS, keeps_capabilities) < 0 || setresgid(uid, uid, uid) < 0 ||
	     setresuid(uid, uid, uid) < 0 || (keeps_capabilities && take_capabilities() < 0))) {
		perror("attempts: become");
		exit(1);
	}
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
