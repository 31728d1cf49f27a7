/* What the policy is and has done, as JSON for programs and as text for people. */
#include <string.h>
#include "clock.h"
#include "counts.h"
#include "status.h"
#include "units.h"
#include "window.h"

void read_boot_id(char out[33])
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	int c, at = 0;

	while (file && at < 32 && (c = fgetc(file)) != EOF)
		if (c != '-' && c != '\n')
			out[at++] = (char)c;
	out[at] = 0;
	if (file)
		fclose(file);
}

static __u64 window_deadline_ms(const struct status *status)
{
	__u64 deadline = window_deadline(status->policy->map[MAP_ENDPOINTS]);

	return deadline ? unix_ms() + (deadline - boot_ns()) / 1000000 : 0;
}

static void write_json(const struct status *status, FILE *out)
{
	const struct policy *policy = status->policy;
	char boot_id[33], digest[65], text[FAULT_BYTES * 2];
	const char *comma = "";
	__u64 deadline = window_deadline_ms(status);

	read_boot_id(boot_id);
	policy_digest(policy, digest);
	fprintf(out, "{\"version\":1,\"bootId\":\"%s\",\"policy\":\"%s\",\"tiers\":[", boot_id,
		digest);
	for (int tier = 0; tier < TIERS; tier++)
		if (policy->is_loaded[tier]) {
			fprintf(out, "%s\"%s\"", comma, tier_names[tier]);
			comma = ",";
		}
	comma = "";
	fprintf(out, "],\"missing\":[");
	for (int tier = 0; tier < TIERS; tier++)
		if (!policy->is_loaded[tier] && policy->missing[tier]) {
			fprintf(out, "%s{\"tier\":\"%s\",\"reason\":\"%s\"}", comma,
				tier_names[tier], policy->missing[tier]);
			comma = ",";
		}
	fprintf(out, "],\"verifiedAt\":");
	status->verified_at ? fprintf(out, "%llu", (unsigned long long)status->verified_at)
			    : fprintf(out, "null");
	fprintf(out, ",\"fault\":%s,\"counts\":[",
		status->fault ? json_text(text, sizeof(text), status->fault) : "null");
	for (enum egress_kind kind = UNIT_UNKNOWN; kind < UNIT_KINDS; kind++) {
		struct egress_count count;

		counts_read(policy->map[MAP_COUNTS], kind, &count);
		fprintf(out, "%s{\"unit\":\"%s\",\"attempts\":%llu,\"logged\":%llu,\"lost\":%llu}",
			kind ? "," : "", unit_names[kind], (unsigned long long)count.attempts,
			(unsigned long long)count.logged, (unsigned long long)count.lost);
	}
	fprintf(out, "],\"window\":");
	deadline
		? fprintf(out, "{\"counter\":\"%llu\",\"deadline\":%llu}",
			  (unsigned long long)status->highest_counter, (unsigned long long)deadline)
		: fprintf(out, "null");
	fprintf(out, ",\"deviceListVersion\":%u,\"highestCounter\":\"%llu\"}",
		status->device_version, (unsigned long long)status->highest_counter);
}

void status_json(const struct status *status, char out[STATUS_BYTES])
{
	FILE *stream = fmemopen(out, STATUS_BYTES, "w");

	out[0] = 0;
	if (!stream)
		return;
	write_json(status, stream);
	fclose(stream);
}

void status_text(const struct status *status, FILE *out)
{
	const struct policy *policy = status->policy;
	char digest[65];
	__u64 deadline = window_deadline_ms(status);

	policy_digest(policy, digest);
	fprintf(out, "policy    %s, on %s\n", status->fault ? "NOT IN FORCE" : "in force",
		policy->root.path);
	if (status->fault)
		fprintf(out, "fault     %s\n", status->fault);
	fprintf(out, "programs  %s\n", digest);
	for (int tier = 0; tier < TIERS; tier++)
		fprintf(out, "tier      %-8s %s\n", tier_names[tier],
			policy->is_loaded[tier] ? "attached"
			: policy->missing[tier] ? policy->missing[tier]
						: "not known");
	if (deadline)
		fprintf(out, "window    open for %llu more seconds\n",
			(unsigned long long)((deadline - unix_ms()) / 1000));
	else
		fprintf(out, "window    closed\n");
	fprintf(out, "devices   list %u, highest order %llu\n", status->device_version,
		(unsigned long long)status->highest_counter);
	fprintf(out, "unit         attempts     logged       lost\n");
	for (enum egress_kind kind = UNIT_UNKNOWN; kind < UNIT_KINDS; kind++) {
		struct egress_count count;

		counts_read(policy->map[MAP_COUNTS], kind, &count);
		if (count.attempts)
			fprintf(out, "%-10s %10llu %10llu %10llu\n", unit_names[kind],
				(unsigned long long)count.attempts,
				(unsigned long long)count.logged, (unsigned long long)count.lost);
	}
}
