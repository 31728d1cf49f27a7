/*
 * Workers as the witness's tests need them, in one stage, and a keeper that asks for their parts. The keeper
 * may have been taken over.
 */
#ifndef TASKS_H
#define TASKS_H

#include <stdint.h>
#include <sys/types.h>
#include "stage.h"

/* 228: a receipt of version 2 to the end of its `cell`, which is absent. */
#define WITHOUT_CELL 228

extern struct stage stage;
extern char witness[128];
extern uint8_t warden_key[32];

/* One worker: where it is, what it says, and what it tries then. */
struct task {
	const char *folder; /* below the root */
	uint8_t key[32];
	int attempts_before; /* its word */
	int attempts;        /* after it */
	int waits;           /* at last, until it is killed */
	int line;            /* 0; or it reads a byte here, and then looks for the witness and says its word */
};

/* A stage with a key for the witness, and no warden yet; -1 when it could not be made. */
int make_stage(void);

/* Ends the process when one of them is not refused by the policy. */
void try_to_leave(int attempts);

struct task task_of(const char *name, int attempts);
pid_t start_task(const struct task *task);
/* Its exit status. */
int run_task(const struct task *task);

/* A receipt of this node for that key, up to the warden's part. */
void begin(const uint8_t key[32], uint8_t begun[WITHOUT_CELL]);

/* What the warden answers to it. */
const char *answer(const uint8_t *begun, size_t length);
const char *answer_for(const struct task *task);
unsigned long long number_in(const char *json, const char *name);

#endif
