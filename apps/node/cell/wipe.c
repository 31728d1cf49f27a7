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
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* One call of pwrite; larger ones were not faster. */
#define ZERO_BYTES (2ul << 20)
/* Entries of pagemap read at once: 16 MiB of addresses where a page has 4 KiB. */
#define ENTRIES 4096
/* Of the kernels that exist. */
#define LARGEST_PAGE_BYTES (64ul << 10)

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
};

/* One line of maps; false for what is no memory of the process: the kernel's own pages in it. */
static bool read_mapping(const char *line, struct mapping *mapping)
{
	unsigned long long start, end;
	char rights[5];
	int name = 0;

	if (sscanf(line, "%llx-%llx %4s %*x %*x:%*x %*u %n", &start, &end, rights, &name) != 3)
		return false;
	if (!strncmp(line + name, "[v", 2))
		return false;
	mapping->start = start;
	mapping->end = end;
	mapping->is_writable = rights[1] == 'w';
	mapping->is_shared = rights[3] == 's';
	return true;
}

/* Whether the page may hold what the process wrote: it belongs to its file until it is first written to. */
static bool is_written(uint64_t entry)
{
	return (entry & (PRESENT | SWAPPED)) && !(entry & OF_A_FILE);
}

/*
 * Whether a page that does not take zeros has gone meanwhile: in want of memory the kernel frees those of a process
 * that it ended while it still stands here.
 */
static bool is_gone(const struct address_space *space, uint64_t page)
{
	uint64_t entry;
	off_t at = (off_t)(page / page_bytes * sizeof(entry));

	return pread(space->pagemap, &entry, sizeof(entry), at) == sizeof(entry) && !(entry & (PRESENT | SWAPPED));
}

/* Overwrites `[start, end)`; what does not take zeros is counted, and the rest goes on. */
static int overwrite(const struct address_space *space, uint64_t start, uint64_t end, struct wiped *wiped)
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
			if (!is_gone(space, start))
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
			if (!is_written(entries[index]))
				continue;
			if (entries[index] & SWAPPED)
				wiped->swapped += page_bytes;
			if (!(entries[index] & (OURS_ALONE | SWAPPED)) && is_zero(space->mem, at))
				continue;
			if (at != run_end) {
				if (overwrite(space, run_start, run_end, wiped))
					return -1;
				run_start = at;
			}
			run_end = at + page_bytes;
		}
	}
	return overwrite(space, run_start, run_end, wiped);
}

static uint64_t nanoseconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int wipe(const struct address_space *space, struct wiped *wiped)
{
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
	while (result == 0 && getline(&line, &size, maps) > 0) {
		struct mapping mapping;

		if (!read_mapping(line, &mapping))
			continue;
		is_there = true;
		/*
		 * What is shared may be larger than what is mapped of it, and its pages be there while none is in
		 * pagemap. A program under calls.c has none that it can write to, and none that it could.
		 */
		if (mapping.is_shared) {
			if (mapping.is_writable)
				wiped->missed += mapping.end - mapping.start;
			continue;
		}
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
