/*
 * Overwrites the memory of another process, from outside, while that process stands still.
 *
 * /proc/PID/maps names the mappings, /proc/PID/pagemap says which of their pages are there, and
 * /proc/PID/mem takes the zeros, also for pages that the process itself has made read-only.
 * Source: Linux, Documentation/admin-guide/mm/pagemap.rst; proc(5).
 */
#define _GNU_SOURCE
#include "wipe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

/* One call of pwrite; larger ones were not faster. */
#define ZERO_BYTES (2ul << 20)
/* Entries of pagemap read at once: 16 MiB of addresses where a page has 4 KiB. */
#define ENTRIES 4096
/* Of the kernels that exist. */
#define LARGEST_PAGE_BYTES (64ul << 10)
/* File systems in memory that a process can be shown at once. */
#define MAX_MEMORY_FILE_SYSTEMS 64

/* Bits of an entry of pagemap. */
#define PRESENT (1ull << 63)
#define SWAPPED (1ull << 62)
#define OF_A_FILE (1ull << 61)
#define OURS_ALONE (1ull << 56)

/* Never written to, so that all of it is the kernel's one page of zeros, which stays in the cache. */
static const unsigned char zeros[ZERO_BYTES];

static size_t page_bytes;

struct mapping {
	uint64_t start;
	uint64_t end;
	bool is_writable;
	bool is_shared;
	dev_t device;
};

struct memory_file_systems {
	/* Of what has no name: nothing but a process ever wrote there. */
	dev_t anonymous;
	dev_t devices[MAX_MEMORY_FILE_SYSTEMS];
	size_t count;
};

/* Where shared pages are memory and nothing else: memfd and MAP_SHARED | MAP_ANONYMOUS, and tmpfs. */
static void find_memory_file_systems(struct memory_file_systems *found)
{
	int anonymous = memfd_create("", MFD_CLOEXEC);
	struct stat status;
	FILE *mounts;
	char *line = NULL;
	size_t size = 0;

	found->count = 0;
	found->anonymous = 0;
	if (anonymous >= 0 && fstat(anonymous, &status) == 0)
		found->anonymous = found->devices[found->count++] = status.st_dev;
	if (anonymous >= 0)
		close(anonymous);
	mounts = fopen("/proc/self/mountinfo", "re");
	while (mounts && found->count < MAX_MEMORY_FILE_SYSTEMS && getline(&line, &size, mounts) > 0) {
		unsigned int major_number, minor_number;
		const char *kind = strstr(line, " - ");

		if (sscanf(line, "%*d %*d %u:%u", &major_number, &minor_number) != 2 || !kind)
			continue;
		if (strncmp(kind, " - tmpfs ", 9) && strncmp(kind, " - ramfs ", 9))
			continue;
		found->devices[found->count++] = makedev(major_number, minor_number);
	}
	free(line);
	if (mounts)
		fclose(mounts);
}

static bool lives_in_memory(const struct memory_file_systems *file_systems, dev_t device)
{
	for (size_t at = 0; at < file_systems->count; at++)
		if (file_systems->devices[at] == device)
			return true;
	return false;
}

/* One line of maps; false for what is no memory of the process: the kernel's own pages in it. */
static bool read_mapping(const char *line, struct mapping *mapping)
{
	unsigned long long start, end, inode;
	unsigned int major_number, minor_number;
	char rights[5];
	int name = 0;

	if (sscanf(line, "%llx-%llx %4s %*x %x:%x %llu %n", &start, &end, rights, &major_number,
		   &minor_number, &inode, &name) != 6)
		return false;
	if (!strncmp(line + name, "[v", 2))
		return false;
	mapping->start = start;
	mapping->end = end;
	mapping->is_writable = rights[1] == 'w';
	mapping->is_shared = rights[3] == 's';
	mapping->device = makedev(major_number, minor_number);
	return true;
}

/* Whether the page may hold what the process wrote. */
static bool is_written(const struct mapping *mapping, uint64_t entry)
{
	if (!(entry & (PRESENT | SWAPPED)))
		return false;
	/* In a private mapping a page still belongs to its file until it is first written to. */
	return mapping->is_shared || !(entry & OF_A_FILE);
}

/*
 * Whether a page that does not take zeros has gone meanwhile: in want of memory the kernel frees those of a process
 * that it ended while it still stands here. A shared page may be elsewhere, and is never taken for gone.
 */
