/*
 * The committed vectors of packages/crypto, read in C: accepted as they are, refused as named; and
 * what no vector shows. `documents FILE...` reads further files of refused cases.
 */
#include "documents-made.h"

#include <stdlib.h>

#ifndef VECTORS
#define VECTORS "../packages/crypto/vectors/documents/"
#endif

/* A case of a vector file: lines of a name, a space and a value. See vectors/README.md. */
struct vector {
	const char *start, *end;
};

static const char *const NO_VALUE = "-";

/* The whole file as a string; a test without its vectors is no test. */
static char *read_vectors(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, 32 << 20);

	if (!file || !text || fread(text, 1, (32 << 20) - 1, file) == 0) {
		fprintf(stderr, "%s cannot be read\n", path);
		exit(1);
	}
	fclose(file);
	return text;
}

/* The next case, or false after the last. */
static bool next_vector(const char **text, struct vector *vector)
{
	const char *gap;

	if (**text == '\0')
		return false;
	gap = strstr(*text, "\n\n");
	*vector = (struct vector){ *text, gap ? gap + 1 : *text + strlen(*text) };
	*text = gap ? gap + 2 : vector->end;
	return true;
}

/* The value of a line, in a buffer that the next call uses again. */
static const char *value_of(const struct vector *vector, const char *name)
{
	static char value[20001];
	size_t name_length = strlen(name);

	for (const char *line = vector->start; line < vector->end; line = strchr(line, '\n') + 1)
		if (strncmp(line, name, name_length) == 0 && line[name_length] == ' ') {
			size_t length = strcspn(line + name_length + 1, "\n");

			snprintf(value, sizeof(value), "%.*s", (int)length, line + name_length + 1);
			return value;
		}
	return NO_VALUE;
}

static size_t bytes_of(const struct vector *vector, const char *name, uint8_t *bytes, size_t room)
{
	const char *hex = value_of(vector, name);
	size_t length = 0;

	if (strcmp(hex, NO_VALUE) != 0 &&
	    sodium_hex2bin(bytes, room, hex, strlen(hex), NULL, &length, NULL) != 0) {
		fprintf(stderr, "%s is no hexadecimal\n", name);
		exit(1);
	}
	return length;
}

static bool has_bytes(const struct vector *vector, const char *name, const uint8_t *actual,
		      size_t length)
{
	uint8_t expected[64];

	return bytes_of(vector, name, expected, sizeof(expected)) == length &&
	       memcmp(actual, expected, length) == 0;
}

static bool has_number(const struct vector *vector, const char *name, uint64_t actual)
{
	char decimal[32];

	snprintf(decimal, sizeof(decimal), "%llu", (unsigned long long)actual);
	return strcmp(value_of(vector, name), decimal) == 0;
}

static const char *field(const char *list, unsigned int index, const char *name)
{
	static char full[64];

	snprintf(full, sizeof(full), "%s.%u.%s", list, index, name);
	return full;
}

static bool has_device(const struct vector *vector, unsigned int i, const struct device *device)
{
	return has_bytes(vector, field("devices", i, "signingKey"), device->signing_key,
			 KEY_BYTES) &&
	       has_bytes(vector, field("devices", i, "tunnelKey"), device->tunnel_key, KEY_BYTES) &&
	       has_number(vector, field("devices", i, "role"), device->role) &&
	       has_number(vector, field("devices", i, "addedAt"), device->added_ms) &&
	       has_number(vector, field("devices", i, "revokedAt"), device->is_revoked) &&
	       (!device->is_revoked ||
		has_number(vector, field("devices", i, "revokedAt.value"), device->revoked_ms));
}

static bool has_list(const struct vector *vector, const struct device_list *list)
{
	bool is_equal = has_bytes(vector, "node", list->node, KEY_BYTES) &&
			has_number(vector, "version", list->version) &&
			has_bytes(vector, "previous", list->previous, HASH_BYTES) &&
			has_number(vector, "issuedAt", list->issued_ms) &&
			has_bytes(vector, "signer", list->signer, KEY_BYTES) &&
			has_number(vector, "devices", list->n_devices) &&
			has_bytes(vector, "hash", list->hash, HASH_BYTES);

	for (unsigned int i = 0; i < list->n_devices; i++)
		is_equal = is_equal && has_device(vector, i, &list->devices[i]);
	return is_equal;
}

enum kind { LIST, WINDOW, REPORT, KINDS };

static const char *const FILES[KINDS] = { "device-list", "window-order", "standing-order" };

