/* Everything that can be wrong with a policy, done to one: `warden verify` names it, and nothing is
 * admitted. */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../confine.h"
#include "../probe.h"
#include "check.h"
#include "stage.h"

static struct stage stage;

/* `warden verify` and `warden admit` say the same, with this code, about this thing. */
static void faulty(const char *sentence, const char *code, const char *thing)
{
	char worker[300];
	int verified = stage_warden(&stage, "verify", NULL);
	bool is_named = strstr(stage.said, code) == stage.said && strstr(stage.said, thing);

	check(sentence, verified == 1 && is_named);
	if (!is_named)
		printf("        %s\n", stage.said);
	snprintf(worker, sizeof(worker), "%s/worker", stage.cgroup);
	check("nothing is admitted then",
	      stage_warden(&stage, "admit", "worker", "--of", worker, NULL) == 1 &&
		      strstr(stage.said, code) == stage.said);
}

static void in_force(const char *sentence)
{
	bool holds = stage_warden(&stage, "verify", NULL) == 0;

	check(sentence, holds);
	if (!holds)
		printf("        %s\n", stage.said);
}

static void restart(void)
{
	if (stage.warden)
		stage_end(&stage, SIGTERM);
	check("a new warden puts it right", !stage_start(&stage, NULL));
	in_force("and it verifies");
}

/* A program of the right kind that lets everything through. */
static int allow_all(void)
{
	const struct bpf_insn instructions[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_CGROUP_INET4_CONNECT);

	return bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, "allow_all", "GPL", instructions, 2,
			     &options);
}

static void missing_pins(void)
{
	char path[256], aside[256];
	/* The last is of a tier that not every kernel has. */
	static const char *const names[] = { "units", "counts", "link_connect4", "link_ingress",
					     "link_unix_connect" };

	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "%s/%s", stage.pins, names[i]);
		snprintf(aside, sizeof(aside), "%s/aside", stage.pins);
		if (i == 4 && access(path, F_OK))
			continue;
		check("a pin is moved away", !rename(path, aside));
		faulty("a pin that is missing is named",
		       i < 2 ? "ERR_MAP_MISSING" : "ERR_LINK_MISSING", names[i]);
		check("and back", !rename(aside, path));
		in_force("and the policy is in force again");
	}
}

static void other_programs(void)
{
	static struct policy elsewhere;
	struct fault fault = {};
	int link = stage_pin(&stage, "link_connect4");

	check("another program goes into the link", !bpf_link_update(link, allow_all(), NULL));
	faulty("a program that lets all through is not ours", "ERR_PROGRAM_DIFFERS", "connect4");
	restart();
	check("the policy of another cgroup loads",
	      !policy_load(&elsewhere, stage.home, "/sys/fs/bpf/none", 4096, &fault) ||
		      strstr(fault.line, "whole tree"));
	if (elsewhere.is_loaded[TIER_CGROUP]) {
		close(link);
		link = stage_pin(&stage, "link_connect4");
		check("and goes into the link",
		      !bpf_link_update(link, elsewhere.program[0].fd, NULL));
		faulty("the same program built for another cgroup is found out", "ERR_LINK_CGROUP",
		       "connect4");
		restart();
	}
	close(link);
}

static void detached(void)
{
	int link = stage_pin(&stage, "link_sendmsg6");

	check("a link is detached by somebody", !bpf_link_detach(link));
	close(link);
	faulty("a detached link is named", "ERR_LINK_DETACHED", "sendmsg6");
	check("the running warden ends, to be started again", stage_end(&stage, 0) == 75);
	restart();
}

static void places(void)
{
	struct stage wrong = stage;

	snprintf(wrong.cgroup, sizeof(wrong.cgroup), "%.200s/worker", stage.cgroup);
	check("another cgroup than the one attached to is refused",
	      stage_warden(&wrong, "verify", NULL) == 1 &&
		      strstr(wrong.said, "ERR_LINK_CGROUP") == wrong.said);
	snprintf(wrong.cgroup, sizeof(wrong.cgroup), "%.200s/nowhere", stage.cgroup);
	check("a cgroup that is not there is named",
	      stage_warden(&wrong, "verify", NULL) == 1 &&
		      strstr(wrong.said, "ERR_NO_CGROUP") == wrong.said);
	strcpy(wrong.cgroup, "/tmp");
	check("a folder that is no cgroup is named",
	      stage_warden(&wrong, "verify", NULL) == 1 &&
		      strstr(wrong.said, "ERR_NO_CGROUP") == wrong.said);
	check("and no warden starts on it",
	      stage_start(&wrong, NULL) == -1 && strstr(wrong.said, "ERR_NO_CGROUP"));
	cgroup_mount_point(wrong.home);
	snprintf(wrong.cgroup, sizeof(wrong.cgroup), "%.200s", wrong.home);
	check("nor on the whole tree",
	      stage_start(&wrong, NULL) == -1 && strstr(wrong.said, "ERR_NO_CGROUP"));
	wrong = stage;
	wrong.warden = 0;
	strcpy(wrong.pins, "/tmp/phantoma");
	check("pins elsewhere than in a bpf file system are refused",
	      stage_warden(&wrong, "verify", NULL) == 1 &&
		      strstr(wrong.said, "ERR_NO_BPFFS") == wrong.said);
	check("and no warden starts on them",
	      stage_start(&wrong, NULL) == -1 && strstr(wrong.said, "ERR_NO_BPFFS"));
}

