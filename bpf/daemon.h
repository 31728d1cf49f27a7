/* `warden run`: the state of the daemon, and what the keeper may ask of it. */
#ifndef DAEMON_H
#define DAEMON_H

#include "keeper.h"
#include "policy.h"
#include "probe.h"
#include "standing.h"
#include "status.h"
#include "witness.h"

/* 16: the size of the map. */
#define UNIX_PATHS_MAX 16

struct options {
	const char *cgroup, *pins, *state, *socket, *identity, *of;
	const char *witness; /* NULL: no receipt has a witness */
	const char *unix_path[UNIX_PATHS_MAX]; /* UNIT=PATH */
	unsigned unix_paths;
	__u32 ring_bytes, port;
	int make_cgroup, is_json;
};

struct daemon {
	struct policy policy;
	struct status status;
	struct standing *standing;
	struct keeper keeper;
	struct probe probe;
	struct fault fault;
	struct witness witness;
	__u64 deadline; /* of the open window in boot ns; 0: none */
	__u8 window_signer[KEY_BYTES]; /* zeros: not known, for another warden opened it */
	__u8 report_signer[KEY_BYTES]; /* of the standing order; zeros: not known, or none */
	__u64 sequence; /* of the next event, from 1 */
	__u64 lost_told;
};

/* Acts on one line of the keeper and queues the answer; -1 for what is no request. */
int request_answer(void *daemon, char *line);

/* Closes the window in the map and says so. */
void request_close_window(struct daemon *daemon);

/* Runs until SIGTERM. The exit status: 0, 1 with a fault on stderr, or 75 when it must be started
 * again to attach anew. */
int daemon_run(const struct options *options);

#endif
