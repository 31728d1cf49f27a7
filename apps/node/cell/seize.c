/*
 * Holds one child from before its first instruction until it is gone, and overwrites its memory then.
 *
 * Source: ptrace(2), "Attaching and detaching", "Group-stop", "PTRACE_O_EXITKILL".
 */
#define _GNU_SOURCE
#include "seize.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "anchor.h"
#include "guard.h"

/* The anchor inherits the first two: it dies with its cell, and stops on its way out of any other death. */
#define OPTIONS (PTRACE_O_EXITKILL | PTRACE_O_TRACEEXIT | PTRACE_O_TRACEEXEC | PTRACE_O_TRACECLONE)
/* Of the program, once it is anchored: its threads come and go without us. */
#define RUNNING_OPTIONS (PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC)

/* What waitpid would say of a child that could not execute its program. */
#define NEVER_STARTED (127 << 8)

struct watch {
	pid_t program;
	uint64_t password;
	int guard;
	pid_t anchor;
	bool was_anchor_killed;
	int signals;
	int line;
	struct address_space space;
	struct end *end;
	/* Monotonic; at it a child whose gateway hung up is ended. 0 while it has not. */
	uint64_t deadline_ms;
};

pid_t start_seized(struct seized *seized)
{
	int line[2];
	pid_t cell = getpid();
	const sigset_t watched = watched_signals();
	sigset_t before;
	char go;

	*seized = (struct seized){ .pid = -1, .guard = -1 };
	sigprocmask(SIG_BLOCK, &watched, &before);
	seized->signals = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
	if (seized->signals < 0 || pipe2(line, O_CLOEXEC) ||
	    getrandom(&seized->password, sizeof(seized->password), 0) != sizeof(seized->password))
		return -1;
	seized->pid = fork();
	if (seized->pid == 0) {
		/* Until it is seized nothing but this ends it with its cell. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(line[1]);
		if (getppid() != cell || read(line[0], &go, 1) != 1)
			_exit(127);
		prctl(PR_SET_PDEATHSIG, 0);
		close(line[0]);
		sigprocmask(SIG_SETMASK, &before, NULL);
		return 0;
	}
	close(line[0]);
	seized->starting_line = line[1];
	if (seized->pid > 0 && ptrace(PTRACE_SEIZE, seized->pid, 0, OPTIONS)) {
		int saved = errno;

		kill(seized->pid, SIGKILL);
		waitpid(seized->pid, NULL, 0);
		errno = saved;
		return -1;
	}
	return seized->pid;
}

static uint64_t milliseconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

/* It has run none of its own instructions yet, and runs them only if it can be overwritten afterwards. */
static void program_starts(struct watch *watch)
{
	watch->anchor = make_anchor(watch->program, watch->password, watch->guard, &watch->space);
	if (watch->anchor < 0 || ptrace(PTRACE_SETOPTIONS, watch->program, 0, RUNNING_OPTIONS))
		kill(watch->program, SIGKILL);
}

static void program_stopped(struct watch *watch, int status)
{
	int signal = WSTOPSIG(status);

	switch (status >> 16) {
	case 0:
		break;
	case PTRACE_EVENT_EXEC:
		if (watch->anchor < 0)
			program_starts(watch);
		else
			kill(watch->program, SIGKILL);
		signal = 0;
		break;
	case PTRACE_EVENT_STOP:
		/* Anything but SIGTRAP is a stopping signal: it stays stopped until SIGCONT. */
		if (signal != SIGTRAP) {
			ptrace(PTRACE_LISTEN, watch->program, 0, 0);
			return;
		}
		signal = 0;
		break;
	default:
		signal = 0;
	}
	/* Fails where it was killed meanwhile, which is as well. */
	ptrace(PTRACE_CONT, watch->program, 0, signal);
}

static void hang_up(struct watch *watch)
{
	if (watch->line >= 0)
		close(watch->line);
	watch->line = -1;
}

/* Its exit stop has come if somebody killed it; a stopped process has no other. */
static bool was_killed(pid_t anchor)
{
	unsigned long exit_status;
	int status;

	return waitpid(anchor, &status, __WALL | WNOHANG) == anchor && WIFSTOPPED(status) &&
	       status >> 16 == PTRACE_EVENT_EXIT &&
	       ptrace(PTRACE_GETEVENTMSG, anchor, 0, &exit_status) == 0 && WTERMSIG((int)exit_status) == SIGKILL;
}

/* The memory is the anchor's alone now: overwritten, then freed. */
static void program_gone(struct watch *watch, int status)
{
	struct end *end = watch->end;

	end->status = status;
	watch->program = -1;
	hang_up(watch);
	if (watch->space.mem >= 0) {
		end->was_wiped = wipe(&watch->space, &end->wiped) == 0;
		end->wiped_at = milliseconds(CLOCK_REALTIME);
	}
	if (watch->anchor > 0) {
		end->was_anchor_killed = watch->was_anchor_killed || was_killed(watch->anchor);
		kill(watch->anchor, SIGKILL);
		ptrace(PTRACE_CONT, watch->anchor, 0, 0);
	}
}

/* Takes every report that the kernel has; false when the program and its anchor are gone. */
static bool take_reports(struct watch *watch)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL | WNOHANG)) > 0) {
		if (pid == watch->program) {
			if (WIFSTOPPED(status))
				program_stopped(watch, status);
			else
				program_gone(watch, status);
		} else if (WIFSTOPPED(status) && (pid != watch->anchor || watch->program < 0)) {
			ptrace(PTRACE_CONT, pid, 0, 0);
		} else if (pid == watch->anchor && status >> 16 == PTRACE_EVENT_EXIT) {
			/* Along with its program: it stays at its exit stop until that is gone. */
			watch->was_anchor_killed = true;
		} else if (pid == watch->anchor) {
			watch->anchor = -1;
		}
	}
	return (pid == 0 || errno == EINTR) && (watch->program > 0 || watch->anchor > 0);
}

