/* The warden's socket and its one client, the keeper: bounded lines in, lines out. Never blocks. */
#ifndef KEEPER_H
#define KEEPER_H

#include <stddef.h>
#include <sys/types.h>
#include "fault.h"

/* 131,200: a document of 65,535 bytes in hexadecimal, and the word before it. */
#define LINE_BYTES 131200

/* 256 KiB: a second of a flood's events; while it is full they stay in the ring, and the kernel
 * counts what is lost there. */
#define BACKLOG_BYTES (256 * 1024)

struct keeper {
	int listener;
	int client; /* -1 while there is none */
	size_t in_used, out_used;
	char in[LINE_BYTES];
	char out[BACKLOG_BYTES];
};

/* Listens at `path`. This user may connect, and the group of the folder, which a set-group folder
 * gives to the socket. Faults: ERR_SOCKET. */
int keeper_listen(struct keeper *keeper, const char *path, struct fault *fault);

/* Takes the next client; the one before must be gone. */
void keeper_accept(struct keeper *keeper);

/* Reads what is there and calls `act` for every whole line; it returns -1 for what it does not
 * understand, which ends the connection, as does a line that is too long. */
void keeper_read(struct keeper *keeper, int (*act)(void *context, char *line), void *context);

/* Queues one line; `line` without newline. A client that does not read its answers is dropped. */
__attribute__((format(printf, 2, 3))) void keeper_say(struct keeper *keeper, const char *line, ...);

/* Room for events; the rest of the backlog is kept for answers. */
int keeper_has_room(const struct keeper *keeper);

void keeper_flush(struct keeper *keeper);

#endif
