/*
 * What differs between processors where the cell makes its child call the kernel: registers and numbers.
 *
 * x86-64 is what every test and proof runs on. AArch64 compiles and nobody has run it on such a machine.
 *
 * Source: Linux, arch/x86/include/uapi/asm/ptrace.h and arch/arm64/include/uapi/asm/ptrace.h; syscall(2).
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <elf.h>
#include <limits.h>
#include <linux/audit.h>
#include <stdbool.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>

#if defined(__x86_64__)

/* The instruction `syscall`, in the low bytes of a word. */
#define SYSCALL_INSTRUCTION 0x050ful
#define INSTRUCTION_MASK 0xfffful

#define OWN_ARCHITECTURE AUDIT_ARCH_X86_64
#define CALL_FORK SYS_fork
#define CALL_VFORK SYS_vfork

static inline bool read_registers(pid_t tid, struct user_regs_struct *registers)
{
	return ptrace(PTRACE_GETREGS, tid, 0, registers) == 0;
}

static inline bool write_registers(pid_t tid, struct user_regs_struct *registers)
{
	return ptrace(PTRACE_SETREGS, tid, 0, registers) == 0;
}

static inline unsigned long long place_of(const struct user_regs_struct *registers)
{
	return registers->rip;
}

static inline long long result_of(const struct user_regs_struct *registers)
{
	return (long long)registers->rax;
}

static inline void prepare_call(struct user_regs_struct *call, long number, const unsigned long long arguments[6])
{
	call->rax = (unsigned long long)number;
	/* Else a return to a call that a signal had cut off. */
	call->orig_rax = ULLONG_MAX;
	call->rdi = arguments[0];
	call->rsi = arguments[1];
	call->rdx = arguments[2];
	call->r10 = arguments[3];
	call->r8 = arguments[4];
	call->r9 = arguments[5];
}

#elif defined(__aarch64__)

/* The instruction `svc #0`, in the low bytes of a word. */
#define SYSCALL_INSTRUCTION 0xd4000001ul
#define INSTRUCTION_MASK 0xfffffffful

#define OWN_ARCHITECTURE AUDIT_ARCH_AARCH64
/* There is neither here: a filter that names them asks for another call that it refuses in the same way. */
#define CALL_FORK SYS_execve
#define CALL_VFORK SYS_execve

static inline bool read_registers(pid_t tid, struct user_regs_struct *registers)
{
	struct iovec all = { registers, sizeof(*registers) };

	return ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &all) == 0 && all.iov_len == sizeof(*registers);
}

static inline bool write_registers(pid_t tid, struct user_regs_struct *registers)
{
	struct iovec all = { registers, sizeof(*registers) };

	return ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &all) == 0;
}

static inline unsigned long long place_of(const struct user_regs_struct *registers)
{
	return registers->pc;
}

static inline long long result_of(const struct user_regs_struct *registers)
{
	return (long long)registers->regs[0];
}

static inline void prepare_call(struct user_regs_struct *call, long number, const unsigned long long arguments[6])
{
	call->regs[8] = (unsigned long long)number;
	for (int i = 0; i < 6; i++)
		call->regs[i] = arguments[i];
}

#else
#error "the cell knows the system calls and registers of x86-64 and AArch64 only"
#endif

#endif
