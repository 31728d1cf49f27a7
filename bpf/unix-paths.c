/* Which Unix sockets a unit may connect to, in the map that the optional tiers read. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "egress.h"
#include "units.h"
#include "unix-paths.h"

/* The cells' way to the keeper; and the journal for the two whose output systemd connects there before they start. */
static const char *const systemd_paths[] = {
	"worker=/run/phantoma/keeper/worker.sock",
	"clerk=/run/phantoma/keeper/clerk.sock",
	"fetcher=/run/systemd/journal/stdout",
	"herald=/run/systemd/journal/stdout",
};

static void forget_all(int map)
{
	struct egress_unix_path key;

	while (!bpf_map_get_next_key(map, NULL, &key) && !bpf_map_delete_elem(map, &key))
		;
}

int unix_paths_fill(const struct policy *policy, const char *const *given, unsigned count, struct fault *fault)
{
	int map = policy->map[MAP_UNIX_PATHS];
	const __u8 listed = 1;

	if (!count) {
		given = systemd_paths;
		count = sizeof(systemd_paths) / sizeof(*systemd_paths);
	}
	forget_all(map);
	for (unsigned i = 0; i < count; i++) {
		struct egress_unix_path key = {};
		const char *equals = strchr(given[i], '=');
		char name[16] = "";

		if (equals && (size_t)(equals - given[i]) < sizeof(name))
			memcpy(name, given[i], (size_t)(equals - given[i]));
		key.kind = unit_named(name);
		if (!key.kind || equals[1] != '/' || strlen(equals + 1) >= sizeof(key.path))
			return fault_set(fault, "ERR_UNIX_PATH", "%s is not UNIT=/PATH", given[i]);
		strcpy(key.path, equals + 1);
		if (bpf_map_update_elem(map, &key, &listed, BPF_ANY))
			return fault_set(fault, "ERR_UNIX_PATH", "%s: %s", given[i], strerror(errno));
	}
	return 0;
}
