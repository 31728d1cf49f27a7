/* One refused attempt as a line for the keeper. */
#ifndef EVENTS_H
#define EVENTS_H

#include "egress.h"

/* 512: the longest event is under 300 bytes. */
#define EVENT_BYTES 512

void event_json(const struct egress_event *event, __u64 sequence, char out[EVENT_BYTES]);

#endif
