/* Rows 33 to 35: against the policy itself. Who is root may do all of it; nobody else may begin. */
#define _GNU_SOURCE
#include "attempts.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int bpf(enum bpf_cmd command, union bpf_attr *attributes)
{
	return (int)syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

/* 33a: takes the program off the cgroup the old way. No such program is as good as leave to do it. */
static void detach_program(const struct cell *cell, const struct place *place)
{
	union bpf_attr attributes = {.attach_type = BPF_CGROUP_INET_EGRESS};

	step("open-cgroup");
	attributes.target_fd = (unsigned)must(open(place->cgroup, O_RDONLY | O_DIRECTORY));
	step("bpf-detach");
	if (bpf(BPF_PROG_DETACH, &attributes) < 0 && errno != ENOENT && errno != EINVAL)
		must(-1);
	send_udp(cell);
}

/* 33b: finds links by number, to detach them. Root only looks: the policy of the test must stay. */
static void detach_link(const struct cell *cell, const struct place *place)
{
	union bpf_attr attributes = {0};
	int link;

	(void)place;
	step("bpf-link-id");
	if (bpf(BPF_LINK_GET_NEXT_ID, &attributes) < 0 && errno != ENOENT)
		must(-1);
	if (getuid() != 0) {
		step("bpf-link-detach");
		memset(&attributes, 0, sizeof(attributes));
		attributes.link_id = 1;
		link = must(bpf(BPF_LINK_GET_FD_BY_ID, &attributes));
		memset(&attributes, 0, sizeof(attributes));
		attributes.link_detach.link_fd = (unsigned)link;
		must(bpf(BPF_LINK_DETACH, &attributes));
	}
	send_udp(cell);
}

/* 33c: a program of the attempt's own, beside or instead of ours. */
static void load_program(const struct cell *cell, const struct place *place)
{
	static const struct bpf_insn pass[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1}, {.code = BPF_JMP | BPF_EXIT}};
	union bpf_attr attributes = {.prog_type = BPF_PROG_TYPE_CGROUP_SKB,
				     .insns = (unsigned long)pass,
				     .insn_cnt = 2,
				     .license = (unsigned long)"GPL"};

	(void)place;
	step("bpf-load");
	must(bpf(BPF_PROG_LOAD, &attributes));
	send_udp(cell);
}

/* 34: opens the map of permitted endpoints by its pin, which would be enough to write it. */
static void open_pin(const struct cell *cell, const struct place *place)
{
	char path[512];
	union bpf_attr attributes = {.pathname = (unsigned long)path};

	snprintf(path, sizeof(path), "%s/endpoints", place->pins);
	step("open-pin");
	must(bpf(BPF_OBJ_GET, &attributes));
	send_udp(cell);
}

/* 35: ends the warden. Root's turn is the runner's: here it only asks whether it could. */
static void end_warden(const struct cell *cell, const struct place *place)
{
	step("kill");
	must(place->warden > 1 ? kill(place->warden, getuid() == 0 ? 0 : SIGKILL) : (errno = ESRCH, -1));
	send_udp(cell);
}

const struct attempt policy_attempts[] = {
	{"33a", detach_program}, {"33b", detach_link}, {"33c", load_program}, {"34", open_pin}, {"35", end_warden}, {NULL, NULL},
};
