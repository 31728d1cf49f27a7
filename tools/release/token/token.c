/*
 * Asks a token for one key: its public half, or a signature.
 *
 *   token LIBRARY LABEL ID public            prints the key in hex
 *   token LIBRARY LABEL ID sign              reads a line with the PIN, then what is to be signed; prints the signature
 *
 * One program per question, so that a token maker's library never lives in the process that judges what is signed.
 *
 * Source: PKCS #11 Specification 3.1, sections 5.4 to 5.13 and 6.3 (Ed25519: 6.3.15).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A list of releases has at most 1 MiB; the rest is its frame. */
#define MAX_BYTES (1u << 20 | 1u << 16)
/* Of a token's PIN: the standard has no limit, and nobody types more. */
#define MAX_PIN_BYTES 256
/* Of an object's number. */
#define MAX_ID_BYTES 20
/* A machine has a handful of readers. */
#define MAX_SLOTS 64
#define ED25519_PUBLIC_BYTES 32
#define ED25519_SIGNATURE_BYTES 64
/* Of an EC point: the tag and length of an octet string. */
#define POINT_HEAD_BYTES 2

static CK_FUNCTION_LIST *token;

static void fail(const char *why)
{
	fprintf(stderr, "token: %s\n", why);
	exit(1);
}

static void demand(CK_RV result, const char *why)
{
	if (result != CKR_OK)
		fail(why);
}

static void print_hex(const unsigned char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		printf("%02x", bytes[i]);
	printf("\n");
}

static void load(const char *path)
{
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	CK_C_GetFunctionList list = NULL;

	if (library)
		*(void **)&list = dlsym(library, "C_GetFunctionList");
	if (!list || list(&token) != CKR_OK || token->C_Initialize(NULL) != CKR_OK)
		fail("its library cannot be loaded");
}

/* Labels are padded with blanks to their full width. */
static bool has_label(CK_SLOT_ID slot, const char *label)
{
	CK_TOKEN_INFO info;
	char padded[sizeof(info.label)];

	if (strlen(label) > sizeof(padded) || token->C_GetTokenInfo(slot, &info) != CKR_OK)
		return false;
	memset(padded, ' ', sizeof(padded));
	memcpy(padded, label, strlen(label));
	return memcmp(padded, info.label, sizeof(padded)) == 0;
}

static CK_SESSION_HANDLE open_session(const char *label)
{
	CK_SLOT_ID slots[MAX_SLOTS];
	CK_ULONG count = MAX_SLOTS, found = MAX_SLOTS;
	CK_SESSION_HANDLE session;

	demand(token->C_GetSlotList(CK_TRUE, slots, &count), "it has no slots");
	for (CK_ULONG i = 0; i < count; i++) {
		if (!has_label(slots[i], label))
			continue;
		if (found < MAX_SLOTS)
			fail("two tokens have this label");
		found = i;
	}
	if (found == MAX_SLOTS)
		fail("no token has this label");
	demand(token->C_OpenSession(slots[found], CKF_SERIAL_SESSION, NULL, NULL, &session),
	       "it opens no session");
	return session;
}

static CK_OBJECT_HANDLE find_key(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class, const char *hex)
{
	unsigned char id[MAX_ID_BYTES];
	CK_ULONG length = 0, count = 0;
	CK_KEY_TYPE type = CKK_EC_EDWARDS;
	CK_OBJECT_HANDLE keys[2];

	for (; length < MAX_ID_BYTES && sscanf(hex + 2 * length, "%2hhx", &id[length]) == 1; length++)
		;
	CK_ATTRIBUTE wanted[] = {
		{ CKA_CLASS, &class, sizeof(class) },
		{ CKA_ID, id, length },
		{ CKA_KEY_TYPE, &type, sizeof(type) },
	};
	demand(token->C_FindObjectsInit(session, wanted, 3), "it cannot be searched");
	demand(token->C_FindObjects(session, keys, 2, &count), "it cannot be searched");
	token->C_FindObjectsFinal(session);
	if (count != 1)
		fail(count == 0 ? "it has no Ed25519 key of this number" : "two keys have this number");
	return keys[0];
}

/* As an octet string, which the standard wants, or bare, which some tokens give. */
static void print_public(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
	unsigned char point[POINT_HEAD_BYTES + ED25519_PUBLIC_BYTES];
	CK_ATTRIBUTE attribute = { CKA_EC_POINT, point, sizeof(point) };

	demand(token->C_GetAttributeValue(session, key, &attribute, 1), "the key is not Ed25519");
	if (attribute.ulValueLen == ED25519_PUBLIC_BYTES)
		print_hex(point, ED25519_PUBLIC_BYTES);
	else if (attribute.ulValueLen == sizeof(point) && point[0] == 4 && point[1] == ED25519_PUBLIC_BYTES)
		print_hex(point + POINT_HEAD_BYTES, ED25519_PUBLIC_BYTES);
	else
		fail("the key is not Ed25519");
}

static void log_in(CK_SESSION_HANDLE session)
{
	char pin[MAX_PIN_BYTES + 2];
	CK_RV result;

	/* No buffer of the C library's keeps it. */
	setvbuf(stdin, NULL, _IONBF, 0);
	if (!fgets(pin, sizeof(pin), stdin) || !strchr(pin, '\n'))
		fail("there is no PIN");
	result = token->C_Login(session, CKU_USER, (unsigned char *)pin, strcspn(pin, "\n"));
	explicit_bzero(pin, sizeof(pin));
	if (result == CKR_PIN_LOCKED)
		fail("the PIN is locked after too many wrong ones");
	demand(result, "the PIN is wrong");
}

static void print_signature(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
	CK_MECHANISM mechanism = { CKM_EDDSA, NULL, 0 };
	unsigned char signature[ED25519_SIGNATURE_BYTES];
	CK_ULONG length = sizeof(signature);
	unsigned char *bytes = malloc(MAX_BYTES + 1);
	size_t size = bytes ? fread(bytes, 1, MAX_BYTES + 1, stdin) : 0;

	if (size == 0 || size > MAX_BYTES)
		fail("there is nothing to sign, or too much");
	demand(token->C_SignInit(session, &mechanism, key), "the key may not sign");
	demand(token->C_Sign(session, bytes, size, signature, &length), "it does not sign");
	if (length != sizeof(signature))
		fail("the signature is not Ed25519");
	print_hex(signature, sizeof(signature));
	free(bytes);
}

int main(int argc, char **argv)
{
	bool signs;
	CK_SESSION_HANDLE session;

	if (argc != 5 || (strcmp(argv[4], "public") && strcmp(argv[4], "sign"))) {
		fprintf(stderr, "usage: token LIBRARY LABEL ID public|sign\n");
		return 2;
	}
	signs = strcmp(argv[4], "sign") == 0;
	load(argv[1]);
	session = open_session(argv[2]);
	if (signs) {
		log_in(session);
		print_signature(session, find_key(session, CKO_PRIVATE_KEY, argv[3]));
	} else {
		print_public(session, find_key(session, CKO_PUBLIC_KEY, argv[3]));
	}
	token->C_Finalize(NULL);
	return 0;
}
