/* Rows 26 to 28, 32, 38 and 40: out of the cgroup, into another process, or around the network stack. */
#define _GNU_SOURCE
#include "attempts.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

volatile unsigned char wound[CANARY_BYTES];

static void move_to(const char *cgroup)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	step("open-procs");
	fd = must(open(path, O_WRONLY));
	step("write-procs");
	must((int)write(fd, "0", 1));
}

/* 26 as root, 27 as somebody else. */
static void leave_cgroup(const struct cell *cell, const struct place *place)
{
	move_to(place->cgroup_root);
	send_udp(cell);
}

/* 28: launch.c gave the cell a subtree of its own, with a sibling to move to. */
static void move_to_sibling(const struct cell *cell, const struct place *place)
{
	char sibling[512];

	snprintf(sibling, sizeof(sibling), "%s/attempt-%d-b", place->cgroup, cell->number);
	move_to(sibling);
	send_udp(cell);
}

/* Rows 32: the accomplice sends what is written into it, so only the writing has to work. */
static void trace(const struct cell *cell, const struct place *place)
{
	long words[CANARY_BYTES / sizeof(long)];

	memcpy(words, cell->canary, CANARY_BYTES);
	step("ptrace");
	must((int)ptrace(PTRACE_ATTACH, place->accomplice, 0, 0));
	waitpid(place->accomplice, NULL, __WALL);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		must((int)ptrace(PTRACE_POKEDATA, place->accomplice, (char *)wound + i * sizeof(long), words[i]));
	ptrace(PTRACE_DETACH, place->accomplice, 0, 0);
	usleep(100000);
	done("sent");
}

static void write_memory(const struct cell *cell, const struct place *place)
{
	struct iovec from = {(void *)cell->canary, CANARY_BYTES}, to = {(void *)wound, CANARY_BYTES};

	step("process_vm_writev");
	must((int)process_vm_writev(place->accomplice, &from, 1, &to, 1, 0));
	usleep(100000);
	done("sent");
}

static void write_proc_mem(const struct cell *cell, const struct place *place)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", place->accomplice);
	step("open-mem");
	fd = must(open(path, O_RDWR));
	step("write-mem");
	must((int)pwrite(fd, cell->canary, CANARY_BYTES, (off_t)(unsigned long)wound));
	usleep(100000);
	done("sent");
}

/* 38: a link of the cell's own making. */
static void make_tunnel(const struct cell *cell, const struct place *place)
{
	struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	int fd;

	(void)cell;
	(void)place;
	step("open-tun");
	fd = must(open("/dev/net/tun", O_RDWR));
	step("make-tun");
	must(ioctl(fd, TUNSETIFF, &request));
	done("created");
}

/* 40: into a folder whose files something else reads and ships or runs. */
static void leave_file(const struct cell *cell, const struct place *place)
{
	static const char *const folders[] = {"/var/log", "/etc/cron.d", "/var/spool/cron/crontabs", "/etc/systemd/system", "/var/lib/phantoma"};
	char path[128];
	int fd, refused = ENOENT;

	(void)place;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(path, sizeof(path), "%s/.attempt-%d", folders[i], cell->number);
		fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
		if (fd >= 0) {
			unlink(path);
			done(folders[i]);
		}
		if (errno != ENOENT)
			refused = errno;
	}
	failed("create-file", refused);
}

const struct attempt escape_attempts[] = {
	{"26", leave_cgroup}, {"27", leave_cgroup},   {"28", move_to_sibling}, {"32a", trace}, {"32b", write_memory},
	{"32c", write_proc_mem}, {"38", make_tunnel}, {"40", leave_file},      {NULL, NULL},
};
