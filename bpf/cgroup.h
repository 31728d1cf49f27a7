/* Cgroups of version 2: where they are mounted, which id one has, who is in which. */
#ifndef CGROUP_H
#define CGROUP_H

#include <linux/types.h>
#include <sys/types.h>
#include "fault.h"

/* 4,096: PATH_MAX. */
#define CGROUP_PATH_BYTES 4096

struct cgroup_root {
	char path[CGROUP_PATH_BYTES];
	int fd;         /* of the folder */
	__u64 id;       /* what the kernel calls it */
	__u32 level;    /* its depth, 0 for the top of the tree */
	__u32 is_slice; /* whether systemd made it: its name says so */
};

/* Opens the root of the policy. Faults: ERR_NO_CGROUP. */
int cgroup_open(struct cgroup_root *root, const char *path, struct fault *fault);

/* The id of the folder `name` below `folder`; 0 when there is none. */
__u64 cgroup_id(int folder, const char *name);

/* The path of this process's own cgroup, whole; -1 with ERR_NO_CGROUP. */
int cgroup_of_self(char path[CGROUP_PATH_BYTES], struct fault *fault);

/* The same of another process. */
int cgroup_of(pid_t pid, char path[CGROUP_PATH_BYTES], struct fault *fault);

/* The direct child of `root` that `path` is or lies below; -1 when it is not below `root`. */
int cgroup_child_of(const struct cgroup_root *root, const char *path, char name[256]);

/* Where the tree is mounted; -1 when it is not. */
int cgroup_mount_point(char path[CGROUP_PATH_BYTES]);

/* Moves this process into the cgroup at `path`; -1 with errno. */
int cgroup_join(const char *path);

#endif