static bool has_order(const struct vector *vector, const struct window_order *order,
		      enum kind kind)
{
	bool is_equal = has_bytes(vector, "node", order->node, KEY_BYTES) &&
			has_number(vector, "counter", order->counter) &&
			has_number(vector, "notAfter", order->not_after_ms) &&
			has_bytes(vector, "signer", order->signer, KEY_BYTES) &&
			has_number(vector, "endpoints", order->n_endpoints) &&
			(kind == REPORT || has_number(vector, "files", order->n_files));

	for (unsigned int i = 0; i < order->n_endpoints; i++)
		is_equal =
			is_equal &&
			has_bytes(vector, field("endpoints", i, "address"),
				  order->endpoints[i].address, 16) &&
			has_number(vector, field("endpoints", i, "port"), order->endpoints[i].port);
	return is_equal;
}

static enum refusal read_as(enum kind kind, const uint8_t *untrusted, size_t length,
			    struct device_list *list, struct window_order *order)
{
	switch (kind) {
	case LIST: return read_device_list(untrusted, length, list);
	case WINDOW: return read_window_order(untrusted, length, order);
	default: return read_standing_order(untrusted, length, order);
	}
}

static enum refusal verify_as(enum kind kind, const uint8_t *untrusted, size_t length,
			      const uint8_t *key)
{
	switch (kind) {
	case LIST: return verify_device_list(untrusted, length, key);
	case WINDOW: return verify_window_order(untrusted, length, key);
	default: return verify_standing_order(untrusted, length, key);
	}
}

/* What the reader says of bytes that `key` should have signed, as a document of this kind. */
static enum refusal verdict(enum kind kind, const uint8_t *untrusted, size_t length,
			    const uint8_t *key)
{
	struct device_list list;
	struct window_order order;
	/* Of exactly this length, so that the sanitizer sees a read past the end. */
	uint8_t *exact = malloc(length);
	enum refusal refusal;

	memcpy(exact, untrusted, length);
	refusal = read_as(kind, exact, length, &list, &order);
	if (refusal == REFUSAL_NONE)
		refusal = verify_as(kind, exact, length, key);
	free(exact);
	return refusal;
}

/* Nothing but these very bytes is accepted. */
static void test_alterations(enum kind kind, const char *name, const uint8_t *document, size_t length,
			     const uint8_t *key)
{
	uint8_t altered[MAX_DOCUMENT_BYTES];
	unsigned int accepted = 0;

	for (size_t i = 0; i < length; i++) {
		memcpy(altered, document, length);
		altered[i] ^= (uint8_t)(1 << i % 8);
		accepted += verdict(kind, altered, length, key) == REFUSAL_NONE;
	}
	for (size_t cut = 0; cut < length; cut++)
		accepted += verdict(kind, document, cut, key) == REFUSAL_NONE;
	memset(altered, 0, sizeof(altered));
	memcpy(altered, document, length);
	for (size_t more = 1; more <= 65; more++)
		accepted += verdict(kind, altered, length + more, key) == REFUSAL_NONE;
	check(name, accepted == 0);
}

static void test_accepted(const char *path, enum kind kind)
{
	char *text = read_vectors(path);
	const char *rest = text;
	struct signer other = signer_named("other");
	struct vector vector;
	char name[64];

	while (next_vector(&rest, &vector)) {
		uint8_t document[MAX_DOCUMENT_BYTES], key[KEY_BYTES];
		size_t length = bytes_of(&vector, "document", document, sizeof(document));
		struct device_list list;
		struct window_order order;

		snprintf(name, sizeof(name), "%s", value_of(&vector, "case"));
		bytes_of(&vector, "public-key", key, sizeof(key));
		check_refusal(name, verdict(kind, document, length, key), REFUSAL_NONE);
		check_refusal("under another key nothing is accepted",
			      verdict(kind, document, length, other.public_key),
			      REFUSAL_AUTHENTICATION);
		check_refusal("a document is not taken for one of another kind",
			      verdict((kind + 1) % KINDS, document, length, key), REFUSAL_DOCUMENT_TYPE);
		check("the committed values are read",
		      read_as(kind, document, length, &list, &order) == REFUSAL_NONE &&
			      (kind == LIST ? has_list(&vector, &list)
					    : has_order(&vector, &order, kind)));
		test_alterations(kind, "no altered vector is accepted", document, length, key);
	}
	free(text);
}

