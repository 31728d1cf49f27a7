/*
 * The bytes of a receipt that the warden reads and signs: PROTOCOL.md, section 7.13. The keeper makes the
 * rest; packages/crypto checks both signatures, and reads the same committed vectors.
 */
#ifndef PHANTOMA_RECEIPT_H
#define PHANTOMA_RECEIPT_H

#include "documents.h"

#define SIGNATURE_BYTES 64
#define BOOT_ID_BYTES   16
/* Domain, the longest beginning, and the part. */
#define MAX_WITNESSED_BYTES 400

/* The warden's part without its signature. */
struct witnessed {
	uint64_t attempts, unreported;
	uint8_t policy[HASH_BYTES], boot_id[BOOT_ID_BYTES];
};

/* The one-time key in a receipt of `node` up to its warden's part; NULL when these bytes are none. Of the
 * version that has a grade only: a keeper signs no other any more. */
const uint8_t *receipt_worker_key(const uint8_t *untrusted, size_t length,
				  const uint8_t node[KEY_BYTES]);

/* What is signed; its length. `begun` is what receipt_worker_key found a key in. */
size_t receipt_message(const uint8_t *begun, size_t length, const struct witnessed *witnessed,
		       uint8_t out[MAX_WITNESSED_BYTES]);

#endif
