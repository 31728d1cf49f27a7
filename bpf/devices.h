/*
 * Who may use a node: a chain of lists, each signed by an admin of the one before.
 *
 * The rules of PROTOCOL.md, section 7.5, as packages/crypto/src/documents/device-list.ts has them.
 */
#ifndef PHANTOMA_DEVICES_H
#define PHANTOMA_DEVICES_H

#include "documents.h"

/* Version 1, believed because root pinned its hash at set-up. */
enum refusal open_first_device_list(const uint8_t *untrusted, size_t length,
				    const uint8_t node[KEY_BYTES],
				    const uint8_t pinned_hash[HASH_BYTES],
				    struct device_list *first);

/* The list that follows `current`, and no other. */
enum refusal open_next_device_list(const uint8_t *untrusted, size_t length,
				   const struct device_list *current, struct device_list *next);

/* The list is of this node and names no key, signing or tunnel, twice. */
bool is_list_of(const struct device_list *list, const uint8_t node[KEY_BYTES]);

bool has_active_admin(const struct device_list *list, const uint8_t signing_key[KEY_BYTES]);

/* In constant time, though keys and hashes are public: so that habit never meets a secret. */
bool is_same(const uint8_t a[32], const uint8_t b[32]);

#endif
