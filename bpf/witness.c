/* The warden's part of a receipt. See witness.h. */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "clock.h"
#include "egress.h"
#include "receipt.h"
#include "status.h"
#include "stored.h"
#include "task-counts.h"
#include "units.h"
#include "witness.h"

static const char KEY_FILE[] = "receipt.key";
static const char NODE_FILE[] = "node.pub";

/* 16: before the keeper and the ring get their turn again. */
#define WORDS_AT_ONCE 16

/* 100: what proc(5) counts in on every Linux, whatever the kernel's own clock (USER_HZ). */
#define TICKS_PER_SECOND 100

/* Two hours: a task ends after one, and a keeper that asks does so within a minute of its end. */
#define FORGET_NS (2ULL * 3600 * 1000000000)

/* Readable and writable by its owner alone, and exactly a seed. */
static int read_key(const char *state_dir, __u8 secret[SECRET_BYTES])
{
	__u8 seed[crypto_sign_SEEDBYTES + 1], public_key[KEY_BYTES];
	int dir = open(state_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat status;
	size_t length = 0;
	int is_whole =
		dir >= 0 && !fstatat(dir, KEY_FILE, &status, AT_SYMLINK_NOFOLLOW) &&
		!(status.st_mode & 077) &&
		read_file(dir, KEY_FILE, geteuid(), seed, sizeof(seed), &length) == PRESENT &&
		length == crypto_sign_SEEDBYTES;

	if (is_whole)
		crypto_sign_seed_keypair(public_key, secret, seed);
	sodium_memzero(seed, sizeof(seed));
	if (dir >= 0)
		close(dir);
	return is_whole ? 0 : -1;
}

static int read_node(const char *identity_dir, __u8 node[KEY_BYTES])
{
	char line[MAX_LINE_BYTES] = "";
	const char *at = line;
	int dir = open(identity_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t length = 0;
	int is_read = dir >= 0 && read_file(dir, NODE_FILE, geteuid(), (__u8 *)line,
					    sizeof(line) - 1, &length) == PRESENT;

	if (dir >= 0)
		close(dir);
	return is_read && parse_hash(&at, node) ? 0 : -1;
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1, failed;
	mode_t old;

	if (strlen(path) >= sizeof(address.sun_path))
		return errno = ENAMETOOLONG, -1;
	strcpy(address.sun_path, path);
	unlink(path);
	old = umask(0117);
	failed = fd < 0 || setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)) ||
		 bind(fd, (const struct sockaddr *)&address, sizeof(address));
	umask(old);
	return failed ? -1 : fd;
}

int witness_open(struct witness *witness, const char *path, const char *state_dir,
		 const char *identity_dir, struct fault *fault)
{
	witness->socket = -1;
	if (!path)
		return 0;
	if (read_node(identity_dir, witness->node) || read_key(state_dir, witness->secret)) {
		log_event("no-receipt-key", "%s", "\"code\":\"ERR_STORAGE\"");
		return 0;
	}
	witness->socket = listen_at(path);
	return witness->socket < 0 ? fault_set(fault, "ERR_SOCKET", "%s: %s", path, strerror(errno))
				   : 0;
}

/* When a process began, at most one tick too early; 0 when it is gone. */
static __u64 start_of(pid_t pid)
{
	char path[32], text[1024] = "", *at;
	unsigned long long ticks = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	/* proc(5): the 22nd; a program chooses its name, the second, and may put anything into it. */
	at = fgets(text, sizeof(text), file) ? strrchr(text, ')') : NULL;
	if (at)
		sscanf(at + 1, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu",
		       &ticks);
	fclose(file);
	return ticks * (1000000000ULL / TICKS_PER_SECOND);
}

/* The folder below the root of the cgroup that `pid` is in, when that is one worker's own. */
static int find_worker(const struct policy *policy, pid_t pid, struct egress_task *task)
{
	char path[CGROUP_PATH_BYTES], unit[256];
	struct egress_unit rule;
	struct fault fault;
	const char *folder;
	__u64 id;

	if (cgroup_of(pid, path, &fault) || cgroup_child_of(&policy->root, path, unit))
		return -1;
	id = cgroup_id(policy->root.fd, unit);
	folder = path + strlen(policy->root.path) + 1;
	if (!id || bpf_map_lookup_elem(policy->map[MAP_UNITS], &id, &rule) ||
	    rule.kind != UNIT_WORKER || !strchr(folder, '/') ||
	    strlen(folder) >= sizeof(task->folder))
		return -1;
	strcpy(task->folder, folder);
	task->cgroup = cgroup_id(policy->root.fd, folder);
	task->started_ns = start_of(pid);
	return task->cgroup && task->started_ns ? 0 : -1;
}

static void forget(const struct policy *policy, const __u8 key[KEY_BYTES], __u64 cgroup)
{
	bpf_map_delete_elem(policy->map[MAP_TASK_KEYS], key);
	bpf_map_delete_elem(policy->map[MAP_TASKS], &cgroup);
}

