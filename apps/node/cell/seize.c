/*
 * Holds one child from before its first instruction until it is gone, and overwrites its memory while it
 * still has it.
 *
 * Source: ptrace(2), "PTRACE_EVENT_EXIT", "Attaching and detaching", "Group-stop".
 */
#define _GNU_SOURCE
#include "seize.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A worker has some tens; one that makes more than this is ended. */
#define MAX_THREADS 4096

#define OPTIONS                                                                                              \
	(PTRACE_O_EXITKILL | PTRACE_O_TRACEEXIT | PTRACE_O_TRACEEXEC | PTRACE_O_TRACECLONE |                 \
	 PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK)

struct thread {
	pid_t id;
	/* It has reached its exit stop and runs no instruction of its own any more. */
	bool is_leaving;
};

struct watch {
	struct seized *seized;
	struct end *end;
	/* The first exec is the program's start; one more would have left its memory behind. */
	bool has_started;
	bool has_escaped;
	/* Monotonic milliseconds at which a child whose gateway hung up is ended; 0 while it has not. */
	uint64_t deadline_ms;
};

pid_t start_seized(struct seized *seized)
{
	int line[2];
	pid_t cell = getpid();
	sigset_t watched, before;
	char go;

	*seized = (struct seized){ .pid = -1, .space = NO_ADDRESS_SPACE };
	sigemptyset(&watched);
	sigaddset(&watched, SIGCHLD);
	sigaddset(&watched, SIGTERM);
	sigaddset(&watched, SIGINT);
	sigaddset(&watched, SIGHUP);
	sigprocmask(SIG_BLOCK, &watched, &before);
	seized->signals = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
	seized->threads = calloc(MAX_THREADS, sizeof(seized->threads[0]));
	if (seized->signals < 0 || !seized->threads || pipe2(line, O_CLOEXEC))
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
	if (seized->pid < 0)
		return -1;
	if (ptrace(PTRACE_SEIZE, seized->pid, 0, OPTIONS)) {
		int saved = errno;

		kill(seized->pid, SIGKILL);
		waitpid(seized->pid, NULL, 0);
		errno = saved;
		return -1;
	}
	seized->threads[seized->thread_count++].id = seized->pid;
	return seized->pid;
}

static bool is_thread(const struct seized *seized, pid_t tid)
{
	return syscall(SYS_tgkill, seized->pid, tid, 0) == 0;
}

static void end_child(struct seized *seized)
{
	kill(seized->pid, SIGKILL);
}

static void go_on(pid_t tid, int signal)
{
	/* A thread that was killed meanwhile is no longer stopped; its exit stop comes. */
	ptrace(PTRACE_CONT, tid, 0, signal);
}

static struct thread *find(const struct seized *seized, pid_t tid)
{
	for (size_t at = 0; at < seized->thread_count; at++)
		if (seized->threads[at].id == tid)
			return &seized->threads[at];
	return NULL;
}

static bool is_anybody_staying(const struct seized *seized)
{
	for (size_t at = 0; at < seized->thread_count; at++)
		if (!seized->threads[at].is_leaving)
			return true;
	return false;
}

static void forget(struct seized *seized, pid_t tid)
{
	struct thread *gone = find(seized, tid);

	if (gone)
		*gone = seized->threads[--seized->thread_count];
}

/* A thread is met when its maker reports it and when it first stops, whichever comes first. */
static void meet(struct seized *seized, pid_t tid)
{
	if (find(seized, tid) || !is_thread(seized, tid))
		return;
	if (seized->thread_count < MAX_THREADS)
		seized->threads[seized->thread_count++] = (struct thread){ .id = tid };
	else
		end_child(seized);
}

/*
 * A process that the child makes ends before its first instruction: it has no memory of its own yet,
 * only pages that it shares with its maker, who still has them.
 */
static void first_stop(struct seized *seized, pid_t tid)
{
	meet(seized, tid);
	if (!find(seized, tid))
		kill(tid, SIGKILL);
	go_on(tid, 0);
}

