/*
 * The warden's part of a receipt: the committed vectors of packages/crypto, and beginnings that are none.
 */
#include "documents-made.h"

#include "../receipt.h"

#ifndef VECTORS
#define VECTORS "../packages/crypto/vectors/documents/"
#endif

/* PROTOCOL.md, section 7.13. */
enum { GRADE_AT = 226, CELL_AT = 227 };

/* The bytes of `name` in the file's next case; what they are the text behind. */
static const char *next_bytes(const char *at, const char *name, uint8_t *bytes, size_t room,
			      size_t *length)
{
	char wanted[64];

	snprintf(wanted, sizeof(wanted), "\n%s ", name);
	at = strstr(at, wanted);
	if (!at)
		return NULL;
	at += strlen(wanted);
	return sodium_hex2bin(bytes, room, at, strcspn(at, "\n"), NULL, length, NULL) ? NULL : at;
}

static uint64_t next_number(const char **at, const char *name)
{
	char wanted[64];
	unsigned long long number = 0;

	snprintf(wanted, sizeof(wanted), "\n%s ", name);
	*at = strstr(*at, wanted);
	if (!*at || sscanf(*at + strlen(wanted), "%llu", &number) != 1)
		return UINT64_MAX;
	return number;
}

static unsigned int vectors(char *text)
{
	unsigned int cases = 0;

	for (const char *at = text; (at = strstr(at, "case ")); cases++) {
		uint8_t seed[32], key[KEY_BYTES], secret[64], begun[300],
			message[MAX_WITNESSED_BYTES];
		uint8_t expected[MAX_WITNESSED_BYTES], signature[64], signed_here[64],
			node[KEY_BYTES];
		struct witnessed witnessed;
		size_t length, begun_length, expected_length, made;

		if (!(at = next_bytes(at, "private-key", seed, sizeof(seed), &length)) ||
		    !(at = next_bytes(at, "node", node, sizeof(node), &length)) ||
		    !(at = next_bytes(at, "begun", begun, sizeof(begun), &begun_length)))
			break;
		witnessed.attempts = next_number(&at, "attempts");
		witnessed.unreported = next_number(&at, "unreported");
		if (!(at = next_bytes(at, "policy", witnessed.policy, HASH_BYTES, &length)) ||
		    !(at = next_bytes(at, "bootId", witnessed.boot_id, BOOT_ID_BYTES, &length)) ||
		    !(at = next_bytes(at, "signed", expected, sizeof(expected),
				      &expected_length)) ||
		    !(at = next_bytes(at, "signature", signature, sizeof(signature), &length)))
			break;
		check("the worker's key is found in a vector",
		      receipt_worker_key(begun, begun_length, node) == begun + 114);
		made = receipt_message(begun, begun_length, &witnessed, message);
		check("what is signed is what the vector says",
		      made == expected_length && memcmp(message, expected, made) == 0);
		crypto_sign_seed_keypair(key, secret, seed);
		crypto_sign_detached(signed_here, NULL, message, made, secret);
		check("and so is the signature", memcmp(signed_here, signature, 64) == 0);
		for (size_t cut = 0; cut < begun_length + 20; cut++)
			if (cut != begun_length && (cut != begun_length + 17 || begun[CELL_AT]))
				check("a beginning of another length is none",
				      !receipt_worker_key(begun, cut, node));
		begun[0] ^= 1;
		check("another kind of document is none",
		      !receipt_worker_key(begun, begun_length, node));
		begun[0] ^= 1;
		for (int version = 0; version < 256; version++) {
			begun[1] = (uint8_t)version;
			check("the second version is one, and no other",
			      !receipt_worker_key(begun, begun_length, node) == (version != 2));
		}
		begun[1] = 2;
		node[31] ^= 1;
		check("another node's is none", !receipt_worker_key(begun, begun_length, node));
		node[31] ^= 1;
		for (int grade = 0; grade < 256; grade++) {
			begun[GRADE_AT] = (uint8_t)grade;
			check("A, B and C are grades, and nothing else",
			      !receipt_worker_key(begun, begun_length, node) ==
				      (grade < 1 || grade > 3));
		}
		begun[GRADE_AT] = 1;
		begun[CELL_AT] = 2;
		check("a presence of 2 is none", !receipt_worker_key(begun, begun_length, node));
	}
	return cases;
}

int main(void)
{
	static char text[1 << 20];
	FILE *file = fopen(VECTORS "receipt-2-witness.txt", "r");

	if (!file || !fread(text, 1, sizeof(text) - 1, file) || sodium_init() < 0)
		return 1;
	fclose(file);
	check("every vector was read whole", vectors(text) == 4);
	return conclude();
}
