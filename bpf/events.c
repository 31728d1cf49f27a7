/* One refused attempt as a line for the keeper. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include "events.h"
#include "units.h"

static const char *address_text(const struct egress_event *event, char out[INET6_ADDRSTRLEN])
{
	static const unsigned char ipv4[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

	if (!event->has_address)
		return "";
	if (!memcmp(event->address, ipv4, sizeof(ipv4)))
		return inet_ntop(AF_INET, event->address + 12, out, INET6_ADDRSTRLEN);
	return inet_ntop(AF_INET6, event->address, out, INET6_ADDRSTRLEN);
}

void event_json(const struct egress_event *event, __u64 sequence, char out[EVENT_BYTES])
{
	char address[INET6_ADDRSTRLEN], protocol[12];

	snprintf(out, EVENT_BYTES,
		 "{\"sequence\":%llu,\"bootNs\":%llu,\"unit\":\"%s\",\"hook\":\"%s\",\"protocol\":"
		 "\"%s\","
		 "\"address\":\"%s\",\"port\":%u,\"cgroup\":%llu,\"pid\":%u,\"uid\":%u}",
		 (unsigned long long)sequence, (unsigned long long)event->boot_ns,
		 unit_names[event->kind], hook_names[event->hook],
		 protocol_name(protocol, event->protocol), address_text(event, address),
		 event->port, (unsigned long long)event->cgroup, event->pid, event->uid);
}
