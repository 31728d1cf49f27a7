/*
 * What a worker that was taken over may try against its cell and the machine, from inside a whole cell.
 *
 *   inmate      one line per call to the gateway's connection: what it is, and "done" or its error
 *   inmate hand-out    only what does nobody any harm outside a cell, as a control
 *   inmate leave FILE  tries to leave words in the kernel, in and beside FILE, and in the folder it runs in
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/ioprio.h>
#include <linux/openat2.h>
#include <linux/sockios.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

/* The kernel takes an int and looks at the lower half only; a filter sees the whole register. */
#define HIGH_BITS (1L << 32)

/* In the number of a call of x86-64's other interface, which few kernels have. */
#define X32_BIT 0x40000000L

/* Of Linux 6.13, on every machine. */
#define SETXATTRAT 463

enum { GATEWAY = 3 };

/* A call's number and its arguments, zeros from where they end. */
#define attempt(name, ...) attempt_call(name, (const long[7]){ __VA_ARGS__ })

static long attempt_call(const char *name, const long call[7])
{
	long result = syscall(call[0], call[1], call[2], call[3], call[4], call[5], call[6]);

	dprintf(GATEWAY, "%s: %s\n", name, result >= 0 ? "done" : strerrorname_np(errno));
	return result;
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

/* Words in the kernel, for a process that comes later; what is not refused is taken away again. */
static void leave_in_kernel(void)
{
	struct {
		long kind;
		char text[8];
	} message = { 1, "words" };
	const struct mq_attr attributes = { .mq_maxmsg = 1, .mq_msgsize = 8 };
	const unsigned short values[] = { 'w', 'o' };
	struct sembuf step = { 0, 1, 0 };
	int queue, set, segment, named;

	queue = (int)attempt("queue", SYS_msgget, IPC_PRIVATE, 0600);
	attempt("message", SYS_msgsnd, queue, (intptr_t)&message, sizeof(message.text));
	attempt("message taken", SYS_msgrcv, queue, (intptr_t)&message, sizeof(message.text), 0, IPC_NOWAIT);
	attempt("queue changed or removed", SYS_msgctl, queue, IPC_RMID);
	set = (int)attempt("semaphores", SYS_semget, IPC_PRIVATE, 2, 0600);
	attempt("semaphores' values", SYS_semctl, set, 0, SETALL, (intptr_t)values);
	attempt("semaphore's value", SYS_semop, set, (intptr_t)&step, 1);
	attempt("semaphore's value, timed", SYS_semtimedop, set, (intptr_t)&step, 1);
	semctl(set, 0, IPC_RMID);
	segment = (int)attempt("segment", SYS_shmget, IPC_PRIVATE, 4096, 0600);
	attempt("segment's memory", SYS_shmat, segment);
	attempt("segment changed or removed", SYS_shmctl, segment, IPC_RMID);
	named = (int)attempt("named queue", SYS_mq_open, (intptr_t)"inmate", O_RDWR | O_CREAT, 0600,
			     (intptr_t)&attributes);
	attempt("named queue's message", SYS_mq_timedsend, named, (intptr_t)"words", 5);
	attempt("named queue removed", SYS_mq_unlink, (intptr_t)"inmate");
	/* The kernel logs it when it kills. */
	attempt("own name", SYS_prctl, PR_SET_NAME, (intptr_t)"words");
	attempt("a call of another interface", X32_BIT | SYS_getpid);
	attempt("shared memory", SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
	attempt("memory file", SYS_memfd_create, (intptr_t)"words", 0);
	attempt("secret memory file", SYS_memfd_secret, 0);
	attempt("ring", SYS_io_setup, 1, (intptr_t)&(unsigned long){ 0 });
}

/* Words in files, as names, and in what is noted beside files; `old` is a file of the process's user. */
static void leave_in_files(const long old)
{
	const struct open_how how = { .flags = O_RDWR };
	const struct {
		intptr_t value;
		uint32_t size;
		uint32_t flags;
	} newer = { (intptr_t)"words", 5, 0 };
	const struct sockaddr_un address = { AF_UNIX, "words-15" };
	const int file = open((const char *)old, O_RDONLY);
	const uid_t self = getuid();
	const struct termios terminal = { 0 };
	struct fsxattr noted = { 0 };
	int flags = 0;

	attempt("open", SYS_open, old, O_WRONLY);
	attempt("open to read as well", SYS_open, old, O_RDWR);
	attempt("open anew", SYS_open, (intptr_t)"words-1", O_CREAT, 0600);
	attempt("open emptied", SYS_open, old, O_TRUNC);
	attempt("openat", SYS_openat, AT_FDCWD, old, O_WRONLY);
	attempt("openat to read as well", SYS_openat, AT_FDCWD, old, O_RDWR);
	attempt("openat anew", SYS_openat, AT_FDCWD, (intptr_t)"words-2", O_CREAT, 0600);
	attempt("openat without a name", SYS_openat, AT_FDCWD, (intptr_t)".", O_TMPFILE | O_RDWR, 0600);
	attempt("openat emptied", SYS_openat, AT_FDCWD, old, O_TRUNC);
	attempt("openat2", SYS_openat2, AT_FDCWD, old, (intptr_t)&how, sizeof(how));
	attempt("creat", SYS_creat, (intptr_t)"words-3", 0600);
	attempt("truncate", SYS_truncate, old, 0);
	attempt("mkdir", SYS_mkdir, (intptr_t)"words-4", 0700);
	attempt("mkdirat", SYS_mkdirat, AT_FDCWD, (intptr_t)"words-5", 0700);
	attempt("mknod", SYS_mknod, (intptr_t)"words-6", S_IFIFO | 0600);
	attempt("mknodat", SYS_mknodat, AT_FDCWD, (intptr_t)"words-7", S_IFIFO | 0600);
	attempt("symlink", SYS_symlink, (intptr_t)"words", (intptr_t)"words-8");
	attempt("symlinkat", SYS_symlinkat, (intptr_t)"words", AT_FDCWD, (intptr_t)"words-9");
	attempt("link", SYS_link, old, (intptr_t)"words-10");
	attempt("linkat", SYS_linkat, AT_FDCWD, old, AT_FDCWD, (intptr_t)"words-11");
	attempt("rename", SYS_rename, (intptr_t)"words-10", (intptr_t)"words-12");
	attempt("renameat", SYS_renameat, AT_FDCWD, (intptr_t)"words-12", AT_FDCWD, (intptr_t)"words-13");
	attempt("renameat2", SYS_renameat2, AT_FDCWD, (intptr_t)"words-13", AT_FDCWD, (intptr_t)"words-14");
	attempt("unlink", SYS_unlink, (intptr_t)"words-11");
	attempt("unlinkat", SYS_unlinkat, AT_FDCWD, (intptr_t)"words-14");
	attempt("rmdir", SYS_rmdir, (intptr_t)"words-4");
	attempt("bind", SYS_bind, GATEWAY, (intptr_t)&address, sizeof(address));
	attempt("setxattr", SYS_setxattr, old, (intptr_t)"user.words", (intptr_t)"1", 1);
	attempt("removexattr", SYS_removexattr, old, (intptr_t)"user.words");
	attempt("lsetxattr", SYS_lsetxattr, old, (intptr_t)"user.words", (intptr_t)"2", 1);
	attempt("lremovexattr", SYS_lremovexattr, old, (intptr_t)"user.words");
	attempt("fsetxattr", SYS_fsetxattr, file, (intptr_t)"user.words", (intptr_t)"3", 1);
	attempt("fremovexattr", SYS_fremovexattr, file, (intptr_t)"user.words");
	attempt("utime", SYS_utime, old, 0);
	attempt("utimes", SYS_utimes, old, 0);
	attempt("futimesat", SYS_futimesat, AT_FDCWD, old, 0);
	attempt("utimensat", SYS_utimensat, AT_FDCWD, old, 0);
	attempt("chmod", SYS_chmod, old, 0600);
	attempt("fchmod", SYS_fchmod, file, 0600);
	attempt("fchmodat", SYS_fchmodat, AT_FDCWD, old, 0600);
	attempt("chown", SYS_chown, old, self, -1);
	attempt("lchown", SYS_lchown, old, self, -1);
	attempt("fchown", SYS_fchown, file, self, -1);
	attempt("fchownat", SYS_fchownat, AT_FDCWD, old, self, -1);
	ioctl(file, FS_IOC_GETFLAGS, &flags);
	attempt("flags", SYS_ioctl, file, FS_IOC_SETFLAGS, (intptr_t)&flags);
	attempt("flags, high bits", SYS_ioctl, file, FS_IOC_SETFLAGS | HIGH_BITS, (intptr_t)&flags);
	ioctl(file, FS_IOC_FSGETXATTR, &noted);
	attempt("project", SYS_ioctl, file, FS_IOC_FSSETXATTR, (intptr_t)&noted);
	attempt("version", SYS_ioctl, file, FS_IOC_SETVERSION, (intptr_t)&flags);
	attempt("a terminal's settings", SYS_ioctl, file, TCSETS, (intptr_t)&terminal);
	attempt("a key at a terminal", SYS_ioctl, file, TIOCSTI, (intptr_t)"w");
	attempt("a call that is newer than the cell", SETXATTRAT, AT_FDCWD, old, 0, (intptr_t)"user.words",
		(intptr_t)&newer, sizeof(newer));
}

int main(int argc, char *argv[])
{
	const long cell = getppid();
	const struct f_owner_ex owner = { .type = F_OWNER_PID, .pid = getppid() };
	const struct sched_param ordinary = { 0 };
	const int group = getppid();
	cpu_set_t all;

	if (argc > 2 && strcmp(argv[1], "leave") == 0) {
		leave_in_kernel();
		leave_in_files((intptr_t)argv[2]);
		return 0;
	}
	hand_out_all();
	if (argc > 1 && strcmp(argv[1], "hand-out") == 0)
		return 0;
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
	attempt("own flags", SYS_fcntl, GATEWAY, F_GETFL, 0);
	attempt("own bytes to read", SYS_ioctl, GATEWAY, FIONREAD, (intptr_t)&(int){ 0 });
	attempt("own affinity", SYS_sched_setaffinity, 0, sizeof(all), (intptr_t)&all);
	attempt("own priority", SYS_setpriority, PRIO_PROCESS, 0, 19);
	attempt("own limits", SYS_prlimit64, 0, RLIMIT_NOFILE, 0);
	attempt("internet socket", SYS_socket, AF_INET, SOCK_STREAM, 0);
	return 0;
}
