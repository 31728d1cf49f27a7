/*
 * Searches the memory of a process after its end.
 *
 *   postmortem PID      the word on standard input, 32 bytes of ASCII; says "held"; at the next byte of
 *                       input it searches and prints {"readable": bytes, "places": {"heap": hits, ...}}
 *
 * A place is what follows the word after "-", "bare" where nothing does, and "utf16" where the word is one of
 * two-byte characters, as V8 keeps some.
 *
 * The kernel frees an address space when nobody uses it any more, and a read of /proc/PID/mem uses it. One
 * read here never ends: what it read is to be stored in a page that userfaultfd keeps back. So the address
 * space outlives its process, with whatever its end has left in it. Needs root.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
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
#define MAX_MAPPINGS 65536
#define MAX_PLACES 32
#define PLACE_BYTES 16

struct reader {
	int mem;
	int pagemap;
	char *page;
	off_t address;
};

struct place {
	char name[PLACE_BYTES];
	unsigned long hits;
};

struct mapping {
	uint64_t start;
	uint64_t end;
};

static struct mapping mappings[MAX_MAPPINGS];
static size_t mapping_count;
static struct place places[MAX_PLACES];
static size_t place_count;

/* While the process is there: its list of mappings goes with it, whoever holds the memory. */
static void read_mappings(const char *path)
{
	FILE *maps = fopen(path, "re");
	char line[512];

	while (maps && mapping_count < MAX_MAPPINGS && fgets(line, sizeof(line), maps)) {
		struct mapping *mapping = &mappings[mapping_count];

		if (sscanf(line, "%" SCNx64 "-%" SCNx64, &mapping->start, &mapping->end) == 2)
			mapping_count++;
	}
	if (mapping_count == 0) {
		perror(path);
		exit(2);
	}
	fclose(maps);
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

static void search_wide(const char *piece, size_t bytes, const char *word)
{
	const char *end = piece + bytes, *at = piece;
	char wide[2 * WORD];

	for (size_t letter = 0; letter < WORD; letter++) {
		wide[2 * letter] = word[letter];
		wide[2 * letter + 1] = 0;
	}
	for (; (at = memmem(at, (size_t)(end - at), wide, sizeof(wide))); at += sizeof(wide))
		count_hit("utf16", 5);
}

/* Whether any page of `[start, start + bytes)` is there; most of what a program reserves never is. */
static bool is_anything_there(int pagemap, uint64_t start, size_t bytes)
{
	static uint64_t entries[PIECE / PAGE + 2];
	ssize_t length = pread(pagemap, entries, bytes / PAGE * sizeof(entries[0]),
			       (off_t)(start / PAGE * sizeof(entries[0])));

	for (ssize_t at = 0; at < length / (ssize_t)sizeof(entries[0]); at++)
		if (entries[at] & (3ull << 62))
			return true;
	return false;
}

/* A word may lie across two pieces: they overlap by a page. */
static uint64_t search_mapping(const struct reader *reader, const struct mapping *mapping, const char *word)
{
	static char piece[PIECE + PAGE];
	uint64_t readable = 0;

	for (uint64_t at = mapping->start; at < mapping->end; at += PIECE) {
		size_t wanted = mapping->end - at < sizeof(piece) ? mapping->end - at : sizeof(piece);
		ssize_t length;

		if (!is_anything_there(reader->pagemap, at, wanted))
			continue;
		length = pread(reader->mem, piece, wanted, (off_t)at);
		if (length <= 0)
			continue;
		readable += (uint64_t)length < PIECE ? (uint64_t)length : PIECE;
		search(piece, (size_t)length, word);
		search_wide(piece, (size_t)length, word);
	}
	return readable;
}

int main(int argc, char **argv)
{
	struct reader reader;
	char path[64], word[WORD], go;
	uint64_t readable = 0;

	if (argc < 2 || read(0, word, WORD) != WORD)
		return 2;
	snprintf(path, sizeof(path), "/proc/%s/maps", argv[1]);
	read_mappings(path);
	snprintf(path, sizeof(path), "/proc/%s/mem", argv[1]);
	reader.mem = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%s/pagemap", argv[1]);
	reader.pagemap = open(path, O_RDONLY | O_CLOEXEC);
	reader.address = (off_t)mappings[0].start;
	hold(&reader);
	puts("held");
	fflush(stdout);
	if (read(0, &go, 1) != 1)
		return 2;
	for (size_t at = 0; at < mapping_count; at++)
		readable += search_mapping(&reader, &mappings[at], word);
	printf("{\"readable\":%" PRIu64 ",\"places\":{", readable);
	for (size_t at = 0; at < place_count; at++)
		printf("%s\"%s\":%lu", at ? "," : "", places[at].name, places[at].hits);
	puts("}}");
	fflush(stdout);
	_exit(0);
}
