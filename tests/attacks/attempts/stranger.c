/* Becomes somebody else's program, with the rights and filters of the unit whose place it takes. */
#include "attempts.h"
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

int stranger_main(int argc, char **argv)
{
	struct place place;

	read_place(argc, argv, &place);
	if (optind >= argc)
		return 2;
	become(place.uid, false);
	if (place.confine)
		confine(place.confine);
	execv(argv[optind], argv + optind);
	perror(argv[optind]);
	return 1;
}
