/* The open window, and what a standing order lists: endpoints in the kernel's map, each with its deadline.
 * The map is the truth, and outlives the warden. */
#ifndef WINDOW_H
#define WINDOW_H

#include <linux/types.h>
#include "documents.h"
#include "egress.h"

/* 64: what one order may list. */
#define WINDOW_ENDPOINTS 64

/* The latest deadline among listed endpoints in boot ns; 0 when no window is open. */
__u64 window_deadline(int map);

/* Lists one more endpoint. -1 with errno. */
int window_list(int map, const __u8 address[16], __u16 port, __u64 deadline_boot_ns);

/* Takes every endpoint of the fetcher out; connections to it end with the next packet. */
void window_close(int map);

/* The herald's endpoints are these, and no other; what stays listed is reachable all the time. -1 with
 * errno: the herald reaches nothing then. */
int report_list(int map, const struct window_order *order, __u64 deadline_boot_ns);

/* Takes every endpoint of the herald out. */
void report_close(int map);

#endif
