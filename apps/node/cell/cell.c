/*
 * The cell: what a worker or clerk is started by, so that it starts with nothing it could misuse.
 *
 *   cell KEEPER-SOCKET PROGRAM [ARGUMENT ...]
 *
 * PID 1 gives it the gateway's connection as descriptor 0. The program gets that as 3, a connection to the
 * keeper as 4, nothing else, and can make no connection of that kind itself.
 *
 * This is the launcher only: it becomes the program, so nobody is left to overwrite the program's memory
 * when that ends, and a node without init_on_free has wipe grade C. Why it could not start is its exit status.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* What PID 1 writes down when a cell did not start; 200 and up are systemd's own. */
enum status {
	STATUS_USAGE = 64,	/* called wrongly: fix the unit */
	STATUS_CONNECTION = 65, /* descriptor 0 is not a connection: start it through its socket */
	STATUS_KEEPER = 66,	/* no keeper: is it running, and is the cell in the right group? */
	STATUS_DESCRIPTORS = 67,/* descriptors could not be put in order: raise LimitNOFILE */
	STATUS_PRIVILEGE = 68,	/* the kernel refused to take privilege away: too old a kernel */
	STATUS_FILTER = 69,	/* the filter could not be put in force: too old a kernel */
	STATUS_PROGRAM = 70,	/* the program could not be run: is the release whole? */
};

/* What ipc/inherited.ts expects. */
enum { GATEWAY = 3, KEEPER = 4, FIRST_UNWANTED = 5 };

/* Above every number that is dealt out below. */
enum { ASIDE = 16 };

static void expect(int holds, enum status otherwise)
{
	if (!holds)
		_exit(otherwise);
}

static int is_connection(int fd)
{
	int type = 0;
	socklen_t length = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM;
}

static int connect_to_keeper(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		return -1;
	strcpy(address.sun_path, path);
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? fd : -1;
}

/* Leaves the two connections, and nothing at the places of the standard descriptors. */
static int arrange_descriptors(int gateway, int keeper)
{
	int gateway_aside = fcntl(gateway, F_DUPFD_CLOEXEC, ASIDE);
	int keeper_aside = fcntl(keeper, F_DUPFD_CLOEXEC, ASIDE);
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (gateway_aside < 0 || keeper_aside < 0 || nothing < 0)
		return 0;
	for (int fd = 0; fd < GATEWAY; fd++)
		if (nothing != fd && dup2(nothing, fd) < 0)
			return 0;
	return dup2(gateway_aside, GATEWAY) == GATEWAY && dup2(keeper_aside, KEEPER) == KEEPER &&
	       close_range(FIRST_UNWANTED, ~0U, 0) == 0;
}

/* One refused call, with up to one comparison of an argument: seccomp(2) knows no other kind. */
struct refusal {
	int call;
	unsigned int comparisons;
	struct scmp_arg_cmp comparison;
};

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
		{ SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX) },
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
		/* No other process's memory, descriptors or limits. */
		{ SCMP_SYS(ptrace), 0 },
		{ SCMP_SYS(process_vm_readv), 0 },
		{ SCMP_SYS(process_vm_writev), 0 },
		{ SCMP_SYS(process_madvise), 0 },
		{ SCMP_SYS(process_mrelease), 0 },
		{ SCMP_SYS(pidfd_open), 0 },
		{ SCMP_SYS(pidfd_getfd), 0 },
		{ SCMP_SYS(kcmp), 0 },
		{ SCMP_SYS(prlimit64), 1, SCMP_A0(SCMP_CMP_GT, 0) },
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

int main(int argc, char *argv[])
{
	char *const no_environment[] = { NULL };
	int keeper;

	expect(argc >= 3, STATUS_USAGE);
	expect(is_connection(STDIN_FILENO), STATUS_CONNECTION);
	expect(prctl(PR_SET_DUMPABLE, 0) == 0, STATUS_PRIVILEGE);
	expect(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, STATUS_PRIVILEGE);
	keeper = connect_to_keeper(argv[1]);
	expect(keeper >= 0, STATUS_KEEPER);
	expect(arrange_descriptors(STDIN_FILENO, keeper), STATUS_DESCRIPTORS);
	expect(filter_calls(), STATUS_FILTER);
	execve(argv[2], &argv[2], no_environment);
	_exit(STATUS_PROGRAM);
}
