/*
 * The cell's own word to the keeper, on a channel that its child never has.
 *
 * Frames as in ipc/frames.ts, with the kinds and bodies of ipc/keeper-link.ts:
 *
 *   handle   16 random bytes
 *   ended    how (1), bytes overwritten (8), bytes not reached (8), Unix milliseconds (8)
 */
#define _GNU_SOURCE
#include "report.h"

#include <endian.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#define FRAME_HEADER_BYTES 5
#define HANDLE_BYTES 16
#define ENDED_BYTES 25

/* The cell's word on its child's channel, before the child's first one. */
#define KIND_CELL_HANDLE 64
/* On its own channel. */
#define KIND_HANDLE 1
#define KIND_ENDED 2

static bool send_frame(int channel, unsigned char kind, const void *body, size_t length)
{
	unsigned char frame[FRAME_HEADER_BYTES + ENDED_BYTES] = { kind };
	uint32_t announced = htobe32((uint32_t)length);

	memcpy(frame + 1, &announced, sizeof(announced));
	memcpy(frame + FRAME_HEADER_BYTES, body, length);
	length += FRAME_HEADER_BYTES;
	return send(channel, frame, length, MSG_NOSIGNAL) == (ssize_t)length;
}

bool pair(int childs_channel, int own_channel)
{
	unsigned char handle[HANDLE_BYTES];

	return getrandom(handle, sizeof(handle), 0) == (ssize_t)sizeof(handle) &&
	       send_frame(own_channel, KIND_HANDLE, handle, sizeof(handle)) &&
	       send_frame(childs_channel, KIND_CELL_HANDLE, handle, sizeof(handle));
}

void send_report(int own_channel, enum ending ending, const struct end *end)
{
	unsigned char body[ENDED_BYTES] = { (unsigned char)ending };
	uint64_t numbers[3] = {
		htobe64(end->wiped.bytes),
		htobe64(end->wiped.missed + end->wiped.swapped),
		htobe64(end->wiped_at),
	};

	memcpy(body + 1, numbers, sizeof(numbers));
	if (end->was_wiped)
		send_frame(own_channel, KIND_ENDED, body, sizeof(body));
}
