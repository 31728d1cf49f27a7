/*
 * Looks at the memory of a process after its end.
 *
 *   postmortem PID      a word on standard input, 32 bytes of ASCII; says "held"; at the next byte of
 *                       input it looks and prints {"looked": bytes, "left": bytes, "places": {"heap": hits, ...}}
 *
 * What is left is every byte but zero in what the process wrote: all that is there, but for pages of a file that
 * are as the file is, and the kernel's own ([vvar]). The word is looked for everywhere, also in a file's pages;
 * a place is what follows it after "-", "bare" where nothing does.
 *
 * The kernel frees an address space when nobody uses it any more, and a read of /proc/PID/mem uses it. One
 * read here never ends: what it read is to be stored in a page that userfaultfd keeps back. So the address
 * space outlives its process, with whatever its end has left in it. Its mappings are asked for after the end as well,
 * which PROCMAP_QUERY answers without a process. Needs root and Linux 6.11.
 *
 * Source: Linux, include/uapi/linux/fs.h, PROCMAP_QUERY; Documentation/admin-guide/mm/pagemap.rst.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096
#define PIECE (1ul << 20)
#define WORD 32
#define MAX_PLACES 32
#define PLACE_BYTES 16

/* Bits of an entry of pagemap. */
#define PRESENT (1ull << 63)
#define SWAPPED (1ull << 62)
#define OF_A_FILE (1ull << 61)

/* Younger than Debian's headers. */
struct map_query {
	uint64_t size, flags, address;
	uint64_t start, end, rights, page_bytes, offset, inode;
	uint32_t device_major, device_minor, name_size, build_id_size;
	uint64_t name, build_id;
};
#define MAP_QUERY _IOWR('f', 17, struct map_query)
#define OR_NEXT 0x10
#define WRITABLE 0x02
#define SHARED 0x08

struct reader {
	int maps;
	int mem;
	int pagemap;
	char *page;
	off_t address;
};

struct found {
	uint64_t looked;
	uint64_t left;
};

struct place {
	char name[PLACE_BYTES];
	unsigned long hits;
};

struct mapping {
	uint64_t start;
	uint64_t end;
	/* With other processes, and of no file, or of one that it could write to. */
	bool is_shared;
	bool is_kernels;
};

static struct place places[MAX_PLACES];
static size_t place_count;

/* The mapping at `address` or the next one; false where there is none. */
static bool find_mapping(int maps, uint64_t address, struct mapping *mapping)
{
	char name[PATH_MAX] = "";
	struct map_query query = {
		.size = sizeof(query),
		.flags = OR_NEXT,
		.address = address,
		.name_size = sizeof(name),
		.name = (uintptr_t)name,
	};

	if (ioctl(maps, MAP_QUERY, &query) && errno == ENOENT)
		return false;
	if (query.end <= address) {
		perror("PROCMAP_QUERY");
		exit(2);
	}
	*mapping = (struct mapping){
		.start = query.start,
		.end = query.end,
		.is_shared = query.rights & SHARED && (query.rights & WRITABLE || strstr(name, " (deleted)")),
		.is_kernels = !strncmp(name, "[v", 2),
	};
	return true;
}

static void *read_for_ever(void *untyped)
{
	struct reader *reader = untyped;

	return pread(reader->mem, reader->page, 1, reader->address) == 1 ? NULL : reader;
}

/* Returns when the read has begun that keeps the address space. */
static void hold(struct reader *reader)
{
	int faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffd_msg message;
	pthread_t thread;

	reader->page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	range.range.start = (uintptr_t)reader->page;
	range.range.len = PAGE;
	if (faults < 0 || ioctl(faults, UFFDIO_API, &api) || ioctl(faults, UFFDIO_REGISTER, &range) ||
	    pthread_create(&thread, NULL, read_for_ever, reader) ||
	    read(faults, &message, sizeof(message)) != (ssize_t)sizeof(message)) {
		perror("userfaultfd");
		exit(2);
	}
}

static void count_hit(const char *name, size_t length)
{
	size_t at = 0;

	while (at < place_count && (strncmp(places[at].name, name, length) || places[at].name[length]))
		at++;
	if (at == MAX_PLACES)
		return;
	if (at == place_count) {
		memcpy(places[at].name, name, length);
		place_count++;
	}
	places[at].hits++;
}

