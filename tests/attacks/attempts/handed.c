/* Rows 16 to 19 and 24: sockets that somebody outside made. Their cgroup is the one of their maker. */
#define _GNU_SOURCE
#include "attempts.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <unistd.h>

/* 16a: made before the cell joined its cgroup, connected after. */
static void connect_handed(const struct cell *cell, const struct place *place)
{
	struct sockaddr_in to = address4(cell, SINK_PORT);

	(void)place;
	step("connect");
	must(connect(HANDED_FD, (struct sockaddr *)&to, sizeof(to)));
	send_over(HANDED_FD, cell);
}

static _Noreturn void send_to_from(int fd, const struct cell *cell)
{
	struct sockaddr_in to = address4(cell, SINK_PORT);

	step("sendto");
	must((int)sendto(fd, cell->canary, CANARY_BYTES, 0, (struct sockaddr *)&to, sizeof(to)));
	done("sent");
}

static void send_handed(const struct cell *cell, const struct place *place)
{
	(void)place;
	send_to_from(HANDED_FD, cell);
}

/* 17: connected already by its maker. */
static void write_handed(const struct cell *cell, const struct place *place)
{
	(void)place;
	send_over(HANDED_FD, cell);
}

/* A pipe with the canary in it. */
static int full_pipe(const struct cell *cell)
{
	int ends[2];

	step("pipe");
	must(pipe(ends));
	must((int)write(ends[1], cell->canary, CANARY_BYTES));
	return ends[0];
}

/* 17c: older kernels take pages for a socket by another way than messages. */
static void sendfile_handed(const struct cell *cell, const struct place *place)
{
	int file;

	(void)place;
	step("memfd");
	file = must(memfd_create("attempt", 0));
	must((int)pwrite(file, cell->canary, CANARY_BYTES, 0));
	step("sendfile");
	must((int)sendfile(HANDED_FD, file, &(off_t){0}, CANARY_BYTES));
	usleep(30000);
	done("sent");
}

static void splice_handed(const struct cell *cell, const struct place *place)
{
	int from = full_pipe(cell);

	(void)place;
	step("splice");
	must((int)splice(from, NULL, HANDED_FD, NULL, CANARY_BYTES, 0));
	usleep(30000);
	done("sent");
}

/* 18: asks the accomplice for a socket over the pair. */
static void receive_socket(const struct cell *cell, const struct place *place)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	char byte = 'g';
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	int fd;

	(void)place;
	step("ask");
	must((int)write(ACCOMPLICE_FD, &byte, 1));
	step("recvmsg");
	must((int)recvmsg(ACCOMPLICE_FD, &message, 0));
	if (!CMSG_FIRSTHDR(&message))
		failed("recvmsg", EBADMSG);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	send_to_from(fd, cell);
}

/* 19: takes it out of a process of the same user. */
static void take_socket(const struct cell *cell, const struct place *place)
{
	int process;

	step("pidfd_open");
	process = must((int)syscall(SYS_pidfd_open, place->accomplice, 0));
	step("pidfd_getfd");
	send_to_from(must((int)syscall(SYS_pidfd_getfd, process, OFFERED_FD, 0)), cell);
}

/* 24: bound to the link by its maker, so only the frame is missing. */
static void frame_handed(const struct cell *cell, const struct place *place)
{
	unsigned char frame[14 + CANARY_BYTES + 30] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x88, 0xb5};

	(void)place;
	memcpy(frame + 14, cell->canary, CANARY_BYTES);
	step("send");
	must((int)send(HANDED_FD, frame, sizeof(frame), 0));
	done("sent");
}

const struct attempt handed_attempts[] = {
	{"16a", connect_handed}, {"16b", send_handed},	{"17a", write_handed}, {"17b", write_handed},
	{"17c", sendfile_handed}, {"17d", splice_handed},
	{"18", receive_socket},	 {"19", take_socket},	{"24", frame_handed},  {NULL, NULL},
};
