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
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <linux/sockios.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ending.h"
#include "guard.h"
#include "once.h"
#include "report.h"
#include "seize.h"

/* What PID 1 writes down when a cell did not start; 200 and up are systemd's own. */
enum status {
	STATUS_USAGE = 64,	/* called wrongly: fix the unit */
	STATUS_CONNECTION = 65, /* no connection as descriptor 0 or 3: start it through its socket */
	STATUS_KEEPER = 66,	/* no keeper: is it running, and is the cell in the right group? */
	STATUS_DESCRIPTORS = 67,/* descriptors could not be put in order: raise LimitNOFILE */
	STATUS_PRIVILEGE = 68,	/* the kernel refused to take privilege away: too old a kernel */
	STATUS_FILTER = 69,	/* the filter could not be put in force: too old a kernel */
	STATUS_PROGRAM = 70,	/* the program could not be run: is the release whole? */
	STATUS_REPORT = 71,	/* no keeper for reports: see STATUS_KEEPER */
	STATUS_SEIZE = 72,	/* ptrace is refused: allow a parent to trace its child (Yama 0 or 1) */
};

/* What ipc/inherited.ts expects. */
enum { GATEWAY = 3, KEEPER = 4, WITNESS = 5 };

/* Above every number that is dealt out below. */
enum { ASIDE = 16 };

static void expect(int holds, enum status otherwise)
{
	if (!holds)
		_exit((int)otherwise);
}

static int is_connection(int fd)
{
	int type = 0;
	socklen_t length = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM;
}

static int connect_to(const char *path, int type)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		return -1;
	strcpy(address.sun_path, path);
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? fd : -1;
}

static int is_inherited(const char *where)
{
	return strncmp(where, "fd:", 3) == 0;
}

/* A connection to a socket, or one that was given; closed on exec. */
static int channel_to(const char *where)
{
	return is_inherited(where) ? fcntl(atoi(where + 3), F_DUPFD_CLOEXEC, ASIDE) : connect_to(where, SOCK_STREAM);
}

/* A task without a witness has a receipt that says so: nothing here is worth waiting for. */
static int witness_at(const char *path)
{
	int fd = connect_to(path, SOCK_DGRAM | SOCK_NONBLOCK);

	return fd >= 0 ? fd : open("/dev/null", O_WRONLY | O_CLOEXEC);
}

/* Leaves the connections, and nothing at the places of the standard descriptors. */
static int arrange_descriptors(int gateway, int keeper, int witness)
{
	int gateway_aside = fcntl(gateway, F_DUPFD_CLOEXEC, ASIDE);
	int keeper_aside = fcntl(keeper, F_DUPFD_CLOEXEC, ASIDE);
	int witness_aside = witness < 0 ? -1 : fcntl(witness, F_DUPFD_CLOEXEC, ASIDE);
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	unsigned int first_unwanted = witness < 0 ? WITNESS : WITNESS + 1;

	if (gateway_aside < 0 || keeper_aside < 0 || nothing < 0 || (witness >= 0 && witness_aside < 0))
		return 0;
	for (int fd = 0; fd < GATEWAY; fd++)
		if (nothing != fd && dup2(nothing, fd) < 0)
			return 0;
	return dup2(gateway_aside, GATEWAY) == GATEWAY && dup2(keeper_aside, KEEPER) == KEEPER &&
	       (witness < 0 || dup2(witness_aside, WITNESS) == WITNESS) &&
	       close_range(first_unwanted, ~0U, 0) == 0;
}

/* One refused call, with up to one comparison of an argument: seccomp(2) knows no other kind. */
struct refusal {
	int call;
	unsigned int comparisons;
	struct scmp_arg_cmp comparison;
};

/* Of an int the kernel reads 32 bits; whoever sets one above them must not be taken for another. */
#define IS(argument, value) SCMP_CMP64(argument, SCMP_CMP_MASKED_EQ, UINT32_MAX, value)

/*
 * The unit's filter has let through what an ordinary service calls. This one takes away what only the cell
 * needed, and what would name another process; see docs of the unit for the rest.
 */
