/*
 * Both readers on any bytes: neither reads past the end nor disagrees with itself. For libFuzzer;
 * `make -C bpf fuzz`. The first byte chooses the reader, the rest is the document.
 */
#include "../documents.h"

#include <stdlib.h>
#include <string.h>

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void fuzz_device_list(const uint8_t *untrusted, size_t length)
{
	static const uint8_t key[KEY_BYTES] = { 1 };
	struct device_list list;

	if (read_device_list(untrusted, length, &list) != REFUSAL_NONE)
		return;
	require(list.n_devices <= MAX_DEVICES && list.issued_ms >> 53 == 0);
	for (uint16_t i = 0; i < list.n_devices; i++)
		require((list.devices[i].role == ROLE_ADMIN || list.devices[i].role == ROLE_CHAT) &&
			list.devices[i].added_ms >> 53 == 0 &&
			list.devices[i].revoked_ms >> 53 == 0);
	require(verify_device_list(untrusted, length, key) == REFUSAL_AUTHENTICATION);
}

static void fuzz_window_order(const uint8_t *untrusted, size_t length)
{
	static const uint8_t key[KEY_BYTES] = { 1 };
	struct window_order order;

	if (read_window_order(untrusted, length, &order) != REFUSAL_NONE)
		return;
	require(order.n_endpoints <= MAX_ENDPOINTS && order.n_files <= MAX_FILES &&
		order.not_after_ms >> 53 == 0);
	require(verify_window_order(untrusted, length, key) == REFUSAL_AUTHENTICATION);
}

int LLVMFuzzerTestOneInput(const uint8_t *untrusted, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *untrusted, size_t length)
{
	if (length == 0)
		return 0;
	if (untrusted[0] == 0)
		fuzz_device_list(untrusted + 1, length - 1);
	else
		fuzz_window_order(untrusted + 1, length - 1);
	return 0;
}
