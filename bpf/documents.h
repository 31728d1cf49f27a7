/*
 * The signed documents that the warden acts on, from bytes: device lists, window orders and standing orders.
 *
 * Specified in PROTOCOL.md, sections 7.1, 7.2, 7.5, 7.6 and 7.11. Who may sign is decided in devices.h and
 * standing.h. The verdicts and codes are those of
 * packages/crypto/src/documents; both read the same committed vectors.
 */
#ifndef PHANTOMA_DOCUMENTS_H
#define PHANTOMA_DOCUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More than any document needs; a longer one is refused before it is looked at. */
#define MAX_DOCUMENT_BYTES 65535
/* People and their machines, not a directory: a list stays readable by a human. */
#define MAX_DEVICES 64
/* A model host, its redirects, and the addresses of both: more is a mistake or an attack. */
#define MAX_ENDPOINTS 64
#define MAX_FILES     64
/* One control plane, with an address in each family and some to fall back to. */
#define MAX_CONTROL_PLANE_ENDPOINTS 8

#define KEY_BYTES  32
#define HASH_BYTES 32

/* Why something is refused; the keeper hears the code, the log has it too. */
enum refusal {
	REFUSAL_NONE = 0,
	REFUSAL_LENGTH,
	REFUSAL_DOCUMENT_TYPE,
	REFUSAL_DOCUMENT_FIELD,
	REFUSAL_NOT_AUTHORISED,
	REFUSAL_AUTHENTICATION,
	REFUSAL_ORDER_NODE,
	REFUSAL_ORDER_EXPIRED,
	REFUSAL_ORDER_TOO_LONG,
	REFUSAL_ORDER_REPLAYED,
	REFUSAL_WINDOW_OPEN,
	REFUSAL_STORAGE,
	REFUSAL_POLICY,
};

/* "ERR_LENGTH", ...; "" for REFUSAL_NONE. */
const char *refusal_code(enum refusal refusal);

enum role { ROLE_ADMIN = 1, ROLE_CHAT = 2 };

struct device {
	uint8_t signing_key[KEY_BYTES]; /* Ed25519 */
	uint8_t tunnel_key[KEY_BYTES];  /* X25519 */
	enum role role;
	uint64_t added_ms;
	bool is_revoked;
	uint64_t revoked_ms; /* 0 unless revoked */
};

struct device_list {
	uint8_t node[KEY_BYTES];
	uint32_t version;
	uint8_t previous[HASH_BYTES]; /* zeros for version 1 */
	uint64_t issued_ms;
	uint8_t signer[KEY_BYTES];
	uint16_t n_devices;
	struct device devices[MAX_DEVICES];
	uint8_t hash[HASH_BYTES]; /* of the document; the next list names it */
};

/* Names and files are checked for their form and left to the fetcher and the keeper. A standing order is
 * one without files; whose licences count there is the keeper's affair. */
struct window_order {
	uint8_t node[KEY_BYTES];
	uint64_t counter;
	uint64_t not_after_ms;
	uint8_t signer[KEY_BYTES];
	uint16_t n_endpoints;
	struct {
		uint8_t address[16]; /* IPv6, or IPv4 mapped into it */
		uint16_t port;       /* host order */
	} endpoints[MAX_ENDPOINTS];
	uint16_t n_files;
};

/* The form only: nothing in `unverified` may be acted on. Written whole, whatever is returned. */
enum refusal read_device_list(const uint8_t *untrusted, size_t length,
			      struct device_list *unverified);
enum refusal read_window_order(const uint8_t *untrusted, size_t length,
			       struct window_order *unverified);
enum refusal read_standing_order(const uint8_t *untrusted, size_t length,
				 struct window_order *unverified);

/* REFUSAL_AUTHENTICATION unless `key` signed exactly these bytes as this kind of document. */
enum refusal verify_device_list(const uint8_t *untrusted, size_t length,
				const uint8_t key[KEY_BYTES]);
enum refusal verify_window_order(const uint8_t *untrusted, size_t length,
				 const uint8_t key[KEY_BYTES]);
enum refusal verify_standing_order(const uint8_t *untrusted, size_t length,
				   const uint8_t key[KEY_BYTES]);

#endif
