/*
 * Has as much memory as it is told, and ends: for measuring how fast that is overwritten.
 *
 *   filler MEBIBYTES
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	size_t bytes = argc > 1 ? (size_t)atol(argv[1]) << 20 : 0;
	volatile char *memory = malloc(bytes);

	if (!memory)
		return 1;
	memset((char *)memory, 1, bytes);
	/* Nothing is given back before the end; and nothing is left out because nobody reads it. */
	_exit(memory[bytes / 2] != 1);
}
