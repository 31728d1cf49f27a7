/*
 * Small files of a process's own folder: read with care, replaced as a whole.
 */
#ifndef PHANTOMA_STORED_H
#define PHANTOMA_STORED_H

#include "documents.h"

#include <sys/types.h>

/* Two numbers of 20 and 10 digits, a hash of 64, and room to see that a file is too long. */
#define MAX_LINE_BYTES 128

enum presence { ABSENT, PRESENT, UNREADABLE };

/* At most `capacity` bytes of a plain file that only root or `owner` can have written. */
enum presence read_file(int dir, const char *name, uid_t owner, uint8_t *untrusted, size_t capacity,
			size_t *length);

/* One line of text, given without its end. A line that is not ended was cut off. */
enum presence read_line(int dir, const char *name, uid_t owner, char line[MAX_LINE_BYTES]);

/*
 * Temporary file, fsync, rename, fsync of the folder. When it returns false, the old file or the new
 * one is there; through a power cut too. `name` has less than 28 characters.
 */
bool replace_file(int dir, const char *name, const void *bytes, size_t length);

/* Decimal, without sign, leading zeros or spaces; moves `at` behind it. */
bool parse_number(const char **at, uint64_t max, uint64_t *value);
/* 64 hexadecimal digits; moves `at` behind them. */
bool parse_hash(const char **at, uint8_t hash[HASH_BYTES]);
bool parse_character(const char **at, char expected);

#endif
