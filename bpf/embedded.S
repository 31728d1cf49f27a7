/* The compiled kernel programs, inside the warden, so that one file is the whole of it. */
	.section .rodata
	.macro program name, file
	.balign 8
	.globl \name
\name:	.incbin "\file"
	.globl \name\()_end
\name\()_end:
	.endm
	program egress_cgroup, "build/egress.bpf.o"
	program egress_unix, "build/egress_unix.bpf.o"
	program egress_lsm, "build/egress_lsm.bpf.o"
	.section .note.GNU-stack, "", @progbits