static int filter_calls(void)
{
	const scmp_datum_t self = (scmp_datum_t)getpid();
	const scmp_datum_t namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
					CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
	const struct refusal refusals[] = {
		/* No connection of the kind that leads to other processes of this machine … */
		{ SCMP_SYS(socket), 1, IS(0, AF_UNIX) },
		{ SCMP_SYS(socketpair), 0 },
		/* … and no descriptor handed in by one: Node reads with other calls. */
		{ SCMP_SYS(recvmsg), 0 },
		{ SCMP_SYS(recvmmsg), 0 },
		/* Signals to itself only; 0 and below are groups. */
		{ SCMP_SYS(kill), 1, SCMP_A0(SCMP_CMP_NE, self) },
		{ SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_NE, self) },
		{ SCMP_SYS(rt_sigqueueinfo), 1, SCMP_A0(SCMP_CMP_NE, self) },
		{ SCMP_SYS(rt_tgsigqueueinfo), 1, SCMP_A0(SCMP_CMP_NE, self) },
		{ SCMP_SYS(tkill), 0 },
		{ SCMP_SYS(pidfd_send_signal), 0 },
		/* A descriptor's owner gets the signal of its choice when something arrives. */
		{ SCMP_SYS(fcntl), 1, IS(1, F_SETOWN) },
		{ SCMP_SYS(fcntl), 1, IS(1, F_SETOWN_EX) },
		{ SCMP_SYS(fcntl), 1, IS(1, F_SETSIG) },
		{ SCMP_SYS(ioctl), 1, IS(1, FIOSETOWN) },
		{ SCMP_SYS(ioctl), 1, IS(1, SIOCSPGRP) },
		/* No other process's memory, descriptors or limits. */
		{ SCMP_SYS(ptrace), 0 },
		{ SCMP_SYS(process_vm_readv), 0 },
		{ SCMP_SYS(process_vm_writev), 0 },
		{ SCMP_SYS(process_madvise), 0 },
		{ SCMP_SYS(process_mrelease), 0 },
		{ SCMP_SYS(pidfd_open), 0 },
		{ SCMP_SYS(pidfd_getfd), 0 },
		{ SCMP_SYS(kcmp), 0 },
		{ SCMP_SYS(prlimit64), 1, SCMP_A0(SCMP_CMP_NE, 0) },
		/* Nor its share of the processor or the disk; 0 is the caller, but of a group all of it. */
		{ SCMP_SYS(sched_setaffinity), 1, SCMP_A0(SCMP_CMP_NE, 0) },
		{ SCMP_SYS(sched_setscheduler), 1, SCMP_A0(SCMP_CMP_NE, 0) },
		{ SCMP_SYS(sched_setparam), 1, SCMP_A0(SCMP_CMP_NE, 0) },
		{ SCMP_SYS(sched_setattr), 1, SCMP_A0(SCMP_CMP_NE, 0) },
		{ SCMP_SYS(setpriority), 1, SCMP_A0(SCMP_CMP_NE, PRIO_PROCESS) },
		{ SCMP_SYS(setpriority), 1, SCMP_A1(SCMP_CMP_NE, 0) },
		{ SCMP_SYS(ioprio_set), 1, SCMP_A0(SCMP_CMP_NE, IOPRIO_WHO_PROCESS) },
		{ SCMP_SYS(ioprio_set), 1, SCMP_A1(SCMP_CMP_NE, 0) },
		/* Ways around a filter of calls, or into parts of the kernel with a past. */
		{ SCMP_SYS(io_uring_setup), 0 },
		{ SCMP_SYS(io_uring_enter), 0 },
		{ SCMP_SYS(io_uring_register), 0 },
		{ SCMP_SYS(bpf), 0 },
		{ SCMP_SYS(perf_event_open), 0 },
		{ SCMP_SYS(userfaultfd), 0 },
		{ SCMP_SYS(keyctl), 0 },
		{ SCMP_SYS(add_key), 0 },
		{ SCMP_SYS(request_key), 0 },
		/* No namespace of its own making, where it would be root. */
		{ SCMP_SYS(unshare), 0 },
		{ SCMP_SYS(setns), 0 },
		/* No memory without an address: it would be there and in none of its mappings. */
		{ SCMP_SYS(memfd_create), 0 },
		{ SCMP_SYS(memfd_secret), 0 },
		{ SCMP_SYS(shmget), 0 },
		/* Nor any that stays when it ends: a message in a queue of the kernel's. */
		{ SCMP_SYS(msgget), 0 },
		{ SCMP_SYS(mq_open), 0 },
	};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	if (!filter)
		return 0;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), refusals[i].call,
				     refusals[i].comparisons, refusals[i].comparison) != 0)
			return 0;
	/* One rule per flag: a mask compares with one value, and any of these is too many. */
	for (scmp_datum_t flag = 1; flag <= namespaces; flag <<= 1)
		if ((flag & namespaces) &&
		    seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
				     SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag)) != 0)
			return 0;
	/* Its flags lie in memory, where no filter can read them; the C library then takes clone. */
	if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) != 0)
		return 0;
	return seccomp_load(filter) == 0;
}

/*
 * The program's whole environment. What malloc is given back it keeps, because the cell overwrites what a
 * program has at its end, and not what it gave back to the kernel before: no mappings of their own for large
 * pieces, no heap but the one that only grows.
 */
static char *const environment[] = {
	"GLIBC_TUNABLES=glibc.malloc.mmap_max=0:glibc.malloc.arena_max=1:"
	"glibc.malloc.trim_threshold=18446744073709551615",
	NULL,
};

/* Root's, where it has them: a demo node's worker could else read the cell itself. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[2] = { 0 };
	struct __user_cap_data_struct held[2];

	if (syscall(SYS_capget, &header, held) != 0)
		return 0;
	/* A unit has none, and a filter that refuses to change them. */
	return memcmp(held, none, sizeof(none)) == 0 || syscall(SYS_capset, &header, none) == 0;
}

static void give_up_rights(const struct seized *seized)
{
	/* Bytes: no file can be written, wherever one could be opened, and files are not overwritten. */
	const struct rlimit no_file = { 0, 0 };

	expect(setrlimit(RLIMIT_FSIZE, &no_file) == 0, STATUS_PRIVILEGE);
	expect(prctl(PR_SET_DUMPABLE, 0) == 0, STATUS_PRIVILEGE);
	expect(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, STATUS_PRIVILEGE);
	expect(drop_capabilities(), STATUS_PRIVILEGE);
	expect(filter_calls(), STATUS_FILTER);
	expect(allow_one_program(seized->password) == 0, STATUS_FILTER);
}

/* The rest of the child's life as ours. */
static void become_program(const struct seized *seized, int gateway, int keeper, int witness,
			   char *argv[])
{
	expect(arrange_descriptors(gateway, keeper, witness), STATUS_DESCRIPTORS);
	give_up_rights(seized);
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
		give_up_rights(&seized);
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
