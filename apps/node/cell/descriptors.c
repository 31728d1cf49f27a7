/*
 * What the program has open.
 */
#define _GNU_SOURCE
#include "descriptors.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Above every number that is dealt out below. */
enum { ASIDE = 16 };

int is_connection(int fd)
{
	int type = 0;
	socklen_t length = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM;
}

static int connect_to(const char *path, int type)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		return -1;
	strcpy(address.sun_path, path);
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? fd : -1;
}

int is_inherited(const char *where)
{
	return strncmp(where, "fd:", 3) == 0;
}

int channel_to(const char *where)
{
	return is_inherited(where) ? fcntl(atoi(where + 3), F_DUPFD_CLOEXEC, ASIDE) : connect_to(where, SOCK_STREAM);
}

int witness_at(const char *path)
{
	int fd = connect_to(path, SOCK_DGRAM | SOCK_NONBLOCK);

	return fd >= 0 ? fd : open("/dev/null", O_WRONLY | O_CLOEXEC);
}

int arrange_descriptors(int gateway, int keeper, int witness)
{
	int gateway_aside = fcntl(gateway, F_DUPFD_CLOEXEC, ASIDE);
	int keeper_aside = fcntl(keeper, F_DUPFD_CLOEXEC, ASIDE);
	int witness_aside = witness < 0 ? -1 : fcntl(witness, F_DUPFD_CLOEXEC, ASIDE);
	/* To stay, should its place be right already; the program itself may open nothing to write to. */
	int nothing = open("/dev/null", O_RDWR);
	unsigned int first_unwanted = witness < 0 ? WITNESS : WITNESS + 1;

	if (gateway_aside < 0 || keeper_aside < 0 || nothing < 0 || (witness >= 0 && witness_aside < 0))
		return 0;
	for (int fd = 0; fd < GATEWAY; fd++)
		if (nothing != fd && dup2(nothing, fd) < 0)
			return 0;
	return dup2(gateway_aside, GATEWAY) == GATEWAY && dup2(keeper_aside, KEEPER) == KEEPER &&
	       (witness < 0 || dup2(witness_aside, WITNESS) == WITNESS) &&
	       close_range(first_unwanted, ~0U, 0) == 0;
}
