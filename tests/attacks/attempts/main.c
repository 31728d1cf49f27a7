/* Chooses the part to play; the parts are listed in attempts.h. */
#include "attempts.h"
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int, char **);
	} parts[] = {
		{"inside", inside_main},   {"launch", launch_main}, {"sniff", sniff_main},
		{"outside", outside_main}, {"broker", broker_main}, {"flood", flood_main},
		{"stranger", stranger_main}, {"sabotage", sabotage_main},
		{"accomplice", accomplice_main},
	};

	for (size_t i = 0; argc > 1 && i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strcmp(parts[i].name, argv[1]) == 0)
			return parts[i].run(argc - 1, argv + 1);
	fprintf(stderr, "usage: attempts inside|launch|sniff|outside|broker|flood|stranger|sabotage|accomplice ...\n");
	return 2;
}
