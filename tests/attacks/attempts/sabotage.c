/*
 * What root can do to a policy: the warden has to notice, and no unit may start afterwards.
 *
 *   sabotage swap PINS COUNT     replaces the program of every link by itself, as an upgrade does; no harm done
 *   sabotage replace PIN         puts a program that lets everything pass into a link for outbound packets
 *   sabotage detach PIN          detaches a link; the pin stays
 */
#define _GNU_SOURCE
#include "attempts.h"
#include <dirent.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LINKS 32 /* more than the policy has */

static int bpf(enum bpf_cmd command, union bpf_attr attributes)
{
	return (int)syscall(SYS_bpf, command, &attributes, sizeof(attributes));
}

static int open_pinned(const char *path)
{
	return bpf(BPF_OBJ_GET, (union bpf_attr){.pathname = (unsigned long)path});
}

static int update(int link, int program)
{
	return bpf(BPF_LINK_UPDATE, (union bpf_attr){.link_update = {.link_fd = (unsigned)link, .new_prog_fd = (unsigned)program}});
}

static int program_of(int link)
{
	struct bpf_link_info info = {0};

	if (bpf(BPF_OBJ_GET_INFO_BY_FD, (union bpf_attr){.info = {.bpf_fd = (unsigned)link, .info_len = sizeof(info), .info = (unsigned long)&info}}) < 0)
		return -1;
	return bpf(BPF_PROG_GET_FD_BY_ID, (union bpf_attr){.prog_id = info.prog_id});
}

static int swap(const char *pins, long rounds)
{
	int links[LINKS], programs[LINKS], count = 0;
	DIR *folder = opendir(pins);
	struct dirent *entry;
	long swapped = 0;

	while (folder && (entry = readdir(folder)) && count < LINKS) {
		char path[512];

		/* The kernel cannot update links of LSM programs. */
		if (strncmp(entry->d_name, "link_", 5) != 0 || strncmp(entry->d_name, "link_lsm", 8) == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", pins, entry->d_name);
		if ((links[count] = open_pinned(path)) >= 0 && (programs[count] = program_of(links[count])) >= 0)
			count++;
	}
	for (long round = 0; round < rounds; round++)
		for (int i = 0; i < count; i++, swapped++)
			if (update(links[i], programs[i]) < 0)
				return -1;
	printf("swapped %ld\n", swapped);
	return swapped > 0 ? 0 : -1;
}

static int replace(const char *pin)
{
	static const struct bpf_insn pass[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1}, {.code = BPF_JMP | BPF_EXIT}};
	int program = bpf(BPF_PROG_LOAD, (union bpf_attr){.prog_type = BPF_PROG_TYPE_CGROUP_SKB,
							  .expected_attach_type = BPF_CGROUP_INET_EGRESS,
							  .insns = (unsigned long)pass,
							  .insn_cnt = 2,
							  .license = (unsigned long)"GPL"});

	return program < 0 ? -1 : update(open_pinned(pin), program);
}

static int detach(const char *pin)
{
	return bpf(BPF_LINK_DETACH, (union bpf_attr){.link_detach = {.link_fd = (unsigned)open_pinned(pin)}});
}

int sabotage_main(int argc, char **argv)
{
	int result = -1;

	if (argc == 4 && strcmp(argv[1], "swap") == 0)
		result = swap(argv[2], atol(argv[3]));
	else if (argc == 3 && strcmp(argv[1], "replace") == 0)
		result = replace(argv[2]);
	else if (argc == 3 && strcmp(argv[1], "detach") == 0)
		result = detach(argv[2]);
	else
		return 2;
	if (result < 0)
		perror("attempts: sabotage");
	return result < 0;
}
