/* Rows 13 and 14: the same through io_uring, whose calls a filter on socket() never sees. No library: raw rings. */
#define _GNU_SOURCE
#include "attempts.h"
#include <errno.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ENTRIES 4 /* one request at a time */

/* Headers of Linux 5.19 and later have it; the number never changes. */
#define OP_SOCKET 45

static struct ring {
	int fd;
	unsigned *tail, *mask, *array, *completed_head, *completed_mask;
	struct io_uring_sqe *entries;
	struct io_uring_cqe *completions;
} ring;

static void *map(size_t size, off_t offset)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring.fd, offset);

	if (at == MAP_FAILED)
		must(-1);
	return at;
}

static void set_up(void)
{
	struct io_uring_params params = {0};
	char *submit, *complete;

	step("io_uring_setup");
	ring.fd = must((int)syscall(SYS_io_uring_setup, ENTRIES, &params));
	submit = map(params.sq_off.array + params.sq_entries * sizeof(unsigned), IORING_OFF_SQ_RING);
	complete = map(params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe), IORING_OFF_CQ_RING);
	ring.entries = map(params.sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
	ring.tail = (unsigned *)(submit + params.sq_off.tail);
	ring.mask = (unsigned *)(submit + params.sq_off.ring_mask);
	ring.array = (unsigned *)(submit + params.sq_off.array);
	ring.completed_head = (unsigned *)(complete + params.cq_off.head);
	ring.completed_mask = (unsigned *)(complete + params.cq_off.ring_mask);
	ring.completions = (struct io_uring_cqe *)(complete + params.cq_off.cqes);
}

/* Does one request and waits for it; ends the attempt when the kernel refuses it. */
static int submit(const char *name, struct io_uring_sqe request)
{
	unsigned at = *ring.tail & *ring.mask;
	int result;

	step(name);
	ring.entries[at] = request;
	ring.array[at] = at;
	__atomic_store_n(ring.tail, *ring.tail + 1, __ATOMIC_RELEASE);
	must((int)syscall(SYS_io_uring_enter, ring.fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0));
	result = ring.completions[*ring.completed_head & *ring.completed_mask].res;
	__atomic_store_n(ring.completed_head, *ring.completed_head + 1, __ATOMIC_RELEASE);
	if (result < 0)
		failed(name, -result);
	return result;
}

static int uring_socket(int family, int type)
{
	return submit("uring-socket", (struct io_uring_sqe){.opcode = OP_SOCKET, .fd = family, .off = (unsigned)type});
}

static void uring_tcp(const struct cell *cell, const struct place *place)
{
	struct sockaddr_in to = address4(cell, SINK_PORT);
	int fd;

	(void)place;
	set_up();
	fd = uring_socket(AF_INET, SOCK_STREAM);
	submit("uring-connect", (struct io_uring_sqe){.opcode = IORING_OP_CONNECT, .fd = fd, .addr = (unsigned long)&to, .off = sizeof(to)});
	submit("uring-send", (struct io_uring_sqe){.opcode = IORING_OP_SEND, .fd = fd, .addr = (unsigned long)cell->canary, .len = CANARY_BYTES});
	usleep(30000);
	done("sent");
}

static _Noreturn void uring_message(const struct cell *cell, int family, void *to, socklen_t size)
{
	struct iovec part = {(void *)cell->canary, CANARY_BYTES};
	struct msghdr message = {.msg_name = to, .msg_namelen = size, .msg_iov = &part, .msg_iovlen = 1};

	set_up();
	submit("uring-sendmsg", (struct io_uring_sqe){.opcode = IORING_OP_SENDMSG, .fd = uring_socket(family, SOCK_DGRAM),
						      .addr = (unsigned long)&message, .len = 1});
	done("sent");
}

static void uring_udp4(const struct cell *cell, const struct place *place)
{
	struct sockaddr_in to = address4(cell, SINK_PORT);

	(void)place;
	uring_message(cell, AF_INET, &to, sizeof(to));
}

static void uring_udp6(const struct cell *cell, const struct place *place)
{
	struct sockaddr_in6 to = address6(cell, SINK_PORT);

	(void)place;
	uring_message(cell, AF_INET6, &to, sizeof(to));
}

const struct attempt uring_attempts[] = {{"13", uring_tcp}, {"14a", uring_udp4}, {"14b", uring_udp6}, {NULL, NULL}};