/* Returns how many cases of these kinds the file has. */
static unsigned int test_refused(const char *path)
{
	char *text = read_vectors(path);
	const char *rest = text;
	struct vector vector;
	unsigned int cases = 0;

	while (next_vector(&rest, &vector)) {
		enum kind kind = LIST;
		uint8_t document[2 * MAX_DOCUMENT_BYTES], key[KEY_BYTES];
		size_t length = bytes_of(&vector, "document", document, sizeof(document));
		char name[128];
		const char *code;

		while (kind < KINDS && strcmp(value_of(&vector, "file"), FILES[kind]) != 0)
			kind++;
		if (kind == KINDS)
			continue;
		cases++;
		snprintf(name, sizeof(name), "%s", value_of(&vector, "case"));
		bytes_of(&vector, "public-key", key, sizeof(key));
		code = refusal_code(verdict(kind, document, length, key));
		check(name, strcmp(*code ? code : NO_VALUE, value_of(&vector, "error")) == 0);
	}
	free(text);
	return cases;
}

static struct device_list list_of_all_devices(const struct signer *signer)
{
	struct device_list list = { .version = 1, .n_devices = MAX_DEVICES };

	memcpy(list.signer, signer->public_key, KEY_BYTES);
	for (unsigned int i = 0; i < MAX_DEVICES; i++) {
		list.devices[i] = (struct device){ .role = ROLE_CHAT };
		list.devices[i].signing_key[0] = (uint8_t)i;
	}
	return list;
}

/* Whether a list reads whose only device has this name. */
static bool is_name_accepted(const void *text, size_t length)
{
	struct made made = { .length = 0 };
	struct device_list list;

	put_bytes(&made, (const uint8_t[]){ 3, 1 }, 2);
	put_bytes(&made, (const uint8_t[108]){ 0 }, 108);
	put_number(&made, 1, 2);
	put_bytes(&made, (const uint8_t[64]){ 0 }, 64);
	put_number(&made, length, 2);
	put_bytes(&made, text, length);
	put_number(&made, ROLE_CHAT, 1);
	put_number(&made, 0, 8);
	put_number(&made, 0, 1);
	put_bytes(&made, (const uint8_t[64]){ 0 }, 64);
	return read_device_list(made.bytes, made.length, &list) == REFUSAL_NONE;
}

/* UTF-8 without any check, surrogates included. */
static size_t encode(uint32_t c, uint8_t *out)
{
	size_t length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const uint8_t LEADS[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = length; i-- > 1; c >>= 6)
		out[i] = (uint8_t)(0x80 | (c & 0x3f));
	out[0] = (uint8_t)(LEADS[length] | c);
	return length;
}

/* Every character of the first plane, and the borders of the others. */
static void test_characters(void)
{
	static const struct {
		uint32_t first, last;
	} STEERING[] = {
		{ 0x0000, 0x001f }, { 0x007f, 0x009f }, { 0x200b, 0x200f }, { 0x2028, 0x202e },
		{ 0x2060, 0x2069 }, { 0xd800, 0xdfff }, { 0xfeff, 0xfeff }, { 0x110000, 0x110000 },
	};
	unsigned int wrong = 0;

	for (uint32_t c = 0; c <= 0x10ffff; c = c < 0xffff ? c + 1 : c + 0xffff) {
		uint8_t text[6] = "a";
		bool is_allowed = true;
		size_t length = 1 + encode(c, text + 1);

		for (size_t i = 0; i < sizeof(STEERING) / sizeof(*STEERING); i++)
			if (c >= STEERING[i].first && c <= STEERING[i].last)
				is_allowed = false;
		text[length++] = 'z';
		wrong += is_name_accepted(text, length) != is_allowed;
	}
	check("exactly the steering characters and surrogates are refused", wrong == 0);
}

