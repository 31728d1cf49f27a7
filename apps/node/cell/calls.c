/*
 * What the program may call.
 */
#define _GNU_SOURCE
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* One refused call, with up to one comparison of an argument: seccomp(2) knows no other kind. */
struct refusal {
	int call;
	unsigned int comparisons;
	struct scmp_arg_cmp comparison;
};

/* Of an int the kernel reads 32 bits; whoever sets one above them must not be taken for another. */
#define IS(argument, value) SCMP_CMP64(argument, SCMP_CMP_MASKED_EQ, UINT32_MAX, value)
#define HAS(argument, bits) SCMP_CMP64(argument, SCMP_CMP_MASKED_EQ, bits, bits)

int filter_calls(void)
{
	const scmp_datum_t self = (scmp_datum_t)getpid();
	const scmp_datum_t namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
					CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
	const struct refusal refusals[] = {
		/* No connection of the kind that leads to other processes of this machine … */
		{ SCMP_SYS(socket), 1, IS(0, AF_UNIX) },
		{ SCMP_SYS(socketpair), 0 },
		/* … and no descriptor handed in by one, or out to one: what a program keeps alive elsewhere is not
		 * overwritten with it. Node reads and writes with other calls. */
		{ SCMP_SYS(recvmsg), 0 },
		{ SCMP_SYS(recvmmsg), 0 },
		{ SCMP_SYS(sendmsg), 0 },
		{ SCMP_SYS(sendmmsg), 0 },
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
		/* No memory that can be there without an address, and so in none of its mappings: what is shared … */
		{ SCMP_SYS(mmap), 1, HAS(3, MAP_SHARED | MAP_ANONYMOUS) },
		/* … or has a number, or belongs to a part of the kernel. */
		{ SCMP_SYS(memfd_create), 0 },
		{ SCMP_SYS(memfd_secret), 0 },
		{ SCMP_SYS(shmget), 0 },
		{ SCMP_SYS(shmat), 0 },
		{ SCMP_SYS(io_setup), 0 },
		/* Nothing that stays when it ends: in no queue and no semaphore of the kernel's; to use one that is
		 * there, its number is enough … */
		{ SCMP_SYS(msgget), 0 },
		{ SCMP_SYS(msgsnd), 0 },
		{ SCMP_SYS(msgrcv), 0 },
		{ SCMP_SYS(msgctl), 0 },
		{ SCMP_SYS(shmctl), 0 },
		{ SCMP_SYS(semget), 0 },
		{ SCMP_SYS(semctl), 0 },
		{ SCMP_SYS(semop), 0 },
		{ SCMP_SYS(semtimedop), 0 },
		{ SCMP_SYS(mq_open), 0 },
		{ SCMP_SYS(mq_timedsend), 0 },
		{ SCMP_SYS(mq_unlink), 0 },
		/* … in no file, terminal, pipe or device: it opens nothing to write to, nor to map it so … */
		{ SCMP_SYS(open), 1, HAS(1, O_WRONLY) },
		{ SCMP_SYS(open), 1, HAS(1, O_RDWR) },
		{ SCMP_SYS(open), 1, HAS(1, O_CREAT) },
		{ SCMP_SYS(open), 1, HAS(1, O_TRUNC) },
		{ SCMP_SYS(openat), 1, HAS(2, O_WRONLY) },
		{ SCMP_SYS(openat), 1, HAS(2, O_RDWR) },
		{ SCMP_SYS(openat), 1, HAS(2, O_CREAT) },
		{ SCMP_SYS(openat), 1, HAS(2, O_TRUNC) },
		{ SCMP_SYS(openat2), 0 },
		{ SCMP_SYS(creat), 0 },
		{ SCMP_SYS(truncate), 0 },
		/* … as no name, nor as its own, which the kernel logs when it kills … */
		{ SCMP_SYS(prctl), 1, IS(0, PR_SET_NAME) },
		{ SCMP_SYS(bind), 0 },
		{ SCMP_SYS(mkdir), 0 },
		{ SCMP_SYS(mkdirat), 0 },
		{ SCMP_SYS(mknod), 0 },
		{ SCMP_SYS(mknodat), 0 },
		{ SCMP_SYS(symlink), 0 },
		{ SCMP_SYS(symlinkat), 0 },
		{ SCMP_SYS(link), 0 },
		{ SCMP_SYS(linkat), 0 },
		{ SCMP_SYS(rename), 0 },
		{ SCMP_SYS(renameat), 0 },
		{ SCMP_SYS(renameat2), 0 },
		{ SCMP_SYS(unlink), 0 },
		{ SCMP_SYS(unlinkat), 0 },
		{ SCMP_SYS(rmdir), 0 },
		/* … and in nothing that is noted beside a file. */
		{ SCMP_SYS(setxattr), 0 },
		{ SCMP_SYS(lsetxattr), 0 },
		{ SCMP_SYS(fsetxattr), 0 },
		{ SCMP_SYS(removexattr), 0 },
		{ SCMP_SYS(lremovexattr), 0 },
		{ SCMP_SYS(fremovexattr), 0 },
		{ SCMP_SYS(utime), 0 },
		{ SCMP_SYS(utimes), 0 },
		{ SCMP_SYS(futimesat), 0 },
		{ SCMP_SYS(utimensat), 0 },
		{ SCMP_SYS(chmod), 0 },
		{ SCMP_SYS(fchmod), 0 },
		{ SCMP_SYS(fchmodat), 0 },
		{ SCMP_SYS(chown), 0 },
		{ SCMP_SYS(lchown), 0 },
		{ SCMP_SYS(fchown), 0 },
		{ SCMP_SYS(fchownat), 0 },
	};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	/* Not killed, for that is logged with numbers that it can choose. */
	if (!filter || seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS)) != 0)
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
