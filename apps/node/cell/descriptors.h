/*
 * What the program has open: the gateway's connection, one to the keeper, its way to the warden; nothing else.
 */
#ifndef PHANTOMA_CELL_DESCRIPTORS_H
#define PHANTOMA_CELL_DESCRIPTORS_H

/* What ipc/inherited.ts expects. */
enum { GATEWAY = 3, KEEPER = 4, WITNESS = 5 };

int is_connection(int fd);

/* Whether `where` is a connection that was given (`fd:4`), not the path of a socket. */
int is_inherited(const char *where);

/* A connection to a socket, or one that was given; closed on exec. -1 where there is none. */
int channel_to(const char *where);

/* The program's way to say one word to the warden; it leads nowhere where no warden listens, because a task
 * without a witness has a receipt that says so: nothing here is worth waiting for. -1 where there is no descriptor. */
int witness_at(const char *path);

/* Leaves these at their places, and nothing at those of the standard descriptors; `witness` may be -1.
 * False when not. */
int arrange_descriptors(int gateway, int keeper, int witness);

#endif
