/*
 * A second process beside the cell, that overwrites what the cell held if the cell itself is killed.
 *
 * Source: ptrace(2), "PTRACE_O_EXITKILL"; prctl(2), "PR_SET_CHILD_SUBREAPER", "PR_SET_PDEATHSIG".
 */
#define _GNU_SOURCE
#include "guard.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What the cell says first; then each waits for a byte of the other before it does the next step. */
struct held {
	pid_t program;
	pid_t anchor;
	pid_t spare;
};

sigset_t watched_signals(void)
{
	sigset_t watched;

	sigemptyset(&watched);
	sigaddset(&watched, SIGCHLD);
	sigaddset(&watched, SIGTERM);
	sigaddset(&watched, SIGINT);
	sigaddset(&watched, SIGHUP);
	return watched;
}

int start_guarded(struct guarded *guarded)
{
	pid_t guard = getpid();
	int line[2];

	/* What the cell had becomes ours when it is killed, and can be waited for. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, line))
		return -1;
	guarded->cell = fork();
	if (guarded->cell < 0)
		return -1;
	guarded->line = line[guarded->cell == 0];
	close(line[guarded->cell != 0]);
	if (guarded->cell > 0)
		return prctl(PR_SET_DUMPABLE, 0);
	if (prctl(PR_SET_CHILD_SUBREAPER, 0) || prctl(PR_SET_PDEATHSIG, SIGTERM) || getppid() != guard)
		_exit(1);
	return 0;
}

static bool say(int line)
{
	return send(line, "", 1, MSG_NOSIGNAL) == 1;
}

static bool hear(int line)
{
	char word;

	return recv(line, &word, 1, 0) == 1;
}

bool hand_over(int line, pid_t program, pid_t anchor, pid_t spare)
{
	const struct held held = { program, anchor, spare };

	/* It has to be known before it is let go, or nobody would end it. */
	return send(line, &held, sizeof(held), MSG_NOSIGNAL) == (ssize_t)sizeof(held) && hear(line) &&
	       kill(spare, SIGSTOP) == 0 && ptrace(PTRACE_DETACH, spare, 0, 0) == 0 && say(line) && hear(line);
}

/* False where the cell never had a program. */
static bool take_over(int line, struct held *held, struct address_space *space)
{
	if (recv(line, held, sizeof(*held), 0) != (ssize_t)sizeof(*held)) {
		*held = (struct held){ -1, -1, -1 };
		return false;
	}
	return say(line) && hear(line) && ptrace(PTRACE_SEIZE, held->spare, 0, PTRACE_O_EXITKILL) == 0 &&
	       open_address_space(space, held->spare) == 0 && say(line);
}

static int wait_for_cell(pid_t cell, const sigset_t *watched)
{
	siginfo_t news;
	int status;

	while (waitpid(cell, &status, WNOHANG) != cell)
		if (sigwaitinfo(watched, &news) > 0 && news.si_signo != SIGCHLD)
			kill(cell, SIGTERM);
	return status;
}

/* The wait status of a child that is being killed; that of a killed one where the cell had seen its end. */
static int wait_for_end(pid_t pid)
{
	int status = SIGKILL;

	while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status))
		;
	return status;
}

static void overwrite(const struct held *held, const struct address_space *space, struct end *end)
{
	struct timespec now;

	/* The kernel kills both with their tracer. */
	end->status = wait_for_end(held->program);
	wait_for_end(held->anchor);
	end->by = BY_ORDER;
	end->was_wiped = wipe(space, &end->wiped) == 0;
	clock_gettime(CLOCK_REALTIME, &now);
	end->wiped_at = (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

int guard_until_gone(const struct guarded *guarded, struct end *end)
{
	struct address_space space = NO_ADDRESS_SPACE;
	struct held held;
	const sigset_t watched = watched_signals();
	bool holds;
	int status;

	*end = (struct end){ .status = SIGKILL };
	sigprocmask(SIG_BLOCK, &watched, NULL);
	holds = take_over(guarded->line, &held, &space);
	/* Its closing tells a cell whose program may not run. */
	close(guarded->line);
	status = wait_for_cell(guarded->cell, &watched);
	if (holds && WIFSIGNALED(status))
		overwrite(&held, &space, end);
	if (held.spare > 0) {
		kill(held.spare, SIGKILL);
		wait_for_end(held.spare);
	}
	close_address_space(&space);
	return status;
}
