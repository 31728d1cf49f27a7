/*
 * Signed documents from bytes: fields, layouts, signature. See documents.h.
 *
 * No allocation, no recursion; every loop is bounded by a limit of documents.h or by the length
 * that was checked before.
 */
#include "documents.h"

#include <sodium.h>
#include <string.h>

enum {
	HEADER_BYTES = 2,
	SIGNATURE_BYTES = 64,
	LAYOUT_VERSION = 1,
	TYPE_DEVICE_LIST = 3,
	TYPE_WINDOW_ORDER = 4,
	TYPE_STANDING_ORDER = 9,
	MAX_DEVICE_NAME_BYTES = 64,
	MAX_HOST_NAME_BYTES = 253, /* the longest name that DNS has */
	MAX_FILE_NAME_BYTES = 255,
	MAX_DOMAIN_BYTES = 32,
};

/* The zero byte at the end is signed too. */
static const char DEVICE_LIST_DOMAIN[] = "phantoma device list v1";
static const char WINDOW_ORDER_DOMAIN[] = "phantoma window order v1";
static const char STANDING_ORDER_DOMAIN[] = "phantoma standing order v1";
_Static_assert(sizeof(STANDING_ORDER_DOMAIN) <= MAX_DOMAIN_BYTES, "every domain fits");

/* A time is at most 2^53 - 1 ms: what every reader can hold exactly. */
static const uint64_t MAX_TIME_MS = (1ULL << 53) - 1;

const char *refusal_code(enum refusal refusal)
{
	switch (refusal) {
	case REFUSAL_NONE: return "";
	case REFUSAL_LENGTH: return "ERR_LENGTH";
	case REFUSAL_DOCUMENT_TYPE: return "ERR_DOCUMENT_TYPE";
	case REFUSAL_DOCUMENT_FIELD: return "ERR_DOCUMENT_FIELD";
	case REFUSAL_NOT_AUTHORISED: return "ERR_NOT_AUTHORISED";
	case REFUSAL_AUTHENTICATION: return "ERR_AUTHENTICATION";
	case REFUSAL_ORDER_NODE: return "ERR_ORDER_NODE";
	case REFUSAL_ORDER_EXPIRED: return "ERR_ORDER_EXPIRED";
	case REFUSAL_ORDER_TOO_LONG: return "ERR_ORDER_TOO_LONG";
	case REFUSAL_ORDER_REPLAYED: return "ERR_ORDER_REPLAYED";
	case REFUSAL_WINDOW_OPEN: return "ERR_WINDOW_OPEN";
	case REFUSAL_STORAGE: return "ERR_STORAGE";
	case REFUSAL_POLICY: return "ERR_POLICY";
	}
	return "ERR_NOT_AUTHORISED";
}

/* Walks over untrusted bytes and never past their end. The first refusal stays; all after is zeros. */
struct reader {
	const uint8_t *at;
	size_t left;
	enum refusal refusal;
};

static void refuse(struct reader *in, enum refusal why)
{
	if (in->refusal == REFUSAL_NONE)
		in->refusal = why;
}

/* The next `length` bytes, or NULL when the document is refused. */
static const uint8_t *take(struct reader *in, size_t length)
{
	const uint8_t *taken = in->at;

	if (in->left < length)
		refuse(in, REFUSAL_LENGTH);
	if (in->refusal != REFUSAL_NONE)
		return NULL;
	in->at += length;
	in->left -= length;
	return taken;
}

static void read_bytes(struct reader *in, uint8_t *out, size_t length)
{
	const uint8_t *taken = take(in, length);

	if (taken)
		memcpy(out, taken, length);
	else
		memset(out, 0, length);
}

static uint64_t read_number(struct reader *in, size_t width)
{
	const uint8_t *taken = take(in, width);
	uint64_t value = 0;

	for (size_t i = 0; taken && i < width; i++)
		value = value << 8 | taken[i];
	return value;
}

static uint64_t read_time(struct reader *in)
{
	uint64_t value = read_number(in, 8);

	if (value > MAX_TIME_MS)
		refuse(in, REFUSAL_DOCUMENT_FIELD);
	return value;
}

