/* A cell's line, the addresses that its number gives it, and the arguments that say where it runs. */
#include "attempts.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool read_cell(char *line, struct cell *cell)
{
	char canary[2 * CANARY_BYTES + 1];

	if (sscanf(line, "%7s %d %32s", cell->row, &cell->number, canary) != 3 || strlen(canary) != 2 * CANARY_BYTES)
		return false;
	for (int i = 0; i < CANARY_BYTES; i++)
		if (sscanf(canary + 2 * i, "%2hhx", &cell->canary[i]) != 1)
			return false;
	return cell->number > 0 && cell->number < 32768;
}

/* 10.9.0.0/16 and fd09::/32 are local at the far end of the link, whole. */
struct sockaddr_in address4(const struct cell *cell, int port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons(port),
				    .sin_addr.s_addr = htonl(0x0a090000u | (unsigned)cell->number)};
}

struct sockaddr_in6 address6(const struct cell *cell, int port)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	address.sin6_addr.s6_addr[0] = 0xfd;
	address.sin6_addr.s6_addr[1] = 0x09;
	address.sin6_addr.s6_addr[14] = cell->number >> 8;
	address.sin6_addr.s6_addr[15] = cell->number & 0xff;
	return address;
}

struct sockaddr_in6 mapped(const struct cell *cell, int port)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in plain = address4(cell, port);

	memset(address.sin6_addr.s6_addr + 10, 0xff, 2);
	memcpy(address.sin6_addr.s6_addr + 12, &plain.sin_addr, 4);
	return address;
}

struct in_addr group4(const struct cell *cell)
{
	return (struct in_addr){htonl(0xef090000u | (unsigned)cell->number)};
}

struct in6_addr group6(const struct cell *cell)
{
	struct in6_addr group = {.s6_addr = {0xff, 0x05, [13] = 0x09}};

	group.s6_addr[14] = cell->number >> 8;
	group.s6_addr[15] = cell->number & 0xff;
	return group;
}

void read_place(int argc, char **argv, struct place *place)
{
	static const struct option options[] = {
		{"broker", 1, 0, 'b'}, {"cgroup", 1, 0, 'c'}, {"cgroup-root", 1, 0, 'r'}, {"pins", 1, 0, 'p'},
		{"netns", 1, 0, 'n'},  {"link", 1, 0, 'l'},   {"confine", 1, 0, 'f'},	  {"own-port", 1, 0, 'o'},
		{"warden", 1, 0, 'w'}, {"uid", 1, 0, 'u'},    {"accomplice", 1, 0, 'a'},
		{"seconds", 1, 0, 's'}, {"keep-capabilities", 0, 0, 'k'},  {0}};
	int option;

	*place = (struct place){.broker = "/nonexistent", .cgroup = "/nonexistent", .cgroup_root = "/nonexistent",
				.pins = "/nonexistent", .netns = "/nonexistent", .link = "v0", .seconds = ATTEMPT_SECONDS};
	optind = 1;
	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (option) {
		case 'b': place->broker = optarg; break;
		case 'c': place->cgroup = optarg; break;
		case 'r': place->cgroup_root = optarg; break;
		case 'p': place->pins = optarg; break;
		case 'n': place->netns = optarg; break;
		case 'l': place->link = optarg; break;
		case 'f': place->confine = optarg; break;
		case 'o': place->own_port = atoi(optarg); break;
		case 'w': place->warden = atoi(optarg); break;
		case 'a': place->accomplice = atoi(optarg); break;
		case 'k': place->keeps_capabilities = true; break;
		case 's': place->seconds = atoi(optarg); break;
		case 'u': place->uid = (uid_t)atoi(optarg); break;
		default: exit(2);
		}
	}
}
