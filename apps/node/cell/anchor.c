/*
 * A second process on the memory of the first, which never runs.
 *
 * Nobody outside can make one: a process is cloned by itself only. So the program is made to, before its
 * first instruction: one system call is put where it stands, with the registers for it, and taken away.
 *
 * Source: ptrace(2); clone(2), "CLONE_VM", "CLONE_PARENT".
 */
#define _GNU_SOURCE
#include "anchor.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guard.h"
#include "machine.h"

/* Waits for the next stop of `tid`; false when it is another one than expected, or its end. */
static bool stops(pid_t tid, int expected)
{
	int status;
	pid_t found;

	do
		found = waitpid(tid, &status, __WALL);
	while (found < 0 && errno == EINTR);
	return found == tid && WIFSTOPPED(status) && status >> 8 == expected;
}

/* Lets `tid` begin one system call, at the place and with the registers of `at`; it will stop. */
static bool begin_call(pid_t tid, const struct user_regs_struct *at, long number,
		       const unsigned long long arguments[6])
{
	struct user_regs_struct call = *at;

	prepare_call(&call, number, arguments);
	return write_registers(tid, &call) && ptrace(PTRACE_SINGLESTEP, tid, 0, 0) == 0;
}

/* A whole call that makes no new process; false when it failed. */
static bool call(pid_t tid, const struct user_regs_struct *at, long number,
		 const unsigned long long arguments[6])
{
	struct user_regs_struct after;

	return begin_call(tid, at, number, arguments) && stops(tid, SIGTRAP) &&
	       read_registers(tid, &after) && result_of(&after) >= 0;
}

/* The program's clone stops twice, the first time to report the new process. */
static pid_t clone_program(pid_t program, const struct user_regs_struct *at, uint64_t password)
{
	/* Our child and not the program's, so that it can neither wait for it nor learn its number. */
	const unsigned long long arguments[6] = { CLONE_VM | CLONE_PARENT, 0, 0, 0, 0, password };
	unsigned long anchor = 0;

	if (!begin_call(program, at, SYS_clone, arguments) ||
	    !stops(program, SIGTRAP | PTRACE_EVENT_CLONE << 8) ||
	    ptrace(PTRACE_GETEVENTMSG, program, 0, &anchor) ||
	    ptrace(PTRACE_SINGLESTEP, program, 0, 0) || !stops(program, SIGTRAP))
		return -1;
	return (pid_t)anchor;
}

/* What stood where the calls were made: a long, as ptrace gave it. */
static bool put_back(const struct address_space *space, const struct user_regs_struct *at, long word)
{
	return pwrite(space->mem, &word, sizeof(word), (off_t)place_of(at)) == (ssize_t)sizeof(word);
}

/* An anchor, at a stop of ours and with no descriptor: else gateway and keeper would not see the program's end. */
static pid_t make_one(pid_t program, const struct user_regs_struct *at, uint64_t password)
{
	const unsigned long long descriptors[6] = { 0, UINT_MAX, 0, 0, 0, 0 };
	pid_t anchor = clone_program(program, at, password);

	if (anchor < 0 || (stops(anchor, SIGTRAP | PTRACE_EVENT_STOP << 8) &&
			   call(anchor, at, SYS_close_range, descriptors)))
		return anchor;
	kill(anchor, SIGKILL);
	return -1;
}

/* The guard opens their memory as well, before it is made undumpable. */
static bool set_up(pid_t program, pid_t anchor, const struct user_regs_struct *at, uint64_t password,
		   int guard, struct address_space *space)
{
	const unsigned long long undumpable[6] = { PR_SET_DUMPABLE, 0, 0, 0, 0, 0 };
	pid_t spare;

	if (guard >= 0) {
		spare = make_one(program, at, password);
		if (spare < 0 || !hand_over(guard, program, anchor, spare))
			return false;
	}
	return open_address_space(space, anchor) == 0 && call(program, at, SYS_prctl, undumpable);
}

pid_t make_anchor(pid_t program, uint64_t password, int guard, struct address_space *space)
{
	struct user_regs_struct registers;
	pid_t anchor;
	long word;

	/* One step ends the exec's own system call, which would else be taken for the end of ours. */
	if (ptrace(PTRACE_SINGLESTEP, program, 0, 0) || !stops(program, SIGTRAP) ||
	    !read_registers(program, &registers))
		return -1;
	errno = 0;
	word = ptrace(PTRACE_PEEKTEXT, program, place_of(&registers), 0);
	if (errno || ptrace(PTRACE_POKETEXT, program, place_of(&registers),
			    ((unsigned long)word & ~INSTRUCTION_MASK) | SYSCALL_INSTRUCTION))
		return -1;
	anchor = make_one(program, &registers, password);
	if (anchor < 0)
		return -1;
	/* Not with PTRACE_POKETEXT, which nobody without rights may use on what is undumpable now. */
	if (set_up(program, anchor, &registers, password, guard, space) && put_back(space, &registers, word) &&
	    write_registers(program, &registers))
		return anchor;
	kill(anchor, SIGKILL);
	return -1;
}
