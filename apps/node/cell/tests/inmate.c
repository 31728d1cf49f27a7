/*
 * What a worker that was taken over may try against its cell and the machine, from inside a whole cell.
 *
 *   inmate      one line per call to the gateway's connection: what it is, and "done" or its error
 *   inmate hand-out    only what does nobody any harm outside a cell, as a control
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <linux/sockios.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel takes an int and looks at the lower half only; a filter sees the whole register. */
#define HIGH_BITS (1L << 32)

enum { GATEWAY = 3 };

static void attempt(const char *name, long call, long first, long second, long third)
{
	errno = 0;
	dprintf(GATEWAY, "%s: %s\n", name,
		syscall(call, first, second, third, 0L, 0L) >= 0 ? "done" : strerrorname_np(errno));
}

/* One descriptor, handed to whoever holds the other end. */
static void hand_out(const char *name, long call)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)),
				.cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_RIGHTS } };
	struct iovec byte = { "\n", 1 };
	struct mmsghdr messages = { .msg_hdr = { .msg_iov = &byte,
						 .msg_iovlen = 1,
						 .msg_control = &control,
						 .msg_controllen = sizeof(control) } };
	const int memory = open("/proc/self/mem", O_RDONLY);

	memcpy(CMSG_DATA(&control.head), &memory, sizeof(memory));
	if (call == SYS_sendmmsg)
		attempt(name, call, GATEWAY, (intptr_t)&messages, 1);
	else
		attempt(name, call, GATEWAY, (intptr_t)&messages.msg_hdr, 0);
	close(memory);
}

static void hand_out_all(void)
{
	hand_out("its memory to the gateway", SYS_sendmsg);
	hand_out("its memory to the gateway, of several", SYS_sendmmsg);
}

int main(int argc, char *argv[])
{
	const long cell = getppid();
	const struct f_owner_ex owner = { .type = F_OWNER_PID, .pid = getppid() };
	const struct sched_param ordinary = { 0 };
	const int group = getppid();
	cpu_set_t all;
	int file;

	hand_out_all();
	if (argc > 1 && strcmp(argv[1], "hand-out") == 0)
		return 0;
	/* Of a file over its limit it is told by a signal as well. */
	signal(SIGXFSZ, SIG_IGN);
	file = open("/dev/shm", O_TMPFILE | O_RDWR, 0600);
	memset(&all, 0xff, sizeof(all));
	attempt("owner", SYS_fcntl, GATEWAY, F_SETOWN, cell);
	attempt("owner, high bits", SYS_fcntl, GATEWAY, F_SETOWN | HIGH_BITS, cell);
	attempt("owner_ex", SYS_fcntl, GATEWAY, F_SETOWN_EX, (intptr_t)&owner);
	attempt("signal", SYS_fcntl, GATEWAY, F_SETSIG, SIGKILL);
	attempt("signal, high bits", SYS_fcntl, GATEWAY, F_SETSIG | HIGH_BITS, SIGKILL);
	attempt("ioctl owner", SYS_ioctl, GATEWAY, FIOSETOWN, (intptr_t)&group);
	attempt("ioctl group", SYS_ioctl, GATEWAY, SIOCSPGRP, (intptr_t)&group);
	attempt("ioctl owner, high bits", SYS_ioctl, GATEWAY, FIOSETOWN | HIGH_BITS, (intptr_t)&group);
	attempt("unix socket", SYS_socket, AF_UNIX, SOCK_STREAM, 0);
	attempt("unix socket, high bits", SYS_socket, AF_UNIX | HIGH_BITS, SOCK_STREAM, 0);
	attempt("kill", SYS_kill, cell, 0, 0);
	attempt("kill, high bits", SYS_kill, cell | HIGH_BITS, 0, 0);
	attempt("limits", SYS_prlimit64, cell, RLIMIT_NOFILE, 0);
	attempt("affinity", SYS_sched_setaffinity, cell, sizeof(all), (intptr_t)&all);
	attempt("scheduler", SYS_sched_setscheduler, cell, SCHED_OTHER, (intptr_t)&ordinary);
	attempt("scheduler's parameters", SYS_sched_setparam, cell, (intptr_t)&ordinary, 0);
	attempt("scheduler's attributes", SYS_sched_setattr, cell, 0, 0);
	attempt("priority", SYS_setpriority, PRIO_PROCESS, cell, 19);
	attempt("priority of the group", SYS_setpriority, PRIO_PGRP, 0, 19);
	attempt("priority of the user", SYS_setpriority, PRIO_USER, 0, 19);
	attempt("disk priority", SYS_ioprio_set, IOPRIO_WHO_PROCESS, cell, 0);
	attempt("disk priority of the group", SYS_ioprio_set, IOPRIO_WHO_PGRP, 0, 0);
	attempt("message queue", SYS_msgget, IPC_PRIVATE, 0600, 0);
	attempt("named message queue", SYS_mq_open, (intptr_t)"inmate", O_RDWR | O_CREAT, 0600);
	attempt("one byte in a file", SYS_write, file, (intptr_t)"x", 1);
	attempt("an empty file's length", SYS_ftruncate, file, 1, 0);
	attempt("own flags", SYS_fcntl, GATEWAY, F_GETFL, 0);
	attempt("own affinity", SYS_sched_setaffinity, 0, sizeof(all), (intptr_t)&all);
	attempt("own priority", SYS_setpriority, PRIO_PROCESS, 0, 19);
	attempt("own limits", SYS_prlimit64, 0, RLIMIT_NOFILE, 0);
	attempt("internet socket", SYS_socket, AF_INET, SOCK_STREAM, 0);
	return 0;
}
