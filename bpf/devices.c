/*
 * The chain of device lists. See devices.h.
 */
#include "devices.h"

#include <sodium.h>

static const uint8_t NO_PREVIOUS[HASH_BYTES];

bool is_same(const uint8_t a[32], const uint8_t b[32])
{
	return sodium_memcmp(a, b, 32) == 0;
}

static const struct device *find_device(const struct device_list *list,
					const uint8_t signing_key[KEY_BYTES])
{
	for (uint16_t i = 0; i < list->n_devices; i++)
		if (is_same(list->devices[i].signing_key, signing_key))
			return &list->devices[i];
	return NULL;
}

bool has_active_admin(const struct device_list *list, const uint8_t signing_key[KEY_BYTES])
{
	for (uint16_t i = 0; i < list->n_devices; i++) {
		const struct device *device = &list->devices[i];

		if (!device->is_revoked && is_same(device->signing_key, signing_key))
			return device->role == ROLE_ADMIN;
	}
	return false;
}

static bool has_any_active_admin(const struct device_list *list)
{
	for (uint16_t i = 0; i < list->n_devices; i++)
		if (!list->devices[i].is_revoked && list->devices[i].role == ROLE_ADMIN)
			return true;
	return false;
}

/* Key number `index` of a list: the signing key and the tunnel key of each entry in turn. */
static const uint8_t *key_of(const struct device_list *list, unsigned int index)
{
	const struct device *device = &list->devices[index / 2];

	return index % 2 == 0 ? device->signing_key : device->tunnel_key;
}

bool is_list_of(const struct device_list *list, const uint8_t node[KEY_BYTES])
{
	for (unsigned int i = 0; i < 2u * list->n_devices; i++)
		for (unsigned int j = 0; j < i; j++)
			if (is_same(key_of(list, i), key_of(list, j)))
				return false;
	return is_same(list->node, node);
}

/* Devices do not vanish or come back: they are revoked, and a revoked one may be dropped later. */
static bool is_kept(const struct device *device, const struct device_list *next)
{
	const struct device *kept = find_device(next, device->signing_key);

	if (!kept)
		return device->is_revoked;
	if (!is_same(kept->tunnel_key, device->tunnel_key))
		return false;
	return !device->is_revoked || (kept->is_revoked && kept->revoked_ms == device->revoked_ms);
}

enum refusal open_first_device_list(const uint8_t *untrusted, size_t length,
				    const uint8_t node[KEY_BYTES],
				    const uint8_t pinned_hash[HASH_BYTES],
				    struct device_list *first)
{
	enum refusal refusal = read_device_list(untrusted, length, first);

	if (!is_same(first->hash, pinned_hash))
		return REFUSAL_NOT_AUTHORISED;
	if (refusal == REFUSAL_NONE)
		refusal = verify_device_list(untrusted, length, first->signer);
	if (refusal != REFUSAL_NONE)
		return refusal;
	if (first->version != 1 || !is_same(first->previous, NO_PREVIOUS) ||
	    !has_active_admin(first, first->signer) || !is_list_of(first, node))
		return REFUSAL_NOT_AUTHORISED;
	return REFUSAL_NONE;
}

enum refusal open_next_device_list(const uint8_t *untrusted, size_t length,
				   const struct device_list *current, struct device_list *next)
{
	enum refusal refusal = read_device_list(untrusted, length, next);

	if (refusal != REFUSAL_NONE)
		return refusal;
	if (!has_active_admin(current, next->signer))
		return REFUSAL_NOT_AUTHORISED;
	refusal = verify_device_list(untrusted, length, next->signer);
	if (refusal != REFUSAL_NONE)
		return refusal;
	if ((uint64_t)next->version != (uint64_t)current->version + 1 ||
	    !is_same(next->previous, current->hash) || next->issued_ms < current->issued_ms)
		return REFUSAL_NOT_AUTHORISED;
	for (uint16_t i = 0; i < current->n_devices; i++)
		if (!is_kept(&current->devices[i], next))
			return REFUSAL_NOT_AUTHORISED;
	if (!has_any_active_admin(next) || !is_list_of(next, current->node))
		return REFUSAL_NOT_AUTHORISED;
	return REFUSAL_NONE;
}