static void search(const char *piece, size_t bytes, const char *word)
{
	const char *end = piece + bytes, *at = piece;

	while ((at = memmem(at, (size_t)(end - at), word, WORD))) {
		const char *name = at + WORD;
		size_t length = 0;

		while (name + length < end && length < PLACE_BYTES - 1 && name[length] >= '-' &&
		       name[length] <= 'z' && name[length] != ';')
			length++;
		if (length > 1 && name[0] == '-')
			count_hit(name + 1, length - 1);
		else
			count_hit("bare", 4);
		at += WORD;
	}
}

/* Whether the process wrote it, or may have. */
static bool is_written(const struct mapping *mapping, uint64_t entry)
{
	return entry & (PRESENT | SWAPPED) && !mapping->is_kernels && (mapping->is_shared || !(entry & OF_A_FILE));
}

static size_t count_left(const char *bytes, size_t length)
{
	size_t left = 0;

	for (size_t at = 0; at < length; at++)
		left += bytes[at] != 0;
	return left;
}

/* A page that cannot be read counts as left. */
static void count_pages(const struct mapping *mapping, const uint64_t *entries, const char *piece, size_t length,
			size_t wanted, struct found *found)
{
	for (size_t at = 0; at < wanted; at += PAGE) {
		if (!is_written(mapping, entries[at / PAGE]))
			continue;
		found->looked += PAGE;
		found->left += at + PAGE <= length ? count_left(piece + at, PAGE) : PAGE;
	}
}

/* Most of what a program reserves is never there. */
static bool is_anything_there(const uint64_t *entries, size_t count)
{
	for (size_t at = 0; at < count; at++)
		if (entries[at] & (PRESENT | SWAPPED))
			return true;
	return false;
}

/* A word may lie across two pieces: they overlap by a page, which is counted once. */
static void look_at(const struct reader *reader, const struct mapping *mapping, const char *word,
		    struct found *found)
{
	static uint64_t entries[PIECE / PAGE + 1];
	static char piece[PIECE + PAGE];

	for (uint64_t at = mapping->start; at < mapping->end; at += PIECE) {
		size_t wanted = mapping->end - at < sizeof(piece) ? mapping->end - at : sizeof(piece);
		size_t bytes = wanted / PAGE * sizeof(entries[0]);
		ssize_t length;

		if (pread(reader->pagemap, entries, bytes, (off_t)(at / PAGE * sizeof(entries[0]))) !=
		    (ssize_t)bytes) {
			perror("pagemap");
			exit(2);
		}
		if (!is_anything_there(entries, wanted / PAGE))
			continue;
		length = pread(reader->mem, piece, wanted, (off_t)at);
		if (length < 0)
			length = 0;
		search(piece, (size_t)length, word);
		count_pages(mapping, entries, piece, (size_t)length, wanted < PIECE ? wanted : PIECE, found);
	}
}

static int open_view(const char *pid, const char *view)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, view);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		perror(path);
		exit(2);
	}
	return fd;
}

int main(int argc, char **argv)
{
	struct mapping mapping = { 0 };
	struct found found = { 0 };
	struct reader reader;
	char word[WORD], go;

	if (argc < 2 || read(0, word, WORD) != WORD)
		return 2;
	reader.maps = open_view(argv[1], "maps");
	reader.mem = open_view(argv[1], "mem");
	reader.pagemap = open_view(argv[1], "pagemap");
	if (!find_mapping(reader.maps, 0, &mapping))
		return 2;
	reader.address = (off_t)mapping.start;
	hold(&reader);
	puts("held");
	fflush(stdout);
	if (read(0, &go, 1) != 1)
		return 2;
	for (mapping.end = 0; find_mapping(reader.maps, mapping.end, &mapping);)
		look_at(&reader, &mapping, word, &found);
	printf("{\"looked\":%" PRIu64 ",\"left\":%" PRIu64 ",\"places\":{", found.looked, found.left);
	for (size_t at = 0; at < place_count; at++)
		printf("%s\"%s\":%lu", at ? "," : "", places[at].name, places[at].hits);
	puts("}}");
	fflush(stdout);
	_exit(0);
}
