/* How the warden and what it starts give up what they do not need.
 *
 * After its set-up the warden reads maps, a ring buffer and two Unix sockets, and writes three
 * small files. It keeps CAP_BPF and CAP_NET_ADMIN, can make no socket, start no program, trace
 * nobody, and open no program by its id.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "confine.h"

int confine_capabilities(__u64 keep)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct held[2] = {}, wanted[2];

	if (syscall(SYS_capget, &header, held))
		return -1;
	for (int half = 0; half < 2; half++) {
		__u32 kept = (__u32)(keep >> (32 * half)) & held[half].permitted;

		wanted[half] =
			(struct __user_cap_data_struct){ .effective = kept, .permitted = kept };
	}
	/* The bound can be lowered only while CAP_SETPCAP is held; a process without it cannot gain
	 * anything anyway. */
	for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
		if (!(keep >> capability & 1) && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) &&
		    errno != EPERM)
			return -1;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &header, wanted))
		return -1;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static const int calls[] = {
	/* the loop */
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(close),
	SCMP_SYS(accept4),
	SCMP_SYS(fcntl),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(getrandom),
	/* what cells say, and which cgroup it came from */
	SCMP_SYS(recvmsg),
	SCMP_SYS(name_to_handle_at),
	/* the three files of its state, and the removal of what it made */
	SCMP_SYS(open),
	SCMP_SYS(openat),
	SCMP_SYS(fsync),
	SCMP_SYS(fdatasync),
	SCMP_SYS(rename),
	SCMP_SYS(renameat),
	SCMP_SYS(renameat2),
	SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),
	SCMP_SYS(rmdir),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(lseek),
	SCMP_SYS(pread64),
	SCMP_SYS(getdents64),
	SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep),
	/* the C library */
	SCMP_SYS(brk),
	SCMP_SYS(mmap),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(mprotect),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sysinfo),
	SCMP_SYS(wait4),
	SCMP_SYS(getpid),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(restart_syscall),
};

/* Maps that it holds, and what a link says of itself. Nothing that loads, attaches, or opens by id.
 */
static const int bpf_commands[] = { BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM, BPF_MAP_DELETE_ELEM,
				    BPF_MAP_GET_NEXT_KEY, BPF_OBJ_GET_INFO_BY_FD };

int confine_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int result = filter ? 0 : -ENOMEM;

	for (unsigned i = 0; !result && i < sizeof(calls) / sizeof(*calls); i++)
		result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	for (unsigned i = 0; !result && i < sizeof(bpf_commands) / sizeof(*bpf_commands); i++)
		result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(bpf), 1,
					  SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)bpf_commands[i]));
	if (!result)
		result = seccomp_load(filter);
	seccomp_release(filter);
	errno = -result;
	return result ? -1 : 0;
}
