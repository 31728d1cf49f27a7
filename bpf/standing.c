/*
 * The warden's memory on disk, and what it lets the next document change. See standing.h.
 *
 * A file is replaced as a whole: temporary file, fsync, rename, fsync of the folder. The files change
 * in a fixed order, so after a power cut `seen` is behind the others by one list at most, and never
 * ahead:
 *
 *   first list  counter (0), devices.list, seen
 *   next list   seen if it is behind, devices.list, seen
 *   order       seen if it is behind, counter, seen
 */
#include "standing.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char DEVICES_FILE[] = "devices.list";
static const char COUNTER_FILE[] = "counter";
static const char SEEN_FILE[] = "seen";
static const char NODE_FILE[] = "node.pub";
static const char GENESIS_FILE[] = "genesis";

/* Two numbers of 20 and 10 digits, a hash of 64, and room to see that a file is too long. */
#define MAX_LINE_BYTES 128

/* As the file of this name has it; version 0 before the first list. */
struct seen {
	uint32_t version;
	uint8_t hash[HASH_BYTES];
	uint64_t counter;
};

struct standing {
	int state_dir;
	uint8_t node[KEY_BYTES];
	uint8_t genesis[HASH_BYTES];
	struct device_list devices; /* version 0 before the first list */
	bool has_counter;
	uint64_t counter;
	struct seen seen;
};

enum presence { ABSENT, PRESENT, UNREADABLE };

/* Reads at most `capacity` bytes of a plain file that only root or we can have written. */
static enum presence read_file(int dir, const char *name, uint8_t *untrusted, size_t capacity,
			       size_t *length)
{
	int file = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat status;
	ssize_t got = -1;

	*length = 0;
	if (file < 0)
		return errno == ENOENT ? ABSENT : UNREADABLE;
	if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) && !(status.st_mode & 022) &&
	    (status.st_uid == 0 || status.st_uid == geteuid()) &&
	    (uint64_t)status.st_size <= capacity) {
		do {
			got = read(file, untrusted + *length, capacity - *length);
			if (got > 0)
				*length += (size_t)got;
		} while (got > 0 || (got < 0 && errno == EINTR));
	}
	close(file);
	return got == 0 && *length == (size_t)status.st_size ? PRESENT : UNREADABLE;
}

static bool write_all(int file, const uint8_t *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(file, bytes, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		bytes += written;
		length -= (size_t)written;
	}
	return true;
}

