/* What the policy is and has done, as JSON for programs and as text for people. */
#ifndef STATUS_H
#define STATUS_H

#include <stdio.h>
#include "policy.h"

struct status {
	const struct policy *policy;
	__u64 verified_at; /* unix ms; 0: never */
	const char *fault; /* NULL while there is none */
	__u32 device_version;
	__u64 highest_counter;
};

/* 8 KiB: the longest status with every unit and the largest numbers is under 4. */
#define STATUS_BYTES 8192

/* The boot's id: 32 hexadecimal digits, without its dashes. */
void read_boot_id(char out[33]);

/* One line of JSON, without newline, into `out`. */
void status_json(const struct status *status, char out[STATUS_BYTES]);

void status_text(const struct status *status, FILE *out);

#endif
