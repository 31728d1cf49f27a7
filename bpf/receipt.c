/*
 * The bytes of a receipt that the warden reads and signs. See receipt.h.
 */
#include "receipt.h"

#include <string.h>

/* Where the receipt's fields lie: PROTOCOL.md, section 7.13. */
enum {
	RECEIPT_TYPE = 6,
	RECEIPT_VERSION = 2,
	NODE_AT = 2,
	WORKER_KEY_AT = 114,
	GRADE_AT = 226,
	GRADES = 3,
	CELL_AT = 227,
	CELL_BYTES = 17,
};

const uint8_t *receipt_worker_key(const uint8_t *untrusted, size_t length,
				  const uint8_t node[KEY_BYTES])
{
	if (length < CELL_AT + 1 || untrusted[0] != RECEIPT_TYPE ||
	    untrusted[1] != RECEIPT_VERSION || untrusted[GRADE_AT] < 1 ||
	    untrusted[GRADE_AT] > GRADES || untrusted[CELL_AT] > 1 ||
	    length != CELL_AT + 1u + (untrusted[CELL_AT] ? CELL_BYTES : 0) ||
	    memcmp(untrusted + NODE_AT, node, KEY_BYTES))
		return NULL;
	return untrusted + WORKER_KEY_AT;
}

static uint8_t *put(uint8_t *at, const void *bytes, size_t length)
{
	memcpy(at, bytes, length);
	return at + length;
}

static uint8_t *put_number(uint8_t *at, uint64_t number)
{
	for (int shift = 56; shift >= 0; shift -= 8)
		*at++ = (uint8_t)(number >> shift);
	return at;
}

size_t receipt_message(const uint8_t *begun, size_t length, const struct witnessed *witnessed,
		       uint8_t out[MAX_WITNESSED_BYTES])
{
	/* The zero byte at the end is signed too. */
	static const char domain[] = "phantoma receipt witness v1";
	uint8_t *at = put(out, domain, sizeof(domain));

	at = put(at, begun, length);
	*at++ = 1; /* there is a warden's part */
	at = put_number(at, witnessed->attempts);
	at = put_number(at, witnessed->unreported);
	at = put(at, witnessed->policy, sizeof(witnessed->policy));
	at = put(at, witnessed->boot_id, sizeof(witnessed->boot_id));
	return (size_t)(at - out);
}