/* The borders of table 3-7, and every sequence of two bytes. */
static void test_utf8(void)
{
	static const struct {
		uint8_t bytes[4];
		size_t length;
		bool is_valid;
	} CASES[] = {
		{ { 0xe0, 0x9f, 0xbf }, 3, false },
		{ { 0xe0, 0xa0, 0x80 }, 3, true },
		{ { 0xed, 0x9f, 0xbf }, 3, true },
		{ { 0xed, 0xa0, 0x80 }, 3, false },
		{ { 0xee, 0x80, 0x80 }, 3, true },
		{ { 0xef, 0xbf, 0xbf }, 3, true },
		{ { 0xf0, 0x8f, 0xbf, 0xbf }, 4, false },
		{ { 0xf0, 0x90, 0x80, 0x80 }, 4, true },
		{ { 0xf4, 0x8f, 0xbf, 0xbf }, 4, true },
		{ { 0xf4, 0x90, 0x80, 0x80 }, 4, false },
		{ { 0xf5, 0x80, 0x80, 0x80 }, 4, false },
		{ { 0xf0, 0x90, 0x80 }, 3, false },
		{ { 0xf0, 0x90 }, 2, false },
		{ { 0xf0 }, 1, false },
		{ { 0xe1, 0x80 }, 2, false },
		{ { 0xe1, 0x80, 0xc0 }, 3, false },
		{ { 0xf1, 0x80, 0x80, 0x40 }, 4, false },
		{ { 0xf8, 0x88, 0x80, 0x80 }, 4, false },
	};
	unsigned int wrong = 0;

	for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++)
		wrong += is_name_accepted(CASES[i].bytes, CASES[i].length) != CASES[i].is_valid;
	check("three and four bytes are one character only in their one form", wrong == 0);
	wrong = 0;
	for (unsigned int pair = 0; pair < 0x10000; pair++) {
		uint8_t text[2] = { (uint8_t)(pair >> 8), (uint8_t)pair };
		bool are_printable =
			text[0] >= 0x20 && text[0] < 0x7f && text[1] >= 0x20 && text[1] < 0x7f;
		bool is_two_bytes = text[0] >= 0xc2 && text[0] <= 0xdf &&
				    (text[1] & 0xc0) == 0x80 && pair >= 0xc2a0;

		wrong += is_name_accepted(text, 2) != (are_printable || is_two_bytes);
	}
	check("of all pairs of bytes exactly the right ones are text", wrong == 0);
}

/* An order whose endpoint has a name that is cut off, and an address that would complete it. */
static enum refusal order_with_cut_name(const struct signer *signer, const char *name)
{
	struct made made = { .length = 0 };

	put_bytes(&made, (const uint8_t[]){ 4, 1 }, 2);
	put_bytes(&made, (const uint8_t[80]){ 0 }, 80);
	put_number(&made, 1, 2);
	put_text(&made, name);
	put_bytes(&made, "\xa4\xa4\xa4\xa4\xa4\xa4\xa4\xa4\xa4\xa4\xa4\xa4\xa4\xa4\xa4\xa4", 16);
	put_number(&made, 443, 2);
	put_number(&made, 0, 2);
	sign(&made, "phantoma window order v1", signer);
	return verdict(WINDOW, made.bytes, made.length, signer->public_key);
}

/* An order at or past a limit; counts are written as given, entries as many as that. */
static enum refusal order_with(const struct signer *signer, unsigned int n_endpoints,
			       size_t name_length, unsigned int n_files, size_t file_name_length)
{
	struct made made = { .length = 0 };
	char name[512];

	memset(name, 'a', sizeof(name));
	put_bytes(&made, (const uint8_t[]){ 4, 1 }, 2);
	put_bytes(&made, (const uint8_t[80]){ 0 }, 80);
	put_number(&made, n_endpoints, 2);
	for (unsigned int i = 0; i < n_endpoints; i++) {
		put_number(&made, name_length, 2);
		put_bytes(&made, name, name_length);
		put_bytes(&made, (const uint8_t[18]){ 0 }, 18);
	}
	put_number(&made, n_files, 2);
	for (unsigned int i = 0; i < n_files; i++) {
		put_number(&made, file_name_length, 2);
		put_bytes(&made, name, file_name_length);
		put_bytes(&made, (const uint8_t[40]){ 0 }, 40);
	}
	sign(&made, "phantoma window order v1", signer);
	return verdict(WINDOW, made.bytes, made.length, signer->public_key);
}