static void end_now(struct watch *watch, enum ended_by by)
{
	watch->deadline_ms = 0;
	if (watch->program < 0)
		return;
	if (watch->end->by == BY_ITSELF)
		watch->end->by = by;
	kill(watch->program, SIGKILL);
}

/* Waits for a report, for the order to end, or for the gateway to hang up. */
static void wait_for_news(struct watch *watch)
{
	struct pollfd news[] = {
		{ .fd = watch->signals, .events = POLLIN },
		{ .fd = watch->line, .events = POLLRDHUP },
	};
	struct signalfd_siginfo info;
	uint64_t now = milliseconds(CLOCK_MONOTONIC);
	int timeout_ms = -1;

	if (watch->deadline_ms > 0)
		timeout_ms = watch->deadline_ms > now ? (int)(watch->deadline_ms - now) : 0;
	if (poll(news, 2, timeout_ms) == 0)
		end_now(watch, BY_HANG_UP);
	while (news[0].revents && read(watch->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			end_now(watch, BY_ORDER);
	if (news[1].revents) {
		hang_up(watch);
		watch->deadline_ms = milliseconds(CLOCK_MONOTONIC) + HANG_UP_GRACE_MS;
	}
}

void watch_until_gone(struct seized *seized, int line, struct end *end)
{
	struct watch watch = {
		.program = seized->pid,
		.password = seized->password,
		.guard = seized->guard,
		.anchor = -1,
		.signals = seized->signals,
		.line = line,
		.space = NO_ADDRESS_SPACE,
		.end = end,
	};

	*end = (struct end){ .status = NEVER_STARTED };
	if (write(seized->starting_line, "", 1) != 1)
		kill(seized->pid, SIGKILL);
	while (take_reports(&watch))
		wait_for_news(&watch);
	close(seized->signals);
	close(seized->starting_line);
	close_address_space(&watch.space);
}
