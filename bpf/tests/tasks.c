/*
 * Workers as the witness's tests need them: each says its key, tries something, and ends; and a keeper that
 * asks for their parts. See tasks.h.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tasks.h"

struct stage stage;
char witness[128];
uint8_t warden_key[32];

int make_stage(void)
{
	uint8_t seed[32] = { 1 }, secret[64];
	char path[128];
	int file;

	stage_make(&stage);
	crypto_sign_seed_keypair(warden_key, secret, seed);
	snprintf(witness, sizeof(witness), "%s/witness.sock", stage.folder);
	snprintf(path, sizeof(path), "%s/receipt.key", stage.state);
	mkdir(stage.state, 0700);
	file = open(path, O_WRONLY | O_CREAT, 0600);
	return write(file, seed, 32) != 32 || close(file) ? -1 : 0;
}

static int connect_to(const char *path, int type)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	return connect(fd, (const struct sockaddr *)&address, sizeof(address)) ? -1 : fd;
}

void try_to_leave(int attempts)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(443),
				  .sin_addr.s_addr = htonl(0x0a090002) };

	for (int i = 0; i < attempts; i++) {
		int out = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (!connect(out, (const struct sockaddr *)&to, sizeof(to)) || errno != EPERM)
			_exit(3);
		close(out);
	}
}

static void live(const struct task *task)
{
	char folder[320], byte;
	int fd;

	snprintf(folder, sizeof(folder), "%s/%s", stage.cgroup, task->folder);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = task->line ? -1 : connect_to(witness, SOCK_DGRAM);
	mkdir(folder, 0755);
	if (cgroup_join(folder))
		_exit(1);
	try_to_leave(task->attempts_before);
	if (task->line) {
		if (read(task->line, &byte, 1) != 1)
			_exit(4);
		fd = connect_to(witness, SOCK_DGRAM);
	}
	if (fd >= 0 && write(fd, task->key, sizeof(task->key)) < 0)
		_exit(2);
	/* A worker waits for its certificate here: it is alive when its word is heard. */
	usleep(100000);
	try_to_leave(task->attempts);
	if (task->waits)
		pause();
	_exit(0);
}

pid_t start_task(const struct task *task)
{
	pid_t pid;

	/* 20 ms: the kernel says when a process began in ticks of 10, and a warden that has just made its maps
	 * says nothing of who may have been there before. */
	usleep(20000);
	pid = fork();
	if (!pid)
		live(task);
	return pid;
}

int run_task(const struct task *task)
{
	int status;

	waitpid(start_task(task), &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

struct task task_of(const char *name, int attempts)
{
	struct task task = { .folder = name, .attempts = attempts };

	crypto_hash_sha256(task.key, (const uint8_t *)name, strlen(name));
	return task;
}

/* A receipt of this node for that key, up to the warden's part. */
void begin(const uint8_t key[32], uint8_t begun[WITHOUT_CELL])
{
	memset(begun, 0, WITHOUT_CELL);
	begun[0] = 6;
	begun[1] = 2;
	begun[226] = 2; /* its grade: B */
	memcpy(begun + 114, key, 32);
	begun[49] = 7; /* its sequence */
}

const char *answer(const uint8_t *begun, size_t length)
{
	static char line[2048];
	struct pollfd wait = { .fd = connect_to(stage.socket, SOCK_STREAM), .events = POLLIN };
	int at = sprintf(line, "witness ");
	size_t got = 0;

	sodium_bin2hex(line + at, sizeof(line) - (size_t)at, begun, length);
	strcat(line, "\n");
	if (write(wait.fd, line, strlen(line)) < 0)
		return "(unsaid)";
	do {
		*line = 0;
		got = 0;
		/* Events of the attempts come in between. */
		while (poll(&wait, 1, 3000) == 1 && read(wait.fd, line + got, 1) == 1 &&
		       line[got] != '\n')
			if (++got == sizeof(line) - 1)
				break;
		line[got] = 0;
	} while (!strncmp(line, "event ", 6) || !strncmp(line, "lost ", 5));
	close(wait.fd);
	return line;
}

const char *answer_for(const struct task *task)
{
	uint8_t begun[WITHOUT_CELL];

	begin(task->key, begun);
	return answer(begun, sizeof(begun));
}

unsigned long long number_in(const char *json, const char *name)
{
	char wanted[32];
	const char *at;

	snprintf(wanted, sizeof(wanted), "\"%s\":\"", name);
	at = strstr(json, wanted);
	return at ? strtoull(at + strlen(wanted), NULL, 10) : ~0ULL;
}
