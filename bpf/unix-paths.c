/* Which Unix sockets a unit may connect to, in the map that the optional tiers read. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include "egress.h"
#include "units.h"
#include "unix-paths.h"

/* The cells' ways to the keeper and the warden; the gateway's to PID 1, which makes the cells; the keeper's to the
 * warden; and the journal for the two whose output systemd connects there before they start. */
static const char *const systemd_paths[] = {
	"worker=/run/phantoma/for-workers/keeper.sock",
	"worker=/run/phantoma/for-workers/reports.sock",
	"worker=/run/phantoma/witness/witness.sock",
	"clerk=/run/phantoma/for-clerks/keeper.sock",
	"gateway=/run/phantoma/worker.sock",
	"gateway=/run/phantoma/clerk.sock",
	"keeper=/run/phantoma/warden/warden.sock",
	"fetcher=/run/systemd/journal/stdout",
	"herald=/run/systemd/journal/stdout",
};

static void forget_all(int map)
{
	struct egress_unix_path key;

	while (!bpf_map_get_next_key(map, NULL, &key) && !bpf_map_delete_elem(map, &key))
		;
}

static int list(int map, const char *unit, const char *path, struct fault *fault)
{
	struct egress_unix_path key = { .kind = unit_named(unit) };
	const __u8 listed = 1;

	if (!key.kind || *path != '/' || strlen(path) >= sizeof(key.path))
		return fault_set(fault, "ERR_UNIX_PATH", "%s=%s is not UNIT=/PATH", unit, path);
	strcpy(key.path, path);
	return bpf_map_update_elem(map, &key, &listed, BPF_ANY)
		       ? fault_set(fault, "ERR_UNIX_PATH", "%s=%s: %s", unit, path, strerror(errno))
		       : 0;
}

static int list_given(int map, const char *given, struct fault *fault)
{
	const char *equals = strchr(given, '=');
	char unit[16] = "";

	if (equals && (size_t)(equals - given) < sizeof(unit))
		memcpy(unit, given, (size_t)(equals - given));
	return list(map, unit, equals ? equals + 1 : "", fault);
}

int unix_paths_fill(const struct policy *policy, const struct options *options, struct fault *fault)
{
	const char *const *given = options->unix_paths ? options->unix_path : systemd_paths;
	unsigned count = options->unix_paths ? options->unix_paths
					     : sizeof(systemd_paths) / sizeof(*systemd_paths);
	int map = policy->map[MAP_UNIX_PATHS];

	forget_all(map);
	for (unsigned i = 0; i < count; i++)
		if (list_given(map, given[i], fault))
			return -1;
	return 0;
}
