/* Faults as one line, and the log as JSON lines. Neither ever holds content of a document or a
 * packet. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "fault.h"

int fault_set(struct fault *fault, const char *code, const char *format, ...)
{
	int used = snprintf(fault->line, sizeof(fault->line), "%s ", code);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(fault->line + used, sizeof(fault->line) - (size_t)used, format, arguments);
	va_end(arguments);
	return -1;
}

void log_event(const char *name, const char *fields, ...)
{
	char line[FAULT_BYTES * 2 + 64], members[FAULT_BYTES * 2];
	va_list arguments;
	int length;

	va_start(arguments, fields);
	vsnprintf(members, sizeof(members), fields, arguments);
	va_end(arguments);
	length = snprintf(line, sizeof(line), "{\"event\":\"%.32s\"%s%s}\n", name,
			  *members ? "," : "", members);
	/* Not through stdio, which asks a character device whether it is a terminal: that call is
	 * not allowed any more. A log that nobody takes stops nothing. */
	if (write(STDERR_FILENO, line, (size_t)length) < 0)
		return;
}

const char *json_text(char *out, unsigned long size, const char *text)
{
	unsigned long at = 0;

	out[at++] = '"';
	for (; *text && at + 3 < size; text++) {
		if (*text == '"' || *text == '\\')
			out[at++] = '\\';
		out[at++] = (unsigned char)*text < ' ' ? ' ' : *text;
	}
	out[at++] = '"';
	out[at] = 0;
	return out;
}
