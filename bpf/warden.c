/* The warden's command line.
 *
 *   warden run      attach the policy and watch it
 *   warden verify   say whether it is in force, and if not, what is wrong
 *   warden admit    verify, then register a cgroup as a unit
 *   warden status   tiers, programs, units, window, counts
 *   warden explain  the same for people, with reasons
 */
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "admit.h"
#include "clock.h"
#include "daemon.h"
#include "explain.h"
#include "units.h"
#include "verify.h"

/* 1 MiB: about 13,000 attempts, unless --events says otherwise. */
#define RING_BYTES (1 << 20)

static const char usage[] =
	"usage: warden run|verify|status|explain [OPTION...]\n"
	"       warden admit UNIT [--port N] [--of CGROUP] [OPTION...]\n"
	"  --cgroup DIR       root of the policy (/sys/fs/cgroup/phantoma.slice)\n"
	"  --pins DIR         its pins (/sys/fs/bpf/phantoma)\n"
	"  --state DIR        what the warden remembers (/var/lib/phantoma/warden)\n"
	"  --identity DIR     node.pub and genesis (/var/lib/phantoma/devices)\n"
	"  --json             verify, status: one line of JSON\n"
	"run only:\n"
	"  --socket PATH      for the keeper (/run/phantoma/warden/warden.sock)\n"
	"  --witness PATH     where workers say their keys, for receipts; without it nobody does\n"
	"  --events BYTES     size of the event ring, a power of two, at least 4096 (1048576)\n"
	"  --unix UNIT=PATH   a Unix socket that a unit may connect to; replaces the defaults; up "
	"to 16\n"
	"  --make-cgroup      make the cgroups, and remove all at SIGTERM\n";

enum {
	OPTION_CGROUP = 1,
	OPTION_PINS,
	OPTION_STATE,
	OPTION_IDENTITY,
	OPTION_SOCKET,
	OPTION_EVENTS,
	OPTION_WITNESS,
	OPTION_UNIX,
	OPTION_MAKE_CGROUP,
	OPTION_JSON,
	OPTION_PORT,
	OPTION_OF
};

static const struct option long_options[] = {
	{ "cgroup", required_argument, NULL, OPTION_CGROUP },
	{ "pins", required_argument, NULL, OPTION_PINS },
	{ "state", required_argument, NULL, OPTION_STATE },
	{ "identity", required_argument, NULL, OPTION_IDENTITY },
	{ "socket", required_argument, NULL, OPTION_SOCKET },
	{ "events", required_argument, NULL, OPTION_EVENTS },
	{ "witness", required_argument, NULL, OPTION_WITNESS },
	{ "unix", required_argument, NULL, OPTION_UNIX },
	{ "make-cgroup", no_argument, NULL, OPTION_MAKE_CGROUP },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "port", required_argument, NULL, OPTION_PORT },
	{ "of", required_argument, NULL, OPTION_OF },
	{ NULL, 0, NULL, 0 },
};

/* A decimal number up to `most`; 0 for anything else, which no option takes. */
static __u32 number(const char *text, unsigned long most)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	return *text >= '1' && *text <= '9' && !*end && value <= most ? (__u32)value : 0;
}

/* 64 MiB: the largest ring that makes sense. */
#define RING_BYTES_MAX (64UL << 20)

static int read_options(int argc, char **argv, struct options *options)
{
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (option) {
		case OPTION_CGROUP: options->cgroup = optarg; break;
		case OPTION_PINS: options->pins = optarg; break;
		case OPTION_STATE: options->state = optarg; break;
		case OPTION_IDENTITY: options->identity = optarg; break;
		case OPTION_SOCKET: options->socket = optarg; break;
		case OPTION_WITNESS: options->witness = optarg; break;
		case OPTION_MAKE_CGROUP: options->make_cgroup = 1; break;
		case OPTION_JSON: options->is_json = 1; break;
		case OPTION_OF: options->of = optarg; break;
		case OPTION_EVENTS:
			options->ring_bytes = number(optarg, RING_BYTES_MAX);
			if (options->ring_bytes < 4096 ||
			    options->ring_bytes & (options->ring_bytes - 1))
				return -1;
			break;
		case OPTION_PORT:
			options->port = number(optarg, 65535);
			if (!options->port)
				return -1;
			break;
		case OPTION_UNIX:
			if (options->unix_paths == UNIX_PATHS_MAX)
				return -1;
			options->unix_path[options->unix_paths++] = optarg;
			break;
		default: return -1;
		}
	}
	return 0;
}

static int report(const struct fault *fault, int is_json)
{
	char text[FAULT_BYTES * 2];

	if (is_json)
		printf("{\"isInForce\":%s,\"fault\":%s}\n", *fault->line ? "false" : "true",
		       *fault->line ? json_text(text, sizeof(text), fault->line) : "null");
	else if (*fault->line)
		fprintf(stderr, "%s\n", fault->line);
	else
		puts("in force");
	return *fault->line ? 1 : 0;
}

static int run_status(const struct options *options, int is_explained)
{
	static struct policy policy;
	struct status status = { .policy = &policy };
	struct standing *standing = NULL;
	struct fault fault = {};
	char json[STATUS_BYTES];

	if (verify_all(&policy, options->cgroup, options->pins, &fault))
		status.fault = fault.line;
	else
		status.verified_at = unix_ms();
	if (!standing_open(&standing, options->state, options->identity)) {
		status.device_version = standing_device_version(standing);
		status.highest_counter = standing_counter(standing);
		standing_close(standing);
	}
	if (is_explained) {
		explain(&status, stdout);
	} else if (options->is_json) {
		status_json(&status, json);
		puts(json);
	} else {
		status_text(&status, stdout);
	}
	return status.fault ? 1 : 0;
}

int main(int argc, char **argv)
{
	static struct policy policy;
	struct options options = { .cgroup = "/sys/fs/cgroup/phantoma.slice",
				   .pins = "/sys/fs/bpf/phantoma",
				   .state = "/var/lib/phantoma/warden",
				   .identity = "/var/lib/phantoma/devices",
				   .socket = "/run/phantoma/warden/warden.sock",
				   .ring_bytes = RING_BYTES };
	const char *command = argc > 1 ? argv[1] : "";
	enum egress_kind kind = UNIT_UNKNOWN;
	struct fault fault = {};

	if (read_options(argc - 1, argv + 1, &options) || sodium_init() < 0) {
		fputs(usage, stderr);
		return 2;
	}
	if (!strcmp(command, "admit") && optind + 2 == argc)
		kind = unit_named(argv[optind + 1]);
	else if (optind + 1 != argc)
		command = "";
	if (!strcmp(command, "run"))
		return daemon_run(&options);
	if (!strcmp(command, "verify")) {
		verify_all(&policy, options.cgroup, options.pins, &fault);
		return report(&fault, options.is_json);
	}
	if (!strcmp(command, "admit") && kind != UNIT_UNKNOWN) {
		if (!verify_all(&policy, options.cgroup, options.pins, &fault))
			admit(&policy, kind, options.port, options.of, &fault);
		return report(&fault, options.is_json);
	}
	if (!strcmp(command, "status"))
		return run_status(&options, 0);
	if (!strcmp(command, "explain"))
		return run_status(&options, 1);
	fputs(usage, stderr);
	return 2;
}
