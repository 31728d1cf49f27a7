/*
 * One program with every attempt of the bypass matrix, and the parts outside that make a leak visible.
 *
 *   attempts inside  ...   does what its standard input asks, one cell per line (inside.c)
 *   attempts launch  ...   gets a cell into its cgroup and sandbox, with what an accomplice hands it (launch.c)
 *   attempts sniff   LINK  prints every frame that arrives at a link (sniff.c)
 *   attempts outside       answers and calls from the far end of the link (outside.c)
 *   attempts flood   ...   as many attempts as it can (flood.c)
 *   attempts stranger ...  becomes somebody else's program, in the place of ours (stranger.c)
 *   attempts sabotage ...  what root can do to a policy (sabotage.c)
 *   attempts broker  DIR   carries to the network whatever reaches its unix sockets (broker.c)
 *
 * A cell is one row of the matrix tried once. Its number gives it addresses of its own, so a frame can be
 * told apart even when it has no room for the canary. The canary is made at run time and comes in on
 * standard input, never in an argument.
 */
#ifndef ATTEMPTS_H
#define ATTEMPTS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#define CANARY_BYTES 16	   /* long enough never to appear by chance */
#define SINK_PORT 7000	   /* where the far end listens for TCP */
#define FIRST_OWN_PORT 20000 /* a cell that listens does so at this plus its number */
#define ACCOMPLICE_FD 3	   /* a socket pair to somebody outside */
#define HANDED_FD 4	   /* a socket made outside, before the cell joined its cgroup */
#define OFFERED_FD 10	   /* where the accomplice keeps the socket that pidfd_getfd asks for */
#define ATTEMPT_SECONDS 2  /* then an attempt is ended and reported as such, unless --seconds says otherwise */

struct cell {
	char row[8];
	int number;
	unsigned char canary[CANARY_BYTES];
};

/* What an attempt may need to know about where it is; all from arguments, none of it secret. */
struct place {
	const char *broker;	/* folder of the broker's sockets */
	const char *cgroup;	/* root of the policy */
	const char *cgroup_root; /* root of the whole hierarchy */
	const char *pins;
	const char *netns;	/* a namespace with a network */
	const char *link;	/* the link in it */
	const char *confine;	/* file that confine.c reads */
	int own_port;		/* of a gateway; 0 elsewhere */
	pid_t warden;
	pid_t accomplice;
	int seconds;		/* an attempt has this long */
	uid_t uid;
	bool keeps_capabilities; /* somebody who is not root, and has every right of root's */
};

typedef void attempt_function(const struct cell *cell, const struct place *place);
struct attempt {
	const char *row;
	attempt_function *run;
};

/* Tables of every file, each ended by a row of NULL. */
extern const struct attempt internet_attempts[], listen_attempts[], uring_attempts[], handed_attempts[],
	unix_attempts[], raw_attempts[], escape_attempts[], policy_attempts[], family_attempts[];

/* The addresses that only this cell uses. */
struct sockaddr_in address4(const struct cell *cell, int port);
struct sockaddr_in6 address6(const struct cell *cell, int port);
struct sockaddr_in6 mapped(const struct cell *cell, int port);
struct in_addr group4(const struct cell *cell);
struct in6_addr group6(const struct cell *cell);

/* Says which step comes next, so that an attempt that hangs or dies is still named by it. */
void step(const char *name);
/* Ends the attempt at the step named last when `result` is negative; else gives it back. */
int must(int result);
/* Ends the attempt: everything it wanted was done. Whether a frame left is the sniffer's word. */
_Noreturn void done(const char *what);
/* Ends the attempt at this step. */
_Noreturn void failed(const char *name, int error);

/* Sends the canary to the cell's own address, over a connected socket made here. */
_Noreturn void send_over(int fd, const struct cell *cell);
_Noreturn void send_udp(const struct cell *cell);

/* Read by an accomplice: what somebody wrote here goes out by its socket (rows 32). */
extern volatile unsigned char wound[CANARY_BYTES];

bool read_cell(char *line, struct cell *cell);
void confine(const char *path);
void become(uid_t uid, bool keeps_capabilities);

int inside_main(int argc, char **argv);
int launch_main(int argc, char **argv);
int sniff_main(int argc, char **argv);
int outside_main(int argc, char **argv);
int broker_main(int argc, char **argv);
int flood_main(int argc, char **argv);
int stranger_main(int argc, char **argv);
int sabotage_main(int argc, char **argv);
int accomplice_main(int argc, char **argv);
void read_place(int argc, char **argv, struct place *place);

#endif
