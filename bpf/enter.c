/* Joins the cgroup of a unit and starts a program there: what systemd does on a server, for a demo
 * node.
 *
 *   enter UNIT --cgroup DIR -- PROGRAM [ARG...]
 *
 * Needs root. The program keeps descriptors 0 to 4, the user and the environment; it loses every
 * capability, the way back to other cgroups, and the sight of the policy's pins. Worker, clerk and
 * keeper get an empty network namespace, a worker a cgroup of its own below its unit's.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cgroup.h"
#include "confine.h"
#include "units.h"

/* 126: what shells say when something was found and could not be started. */
#define EXIT_NOT_STARTED 126

/* 5: several starts at once sweep each other's; one in a row of five gets through. */
#define JOIN_TRIES 5

/* 5: 0 to 4 are the program's; nothing that was open here by accident may follow. */
#define FIRST_FOREIGN_FD 5

static int fail(const char *what)
{
	log_event("fault", "\"text\":\"ERR_ENTER %s: %s\"", what, strerror(errno));
	return EXIT_NOT_STARTED;
}

/* Root without capabilities still owns these two trees: it could move itself out, or rewrite the
 * maps. So they are covered. */
static int hide(const char *cgroups)
{
	const char *const places[] = { "/sys/fs/bpf", cgroups };

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -1;
	for (int i = 0; i < 2; i++)
		if (mount("none", places[i], "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
			  "size=4k"))
			return -1;
	return 0;
}

/* A cgroup of this process's own below `folder`, as PID 1 makes one per instance: its attempts are
 * counted by themselves. Those whose processes have ended go, and that may hit one that was just made.
 */
static int join_own(const char *folder)
{
	char own[CGROUP_PATH_BYTES + 64];

	snprintf(own, sizeof(own), "%s/%d", folder, getpid());
	for (int tries = 0; tries < JOIN_TRIES; tries++) {
		DIR *others = opendir(folder);
		const struct dirent *entry;

		while (others && (entry = readdir(others)))
			if (*entry->d_name != '.' && entry->d_type == DT_DIR)
				unlinkat(dirfd(others), entry->d_name, AT_REMOVEDIR);
		if (others)
			closedir(others);
		if ((!mkdir(own, 0755) || errno == EEXIST) && !cgroup_join(own))
			return 0;
	}
	return -1;
}

int main(int argc, char **argv)
{
	enum egress_kind kind = argc > 1 ? unit_named(argv[1]) : UNIT_UNKNOWN;
	char folder[CGROUP_PATH_BYTES + 32], mount_point[CGROUP_PATH_BYTES];
	static struct cgroup_root root;
	struct fault fault = {};

	if (argc < 6 || kind == UNIT_UNKNOWN || strcmp(argv[2], "--cgroup") ||
	    strcmp(argv[4], "--")) {
		fputs("usage: enter UNIT --cgroup DIR -- PROGRAM [ARG...]\n", stderr);
		return 2;
	}
	if (cgroup_open(&root, argv[3], &fault) || cgroup_mount_point(mount_point)) {
		fprintf(stderr, "%s\n", fault.line);
		return EXIT_NOT_STARTED;
	}
	snprintf(folder, sizeof(folder), "%s/%s", root.path, unit_names[kind]);
	if (kind == UNIT_WORKER ? join_own(folder) : cgroup_join(folder))
		return fail("joining the cgroup");
	if ((kind == UNIT_WORKER || kind == UNIT_CLERK || kind == UNIT_KEEPER) &&
	    unshare(CLONE_NEWNET))
		return fail("making an empty network namespace");
	if (hide(mount_point))
		return fail("hiding cgroups and pins");
	if (confine_capabilities(0) || close_range(FIRST_FOREIGN_FD, ~0U, CLOSE_RANGE_CLOEXEC))
		return fail("giving up capabilities");
	execvp(argv[5], argv + 5);
	return fail("starting the program");
}
