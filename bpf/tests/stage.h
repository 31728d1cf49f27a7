/*
 * A place for tests against the live kernel: a network namespace with loopback up, a cgroup root of
 * its own, folders, and a warden in it. All of it is removed at the end; nothing reaches beyond the
 * namespace.
 */
#ifndef STAGE_H
#define STAGE_H

#include <stdarg.h>
#include <sys/types.h>
#include "../cgroup.h"

struct stage {
	char folder[32]; /* of files, in /tmp */
	char cgroup[256], pins[128], state[96], identity[96], socket[96];
	char home[CGROUP_PATH_BYTES]; /* the cgroup that the test came from */
	pid_t warden;                 /* 0 while none runs */
	char said[4096];              /* by the last command, both streams */
};

/* Ends the test program with a reason when the machine does not allow it. */
void stage_make(struct stage *stage);
void stage_remove(struct stage *stage);

/* Starts `warden run --make-cgroup` with more arguments, NULL at the end, and waits for "ready"; -1
 * when it ended instead. */
int stage_start(struct stage *stage, ...);

/* The same with /dev/null for its output, as systemd may give it; waits for its socket. */
int stage_start_silent(struct stage *stage);

/* Sends a signal and waits for the end; the exit status, or -signal. */
int stage_end(struct stage *stage, int signal);

/* Runs a command of the warden with the stage's folders; its exit status. */
int stage_warden(struct stage *stage, const char *command, ...);

/* Runs `work` in a child inside the unit's folder; its result (0 to 125), or -1. */
int stage_in(const struct stage *stage, const char *unit, int (*work)(void *), void *context);

/* A pinned map or link. */
int stage_pin(const struct stage *stage, const char *name);

/* Exact attempts of a unit until now, and what of them was lost. */
unsigned long long stage_attempts(const struct stage *stage, const char *unit);
unsigned long long stage_lost(const struct stage *stage, const char *unit);
/* Whether attempts == logged + lost for every unit. */
int stage_adds_up(const struct stage *stage);

/* A pair of interfaces: 10.9.0.1 and fd09::1 here, 10.9.0.2 and fd09::2 in a namespace of a child,
 * which echoes TCP on port 443, sinks UDP, and counts what arrives on the wire. */
struct peer {
	pid_t pid;
	int channel;
};
void peer_make(struct peer *peer);
/* IP packets from this side with UDP or TCP in them, since the last time asked. */
unsigned long peer_frames(struct peer *peer);
void peer_end(struct peer *peer);

#endif
