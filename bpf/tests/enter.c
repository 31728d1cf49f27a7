/* What `enter` takes from a program before it starts it, tried from inside by a shell that runs as
 * root. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"
#include "stage.h"

static struct stage stage;
static char mount_point[CGROUP_PATH_BYTES];

/* The exit status of a shell command inside a unit. */
static int inside(const char *unit, const char *command)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);

		dup2(quiet, 2);
		execl("build/enter", "enter", unit, "--cgroup", stage.cgroup, "--", "/bin/sh", "-c",
		      command, NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The command with the path of the stage's root, its pins and the tree in place of @, # and %. */
static int inside_with(const char *unit, const char *pattern)
{
	char command[1024];
	size_t at = 0;

	for (; *pattern && at < sizeof(command) - 300; pattern++)
		if (*pattern == '@' || *pattern == '#' || *pattern == '%')
			at += (size_t)sprintf(command + at, "%.250s",
					      *pattern == '@'   ? stage.cgroup
					      : *pattern == '#' ? stage.pins
								: mount_point);
		else
			command[at++] = *pattern;
	command[at] = 0;
	return inside(unit, command);
}

int main(void)
{
	static const char *const alone[] = { "worker", "clerk", "keeper" }, *const together[] = {
		"gateway", "fetcher"
	};
	char here[64] = "", command[128];

	stage_make(&stage);
	if (cgroup_mount_point(mount_point) || stage_start(&stage, "--make-cgroup", NULL))
		return printf("the warden did not start: %s\n", stage.said), stage_remove(&stage),
		       1;
	if (readlink("/proc/self/ns/net", here, sizeof(here) - 1) < 0)
		return 1;
	check("the program's exit status comes through", inside("worker", "exit 7") == 7);
	check("it is in the unit's cgroup",
	      inside("clerk", "grep -q '/clerk$' /proc/self/cgroup") == 0);
	check("a worker is in one of its own below it",
	      inside("worker", "grep -q \"/worker/$$\\$\" /proc/self/cgroup") == 0);
	check("it has no capability, and gets none",
	      inside("worker", "grep -c '^Cap\\(Prm\\|Eff\\|Bnd\\|Inh\\|Amb\\):.0*$' "
			       "/proc/self/status | grep -qx 5") == 0);
	check("no new privileges is set",
	      inside("gateway", "grep -q '^NoNewPrivs:.1$' /proc/self/status") == 0);
	snprintf(command, sizeof(command), "[ \"$(readlink /proc/self/ns/net)\" = '%s' ]", here);
	for (int i = 0; i < 3; i++)
		check("worker, clerk and keeper have a network of their own, with nothing in it",
		      inside(alone[i], command) == 1 &&
			      inside(alone[i], "[ $(grep -c : /proc/net/dev) = 1 ]") == 0);
	for (int i = 0; i < 2; i++)
		check("gateway and fetcher have the host's", inside(together[i], command) == 0);
	for (int fd = 3; fd < 8; fd++)
		dup2(1, fd);
	check("descriptors 0 to 4 survive",
	      inside("worker",
		     "for fd in 0 1 2 3 4; do [ -e /proc/self/fd/$fd ] || exit 1; done") == 0);
	check("no others do",
	      inside("worker",
		     "for fd in 5 6 7; do [ -e /proc/$$/fd/$fd ] && exit 1; done; exit 0") == 0);
	for (int fd = 3; fd < 8; fd++)
		close(fd);
	check("the control: from outside, pins and cgroups are there",
	      access(stage.pins, R_OK) == 0 && access(stage.cgroup, W_OK) == 0);
	check("it does not see the pins", inside_with("worker", "[ -e # ]") == 1);
	check("it does not see the cgroups, so it stays in its own",
	      inside_with("worker", "[ -e @/cgroup.procs ] || echo 0 >%/cgroup.procs") != 0);
	check("it cannot take the cover away",
	      inside_with("worker", "umount % || umount /sys/fs/bpf") != 0);
	check("nor see past it through somebody else",
	      inside_with("worker", "[ -e /proc/1/root# ]") == 1);
	check("a program that is not there is 126",
	      WEXITSTATUS(system(
		      "build/enter worker --cgroup /nowhere -- /bin/true 2>/dev/null")) == 126);
	check("a unit that is none is a mistake",
	      WEXITSTATUS(system("build/enter nobody --cgroup /x -- /bin/true 2>/dev/null")) == 2);
	check("nothing is started outside a cgroup",
	      WEXITSTATUS(system("build/enter worker --cgroup /tmp -- /bin/true 2>/dev/null")) ==
		      126);
	check("the cgroups go with the warden", stage_end(&stage, SIGTERM) == 0 &&
							access(stage.cgroup, F_OK) &&
							access(stage.pins, F_OK));
	stage_remove(&stage);
	return conclude();
}