/* The count of a list: 0 when the document is refused. */
static uint16_t read_count(struct reader *in, uint16_t max)
{
	uint16_t count = (uint16_t)read_number(in, 2);

	if (count > max)
		refuse(in, REFUSAL_DOCUMENT_FIELD);
	return in->refusal == REFUSAL_NONE ? count : 0;
}

/* Controls, line separators, and what reorders or hides text: as `STEERING` in fields.ts. */
static bool is_steering(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x2069) || c == 0xfeff;
}

/*
 * The next character of UTF-8, moving `at`; a value beyond Unicode for anything that is not exactly
 * one. Source: Unicode, table 3-7 (well-formed byte sequences).
 */
static uint32_t next_character(const uint8_t **at, const uint8_t *end)
{
	static const uint32_t NO_CHARACTER = 0x110000;
	static const uint32_t SMALLEST[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint8_t lead = *(*at)++;
	size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
	uint32_t character = lead & (0x7f >> length);

	if (lead < 0x80)
		return lead;
	if (lead < 0xc2 || lead > 0xf4 || (size_t)(end - *at) < length - 1)
		return NO_CHARACTER;
	for (size_t i = 1; i < length; i++) {
		uint8_t next = *(*at)++;

		if ((next & 0xc0) != 0x80)
			return NO_CHARACTER;
		character = character << 6 | (next & 0x3f);
	}
	if (character < SMALLEST[length] || (character >= 0xd800 && character <= 0xdfff))
		return NO_CHARACTER;
	return character;
}

static bool is_plain_text(const uint8_t *at, size_t length)
{
	const uint8_t *end = at + length;

	while (at < end) {
		uint32_t character = next_character(&at, end);

		if (character > 0x10ffff || is_steering(character))
			return false;
	}
	return true;
}

static void skip_text(struct reader *in, size_t max_bytes)
{
	size_t length = read_number(in, 2);
	const uint8_t *text;

	if (length > max_bytes)
		refuse(in, REFUSAL_DOCUMENT_FIELD);
	text = take(in, length);
	if (text && !is_plain_text(text, length))
		refuse(in, REFUSAL_DOCUMENT_FIELD);
}

static struct reader open_envelope(const uint8_t *untrusted, size_t length, uint8_t type)
{
	struct reader in = { .refusal = REFUSAL_NONE };

	if (length < HEADER_BYTES + SIGNATURE_BYTES || length > MAX_DOCUMENT_BYTES) {
		in.refusal = REFUSAL_LENGTH;
		return in;
	}
	if (untrusted[0] != type || untrusted[1] != LAYOUT_VERSION)
		in.refusal = REFUSAL_DOCUMENT_TYPE;
	in.at = untrusted + HEADER_BYTES;
	in.left = length - HEADER_BYTES - SIGNATURE_BYTES;
	return in;
}

static enum refusal close_envelope(struct reader *in)
{
	if (in->left > 0)
		refuse(in, REFUSAL_LENGTH);
	return in->refusal;
}

static void read_device(struct reader *in, struct device *device)
{
	uint64_t role, presence;

	read_bytes(in, device->signing_key, KEY_BYTES);
	read_bytes(in, device->tunnel_key, KEY_BYTES);
	skip_text(in, MAX_DEVICE_NAME_BYTES);
	role = read_number(in, 1);
	if (role != ROLE_ADMIN && role != ROLE_CHAT)
		refuse(in, REFUSAL_DOCUMENT_FIELD);
	device->role = role == ROLE_ADMIN ? ROLE_ADMIN : ROLE_CHAT;
	device->added_ms = read_time(in);
	presence = read_number(in, 1);
	if (presence > 1)
		refuse(in, REFUSAL_DOCUMENT_FIELD);
	device->is_revoked = presence == 1;
	device->revoked_ms = presence == 1 ? read_time(in) : 0;
}

enum refusal read_device_list(const uint8_t *untrusted, size_t length,
			      struct device_list *unverified)
{
	struct reader in = open_envelope(untrusted, length, TYPE_DEVICE_LIST);

	memset(unverified, 0, sizeof(*unverified));
	read_bytes(&in, unverified->node, KEY_BYTES);
	unverified->version = (uint32_t)read_number(&in, 4);
	read_bytes(&in, unverified->previous, HASH_BYTES);
	unverified->issued_ms = read_time(&in);
	read_bytes(&in, unverified->signer, KEY_BYTES);
	unverified->n_devices = read_count(&in, MAX_DEVICES);
	for (uint16_t i = 0; i < unverified->n_devices; i++)
		read_device(&in, &unverified->devices[i]);
	crypto_hash_sha256(unverified->hash, untrusted, length);
	return close_envelope(&in);
}

/* What both kinds of order begin with. */
static void read_places(struct reader *in, struct window_order *unverified, uint16_t max_endpoints)
{
	memset(unverified, 0, sizeof(*unverified));
	read_bytes(in, unverified->node, KEY_BYTES);
	unverified->counter = read_number(in, 8);
	unverified->not_after_ms = read_time(in);
	read_bytes(in, unverified->signer, KEY_BYTES);
	unverified->n_endpoints = read_count(in, max_endpoints);
	for (uint16_t i = 0; i < unverified->n_endpoints; i++) {
		skip_text(in, MAX_HOST_NAME_BYTES);
		read_bytes(in, unverified->endpoints[i].address, 16);
		unverified->endpoints[i].port = (uint16_t)read_number(in, 2);
	}
}

enum refusal read_standing_order(const uint8_t *untrusted, size_t length,
				 struct window_order *unverified)
{
	struct reader in = open_envelope(untrusted, length, TYPE_STANDING_ORDER);

	read_places(&in, unverified, MAX_CONTROL_PLANE_ENDPOINTS);
	take(&in, KEY_BYTES);
	return close_envelope(&in);
}

enum refusal read_window_order(const uint8_t *untrusted, size_t length,
			       struct window_order *unverified)
{
	struct reader in = open_envelope(untrusted, length, TYPE_WINDOW_ORDER);

	read_places(&in, unverified, MAX_ENDPOINTS);
	unverified->n_files = read_count(&in, MAX_FILES);
	for (uint16_t i = 0; i < unverified->n_files; i++) {
		skip_text(&in, MAX_FILE_NAME_BYTES);
		take(&in, HASH_BYTES);
		read_number(&in, 8);
	}
	return close_envelope(&in);
}

static enum refusal verify(const char *domain, size_t domain_length, const uint8_t *untrusted,
			   size_t length, const uint8_t key[KEY_BYTES])
{
	uint8_t message[MAX_DOMAIN_BYTES + MAX_DOCUMENT_BYTES];
	size_t body_length;

	if (length < HEADER_BYTES + SIGNATURE_BYTES || length > MAX_DOCUMENT_BYTES)
		return REFUSAL_LENGTH;
	body_length = length - SIGNATURE_BYTES;
	memcpy(message, domain, domain_length);
	memcpy(message + domain_length, untrusted, body_length);
	if (crypto_sign_verify_detached(untrusted + body_length, message,
					domain_length + body_length, key) != 0)
		return REFUSAL_AUTHENTICATION;
	return REFUSAL_NONE;
}

enum refusal verify_device_list(const uint8_t *untrusted, size_t length,
				const uint8_t key[KEY_BYTES])
{
	return verify(DEVICE_LIST_DOMAIN, sizeof(DEVICE_LIST_DOMAIN), untrusted, length, key);
}

enum refusal verify_window_order(const uint8_t *untrusted, size_t length,
				 const uint8_t key[KEY_BYTES])
{
	return verify(WINDOW_ORDER_DOMAIN, sizeof(WINDOW_ORDER_DOMAIN), untrusted, length, key);
}

enum refusal verify_standing_order(const uint8_t *untrusted, size_t length,
				   const uint8_t key[KEY_BYTES])
{
	return verify(STANDING_ORDER_DOMAIN, sizeof(STANDING_ORDER_DOMAIN), untrusted, length, key);
}
