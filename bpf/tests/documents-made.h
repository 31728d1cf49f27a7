/*
 * For the tests of documents and standing: counting checks, named signers, and documents made of any
 * values, well-formed or not.
 */
#ifndef PHANTOMA_TESTS_DOCUMENTS_MADE_H
#define PHANTOMA_TESTS_DOCUMENTS_MADE_H

#include "../documents.h"
#include "check.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static inline void check_refusal(const char *sentence, enum refusal actual, enum refusal expected)
{
	check(sentence, actual == expected);
	if (actual != expected)
		printf("        %s instead of %s\n", refusal_code(actual), refusal_code(expected));
}

struct signer {
	uint8_t public_key[KEY_BYTES];
	uint8_t secret_key[64];
};

static inline struct signer signer_named(const char *name)
{
	uint8_t seed[32];
	struct signer signer;

	crypto_hash_sha256(seed, (const uint8_t *)name, strlen(name));
	crypto_sign_seed_keypair(signer.public_key, signer.secret_key, seed);
	return signer;
}

struct made {
	uint8_t bytes[2 * MAX_DOCUMENT_BYTES];
	size_t length;
};

static inline void put_bytes(struct made *made, const void *bytes, size_t length)
{
	memcpy(made->bytes + made->length, bytes, length);
	made->length += length;
}

static inline void put_number(struct made *made, uint64_t value, size_t width)
{
	for (size_t i = width; i-- > 0;)
		made->bytes[made->length++] = (uint8_t)(value >> (8 * i));
}

static inline void put_text(struct made *made, const char *text)
{
	put_number(made, strlen(text), 2);
	put_bytes(made, text, strlen(text));
}

/* `domain` is signed with the zero byte at its end. */
static inline void sign(struct made *made, const char *domain, const struct signer *signer)
{
	uint8_t message[2 * MAX_DOCUMENT_BYTES + 64], signature[64];
	size_t domain_length = strlen(domain) + 1;

	memcpy(message, domain, domain_length);
	memcpy(message + domain_length, made->bytes, made->length);
	crypto_sign_detached(signature, NULL, message, domain_length + made->length,
			     signer->secret_key);
	put_bytes(made, signature, sizeof(signature));
}

/* The values of `list` as they are, whatever the reader would say; every name is "device". */
static inline struct made made_list(const struct device_list *list, const struct signer *signer)
{
	struct made made = { .length = 0 };

	put_number(&made, 3, 1);
	put_number(&made, 1, 1);
	put_bytes(&made, list->node, KEY_BYTES);
	put_number(&made, list->version, 4);
	put_bytes(&made, list->previous, HASH_BYTES);
	put_number(&made, list->issued_ms, 8);
	put_bytes(&made, list->signer, KEY_BYTES);
	put_number(&made, list->n_devices, 2);
	for (uint16_t i = 0; i < list->n_devices; i++) {
		const struct device *device = &list->devices[i];

		put_bytes(&made, device->signing_key, KEY_BYTES);
		put_bytes(&made, device->tunnel_key, KEY_BYTES);
		put_text(&made, "device");
		put_number(&made, device->role, 1);
		put_number(&made, device->added_ms, 8);
		put_number(&made, device->is_revoked, 1);
		if (device->is_revoked)
			put_number(&made, device->revoked_ms, 8);
	}
	sign(&made, "phantoma device list v1", signer);
	return made;
}

/* The endpoints of `order` under the name "models.example", and as many files as it says. */
static inline struct made made_order(const struct window_order *order, const struct signer *signer)
{
	struct made made = { .length = 0 };

	put_number(&made, 4, 1);
	put_number(&made, 1, 1);
	put_bytes(&made, order->node, KEY_BYTES);
	put_number(&made, order->counter, 8);
	put_number(&made, order->not_after_ms, 8);
	put_bytes(&made, order->signer, KEY_BYTES);
	put_number(&made, order->n_endpoints, 2);
	for (uint16_t i = 0; i < order->n_endpoints; i++) {
		put_text(&made, "models.example");
		put_bytes(&made, order->endpoints[i].address, 16);
		put_number(&made, order->endpoints[i].port, 2);
	}
	put_number(&made, order->n_files, 2);
	for (uint16_t i = 0; i < order->n_files; i++) {
		put_text(&made, "/owner/repository/resolve/main/model.gguf");
		put_bytes(&made, (const uint8_t[HASH_BYTES]){ 7 }, HASH_BYTES);
		put_number(&made, 1234, 8);
	}
	sign(&made, "phantoma window order v1", signer);
	return made;
}

/* The endpoints of `order` under the name "plane.example"; its control plane is 32 times 9. */
static inline struct made made_report(const struct window_order *order, const struct signer *signer)
{
	struct made made = { .length = 0 };
	uint8_t plane[KEY_BYTES];

	memset(plane, 9, sizeof(plane));
	put_number(&made, 9, 1);
	put_number(&made, 1, 1);
	put_bytes(&made, order->node, KEY_BYTES);
	put_number(&made, order->counter, 8);
	put_number(&made, order->not_after_ms, 8);
	put_bytes(&made, order->signer, KEY_BYTES);
	put_number(&made, order->n_endpoints, 2);
	for (uint16_t i = 0; i < order->n_endpoints; i++) {
		put_text(&made, "plane.example");
		put_bytes(&made, order->endpoints[i].address, 16);
		put_number(&made, order->endpoints[i].port, 2);
	}
	put_bytes(&made, plane, KEY_BYTES);
	sign(&made, "phantoma standing order v1", signer);
	return made;
}

static inline struct device device_of(const char *name, enum role role)
{
	struct device device = { .role = role, .added_ms = 1790000000000 };
	char tunnel_name[64];

	memcpy(device.signing_key, signer_named(name).public_key, KEY_BYTES);
	snprintf(tunnel_name, sizeof(tunnel_name), "tunnel %s", name);
	crypto_hash_sha256(device.tunnel_key, (const uint8_t *)tunnel_name, strlen(tunnel_name));
	return device;
}

#endif
