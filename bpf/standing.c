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
#include "devices.h"
#include "stored.h"

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
static const char REPORT_FILE[] = "report";
static const char NODE_FILE[] = "node.pub";
static const char GENESIS_FILE[] = "genesis";

/* As the file of this name has it; version 0 before the first list. */
struct seen {
	uint32_t version;
	uint8_t hash[HASH_BYTES];
	uint64_t counter;
};

struct standing {
	int state_dir;
	uid_t owner; /* of the state folder */
	uint8_t node[KEY_BYTES];
	uint8_t genesis[HASH_BYTES];
	struct device_list devices; /* version 0 before the first list */
	bool has_counter;
	uint64_t counter;
	struct seen seen;
	uint64_t report_counter; /* 0 before the first standing order */
	uint8_t report_hash[HASH_BYTES];
};

/* Root's two files: 64 digits; a line's end may follow. */
static bool read_identity(int dir, const char *name, uint8_t hash[HASH_BYTES])
{
	char text[MAX_LINE_BYTES] = "";
	const char *at = text;
	size_t length;

	if (read_file(dir, name, geteuid(), (uint8_t *)text, sizeof(text) - 1, &length) != PRESENT)
		return false;
	return parse_hash(&at, hash) && (*at == '\0' || strcmp(at, "\n") == 0) &&
	       strlen(text) == length;
}

static bool read_counter(struct standing *standing)
{
	char line[MAX_LINE_BYTES];
	const char *at = line;
	enum presence presence =
		read_line(standing->state_dir, COUNTER_FILE, standing->owner, line);

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
	enum presence presence = read_line(standing->state_dir, SEEN_FILE, standing->owner, line);

	if (presence != PRESENT)
		return presence == ABSENT;
	if (!parse_number(&at, UINT32_MAX, &version) || version == 0 ||
	    !parse_character(&at, ' ') || !parse_hash(&at, standing->seen.hash) ||
	    !parse_character(&at, ' ') || !parse_number(&at, UINT64_MAX, &standing->seen.counter) ||
	    *at != '\0')
		return false;
	standing->seen.version = (uint32_t)version;
	return true;
}

static bool read_report(struct standing *standing)
{
	char line[MAX_LINE_BYTES];
	const char *at = line;
	enum presence presence =
		read_line(standing->state_dir, REPORT_FILE, standing->owner, line);

	if (presence != PRESENT)
		return presence == ABSENT;
	return parse_number(&at, UINT64_MAX, &standing->report_counter) &&
	       parse_character(&at, ' ') && parse_hash(&at, standing->report_hash) && *at == '\0';
}

/* Whoever signed it was judged when it was taken; here its signature tells whether it is whole. */
static bool read_devices(struct standing *standing)
{
	uint8_t untrusted[MAX_DOCUMENT_BYTES];
	struct device_list *devices = &standing->devices;
	size_t length;
	enum presence presence = read_file(standing->state_dir, DEVICES_FILE, standing->owner,
					   untrusted, sizeof(untrusted), &length);

	if (presence != PRESENT)
		return presence == ABSENT;
	if (read_device_list(untrusted, length, devices) != REFUSAL_NONE ||
	    verify_device_list(untrusted, length, devices->signer) != REFUSAL_NONE)
		return false;
	if (devices->version == 1)
		return is_same(devices->hash, standing->genesis) &&
		       is_list_of(devices, standing->node);
	return devices->version > 1 && is_list_of(devices, standing->node);
}

/* The list is the one that was seen, or the one after it. */
static bool is_list_current(const struct standing *standing)
{
	const struct device_list *devices = &standing->devices;
	const struct seen *seen = &standing->seen;

	if (devices->version == seen->version)
		return is_same(devices->hash, seen->hash);
	return devices->version == (uint64_t)seen->version + 1 &&
	       is_same(devices->previous, seen->hash);
}

/* Orders need a list that was seen before them; with a list there has always been a counter. */
static bool is_counter_current(const struct standing *standing)
{
	if (standing->seen.version == 0)
		return standing->counter == 0 &&
		       (standing->has_counter || standing->devices.version == 0);
	return standing->has_counter && standing->counter >= standing->seen.counter;
}

/* Ours or root's, and written by nobody else; root may look into the warden's. */
static bool open_state_dir(struct standing *standing, const char *path)
{
	struct stat status;

	standing->state_dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (standing->state_dir < 0 || fstat(standing->state_dir, &status) != 0)
		return false;
	standing->owner = status.st_uid;
	if ((status.st_mode & 022) ||
	    (status.st_uid != 0 && geteuid() != 0 && status.st_uid != geteuid()))
		return false;
	/* A process that died before its last fsync may have left names that a power cut would undo. */
	return fsync(standing->state_dir) == 0;
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
	if (!open_state_dir(standing, state_dir))
		return ".";
	if (!read_seen(standing))
		return SEEN_FILE;
	if (!read_devices(standing) || !is_list_current(standing))
		return DEVICES_FILE;
	if (!read_counter(standing) || !is_counter_current(standing))
		return COUNTER_FILE;
	if (!read_report(standing))
		return REPORT_FILE;
	return NULL;
}

