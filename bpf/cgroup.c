/* Cgroups of version 2: where they are mounted, which id one has, who is in which. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "cgroup.h"

struct mount {
	char top[CGROUP_PATH_BYTES];   /* what part of the tree is mounted: "/" unless in a cgroup
					  namespace */
	char point[CGROUP_PATH_BYTES]; /* where */
};

/* Finds the cgroup2 mount; a hybrid host has it below the tree of version 1. */
static int find_mount(struct mount *mount)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char line[2 * CGROUP_PATH_BYTES + 512];
	int found = 0;

	while (file && !found && fgets(line, sizeof(line), file))
		found = strstr(line, " - cgroup2 ") &&
			sscanf(line, "%*s %*s %*s %4095s %4095s", mount->top, mount->point) == 2;
	if (file)
		fclose(file);
	return found ? 0 : -1;
}

int cgroup_mount_point(char path[CGROUP_PATH_BYTES])
{
	struct mount mount;

	if (find_mount(&mount))
		return -1;
	memcpy(path, mount.point, CGROUP_PATH_BYTES);
	return 0;
}

static __u32 segments(const char *path)
{
	__u32 count = 0;

	for (; *path; path++)
		count += *path == '/' && path[1] && path[1] != '/';
	return count;
}

__u64 cgroup_id(int folder, const char *name)
{
	/* A file handle of kernfs is the id: the same number that the kernel programs see. */
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + sizeof(__u64)];
	} at = { .handle.handle_bytes = sizeof(__u64) };
	int mount_id;
	__u64 id;

	if (name_to_handle_at(folder, name, &at.handle, &mount_id, *name ? 0 : AT_EMPTY_PATH))
		return 0;
	memcpy(&id, at.room + sizeof(struct file_handle), sizeof(id));
	return id;
}

int cgroup_open(struct cgroup_root *root, const char *path, struct fault *fault)
{
	struct mount mount;
	struct statfs fs;

	if (find_mount(&mount))
		return fault_set(fault, "ERR_NO_CGROUP", "no cgroup2 file system is mounted");
	if (!realpath(path, root->path))
		return fault_set(fault, "ERR_NO_CGROUP", "%s: %s", path, strerror(errno));
	root->fd = open(root->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root->fd < 0 || fstatfs(root->fd, &fs))
		return fault_set(fault, "ERR_NO_CGROUP", "%s: %s", path, strerror(errno));
	if (fs.f_type != CGROUP2_SUPER_MAGIC ||
	    strncmp(root->path, mount.point, strlen(mount.point)))
		return fault_set(fault, "ERR_NO_CGROUP", "%s is not in the cgroup2 tree at %s",
				 path, mount.point);
	root->id = cgroup_id(root->fd, "");
	root->level = segments(mount.top) + segments(root->path + strlen(mount.point));
	root->is_slice =
		strlen(root->path) > 6 && !strcmp(root->path + strlen(root->path) - 6, ".slice");
	if (!root->id)
		return fault_set(fault, "ERR_NO_CGROUP", "%s has no id: %s", path, strerror(errno));
	if (!root->level)
		return fault_set(fault, "ERR_NO_CGROUP",
				 "%s is the whole tree; the policy needs a part of it", path);
	return 0;
}

static int read_cgroup(const char *proc, char path[CGROUP_PATH_BYTES], struct fault *fault)
{
	FILE *file = fopen(proc, "re");
	char line[CGROUP_PATH_BYTES];
	struct mount mount;
	int found = 0;

	while (file && !found && fgets(line, sizeof(line), file))
		found = !strncmp(line, "0::/", 4);
	if (file)
		fclose(file);
	if (!found || find_mount(&mount))
		return fault_set(fault, "ERR_NO_CGROUP", "%s names no cgroup of version 2", proc);
	line[strcspn(line, "\n")] = 0;
	if (snprintf(path, CGROUP_PATH_BYTES, "%s%s", mount.point, line + 3) >= CGROUP_PATH_BYTES)
		return fault_set(fault, "ERR_NO_CGROUP", "the path in %s is too long", proc);
	return 0;
}

int cgroup_of_self(char path[CGROUP_PATH_BYTES], struct fault *fault)
{
	return read_cgroup("/proc/self/cgroup", path, fault);
}

int cgroup_of(pid_t pid, char path[CGROUP_PATH_BYTES], struct fault *fault)
{
	char proc[32];

	snprintf(proc, sizeof(proc), "/proc/%d/cgroup", pid);
	return read_cgroup(proc, path, fault);
}

int cgroup_child_of(const struct cgroup_root *root, const char *path, char name[256])
{
	size_t length = strlen(root->path);

	if (strncmp(path, root->path, length) || path[length] != '/')
		return -1;
	path += length + 1;
	length = strcspn(path, "/");
	if (!length || length > 255 || *path == '.')
		return -1;
	memcpy(name, path, length);
	name[length] = 0;
	return 0;
}

int cgroup_join(const char *path)
{
	char procs[CGROUP_PATH_BYTES + 16];
	int fd;
	ssize_t written;

	snprintf(procs, sizeof(procs), "%s/cgroup.procs", path);
	fd = open(procs, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	written = write(fd, "0", 1);
	close(fd);
	return written == 1 ? 0 : -1;
}