static bool is_gone(const struct address_space *space, const struct mapping *mapping, uint64_t page)
{
	uint64_t entry;
	off_t at = (off_t)(page / page_bytes * sizeof(entry));

	return !mapping->is_shared && pread(space->pagemap, &entry, sizeof(entry), at) == sizeof(entry) &&
	       !(entry & (PRESENT | SWAPPED));
}

/* Overwrites `[start, end)`; what does not take zeros is counted, and the rest goes on. */
static int overwrite(const struct address_space *space, const struct mapping *mapping, uint64_t start,
		     uint64_t end, struct wiped *wiped)
{
	while (start < end) {
		size_t length = end - start < ZERO_BYTES ? end - start : ZERO_BYTES;
		ssize_t written = pwrite(space->mem, zeros, length, (off_t)start);

		if (written == 0) {
			errno = ESRCH;
			return -1;
		}
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0) {
			if (!is_gone(space, mapping, start))
				wiped->missed += page_bytes;
			start += page_bytes;
			continue;
		}
		wiped->bytes += (uint64_t)written;
		start += (uint64_t)written;
	}
	return 0;
}

/*
 * A page that is there and not this process's alone: nearly always the kernel's page of zeros, for which
 * a write would take new memory just when there may be none. So it is looked at first.
 */
static bool is_zero(int mem, uint64_t page)
{
	static unsigned char copy[LARGEST_PAGE_BYTES];
	bool is_zero = pread(mem, copy, page_bytes, (off_t)page) == (ssize_t)page_bytes &&
		       memcmp(copy, zeros, page_bytes) == 0;

	explicit_bzero(copy, sizeof(copy));
	return is_zero;
}

static int wipe_mapping(const struct address_space *space, const struct mapping *mapping,
			struct wiped *wiped)
{
	static uint64_t entries[ENTRIES];
	uint64_t run_start = mapping->start, run_end = mapping->start;

	for (uint64_t at = mapping->start; at < mapping->end;) {
		size_t wanted = (mapping->end - at) / page_bytes;
		ssize_t length;

		if (wanted > ENTRIES)
			wanted = ENTRIES;
		length = pread(space->pagemap, entries, wanted * sizeof(entries[0]),
			       (off_t)(at / page_bytes * sizeof(entries[0])));
		if (length <= 0) {
			errno = length == 0 ? ESRCH : errno;
			return -1;
		}
		for (size_t index = 0; index < (size_t)length / sizeof(entries[0]); index++, at += page_bytes) {
			if (!is_written(mapping, entries[index]))
				continue;
			if (entries[index] & SWAPPED)
				wiped->swapped += page_bytes;
			if (!mapping->is_shared && !(entries[index] & (OURS_ALONE | SWAPPED)) &&
			    is_zero(space->mem, at))
				continue;
			if (at != run_end) {
				if (overwrite(space, mapping, run_start, run_end, wiped))
					return -1;
				run_start = at;
			}
			run_end = at + page_bytes;
		}
	}
	return overwrite(space, mapping, run_start, run_end, wiped);
}

static uint64_t nanoseconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int wipe(const struct address_space *space, struct wiped *wiped)
{
	struct memory_file_systems file_systems;
	uint64_t started = nanoseconds_now();
	int copy = dup(space->maps);
	FILE *maps = copy >= 0 ? fdopen(copy, "r") : NULL;
	char *line = NULL;
	size_t size = 0;
	bool is_there = false;
	int result = 0;

	*wiped = (struct wiped){ 0 };
	page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	if (!maps) {
		if (copy >= 0)
			close(copy);
		return -1;
	}
	rewind(maps);
	find_memory_file_systems(&file_systems);
	while (result == 0 && getline(&line, &size, maps) > 0) {
		struct mapping mapping;

		if (!read_mapping(line, &mapping))
			continue;
		is_there = true;
		/* What was made read-only after it was written takes no zeros, and is then counted as missed. */
		if (mapping.is_shared && mapping.device != file_systems.anonymous &&
		    !(mapping.is_writable && lives_in_memory(&file_systems, mapping.device)))
			continue;
		result = wipe_mapping(space, &mapping, wiped);
	}
	/*
	 * An address space that is gone has no mappings left to read. One whose pages the kernel took, in want of
	 * memory, has them all: nothing is left in it to be overwritten, and whether what was taken is zero is what
	 * the wipe grade says.
	 */
	if (result == 0 && !is_there) {
		errno = ESRCH;
		result = -1;
	}
	free(line);
	fclose(maps);
	wiped->nanoseconds = nanoseconds_now() - started;
	return result;
}