/* Whether a warden without `dropped` does not start, and says why. */
static bool does_not_start_without(__u64 dropped)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		for (int capability = 0; capability < 64; capability++)
			if (dropped >> capability & 1)
				prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
		stage.warden = 0;
		_exit(stage_start(&stage, NULL) == -1 && strstr(stage.said, "ERR_NO_CAPABILITY")
			      ? 0
			      : 1);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* As on a kernel that was built without it, for this process and the warden that it starts. */
static bool does_not_start_without_btf(void)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		stage.warden = 0;
		_exit(!unshare(CLONE_NEWNS) &&
				      !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
				      !mount("none", "/sys/kernel/btf", "tmpfs", 0, NULL) &&
				      stage_start(&stage, NULL) == -1 &&
				      strstr(stage.said, "ERR_NO_BTF")
			      ? 0
			      : 1);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The probe alone, against programs that are loaded and attached nowhere. */
static void probe_finds_out(void)
{
	static struct policy policy;
	struct stage other = stage;
	struct fault fault = {};
	struct probe probe;

	snprintf(other.cgroup, sizeof(other.cgroup), "%.200s-other", stage.cgroup);
	check("a cgroup without a policy is made", !mkdir(other.cgroup, 0755));
	check("the programs load",
	      !policy_load(&policy, other.cgroup, "/sys/fs/bpf/phantoma-none", 4096, &fault));
	check("a probe starts", !probe_start(&probe, &policy, "probe", &fault));
	check("what is loaded and not attached does not pass the probe",
	      probe_ask(&probe, &policy, &fault) &&
		      strstr(fault.line, "ERR_PROBE_PASSED connect4"));
	probe_stop(&probe, &policy);
	check("the probe leaves nothing behind", !rmdir(other.cgroup));
}

static void admission(void)
{
	char of[400];

	snprintf(of, sizeof(of), "%s/worker", stage.cgroup);
	check("a cgroup named for one unit is not admitted as another",
	      stage_warden(&stage, "admit", "fetcher", "--of", of, NULL) == 1 &&
		      strstr(stage.said, "ERR_UNIT"));
	check("a unit without a network has no port",
	      stage_warden(&stage, "admit", "worker", "--port", "1", "--of", of, NULL) == 1 &&
		      strstr(stage.said, "ERR_UNIT"));
	snprintf(of, sizeof(of), "%s/gateway", stage.cgroup);
	check("a gateway without a port is not admitted",
	      stage_warden(&stage, "admit", "gateway", "--of", of, NULL) == 1 &&
		      strstr(stage.said, "ERR_UNIT"));
	check("port 65535 is one",
	      stage_warden(&stage, "admit", "gateway", "--port", "65535", "--of", of, NULL) == 0);
	check("port 65536 is none",
	      stage_warden(&stage, "admit", "gateway", "--port", "65536", "--of", of, NULL) == 2);
	check("port 0 is none",
	      stage_warden(&stage, "admit", "gateway", "--port", "0", "--of", of, NULL) == 2);
	check("who is outside the root is not admitted",
	      stage_warden(&stage, "admit", "worker", NULL) == 1 && strstr(stage.said, "ERR_UNIT"));
	check("an unknown unit is a mistake",
	      stage_warden(&stage, "admit", "nobody", "--of", of, NULL) == 2);
	snprintf(of, sizeof(of), "%s/phantoma-worker.slice", stage.cgroup);
	mkdir(of, 0755);
	snprintf(of, sizeof(of), "%s/phantoma-worker.slice/phantoma-worker@1.service",
		 stage.cgroup);
	mkdir(of, 0755);
	check("an instance is admitted as what its slice is",
	      stage_warden(&stage, "admit", "worker", "--of", of, NULL) == 0);
	rmdir(of);
	snprintf(of, sizeof(of), "%s/phantoma-worker.slice", stage.cgroup);
	rmdir(of);
	check("dead cgroups are swept from the map",
	      stage_warden(&stage, "admit", "gateway", "--port", "8443", "--of",
			   (snprintf(of, sizeof(of), "%s/gateway", stage.cgroup), of), NULL) == 0);
	int units = stage_pin(&stage, "units"), entries = 0;
	__u64 key, *at = NULL;
	for (; !bpf_map_get_next_key(units, at, &key); at = &key)
		entries++;
	check("what is left are the seven units and the probe", entries == 8);
	close(units);
}

int main(void)
{
	stage_make(&stage);
	if (stage_warden(&stage, "verify", NULL) != 1 || !strstr(stage.said, "ERR_NO_CGROUP"))
		check("without a cgroup there is nothing to verify", false);
	if (stage_start(&stage, "--make-cgroup", NULL))
		return printf("the warden did not start: %s\n", stage.said), stage_remove(&stage),
		       1;
	in_force("a fresh policy verifies");
	/* From here on without the cgroups' maker, which would stay and report instead of ending.
	 */
	stage_end(&stage, SIGKILL);
	restart();
	admission();
	missing_pins();
	other_programs();
	detached();
	places();
	probe_finds_out();
	stage_end(&stage, SIGTERM);
	check("no warden starts on a kernel without BTF", does_not_start_without_btf());
	check("no warden starts without CAP_BPF",
	      does_not_start_without(1ULL << CAP_BPF | 1ULL << CAP_SYS_ADMIN));
	check("no warden starts without CAP_NET_ADMIN",
	      does_not_start_without(1ULL << CAP_NET_ADMIN | 1ULL << CAP_SYS_ADMIN));
	stage_remove(&stage);
	return conclude();
}
