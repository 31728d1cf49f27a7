/*
 * Replaces the program of every link below a folder of pins, as an upgrade does: by itself, COUNT times, in one
 * step each. Prints "swapped N".
 *
 *   swap PINS COUNT
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

static int bpf(enum bpf_cmd command, union bpf_attr *attributes)
{
	return (int)syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

static int program_of(int link)
{
	struct bpf_link_info info = {0};
	union bpf_attr attributes = {.info = {.bpf_fd = (unsigned)link, .info_len = sizeof(info), .info = (unsigned long)&info}};

	if (bpf(BPF_OBJ_GET_INFO_BY_FD, &attributes) < 0)
		return -1;
	memset(&attributes, 0, sizeof(attributes));
	attributes.prog_id = info.prog_id;
	return bpf(BPF_PROG_GET_FD_BY_ID, &attributes);
}

int swap_main(int argc, char **argv)
{
	int links[LINKS], programs[LINKS], count = 0;
	long swapped = 0;
	struct dirent *entry;
	DIR *folder;

	if (argc != 3 || !(folder = opendir(argv[1])))
		return 2;
	while ((entry = readdir(folder)) && count < LINKS) {
		char path[512];
		union bpf_attr attributes = {.pathname = (unsigned long)path};

		/* LSM links cannot be updated on every kernel; the policy's own upgrade leaves them as well. */
		if (strncmp(entry->d_name, "link_", 5) != 0 || strncmp(entry->d_name, "link_lsm", 8) == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
		if ((links[count] = bpf(BPF_OBJ_GET, &attributes)) >= 0 && (programs[count] = program_of(links[count])) >= 0)
			count++;
	}
	for (long round = 0; round < atol(argv[2]); round++) {
		for (int i = 0; i < count; i++) {
			union bpf_attr attributes = {.link_update = {.link_fd = (unsigned)links[i], .new_prog_fd = (unsigned)programs[i]}};

			if (bpf(BPF_LINK_UPDATE, &attributes) < 0) {
				perror("attempts: swap");
				return 1;
			}
			swapped++;
		}
	}
	printf("swapped %ld\n", swapped);
	return swapped > 0 ? 0 : 1;
}
