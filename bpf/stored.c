/*
 * Small files, read with care and replaced as a whole. See stored.h.
 */
#include "stored.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum presence read_file(int dir, const char *name, uid_t owner, uint8_t *untrusted, size_t capacity,
			size_t *length)
{
	int file = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat status;
	ssize_t got = -1;

	*length = 0;
	if (file < 0)
		return errno == ENOENT ? ABSENT : UNREADABLE;
	if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) && !(status.st_mode & 022) &&
	    (status.st_uid == 0 || status.st_uid == owner) &&
	    (uint64_t)status.st_size <= capacity) {
		do {
			got = read(file, untrusted + *length, capacity - *length);
			if (got > 0)
				*length += (size_t)got;
		} while (got > 0 || (got < 0 && errno == EINTR));
	}
	close(file);
	return got == 0 && *length == (size_t)status.st_size ? PRESENT : UNREADABLE;
}

static bool write_all(int file, const uint8_t *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(file, bytes, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		bytes += written;
		length -= (size_t)written;
	}
	return true;
}

bool replace_file(int dir, const char *name, const void *bytes, size_t length)
{
	char temporary[32];
	int file;
	bool is_whole;

	snprintf(temporary, sizeof(temporary), "%s.new", name);
	file = openat(dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (file < 0)
		return false;
	is_whole = write_all(file, bytes, length) && fsync(file) == 0;
	is_whole = close(file) == 0 && is_whole;
	if (is_whole && renameat(dir, temporary, dir, name) == 0)
		return fsync(dir) == 0;
	/* A full disk gets its space back; where even this fails, the next write truncates it. */
	unlinkat(dir, temporary, 0);
	return false;
}

enum presence read_line(int dir, const char *name, uid_t owner, char line[MAX_LINE_BYTES])
{
	size_t length;
	enum presence presence =
		read_file(dir, name, owner, (uint8_t *)line, MAX_LINE_BYTES - 1, &length);

	if (presence != PRESENT)
		return presence;
	line[length] = '\0';
	if (length == 0 || strlen(line) != length || line[length - 1] != '\n')
		return UNREADABLE;
	line[length - 1] = '\0';
	return PRESENT;
}

bool parse_number(const char **at, uint64_t max, uint64_t *value)
{
	const char *start = *at;

	for (*value = 0; **at >= '0' && **at <= '9'; ++*at) {
		uint64_t digit = (uint64_t)(**at - '0');

		if (*value > (max - digit) / 10)
			return false;
		*value = *value * 10 + digit;
	}
	return *at > start && (*start != '0' || *at == start + 1);
}

bool parse_hash(const char **at, uint8_t hash[HASH_BYTES])
{
	size_t length;

	if (strnlen(*at, 2 * HASH_BYTES) < 2 * HASH_BYTES ||
	    sodium_hex2bin(hash, HASH_BYTES, *at, 2 * HASH_BYTES, NULL, &length, NULL) != 0 ||
	    length != HASH_BYTES)
		return false;
	*at += 2 * HASH_BYTES;
	return true;
}

bool parse_character(const char **at, char expected)
{
	return *(*at)++ == expected;
}
