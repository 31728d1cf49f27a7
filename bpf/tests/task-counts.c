/*
 * Workers that try something and die without a word do not fill the kernel's map for good; and whoever was alive
 * while it was full has no part in its receipt, rather than one that says too little.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../egress.h"
#include "check.h"
#include "tasks.h"

/* 1.5 s: the warden looks once a second. */
#define LOOK_US 1500000
/* 300 ms: a worker has tried by then what it tries. */
#define TRY_US 300000

static int start_warden(void)
{
	char permitted[160];

	snprintf(permitted, sizeof(permitted), "worker=%s", witness);
	return stage_start(&stage, "--make-cgroup", "--witness", witness, "--unix", permitted, NULL);
}

static void fill_one(int number)
{
	char folder[320];

	snprintf(folder, sizeof(folder), "%s/worker/dead-%d", stage.cgroup, number);
	if (mkdir(folder, 0755) || cgroup_join(folder))
		_exit(1);
	try_to_leave(1);
}

/* So many workers try something, say nothing, and are gone with their cgroups. */
static int fill(int workers)
{
	char folder[320];
	int status, left = 0;
	pid_t pid = fork();

	if (!pid) {
		for (int i = 0; i < workers; i++)
			fill_one(i);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	for (int i = 0; i < workers; i++) {
		snprintf(folder, sizeof(folder), "%s/worker/dead-%d", stage.cgroup, i);
		left += rmdir(folder) != 0;
	}
	return status || left ? -1 : 0;
}

static int entries(void)
{
	int map = stage_pin(&stage, "tasks"), count = 0;
	__u64 key, *at = NULL;

	for (; !bpf_map_get_next_key(map, at, &key); at = &key)
		count++;
	close(map);
	return count;
}

static __u64 missed(void)
{
	int map = stage_pin(&stage, "tasks_missed");
	const __u32 which = MISSED_ATTEMPTS;
	__u64 count = ~0ULL;

	bpf_map_lookup_elem(map, &which, &count);
	close(map);
	return count;
}

/* A worker that says nothing until it is told to. */
struct silent {
	struct task task;
	int line;
	pid_t pid;
};

static struct silent silent_worker(const char *name, int attempts_before, int attempts)
{
	struct silent silent = { .task = task_of(name, attempts) };
	int ends[2];

	if (pipe(ends))
		exit(1);
	silent.task.attempts_before = attempts_before;
	silent.task.line = ends[0];
	silent.line = ends[1];
	silent.pid = start_task(&silent.task);
	close(ends[0]);
	return silent;
}

/* Says its word, tries the rest, ends; what the warden says of it then. */
static const char *ending(struct silent *silent)
{
	int status;

	if (write(silent->line, "g", 1) != 1)
		return "(not told)";
	close(silent->line);
	waitpid(silent->pid, &status, 0);
	return status ? "(did not end well)" : answer_for(&silent->task);
}

static void at_the_limit(void)
{
	struct task last = task_of("worker/last", 2);
	pid_t pid;

	last.waits = 1;
	kill(stage.warden, SIGSTOP);
	check("1,023 workers try something and die without a word", fill(EGRESS_TASKS - 1) == 0);
	pid = start_task(&last);
	usleep(TRY_US);
	check("with one more the map is full", entries() == EGRESS_TASKS);
	check("and nothing was missed", missed() == 0);
	kill(stage.warden, SIGCONT);
	usleep(LOOK_US);
	check("who is gone is taken away, and who lives stays", entries() == 1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	check("the last one's attempts are in its receipt",
	      number_in(answer_for(&last), "attempts") == 2);
}

static void one_past_it(void)
{
	struct silent blind, idle;
	struct task next = task_of("worker/next", 1);

	kill(stage.warden, SIGSTOP);
	check("1,024 workers try something and die without a word", fill(EGRESS_TASKS) == 0);
	blind = silent_worker("worker/blind", 2, 1);
	idle = silent_worker("worker/idle", 0, 0);
	usleep(TRY_US);
	check("two attempts of the one past it find no room", missed() == 2);
	check("and are in no entry", entries() == EGRESS_TASKS);
	kill(stage.warden, SIGCONT);
	usleep(LOOK_US);
	check("all are taken away", entries() == 0);
	check("its receipt says nothing, not 1 of its 3", !strcmp(ending(&blind), "ok {}"));
	check("nor that of one that lived then, not 0", !strcmp(ending(&idle), "ok {}"));
	check("a worker of afterwards is counted again",
	      run_task(&next) == 0 && number_in(answer_for(&next), "attempts") == 1);
}

static void without_a_warden(void)
{
	struct task next = task_of("worker/next-but-one", 3);
	struct silent across;

	stage_end(&stage, SIGKILL);
	check("1,024 more while there is no warden", fill(EGRESS_TASKS) == 0);
	across = silent_worker("worker/across", 1, 0);
	usleep(TRY_US);
	check("an attempt finds no room", missed() == 3);
	check("the warden that comes back", start_warden() == 0);
	usleep(LOOK_US);
	check("takes them away", entries() == 0);
	check("and does not say 0 of who lived then", !strcmp(ending(&across), "ok {}"));
	check("a worker of afterwards is counted",
	      run_task(&next) == 0 && number_in(answer_for(&next), "attempts") == 3);
	across = silent_worker("worker/across-again", 1, 1);
	usleep(TRY_US);
	stage_end(&stage, SIGKILL);
	check("it comes back once more", start_warden() == 0);
	check("what was not missed is counted across it", number_in(ending(&across), "attempts") == 2);
}

static void silent_but_alive(void)
{
	struct silent silent = silent_worker("worker/silent", 2, 1);

	usleep(LOOK_US);
	check("a live worker's entry stays before its word", entries() == 1);
	check("and has what it tried before and after",
	      number_in(ending(&silent), "attempts") == 3);
}

/* As an upgrade to a release with another map does. */
static void another_map(void)
{
	struct silent before = silent_worker("worker/before", 2, 0);
	struct task after = task_of("worker/after", 1);
	char pin[256];

	usleep(TRY_US);
	stage_end(&stage, SIGKILL);
	snprintf(pin, sizeof(pin), "%s/tasks", stage.pins);
	check("the map goes, and a warden makes another", unlink(pin) == 0 && start_warden() == 0);
	check("it knows nothing of who lived before", !strcmp(ending(&before), "ok {}"));
	check("and all of who comes after",
	      run_task(&after) == 0 && number_in(answer_for(&after), "attempts") == 1);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	if (make_stage() || start_warden())
		return printf("the warden did not start: %s\n", stage.said), stage_remove(&stage),
		       1;
	at_the_limit();
	one_past_it();
	without_a_warden();
	silent_but_alive();
	another_map();
	stage_remove(&stage);
	return conclude();
}
