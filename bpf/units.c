/* The names of units, hooks and protocols. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include "units.h"

const char *const unit_names[UNIT_KINDS] = {
	[UNIT_UNKNOWN] = "unknown", [UNIT_GATEWAY] = "gateway", [UNIT_WORKER] = "worker",
	[UNIT_CLERK] = "clerk",     [UNIT_KEEPER] = "keeper",   [UNIT_WARDEN] = "warden",
	[UNIT_FETCHER] = "fetcher", [UNIT_HERALD] = "herald",   [UNIT_INSTALLER] = "installer",
	[UNIT_HOLD] = "hold",       [UNIT_PROBE] = "probe",
};

const char *const hook_names[HOOKS] = {
	[HOOK_CONNECT4] = "connect4",
	[HOOK_CONNECT6] = "connect6",
	[HOOK_SENDMSG4] = "sendmsg4",
	[HOOK_SENDMSG6] = "sendmsg6",
	[HOOK_SOCK_CREATE] = "sock_create",
	[HOOK_EGRESS] = "egress",
	[HOOK_INGRESS] = "ingress",
	[HOOK_SETSOCKOPT] = "setsockopt",
	[HOOK_UNIX_CONNECT] = "unix_connect",
	[HOOK_UNIX_SENDMSG] = "unix_sendmsg",
	[HOOK_LSM_CREATE] = "lsm_create",
	[HOOK_LSM_CONNECT] = "lsm_connect",
	[HOOK_LSM_SENDMSG] = "lsm_sendmsg",
	[HOOK_LSM_WRITE] = "lsm_write",
	[HOOK_LSM_OPTION] = "lsm_option",
	[HOOK_LSM_UNIX_CONNECT] = "lsm_unix_connect",
	[HOOK_LSM_UNIX_SEND] = "lsm_unix_send",
};

enum egress_kind unit_named(const char *name)
{
	for (enum egress_kind kind = UNIT_GATEWAY; kind < UNIT_KINDS; kind++)
		if (!strcmp(unit_names[kind], name))
			return kind;
	return UNIT_UNKNOWN;
}

int unit_fits_folder(enum egress_kind kind, const char *folder)
{
	const char *name = unit_names[kind];
	size_t length = strlen(name);

	if (kind == UNIT_PROBE)
		return !strncmp(folder, name, length);
	if (!strncmp(folder, "phantoma-", 9)) {
		folder += 9;
		return !strncmp(folder, name, length) &&
		       (!strcmp(folder + length, ".service") || !strcmp(folder + length, ".slice"));
	}
	return !strcmp(folder, name);
}

const char *protocol_name(char out[12], __u32 protocol)
{
	switch (protocol) {
	case IPPROTO_TCP: return "tcp";
	case IPPROTO_UDP: return "udp";
	case IPPROTO_ICMP: return "icmp";
	case IPPROTO_ICMPV6: return "icmp6";
	}
	snprintf(out, 12, "%u", protocol);
	return out;
}