static void program_started(struct watch *watch)
{
	struct seized *seized = watch->seized;

	/* An exec leaves one thread, under the process's own id. */
	seized->threads[0] = (struct thread){ .id = seized->pid };
	seized->thread_count = 1;
	watch->has_escaped = watch->has_started;
	watch->has_started = true;
	if (watch->has_escaped || open_address_space(&seized->space, seized->pid))
		end_child(seized);
}

static uint64_t milliseconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

static void thread_ends(struct watch *watch, pid_t tid)
{
	struct seized *seized = watch->seized;
	struct end *end = watch->end;

	struct thread *leaving;

	/* One that was killed before its first stop has not been met. */
	meet(seized, tid);
	leaving = find(seized, tid);
	if (!leaving)
		return;
	leaving->is_leaving = true;
	if (is_anybody_staying(seized) || seized->space.mem < 0)
		return;
	/* A thread that was killed before it was met may come after the last; the last time counts. */
	end->was_wiped = wipe(&seized->space, &end->wiped) == 0 && !watch->has_escaped;
	end->wiped_at = milliseconds_now();
}

static void stopped(struct watch *watch, pid_t tid, int status)
{
	struct seized *seized = watch->seized;
	int signal = WSTOPSIG(status);
	unsigned long other = 0;

	switch (status >> 16) {
	case PTRACE_EVENT_EXIT:
		thread_ends(watch, tid);
		return go_on(tid, 0);
	case PTRACE_EVENT_EXEC:
		program_started(watch);
		return go_on(tid, 0);
	case PTRACE_EVENT_CLONE:
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
		if (ptrace(PTRACE_GETEVENTMSG, tid, 0, &other) == 0)
			meet(seized, (pid_t)other);
		return go_on(tid, 0);
	case PTRACE_EVENT_STOP:
		/* Anything but SIGTRAP is a stopping signal, asked of all threads. */
		if (signal == SIGTRAP)
			return first_stop(seized, tid);
		ptrace(PTRACE_LISTEN, tid, 0, 0);
		return;
	default:
		return go_on(tid, signal);
	}
}

/* Takes every report that the kernel has; false when no child is left. */
static bool take_reports(struct watch *watch)
{
	struct seized *seized = watch->seized;
	int status;
	pid_t tid;

	while ((tid = waitpid(-1, &status, __WALL | WNOHANG)) > 0) {
		if (WIFSTOPPED(status)) {
			stopped(watch, tid, status);
			continue;
		}
		forget(seized, tid);
		if (tid == seized->pid)
			watch->end->status = status;
	}
	return tid == 0 || errno == EINTR;
}

static uint64_t monotonic_milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

static void end_now(struct watch *watch, enum ended_by by)
{
	if (watch->end->by == BY_ITSELF)
		watch->end->by = by;
	watch->deadline_ms = 0;
	end_child(watch->seized);
}

/* Waits for a report, for the order to end, or for the gateway to hang up. */
static void wait_for_news(struct watch *watch, int *line)
{
	struct pollfd news[] = {
		{ .fd = watch->seized->signals, .events = POLLIN },
		{ .fd = *line, .events = POLLRDHUP },
	};
	struct signalfd_siginfo info;
	uint64_t now = monotonic_milliseconds();
	int timeout_ms = -1;

	if (watch->deadline_ms > 0)
		timeout_ms = watch->deadline_ms > now ? (int)(watch->deadline_ms - now) : 0;
	if (poll(news, 2, timeout_ms) == 0)
		end_now(watch, BY_HANG_UP);
	while (news[0].revents && read(news[0].fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			end_now(watch, BY_ORDER);
	if (news[1].revents) {
		*line = -1;
		watch->deadline_ms = monotonic_milliseconds() + HANG_UP_GRACE_MS;
	}
}

void watch_until_gone(struct seized *seized, int line, struct end *end)
{
	struct watch watch = { .seized = seized, .end = end };

	*end = (struct end){ 0 };
	if (write(seized->starting_line, "", 1) != 1)
		end_child(seized);
	while (take_reports(&watch))
		wait_for_news(&watch, &line);
	close(seized->signals);
	close(seized->starting_line);
	close_address_space(&seized->space);
	free(seized->threads);
}
