/*
 * One task's attempts, as the warden signs them: counted per worker, said once, by nobody else, and not
 * before its end. The keeper that asks here may have been taken over.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../receipt.h"
#include "../status.h"
#include "check.h"
#include "tasks.h"

static void hex_in(const char *json, const char *name, uint8_t *bytes, size_t length)
{
	char wanted[32];
	const char *at;

	memset(bytes, 0, length);
	snprintf(wanted, sizeof(wanted), "\"%s\":\"", name);
	at = strstr(json, wanted);
	if (at)
		sodium_hex2bin(bytes, length, at + strlen(wanted), 2 * length, NULL, NULL, NULL);
}

static bool is_genuine(const uint8_t *begun, size_t length, const char *json)
{
	struct witnessed witnessed = {
		number_in(json, "attempts"), number_in(json, "unreported"), {}, {}
	};
	uint8_t message[MAX_WITNESSED_BYTES], signature[64];

	hex_in(json, "policy", witnessed.policy, 32);
	hex_in(json, "bootId", witnessed.boot_id, 16);
	hex_in(json, "signature", signature, 64);
	return crypto_sign_verify_detached(signature, message,
					   receipt_message(begun, length, &witnessed, message),
					   warden_key) == 0;
}

static void counted(void)
{
	struct task guilty = task_of("worker/1", 5), innocent = task_of("worker/2", 0);
	uint8_t begun[WITHOUT_CELL];
	char part[1024];

	check("a worker that tries to phone home is refused each time", run_task(&guilty) == 0);
	check("and the next one tries nothing", run_task(&innocent) == 0);
	begin(innocent.key, begun);
	strcpy(part, answer(begun, sizeof(begun)));
	check("the innocent one's receipt says 0", number_in(part, "attempts") == 0);
	check("of which none went unreported", number_in(part, "unreported") == 0);
	check("and the warden signed it", is_genuine(begun, sizeof(begun), part));
	begin(guilty.key, begun);
	check("its part is not that of the other receipt", !is_genuine(begun, sizeof(begun), part));
	strcpy(part, answer(begun, sizeof(begun)));
	check("the guilty one's says 5", number_in(part, "attempts") == 5);
	check("and that is signed", is_genuine(begun, sizeof(begun), part));
	begun[49] ^= 1;
	check("for this sequence and no other", !is_genuine(begun, sizeof(begun), part));
	check("a task is signed for once", !strcmp(answer_for(&guilty), "ok {}"));
}

static void not_before_the_end(void)
{
	struct task task = task_of("worker/3", 2);
	pid_t pid;

	task.waits = 1;
	pid = start_task(&task);
	usleep(300000);
	check("of a live worker nothing is signed",
	      !strcmp(answer_for(&task), "ok {\"isLive\":true}"));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	check("after its end all of it", number_in(answer_for(&task), "attempts") == 2);
}

static void nobody_else(void)
{
	struct task honest = task_of("worker/4", 3), thief = task_of("worker/5", 0);
	struct task keeper = task_of("keeper", 0), together = task_of("worker", 0);
	struct task twice = task_of("worker/6", 1), again = task_of("worker/6", 0);
	uint8_t begun[WITHOUT_CELL + 1];

	memcpy(thief.key, honest.key, 32);
	check("two workers ran", run_task(&honest) == 0 && run_task(&thief) == 0);
	check("a key that was said stays with the worker that said it first",
	      number_in(answer_for(&honest), "attempts") == 3);
	check("what the keeper says is not taken", run_task(&keeper) == 0);
	check("so it has no part", !strcmp(answer_for(&keeper), "ok {}"));
	check("a worker that shares its cgroup with others has none",
	      run_task(&together) == 0 && !strcmp(answer_for(&together), "ok {}"));
	again.key[0] ^= 1;
	check("a worker says one key", run_task(&twice) == 0 && run_task(&again) == 0 &&
					       !strcmp(answer_for(&again), "ok {}"));
	check("its first", number_in(answer_for(&twice), "attempts") == 1);
	begin(twice.key, begun);
	begun[2] = 1;
	check("another node's receipt is not signed",
	      !strcmp(answer(begun, WITHOUT_CELL), "ok {}"));
	begun[2] = 0;
	check("nor one that is longer than it may be",
	      !strcmp(answer(begun, WITHOUT_CELL + 1), "ok {}"));
	check("nor nothing at all", !strcmp(answer(begun, 0), "ok {}"));
}

static void restarted(void)
{
	struct task before = task_of("worker/7", 4), unseen = task_of("worker/8", 2);

	check("a worker tried 4 times", run_task(&before) == 0);
	usleep(200000);
	check("the warden is killed", stage_end(&stage, SIGKILL) == -SIGKILL);
	check("a task begins and ends without it", run_task(&unseen) == 0);
	check("it comes back",
	      stage_start(&stage, "--make-cgroup", "--witness", witness, NULL) == 0);
	check("and knows what the kernel counted", number_in(answer_for(&before), "attempts") == 4);
	check("of what it never heard of it says nothing, not 0",
	      !strcmp(answer_for(&unseen), "ok {}"));
}

/* A ring that nobody reads: attempts are exact, and what was lost is said. */
static void lost(void)
{
	struct task task = task_of("worker/9", 300);
	const char *part;

	stage_end(&stage, SIGTERM);
	check("a warden with a ring of 4096 bytes starts",
	      stage_start(&stage, "--make-cgroup", "--events", "4096", "--witness", witness,
			  NULL) == 0);
	check("a worker tries 300 times", run_task(&task) == 0);
	part = answer_for(&task);
	check("all are counted", number_in(part, "attempts") == 300);
	check("and those that found no room are said",
	      number_in(part, "unreported") > 100 && number_in(part, "unreported") < 300);
}

static void without_key(void)
{
	struct task task = task_of("worker/10", 1);
	char path[128];

	stage_end(&stage, SIGTERM);
	snprintf(path, sizeof(path), "%s/receipt.key", stage.state);
	chmod(path, 0640);
	check("a key that others can read is none, and the policy stands",
	      stage_start(&stage, "--make-cgroup", "--witness", witness, NULL) == 0 &&
		      strstr(stage.said, "no-receipt-key"));
	check("then nothing is signed",
	      run_task(&task) == 0 && !strcmp(answer_for(&task), "ok {}"));
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	if (make_stage() || stage_start(&stage, "--make-cgroup", "--witness", witness, NULL))
		return printf("the warden did not start: %s\n", stage.said), stage_remove(&stage),
		       1;
	counted();
	not_before_the_end();
	nobody_else();
	restarted();
	lost();
	without_key();
	stage_remove(&stage);
	return conclude();
}
