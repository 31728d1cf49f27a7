/* The warden's socket and its one client, the keeper: bounded lines in, lines out. Never blocks. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "keeper.h"

/* 16 KiB: more than the longest answer, which is the status. */
#define ANSWER_ROOM (16 * 1024)

int keeper_listen(struct keeper *keeper, const char *path, struct fault *fault)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	keeper->client = -1;
	keeper->in_used = keeper->out_used = 0;
	if (strlen(path) >= sizeof(address.sun_path))
		return fault_set(fault, "ERR_SOCKET", "%s is too long for a socket", path);
	strcpy(address.sun_path, path);
	keeper->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	unlink(path);
	mode_t old = umask(0117);
	int failed = keeper->listener < 0 ||
		     bind(keeper->listener, (const struct sockaddr *)&address, sizeof(address));
	umask(old);
	if (failed || listen(keeper->listener, 1))
		return fault_set(fault, "ERR_SOCKET", "%s: %s", path, strerror(errno));
	return 0;
}

static void drop(struct keeper *keeper)
{
	if (keeper->client >= 0)
		close(keeper->client);
	keeper->client = -1;
	keeper->in_used = keeper->out_used = 0;
}

void keeper_accept(struct keeper *keeper)
{
	drop(keeper);
	keeper->client = accept4(keeper->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

void keeper_read(struct keeper *keeper, int (*act)(void *context, char *line), void *context)
{
	ssize_t got =
		read(keeper->client, keeper->in + keeper->in_used, LINE_BYTES - keeper->in_used);
	char *newline, *line = keeper->in;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		drop(keeper);
		return;
	}
	keeper->in_used += (size_t)got;
	while ((newline = memchr(line, '\n', keeper->in_used - (size_t)(line - keeper->in)))) {
		*newline = 0;
		if (strlen(line) != (size_t)(newline - line) || act(context, line)) {
			drop(keeper);
			return;
		}
		/* An answer that could not be queued has dropped the client, and its lines with it.
		 */
		if (keeper->client < 0)
			return;
		line = newline + 1;
	}
	keeper->in_used -= (size_t)(line - keeper->in);
	memmove(keeper->in, line, keeper->in_used);
	if (keeper->in_used == LINE_BYTES)
		drop(keeper);
}

void keeper_say(struct keeper *keeper, const char *line, ...)
{
	size_t room = BACKLOG_BYTES - keeper->out_used;
	va_list arguments;
	int length;

	if (keeper->client < 0)
		return;
	va_start(arguments, line);
	length = vsnprintf(keeper->out + keeper->out_used, room, line, arguments);
	va_end(arguments);
	if (length < 0 || (size_t)length >= room) {
		drop(keeper);
		return;
	}
	keeper->out_used += (size_t)length;
	keeper->out[keeper->out_used++] = '\n';
}

int keeper_has_room(const struct keeper *keeper)
{
	return keeper->client >= 0 && BACKLOG_BYTES - keeper->out_used > ANSWER_ROOM;
}

void keeper_flush(struct keeper *keeper)
{
	ssize_t sent;

	if (keeper->client < 0 || !keeper->out_used)
		return;
	sent = write(keeper->client, keeper->out, keeper->out_used);
	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		drop(keeper);
	} else if (sent > 0) {
		keeper->out_used -= (size_t)sent;
		memmove(keeper->out, keeper->out + sent, keeper->out_used);
	}
}
