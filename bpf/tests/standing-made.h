/*
 * For the tests of standing: a node and its people, their lists and orders, and folders for them.
 */
#ifndef PHANTOMA_TESTS_STANDING_MADE_H
#define PHANTOMA_TESTS_STANDING_MADE_H

#include "../standing.h"
#include "documents-made.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint64_t NOW_MS = 1790000600000;

static char folder[64], state_dir[96], identity_dir[96];

static inline void path_of(char path[128], const char *dir, const char *name)
{
	snprintf(path, 128, "%s/%s", dir, name);
}

static inline void put_file(const char *dir, const char *name, const void *bytes, size_t length)
{
	char path[128];
	FILE *file;

	path_of(path, dir, name);
	file = fopen(path, "w");
	if (!file || fwrite(bytes, 1, length, file) != length || fclose(file) != 0) {
		perror(path);
		exit(1);
	}
	chmod(path, 0600);
}

static inline void put_line(const char *dir, const char *name, const char *line)
{
	put_file(dir, name, line, strlen(line));
}

/* A file, or with an empty name the folder. */
static inline void remove_file(const char *dir, const char *name)
{
	char path[128];

	path_of(path, dir, name);
	remove(path);
}

static inline void put_hex(const char *name, const uint8_t bytes[32])
{
	char hex[65], path[128];

	sodium_bin2hex(hex, sizeof(hex), bytes, 32);
	put_line(identity_dir, name, hex);
	path_of(path, identity_dir, name);
	chmod(path, 0644);
}

/* A node with two admins, a chat device, and one admin revoked: lists 1 and 2. */
static struct signer node, ada, bob, cy, eve;
static struct device_list first, second;
static struct made first_made, second_made;

static inline void name_people(void)
{
	node = signer_named("node");
	ada = signer_named("ada");
	bob = signer_named("bob");
	cy = signer_named("cy");
	eve = signer_named("eve");
	first = (struct device_list){ .version = 1, .issued_ms = 1790000000000, .n_devices = 1 };
	memcpy(first.node, node.public_key, KEY_BYTES);
	memcpy(first.signer, ada.public_key, KEY_BYTES);
	first.devices[0] = device_of("ada", ROLE_ADMIN);
	first_made = made_list(&first, &ada);
	second = first;
	second.version = 2;
	second.issued_ms += 1000;
	crypto_hash_sha256(second.previous, first_made.bytes, first_made.length);
	second.n_devices = 4;
	second.devices[1] = device_of("bob", ROLE_ADMIN);
	second.devices[2] = device_of("cy", ROLE_CHAT);
	second.devices[3] = device_of("eve", ROLE_ADMIN);
	second.devices[3].is_revoked = true;
	second.devices[3].revoked_ms = 1790000000500;
	second_made = made_list(&second, &ada);
}

static inline struct device_list third_list(void)
{
	struct device_list third = second;

	third.version = 3;
	third.issued_ms += 1000;
	crypto_hash_sha256(third.previous, second_made.bytes, second_made.length);
	return third;
}

static inline struct window_order order_of(const struct signer *signer, uint64_t counter)
{
	struct window_order order = { .counter = counter, .not_after_ms = NOW_MS + 60000 };

	memcpy(order.node, node.public_key, KEY_BYTES);
	memcpy(order.signer, signer->public_key, KEY_BYTES);
	order.n_endpoints = 1;
	memcpy(order.endpoints[0].address, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1", 16);
	order.endpoints[0].port = 443;
	order.n_files = 1;
	return order;
}

static inline void empty_state(void)
{
	static const char *const FILES[] = { "devices.list",     "counter",     "seen",
					     "devices.list.new", "counter.new", "seen.new",
					     "report",           "report.new" };

	for (size_t i = 0; i < sizeof(FILES) / sizeof(*FILES); i++)
		remove_file(state_dir, FILES[i]);
}

static inline enum refusal take_list(struct standing *standing, const struct made *made)
{
	uint32_t version;

	return standing_take_device_list(standing, made->bytes, made->length, &version);
}

static inline enum refusal take_order(struct standing *standing, const struct window_order *order,
				      const struct signer *signer)
{
	struct made made = made_order(order, signer);
	struct window_order taken;

	return standing_take_window(standing, made.bytes, made.length, NOW_MS, &taken);
}

static inline enum refusal take_report(struct standing *standing, const struct window_order *order,
				       const struct signer *signer)
{
	struct made made = made_report(order, signer);
	struct window_order taken;

	return standing_take_report(standing, made.bytes, made.length, NOW_MS, &taken);
}

/* Both folders below `parent`, empty but for the identity. */
static inline void make_folders(const char *parent)
{
	uint8_t hash[32];

	snprintf(folder, sizeof(folder), "%s/standing-XXXXXX", parent);
	if (!mkdtemp(folder)) {
		perror(folder);
		exit(1);
	}
	snprintf(state_dir, sizeof(state_dir), "%s/state", folder);
	snprintf(identity_dir, sizeof(identity_dir), "%s/identity", folder);
	chmod(folder, 0711);
	mkdir(state_dir, 0700);
	mkdir(identity_dir, 0755);
	crypto_hash_sha256(hash, first_made.bytes, first_made.length);
	put_hex("genesis", hash);
	put_hex("node.pub", node.public_key);
}

static inline void remove_folders(void)
{
	empty_state();
	remove_file(state_dir, "");
	remove_file(identity_dir, "node.pub");
	remove_file(identity_dir, "genesis");
	remove_file(identity_dir, "");
	remove(folder);
}

#endif
