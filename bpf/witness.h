/* The warden's part of a receipt: what it saw one task try, signed with a key of its own.
 *
 * A worker says its one-time key here before it asks the keeper to certify it. The kernel says which
 * cgroup those bytes came from, so nobody else can say which attempts belong to which key, the keeper
 * included. docs/decisions/0018-the-warden-as-witness.md says what follows from it.
 */
#ifndef WITNESS_H
#define WITNESS_H

#include "documents.h"
#include "policy.h"

/* 512: a part is under 400 bytes. */
#define WITNESS_BYTES 512

/* An Ed25519 key as libsodium keeps it: the seed, then the public key. */
#define SECRET_BYTES 64

struct witness {
	int socket; /* -1 without a witness */
	int removes_cgroups;
	__u64 broken_at; /* boot ns when the policy was last found broken; 0: never */
	__u8 node[KEY_BYTES];
	__u8 secret[SECRET_BYTES];
};

/* Listens at `path` for workers; this user's and the folder's group may say something. Without a path,
 * or a key in the state folder, there is no witness. Faults: ERR_SOCKET. */
int witness_open(struct witness *witness, const char *path, const char *state_dir,
		 const char *identity_dir, struct fault *fault);

/* Takes what workers said. Bounded: who says much has to wait. */
void witness_take(const struct witness *witness, const struct policy *policy);

/* Signs, once, for the task whose receipt begins with these bytes: all of it before the warden's part.
 * `part` stays as it is where this warden has nothing to say. */
void witness_sign(const struct witness *witness, const struct policy *policy, const __u8 *untrusted,
		  size_t length, char part[WITNESS_BYTES]);

#endif
