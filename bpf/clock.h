/* The two clocks: the wall's, which orders are signed with, and the kernel's, which deadlines are
 * kept in. */
#ifndef CLOCK_H
#define CLOCK_H

#include <linux/types.h>
#include <time.h>

static inline __u64 clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (__u64)now.tv_sec * 1000000000ULL + (__u64)now.tv_nsec;
}

static inline __u64 unix_ms(void)
{
	return clock_ns(CLOCK_REALTIME) / 1000000;
}

static inline __u64 boot_ns(void)
{
	return clock_ns(CLOCK_BOOTTIME);
}

#endif
