/* What is wrong, in one line: a code that tells a program what to do, then words for people. Empty
 * while nothing is. */
#ifndef FAULT_H
#define FAULT_H

/* 512 bytes: a code, a sentence and a path. */
#define FAULT_BYTES 512

struct fault {
	char line[FAULT_BYTES];
};

/* Always -1, so that a function can end with `return fault_set(...)`. */
__attribute__((format(printf, 3, 4))) int fault_set(struct fault *fault, const char *code,
						    const char *format, ...);

/* One JSON line on stderr: {"event":NAME,...}. `fields` is JSON without braces, from fixed words
 * and numbers only. */
__attribute__((format(printf, 2, 3))) void log_event(const char *name, const char *fields, ...);

/* Writes `text` as a JSON string, quotes included, into `out`. */
const char *json_text(char *out, unsigned long size, const char *text);

#endif
