/* What the kernel programs and the warden agree on: units, counts, events, endpoints.
 *
 * Layout of this folder
 *   egress.bpf.c       the policy that every host has: connect, sendmsg, making sockets, joining
 *                      groups, packets both ways
 *   egress_unix.bpf.c  optional tier: new Unix connections (kernel 6.7 and later)
 *   egress_lsm.bpf.c   optional tier: sockets made elsewhere and handed in (where BPF LSM loads)
 *   egress_maps.bpf.h  the maps they share; how an attempt is refused, counted and told
 *   load.c, attach.c   programs into the kernel, and onto the root cgroup through pinned links
 *   verify.c, probe.c  whether that is so: read back, and tried
 *   warden.c           the command line; daemon.c is `warden run`, request.c and keeper.c its socket
 *   confine.c          what the warden gives up before it listens
 *   witness.c, receipt.c, task-counts.c
 *                      one task's attempts, signed for its receipt
 *   documents.c, devices.c, standing.c, stored.c
 *                      signed documents, and what the warden remembers of them
 *   enter.c            joins a unit's cgroup and starts a program there, where there is no systemd
 *
 * The programs are attached once, to the root cgroup of the policy. Which rule holds is looked up
 * by the direct child of that root which a task or socket belongs to; a child nobody registered is
 * refused everything. docs/decisions/0014-pinned-links.md says why.
 */
#ifndef EGRESS_H
#define EGRESS_H

#include <linux/types.h>

/* The value is an index into `counts`; UNIT_UNKNOWN must stay 0, because a lookup that finds
 * nothing gives it. */
enum egress_kind {
	UNIT_UNKNOWN,
	UNIT_GATEWAY,
	UNIT_WORKER,
	UNIT_CLERK,
	UNIT_KEEPER,
	UNIT_WARDEN,
	UNIT_FETCHER,
	UNIT_HERALD,
	UNIT_INSTALLER,
	UNIT_HOLD,
	UNIT_PROBE,
	UNIT_KINDS,
};

enum egress_hook {
	HOOK_CONNECT4,
	HOOK_CONNECT6,
	HOOK_SENDMSG4,
	HOOK_SENDMSG6,
	HOOK_SOCK_CREATE,
	HOOK_EGRESS,
	HOOK_INGRESS,
	HOOK_SETSOCKOPT,
	HOOK_UNIX_CONNECT,
	HOOK_UNIX_SENDMSG,
	HOOK_LSM_CREATE,
	HOOK_LSM_CONNECT,
	HOOK_LSM_SENDMSG,
	HOOK_LSM_WRITE,
	HOOK_LSM_OPTION,
	HOOK_LSM_UNIX_CONNECT,
	HOOK_LSM_UNIX_SEND,
	HOOKS,
};

/* Value of `units`; its key is the id of a cgroup directly below the root. */
struct egress_unit {
	__u32 kind;
	__u32 port; /* the gateway's own; 0 for every other kind */
};

/* Key of `endpoints`; the value is the deadline in nanoseconds of CLOCK_BOOTTIME. */
struct egress_endpoint {
	__u32 kind;
	__u16 port; /* host order */
	__u16 zero;
	__u8 address[16]; /* IPv4 as ::ffff:a.b.c.d, so that one form of an address has one key */
};

/* Value of `counts`, one per kind and CPU, and of `tasks`, one per worker's cgroup. attempts ==
 * logged + lost, always. */
struct egress_count {
	__u64 attempts;
	__u64 logged;
	__u64 lost; /* found no room in `events` */
};

/* 160: `worker@` with numbers that no machine reaches needs 80; whose folder is longer has no
 * witness. */
#define EGRESS_FOLDER_BYTES 160

/* 1,024: sixteen times what a node serves at once. */
#define EGRESS_TASKS 1024

/* Keys of `tasks_missed`: what task-counts.c knows of attempts that found no room in `tasks`. */
enum egress_missed {
	MISSED_ATTEMPTS, /* how many; counted by the kernel programs, the others are the warden's */
	MISSED_SEEN,     /* how many of them the warden has seen */
	MISSED_UNTIL,    /* when it saw the last of them, CLOCK_BOOTTIME */
	MISSED_NOTES,
};

/* Value of `task_keys`; its key is the one-time key that a worker said. Only the warden uses it; it is
 * a map so that a warden which restarts still knows. */
struct egress_task {
	__u64 cgroup;                     /* key in `tasks` */
	__u64 since_ns;                   /* of its word, CLOCK_BOOTTIME */
	__u64 started_ns;                 /* of the process that said it, or a little earlier */
	char folder[EGRESS_FOLDER_BYTES]; /* of the cgroup, below the root */
};

/* Where the probe tries to go: 192.0.2.1 and 2001:db8::1, set aside for documentation (RFC 5737,
 * RFC 3849); 9 is discard. */
#define PROBE_ADDRESS4 0xc0000201
#define PROBE_ADDRESS6 0x20010db8
#define PROBE_PORT     9

/* Where the policy is attached: read-only data of every program, set by the loader. */
struct egress_root {
	__u64 id;       /* of the root cgroup */
	__u32 level;    /* its depth in the cgroup tree */
	__u32 is_slice; /* of systemd: a task of root's in a unit is PID 1 making the unit */
};

/* 112: the 108 of sun_path, which may be full without a NUL, and one, aligned. */
#define EGRESS_PATH_BYTES 112

/* Key of `unix_paths`: a socket which units of this kind may connect to. */
struct egress_unix_path {
	__u32 kind;
	char path[EGRESS_PATH_BYTES]; /* padded with NUL */
};

/* One refused attempt, in `events`. No program name: a process chooses its own. */
struct egress_event {
	__u64 boot_ns;
	__u64 cgroup; /* the innermost, so that instances below one unit can be told apart */
	__u32 pid;    /* 0 where a packet program cannot know */
	__u32 uid;
	__u32 protocol; /* IPPROTO_; 0 where there is none */
	__u16 port;     /* host order */
	__u8 kind;
	__u8 hook;
	__u8 has_address;
	__u8 zero[7];
	__u8 address[16];
};

#endif
