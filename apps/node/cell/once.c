/*
 * One process, one program: what the cell's child may execute and make.
 *
 * Source: seccomp(2); Linux, Documentation/userspace-api/seccomp_filter.rst.
 */
#define _GNU_SOURCE
#include "once.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "machine.h"

/* Set in the number of every call of x86-64's x32 interface, which would be a second way in. */
#define X32_BIT 0x40000000u
/* set_mempolicy_home_node of Linux 5.17: what later calls leave behind is not in calls.c. Numbers only grow. */
#define NEWEST_KNOWN 450

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, field))
#define LOAD_HIGH(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, field) + 4)
#define RETURN(verdict) BPF_STMT(BPF_RET | BPF_K, (verdict))
#define REFUSE(error) RETURN(SECCOMP_RET_ERRNO | (error))
/* The next instruction where the number is another one, else the one after it. */
#define UNLESS(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 1, 0)
#define IF(number, then) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), (then), 0)

int allow_one_program(uint64_t password)
{
	struct sock_filter filter[] = {
		/* Not killed, for that is logged with numbers that it can choose. */
		LOAD(arch),
		UNLESS(OWN_ARCHITECTURE),
		REFUSE(ENOSYS),
		LOAD(nr),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, X32_BIT, 0, 1),
		REFUSE(ENOSYS),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, NEWEST_KNOWN, 0, 1),
		REFUSE(ENOSYS),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 7),
		LOAD(args[1]),
		IF(TCGETS, 4),
		IF(FIONREAD, 3),
		IF(FIONBIO, 2),
		IF(FIOCLEX, 1),
		REFUSE(EPERM),
		RETURN(SECCOMP_RET_ALLOW),
		IF(SYS_execveat, 10),
		IF(SYS_clone, 7),
		IF(SYS_execve, 4),
		IF(CALL_FORK, 3),
		IF(CALL_VFORK, 2),
		/* Its flags lie in memory, where a filter cannot look; libc asks clone then. */
		IF(SYS_clone3, 2),
		RETURN(SECCOMP_RET_ALLOW),
		REFUSE(EPERM),
		REFUSE(ENOSYS),
		LOAD(args[0]),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 5, 0),
		LOAD(args[5]),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)password, 0, 2),
		LOAD_HIGH(args[5]),
		IF((uint32_t)(password >> 32), 1),
		REFUSE(EPERM),
		RETURN(SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(filter) / sizeof(filter[0]), .filter = filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

int execute_once(uint64_t password, const char *path, char *const argv[], char *const envp[])
{
	return (int)syscall(SYS_execveat, AT_FDCWD, path, argv, envp, 0, password);
}
