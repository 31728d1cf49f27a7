/*
 * Three views of the memory of another process, which outlast every change of what that process allows.
 *
 * Source: proc(5), /proc/pid/mem, /proc/pid/pagemap, /proc/pid/maps.
 */
#include "address-space.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int open_view(pid_t pid, const char *view, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, view);
	return open(path, flags | O_CLOEXEC);
}

int open_address_space(struct address_space *space, pid_t pid)
{
	close_address_space(space);
	space->mem = open_view(pid, "mem", O_RDWR);
	space->pagemap = open_view(pid, "pagemap", O_RDONLY);
	space->maps = open_view(pid, "maps", O_RDONLY);
	if (space->mem >= 0 && space->pagemap >= 0 && space->maps >= 0)
		return 0;
	close_address_space(space);
	return -1;
}

static void close_view(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

void close_address_space(struct address_space *space)
{
	close_view(&space->mem);
	close_view(&space->pagemap);
	close_view(&space->maps);
}