enum refusal standing_open(struct standing **opened, const char *state_dir,
			   const char *identity_dir)
{
	struct standing *standing = calloc(1, sizeof(*standing));
	const char *file = ".";

	*opened = NULL;
	if (standing)
		standing->state_dir = -1;
	if (standing && sodium_init() >= 0)
		file = read_standing(standing, state_dir, identity_dir);
	if (file) {
		fprintf(stderr,
			"{\"event\":\"refused\",\"what\":\"state\",\"file\":\"%s\",\"code\":\"%s\"}"
			"\n",
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
	if (current->version > 0 && is_same(hash, current->hash))
		return REFUSAL_NONE;
	refusal = current->version == 0 ? open_first_device_list(untrusted, length, standing->node,
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

typedef enum refusal read_order(const uint8_t *untrusted, size_t length,
				struct window_order *unverified);
typedef enum refusal verify_order(const uint8_t *untrusted, size_t length,
				  const uint8_t key[KEY_BYTES]);

/* An order for this node that an active admin signed; what it says is not judged yet. */
static enum refusal open_order(const struct standing *standing, const uint8_t *untrusted,
			       size_t length, read_order *read, verify_order *verify,
			       struct window_order *order)
{
	enum refusal refusal = read(untrusted, length, order);

	if (refusal != REFUSAL_NONE)
		return refusal;
	if (!is_same(order->node, standing->node))
		return REFUSAL_ORDER_NODE;
	if (!has_active_admin(&standing->devices, order->signer))
		return REFUSAL_NOT_AUTHORISED;
	return verify(untrusted, length, order->signer);
}

/* What is judged of every order. */
static enum refusal judge_places(const struct window_order *order, uint64_t now_ms,
				 uint64_t longest_ms)
{
	for (uint16_t i = 0; i < order->n_endpoints; i++)
		if (order->endpoints[i].port == 0)
			return REFUSAL_DOCUMENT_FIELD;
	if (order->not_after_ms <= now_ms)
		return REFUSAL_ORDER_EXPIRED;
	return order->not_after_ms - now_ms > longest_ms ? REFUSAL_ORDER_TOO_LONG : REFUSAL_NONE;
}

/* What is judged of an order whose signature is good. */
static enum refusal judge_window(const struct window_order *order, uint64_t now_ms,
				 uint64_t highest_counter)
{
	enum refusal refusal;

	/* Nowhere to go, or nothing to fetch there. */
	if (order->n_endpoints == 0 || order->n_files == 0)
		return REFUSAL_DOCUMENT_FIELD;
	refusal = judge_places(order, now_ms, MAX_WINDOW_MS);
	if (refusal != REFUSAL_NONE)
		return refusal;
	return order->counter > highest_counter ? REFUSAL_NONE : REFUSAL_ORDER_REPLAYED;
}

enum refusal standing_take_window(struct standing *standing, const uint8_t *untrusted,
				  size_t length, uint64_t now_ms, struct window_order *order)
{
	struct window_order opened;
	enum refusal refusal = open_order(standing, untrusted, length, read_window_order,
					  verify_window_order, &opened);

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

static bool persist_report(struct standing *standing, uint64_t counter,
			   const uint8_t document_hash[HASH_BYTES])
{
	char line[MAX_LINE_BYTES], hash[2 * HASH_BYTES + 1];
	int length;

	sodium_bin2hex(hash, sizeof(hash), document_hash, HASH_BYTES);
	length = snprintf(line, sizeof(line), "%" PRIu64 " %s\n", counter, hash);
	return replace_file(standing->state_dir, REPORT_FILE, line, (size_t)length);
}

enum refusal standing_take_report(struct standing *standing, const uint8_t *untrusted,
				  size_t length, uint64_t now_ms, struct window_order *order)
{
	struct window_order opened;
	uint8_t hash[HASH_BYTES];
	enum refusal refusal = open_order(standing, untrusted, length, read_standing_order,
					  verify_standing_order, &opened);

	memset(order, 0, sizeof(*order));
	if (refusal == REFUSAL_NONE)
		refusal = judge_places(&opened, now_ms, MAX_STANDING_MS);
	if (refusal != REFUSAL_NONE)
		return refusal;
	crypto_hash_sha256(hash, untrusted, length);
	if (opened.counter < standing->report_counter ||
	    (opened.counter == standing->report_counter && !is_same(hash, standing->report_hash)))
		return REFUSAL_ORDER_REPLAYED;
	if (!is_same(hash, standing->report_hash)) {
		if (!persist_report(standing, opened.counter, hash))
			return REFUSAL_STORAGE;
		standing->report_counter = opened.counter;
		memcpy(standing->report_hash, hash, HASH_BYTES);
	}
	*order = opened;
	return REFUSAL_NONE;
}

bool standing_has_active_admin(const struct standing *standing,
			       const uint8_t signing_key[KEY_BYTES])
{
	return has_active_admin(&standing->devices, signing_key);
}

uint32_t standing_device_version(const struct standing *standing)
{
	return standing->devices.version;
}

uint64_t standing_counter(const struct standing *standing)
{
	return standing->counter;
}