/* Replaces a file as a whole. When it returns false, the old one or the new one is there. */
static bool replace_file(int dir, const char *name, const void *bytes, size_t length)
{
	char temporary[32];
	int file;
	bool is_whole;

	snprintf(temporary, sizeof(temporary), "%s.new", name);
	file = openat(dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (file < 0)
		return false;
	is_whole = write_all(file, bytes, length) && fsync(file) == 0;
	is_whole = close(file) == 0 && is_whole;
	if (is_whole && renameat(dir, temporary, dir, name) == 0)
		return fsync(dir) == 0;
	/* A full disk gets its space back; where even this fails, the next write truncates it. */
	unlinkat(dir, temporary, 0);
	return false;
}

/* One line of text, without its end. A line that is not ended was cut off. */
static enum presence read_line(int dir, const char *name, char line[MAX_LINE_BYTES])
{
	size_t length;
	enum presence presence =
		read_file(dir, name, (uint8_t *)line, MAX_LINE_BYTES - 1, &length);

	if (presence != PRESENT)
		return presence;
	line[length] = '\0';
	if (length == 0 || strlen(line) != length || line[length - 1] != '\n')
		return UNREADABLE;
	line[length - 1] = '\0';
	return PRESENT;
}

/* Decimal, without sign, leading zeros or spaces; moves `at` behind it. */
static bool parse_number(const char **at, uint64_t max, uint64_t *value)
{
	const char *start = *at;

	for (*value = 0; **at >= '0' && **at <= '9'; ++*at) {
		uint64_t digit = (uint64_t)(**at - '0');

		if (*value > (max - digit) / 10)
			return false;
		*value = *value * 10 + digit;
	}
	return *at > start && (*start != '0' || *at == start + 1);
}

/* 64 hexadecimal digits; moves `at` behind them. */
static bool parse_hash(const char **at, uint8_t hash[HASH_BYTES])
{
	size_t length;

	if (strnlen(*at, 2 * HASH_BYTES) < 2 * HASH_BYTES ||
	    sodium_hex2bin(hash, HASH_BYTES, *at, 2 * HASH_BYTES, NULL, &length, NULL) != 0 ||
	    length != HASH_BYTES)
		return false;
	*at += 2 * HASH_BYTES;
	return true;
}

static bool parse_character(const char **at, char expected)
{
	return *(*at)++ == expected;
}

/* Root's two files: 64 digits; a line's end may follow. */
static bool read_identity(int dir, const char *name, uint8_t hash[HASH_BYTES])
{
	char text[MAX_LINE_BYTES] = "";
	const char *at = text;
	size_t length;

	if (read_file(dir, name, (uint8_t *)text, sizeof(text) - 1, &length) != PRESENT)
		return false;
	return parse_hash(&at, hash) && (*at == '\0' || strcmp(at, "\n") == 0) &&
	       strlen(text) == length;
}

static bool read_counter(struct standing *standing)
{
	char line[MAX_LINE_BYTES];
	const char *at = line;
	enum presence presence = read_line(standing->state_dir, COUNTER_FILE, line);

	standing->has_counter = presence == PRESENT;
	if (presence != PRESENT)
		return presence == ABSENT;
	return parse_number(&at, UINT64_MAX, &standing->counter) && *at == '\0';
}

static bool read_seen(struct standing *standing)
{
	char line[MAX_LINE_BYTES];
	const char *at = line;
	uint64_t version;
	enum presence presence = read_line(standing->state_dir, SEEN_FILE, line);

	if (presence != PRESENT)
		return presence == ABSENT;
	if (!parse_number(&at, UINT32_MAX, &version) || version == 0 ||
	    !parse_character(&at, ' ') || !parse_hash(&at, standing->seen.hash) ||
	    !parse_character(&at, ' ') ||
	    !parse_number(&at, UINT64_MAX, &standing->seen.counter) || *at != '\0')
		return false;
	standing->seen.version = (uint32_t)version;
	return true;
}

/* Whoever signed it was judged when it was taken; here its signature tells whether it is whole. */
static bool read_devices(struct standing *standing)
{
	uint8_t untrusted[MAX_DOCUMENT_BYTES];
	struct device_list *devices = &standing->devices;
	size_t length;
	enum presence presence = read_file(standing->state_dir, DEVICES_FILE, untrusted,
					   sizeof(untrusted), &length);

	if (presence != PRESENT)
		return presence == ABSENT;
	if (read_device_list(untrusted, length, devices) != REFUSAL_NONE ||
	    verify_device_list(untrusted, length, devices->signer) != REFUSAL_NONE)
		return false;
	if (devices->version == 1)
		return sodium_memcmp(devices->hash, standing->genesis, HASH_BYTES) == 0 &&
		       is_list_of(devices, standing->node);
	return devices->version > 1 && is_list_of(devices, standing->node);
}

/* The list is the one that was seen, or the one after it. */
static bool is_list_current(const struct standing *standing)
{
	const struct device_list *devices = &standing->devices;
	const struct seen *seen = &standing->seen;

	if (devices->version == seen->version)
		return sodium_memcmp(devices->hash, seen->hash, HASH_BYTES) == 0;
	return devices->version == (uint64_t)seen->version + 1 &&
	       sodium_memcmp(devices->previous, seen->hash, HASH_BYTES) == 0;
}

/* Orders need a list that was seen before them; with a list there has always been a counter. */
static bool is_counter_current(const struct standing *standing)
{
	if (standing->seen.version == 0)
		return standing->counter == 0 &&
		       (standing->has_counter || standing->devices.version == 0);
	return standing->has_counter && standing->counter >= standing->seen.counter;
}

/* The name of the first file that cannot be trusted, or NULL. */
static const char *read_standing(struct standing *standing, const char *state_dir,
				 const char *identity_dir)
{
	int identity = open(identity_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool has_node = identity >= 0 && read_identity(identity, NODE_FILE, standing->node);
	bool has_genesis =
		identity >= 0 && read_identity(identity, GENESIS_FILE, standing->genesis);

	if (identity >= 0)
		close(identity);
	if (!has_node)
		return NODE_FILE;
	if (!has_genesis)
		return GENESIS_FILE;
	standing->state_dir = open(state_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* A process that died before its last fsync may have left names that a power cut would undo. */
	if (standing->state_dir < 0 || fsync(standing->state_dir) != 0)
		return ".";
	if (!read_seen(standing))
		return SEEN_FILE;
	if (!read_devices(standing) || !is_list_current(standing))
		return DEVICES_FILE;
	if (!read_counter(standing) || !is_counter_current(standing))
		return COUNTER_FILE;
	return NULL;
}

enum refusal standing_open(struct standing **opened, const char *state_dir,
			   const char *identity_dir)
{
	struct standing *standing = calloc(1, sizeof(*standing));
	const char *file = ".";

	*opened = NULL;
	if (standing && sodium_init() >= 0) {
		standing->state_dir = -1;
		file = read_standing(standing, state_dir, identity_dir);
	}
	if (file) {
		fprintf(stderr, "{\"event\":\"refused\",\"what\":\"state\",\"file\":\"%s\",\"code\":\"%s\"}\n",
			file, refusal_code(REFUSAL_STORAGE));
		standing_close(standing);
		return REFUSAL_STORAGE;
	}
	*opened = standing;
	return REFUSAL_NONE;
}

void standing_close(struct standing *standing)
{
	if (standing && standing->state_dir >= 0)
		close(standing->state_dir);
	free(standing);
}

static bool persist_counter(struct standing *standing, uint64_t counter)
{
	char line[MAX_LINE_BYTES];
	int length = snprintf(line, sizeof(line), "%" PRIu64 "\n", counter);

	return replace_file(standing->state_dir, COUNTER_FILE, line, (size_t)length);
}

/* From the first list on a missing counter is a lost one. */
static bool persist_first_counter(struct standing *standing)
{
	if (!standing->has_counter)
		standing->has_counter = persist_counter(standing, 0);
	return standing->has_counter;
}

/*
 * Brings `seen` up to what is in force. It must not fall behind by two lists, so this comes before every
 * step; after one, it may fail: the step itself is on the disk.
 */
static bool persist_seen(struct standing *standing)
{
	const struct device_list *devices = &standing->devices;
	char line[MAX_LINE_BYTES], hash[2 * HASH_BYTES + 1];
	int length;

	if (standing->seen.version == devices->version &&
	    standing->seen.counter == standing->counter)
		return true;
	sodium_bin2hex(hash, sizeof(hash), devices->hash, HASH_BYTES);
	length = snprintf(line, sizeof(line), "%" PRIu32 " %s %" PRIu64 "\n", devices->version,
			  hash, standing->counter);
	if (!replace_file(standing->state_dir, SEEN_FILE, line, (size_t)length))
		return false;
	standing->seen.version = devices->version;
	standing->seen.counter = standing->counter;
	memcpy(standing->seen.hash, devices->hash, HASH_BYTES);
	return true;
}

enum refusal standing_take_device_list(struct standing *standing, const uint8_t *untrusted,
				       size_t length, uint32_t *version)
{
	struct device_list *current = &standing->devices;
	struct device_list next;
	uint8_t hash[HASH_BYTES];
	enum refusal refusal;

	*version = current->version;
	crypto_hash_sha256(hash, untrusted, length);
	if (current->version > 0 && sodium_memcmp(hash, current->hash, HASH_BYTES) == 0)
		return REFUSAL_NONE;
	refusal = current->version == 0
			  ? open_first_device_list(untrusted, length, standing->node,
						   standing->genesis, &next)
			  : open_next_device_list(untrusted, length, current, &next);
	if (refusal != REFUSAL_NONE)
		return refusal;
	if (!persist_seen(standing) || !persist_first_counter(standing) ||
	    !replace_file(standing->state_dir, DEVICES_FILE, untrusted, length))
		return REFUSAL_STORAGE;
	*current = next;
	*version = next.version;
	persist_seen(standing);
	return REFUSAL_NONE;
}

/* What is judged of an order whose signature is good. */
static enum refusal judge_window(const struct window_order *order, uint64_t now_ms,
				 uint64_t highest_counter)
{
	if (order->n_endpoints == 0)
		return REFUSAL_DOCUMENT_FIELD;
	for (uint16_t i = 0; i < order->n_endpoints; i++)
		if (order->endpoints[i].port == 0)
			return REFUSAL_DOCUMENT_FIELD;
	if (order->not_after_ms <= now_ms)
		return REFUSAL_ORDER_EXPIRED;
	if (order->not_after_ms - now_ms > MAX_WINDOW_MS)
		return REFUSAL_ORDER_TOO_LONG;
	return order->counter > highest_counter ? REFUSAL_NONE : REFUSAL_ORDER_REPLAYED;
}

enum refusal standing_take_window(struct standing *standing, const uint8_t *untrusted,
				  size_t length, uint64_t now_ms, struct window_order *order)
{
	struct window_order opened;
	enum refusal refusal = open_window_order(untrusted, length, standing->node,
						 &standing->devices, &opened);

	memset(order, 0, sizeof(*order));
	if (refusal == REFUSAL_NONE)
		refusal = judge_window(&opened, now_ms, standing->counter);
	if (refusal != REFUSAL_NONE)
		return refusal;
	if (!persist_seen(standing) || !persist_counter(standing, opened.counter))
		return REFUSAL_STORAGE;
	standing->counter = opened.counter;
	*order = opened;
	persist_seen(standing);
	return REFUSAL_NONE;
}

uint32_t standing_device_version(const struct standing *standing)
{
	return standing->devices.version;
}

uint64_t standing_counter(const struct standing *standing)
{
	return standing->counter;
}