/* Whether a process of that cgroup may still try something. */
static int is_live(const struct policy *policy, const char *folder)
{
	char path[EGRESS_FOLDER_BYTES + 32], text[128] = "";
	int file, ended;

	snprintf(path, sizeof(path), "%s/cgroup.events", folder);
	file = openat(policy->root.fd, path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return errno != ENOENT;
	/* ENODEV: removed since it was opened. */
	ended = read(file, text, sizeof(text) - 1) > 0 ? strstr(text, "populated 0") != NULL
						       : errno == ENODEV;
	close(file);
	return !ended;
}

/* Forgets ended tasks that nobody asked for; whether this cgroup has said a key already. */
static int has_key(const struct policy *policy, __u64 cgroup)
{
	__u8 keys[EGRESS_TASKS][KEY_BYTES], *at = NULL;
	__u64 now = boot_ns();
	struct egress_task task;
	int count = 0, found = 0;

	/* Collected first: a key that is deleted during a walk makes the walk start again. */
	while (count < EGRESS_TASKS &&
	       !bpf_map_get_next_key(policy->map[MAP_TASK_KEYS], at, keys[count]))
		at = keys[count++];
	while (count--) {
		if (bpf_map_lookup_elem(policy->map[MAP_TASK_KEYS], keys[count], &task))
			continue;
		found |= task.cgroup == cgroup;
		/* A live one could say another key, and begin to be counted anew. */
		if (now - task.since_ns > FORGET_NS && !is_live(policy, task.folder))
			forget(policy, keys[count], task.cgroup);
	}
	return found;
}

/* One key per cgroup, one cgroup per key: the first word counts. */
static void register_key(const struct policy *policy, pid_t pid, const __u8 key[KEY_BYTES])
{
	struct egress_task task = { .since_ns = boot_ns() };
	const struct egress_count none = {};

	if (find_worker(policy, pid, &task) || has_key(policy, task.cgroup))
		return;
	/* It is there when the worker tried something before. Full: the next tick makes room, for others. */
	if (bpf_map_update_elem(policy->map[MAP_TASKS], &task.cgroup, &none, BPF_NOEXIST) &&
	    errno != EEXIST)
		return;
	bpf_map_update_elem(policy->map[MAP_TASK_KEYS], key, &task, BPF_NOEXIST);
}

void witness_take(const struct witness *witness, const struct policy *policy)
{
	for (int words = 0; witness->socket >= 0 && words < WORDS_AT_ONCE; words++) {
		/* Room for one byte more, so that a longer word is seen to be one. */
		__u8 key[KEY_BYTES + 1];
		union {
			struct cmsghdr header;
			char room[CMSG_SPACE(sizeof(struct ucred))];
		} control = {};
		struct iovec where = { key, sizeof(key) };
		struct msghdr message = { .msg_iov = &where,
					  .msg_iovlen = 1,
					  .msg_control = &control,
					  .msg_controllen = sizeof(control) };
		ssize_t length = recvmsg(witness->socket, &message, MSG_CMSG_CLOEXEC);
		const struct cmsghdr *from = CMSG_FIRSTHDR(&message);
		struct ucred sender;

		if (length < 0)
			return;
		if (length != KEY_BYTES || !from || from->cmsg_level != SOL_SOCKET ||
		    from->cmsg_type != SCM_CREDENTIALS)
			continue;
		memcpy(&sender, CMSG_DATA(from), sizeof(sender));
		register_key(policy, sender.pid, key);
	}
}

static void sign(const struct witness *witness, const __u8 *begun, size_t length,
		 const struct policy *policy, const struct egress_count *count,
		 char part[WITNESS_BYTES])
{
	struct witnessed witnessed = { .attempts = count->attempts, .unreported = count->lost };
	__u8 message[MAX_WITNESSED_BYTES], signature[SIGNATURE_BYTES];
	char digest[65], boot_id[33], signed_by[2 * SIGNATURE_BYTES + 1];

	policy_digest(policy, digest);
	read_boot_id(boot_id);
	if (sodium_hex2bin(witnessed.policy, sizeof(witnessed.policy), digest, 64, NULL, NULL,
			   NULL) ||
	    strlen(boot_id) != 32 ||
	    sodium_hex2bin(witnessed.boot_id, sizeof(witnessed.boot_id), boot_id, 32, NULL, NULL,
			   NULL))
		return;
	crypto_sign_detached(signature, NULL, message,
			     receipt_message(begun, length, &witnessed, message), witness->secret);
	sodium_bin2hex(signed_by, sizeof(signed_by), signature, sizeof(signature));
	snprintf(part, WITNESS_BYTES,
		 "{\"attempts\":\"%llu\",\"unreported\":\"%llu\",\"policy\":\"%s\",\"bootId\":\"%"
		 "s\","
		 "\"signature\":\"%s\"}",
		 (unsigned long long)witnessed.attempts, (unsigned long long)witnessed.unreported,
		 digest, boot_id, signed_by);
}

void witness_sign(const struct witness *witness, const struct policy *policy, const __u8 *untrusted,
		  size_t length, char part[WITNESS_BYTES])
{
	const __u8 *key =
		witness->socket < 0 ? NULL : receipt_worker_key(untrusted, length, witness->node);
	struct egress_count count;
	struct egress_task task;

	if (!key || bpf_map_lookup_elem(policy->map[MAP_TASK_KEYS], key, &task))
		return;
	if (is_live(policy, task.folder)) {
		strcpy(part, "{\"isLive\":true}");
		return;
	}
	/* While the policy was broken, or the map full, attempts may have gone uncounted; also those of before
	 * its word. */
	if (!bpf_map_lookup_elem(policy->map[MAP_TASKS], &task.cgroup, &count) &&
	    witness->broken_at < task.started_ns &&
	    task_counts_since(policy) < task.started_ns)
		sign(witness, untrusted, length, policy, &count, part);
	forget(policy, key, task.cgroup);
	if (witness->removes_cgroups)
		unlinkat(policy->root.fd, task.folder, AT_REMOVEDIR);
}