static void test_limits(const struct signer *signer)
{
	struct device_list list = list_of_all_devices(signer);
	struct made made = made_list(&list, signer);
	char name[65];
	uint8_t *long_document = calloc(1, MAX_DOCUMENT_BYTES + 1);

	memset(name, 'a', sizeof(name));
	check_refusal("64 devices are a list",
		      verdict(LIST, made.bytes, made.length, signer->public_key), REFUSAL_NONE);
	check("a device's name has 64 bytes", is_name_accepted(name, 64));
	check("a device's name has no 65 bytes", !is_name_accepted(name, 65));
	check_refusal("a name does not borrow from what follows it",
		      order_with_cut_name(signer, "a\xe4"), REFUSAL_DOCUMENT_FIELD);
	check_refusal("whatever its length", order_with_cut_name(signer, "\xc3"),
		      REFUSAL_DOCUMENT_FIELD);
	check_refusal("a whole name stands on its own", order_with_cut_name(signer, "\xc3\xa4"),
		      REFUSAL_NONE);
	check_refusal("everything at its limit is an order",
		      order_with(signer, MAX_ENDPOINTS, 253, MAX_FILES, 255), REFUSAL_NONE);
	check_refusal("65 endpoints are refused", order_with(signer, MAX_ENDPOINTS + 1, 1, 1, 1),
		      REFUSAL_DOCUMENT_FIELD);
	check_refusal("65 files are refused", order_with(signer, 1, 1, MAX_FILES + 1, 1),
		      REFUSAL_DOCUMENT_FIELD);
	check_refusal("a host's name has no 254 bytes", order_with(signer, 1, 254, 1, 1),
		      REFUSAL_DOCUMENT_FIELD);
	check_refusal("a file's name has no 256 bytes", order_with(signer, 1, 1, 1, 256),
		      REFUSAL_DOCUMENT_FIELD);

	list.issued_ms = (1ULL << 53) - 1;
	made = made_list(&list, signer);
	check_refusal("a time has 53 bits",
		      verdict(LIST, made.bytes, made.length, signer->public_key), REFUSAL_NONE);
	list.issued_ms++;
	made = made_list(&list, signer);
	check_refusal("a time has no 54 bits",
		      verdict(LIST, made.bytes, made.length, signer->public_key),
		      REFUSAL_DOCUMENT_FIELD);

	check_refusal("65,535 bytes are looked at",
		      verdict(LIST, long_document, MAX_DOCUMENT_BYTES, signer->public_key),
		      REFUSAL_DOCUMENT_TYPE);
	check_refusal("65,536 bytes are not",
		      verdict(LIST, long_document, MAX_DOCUMENT_BYTES + 1, signer->public_key),
		      REFUSAL_LENGTH);
	check_refusal("nor are 65", verdict(LIST, long_document, 65, signer->public_key),
		      REFUSAL_LENGTH);
	check_refusal("a signature alone is verified by nobody",
		      verify_window_order(long_document, 65, signer->public_key), REFUSAL_LENGTH);
	free(long_document);
}

/* Signatures that some verifiers accept; RFC 8032, section 5.1.7, and keys that need no secret. */
static void test_odd_signatures(const struct signer *signer)
{
	/* The order of the group, little-endian. */
	static const uint8_t ORDER[32] = {
		0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,        0xd6,
		0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10,
	};
	static const uint8_t IDENTITY[32] = { 1 }, NO_POINT[32] = { 2 };
	struct window_order order = { .counter = 1 };
	struct made made = made_order(&order, signer), identity;
	unsigned int accepted = 0;

	sodium_add(made.bytes + made.length - 32, ORDER, sizeof(ORDER));
	check_refusal("a signature has no second form",
		      verdict(WINDOW, made.bytes, made.length, signer->public_key),
		      REFUSAL_AUTHENTICATION);
	for (order.counter = 0; order.counter < 32; order.counter++) {
		identity = made_order(&order, signer);
		memcpy(identity.bytes + identity.length - 64, IDENTITY, 32);
		memset(identity.bytes + identity.length - 32, 0, 32);
		accepted +=
			verdict(WINDOW, identity.bytes, identity.length, IDENTITY) == REFUSAL_NONE;
	}
	check("under a key of small order nothing is accepted that needs no secret", accepted == 0);
	check_refusal("a key that is no point signs nothing",
		      verdict(WINDOW, identity.bytes, identity.length, NO_POINT),
		      REFUSAL_AUTHENTICATION);
}

int main(int argc, char **argv)
{
	struct signer signer;

	if (sodium_init() < 0)
		return 1;
	signer = signer_named("signer");
	test_accepted(VECTORS "device-list.txt", LIST);
	test_accepted(VECTORS "window-order.txt", WINDOW);
	test_accepted(VECTORS "standing-order.txt", REPORT);
	check("the refused vectors are all there", test_refused(VECTORS "refused.txt") == 87);
	for (int i = 1; i < argc; i++)
		printf("%s: %u cases\n", argv[i], test_refused(argv[i]));
	test_characters();
	test_utf8();
	test_limits(&signer);
	test_odd_signatures(&signer);
	return conclude();
}
