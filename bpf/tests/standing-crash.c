/*
 * Power cuts and failing calls, at every point where the disk changes.
 *
 * The linker puts the functions below between standing and the C library (-Wl,--wrap). They carry out
 * each call and note it. From the notes every disk is made that a power cut could leave after any
 * call, by this model, which is harsher than file systems are:
 *   - names change in order, but all after the last fsync of the folder may be lost, from any one on;
 *   - bytes of a file that were not synced may be there, be lost, be there by half, or be zeros.
 * Each such disk must open as the state of the last answer or the next, and let things go on.
 */
#include "standing-made.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>

#define MAX_CALLS      256
#define MAX_INODES     64
#define MAX_FILE_BYTES 1024
#define MAX_NAMES      8

int __real_openat(int dir, const char *name, int flags, mode_t mode);
ssize_t __real_write(int file, const void *bytes, size_t length);
int __real_fsync(int file);
int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __real_unlinkat(int dir, const char *name, int flags);

struct call {
	enum { OPENED, WRITTEN, SYNCED, RENAMED, UNLINKED, DIR_SYNCED, ANSWERED } kind;
	int inode;
	char name[32], to[32];
	uint8_t bytes[MAX_FILE_BYTES];
	size_t length;
	uint32_t version; /* of an answer */
	uint64_t counter;
};

static struct call calls[MAX_CALLS];
static int n_calls, n_inodes;
static int inode_of_file[256];
static bool is_noting;

/* The call with this number fails, or ends the process, without effect; -1 for none. */
static int failing_call = -1, last_call = -1;
static jmp_buf death;
static int n_made;
/* How much one write takes at most. */
static size_t write_limit = SIZE_MAX;

static struct call *note(int kind, int inode)
{
	struct call *call = &calls[n_calls++];

	if (n_calls > MAX_CALLS)
		abort();
	*call = (struct call){ .kind = kind, .inode = inode };
	return call;
}

static bool fails(int error)
{
	int number = is_noting ? n_made++ : -1;

	if (is_noting && number == last_call)
		longjmp(death, 1);
	if (!is_noting || number != failing_call)
		return false;
	errno = error;
	return true;
}

/* Names and what they stand for, at some moment. */
struct names {
	struct {
		char name[32];
		int inode;
	} all[MAX_NAMES];
};

static int *find_name(struct names *names, const char *name)
{
	for (int i = 0; i < MAX_NAMES; i++)
		if (strcmp(names->all[i].name, name) == 0)
			return &names->all[i].inode;
	return NULL;
}

static void set_name(struct names *names, const char *name, int inode)
{
	int *found = find_name(names, name);

	for (int i = 0; !found && i < MAX_NAMES; i++)
		if (names->all[i].name[0] == '\0') {
			strcpy(names->all[i].name, name);
			found = &names->all[i].inode;
		}
	*found = inode;
}

static void remove_name(struct names *names, const char *name)
{
	for (int i = 0; i < MAX_NAMES; i++)
		if (strcmp(names->all[i].name, name) == 0)
			memset(&names->all[i], 0, sizeof(names->all[i]));
}

static bool changes_names(const struct call *call)
{
	return call->kind == OPENED || call->kind == RENAMED || call->kind == UNLINKED;
}

static void apply_to_names(struct names *names, const struct call *call)
{
	if (call->kind == OPENED)
		set_name(names, call->name, call->inode);
	if (call->kind == RENAMED) {
		remove_name(names, call->name);
		set_name(names, call->to, call->inode);
	}
	if (call->kind == UNLINKED)
		remove_name(names, call->name);
}

static struct names names_now(void)
{
	struct names names = { 0 };

	for (int i = 0; i < n_calls; i++)
		apply_to_names(&names, &calls[i]);
	return names;
}

int __wrap_openat(int dir, const char *name, int flags, ...)
{
	va_list arguments;
	mode_t mode = 0;
	int file, *known;
	struct names names;

	if (!(flags & O_CREAT))
		return __real_openat(dir, name, flags, 0);
	va_start(arguments, flags);
	mode = va_arg(arguments, mode_t);
	va_end(arguments);
	if (fails(ENOSPC))
		return -1;
	file = __real_openat(dir, name, flags, mode);
	if (is_noting && file >= 0) {
		names = names_now();
		known = find_name(&names, name);
		inode_of_file[file] = known ? *known : n_inodes++;
		strcpy(note(OPENED, inode_of_file[file])->name, name);
	}
	return file;
}

ssize_t __wrap_write(int file, const void *bytes, size_t length)
{
	struct call *call;

	if (!is_noting)
		return __real_write(file, bytes, length);
	if (fails(ENOSPC))
		return -1;
	if (length > write_limit)
		length = write_limit;
	call = note(WRITTEN, inode_of_file[file]);
	memcpy(call->bytes, bytes, length);
	call->length = length;
	return __real_write(file, bytes, length);
}

/* Syncing nothing really: the disk is the model's. */
int __wrap_fsync(int file)
{
	struct stat status;

	if (fails(EIO))
		return -1;
	if (!is_noting)
		return 0;
	fstat(file, &status);
	if (S_ISDIR(status.st_mode))
		note(DIR_SYNCED, -1);
	else
		note(SYNCED, inode_of_file[file]);
	return 0;
}

int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	struct names names;
	struct call *call;

	if (fails(EIO))
		return -1;
	if (is_noting) {
		names = names_now();
		call = note(RENAMED, *find_name(&names, from));
		strcpy(call->name, from);
		strcpy(call->to, to);
	}
	return __real_renameat(from_dir, from, to_dir, to);
}

int __wrap_unlinkat(int dir, const char *name, int flags)
{
	if (fails(EIO))
		return -1;
	if (is_noting)
		strcpy(note(UNLINKED, -1)->name, name);
	return __real_unlinkat(dir, name, flags);
}

enum fate { LOST, KEPT, HALVED, ZEROED };

struct content {
	uint8_t bytes[MAX_FILE_BYTES];
	size_t length;
};

/* What an inode holds when the power goes after `n` calls. */
static struct content content_of(int inode, int n, enum fate fate)
{
	struct content synced = { .length = 0 }, latest = synced;
	bool is_synced = true;

	for (int i = 0; i < n; i++) {
		const struct call *call = &calls[i];

		if (call->inode != inode)
			continue;
		if (call->kind == OPENED)
			latest.length = 0;
		if (call->kind == WRITTEN) {
			memcpy(latest.bytes + latest.length, call->bytes, call->length);
			latest.length += call->length;
		}
		if (call->kind == OPENED || call->kind == WRITTEN)
			is_synced = false;
		if (call->kind == SYNCED) {
			synced = latest;
			is_synced = true;
		}
	}
	if (is_synced || fate == LOST)
		return synced;
	if (fate == HALVED)
		latest.length /= 2;
	if (fate == ZEROED)
		memset(latest.bytes, 0, sizeof(latest.bytes));
	return latest;
}

/* The state folder as it is after a power cut behind `n` calls, names being lost from `kept` on. */
static void make_disk(int n, int kept, enum fate fate)
{
	struct names names = { 0 };

	empty_state();
	for (int i = 0; i < kept; i++)
		apply_to_names(&names, &calls[i]);
	for (int i = 0; i < MAX_NAMES; i++) {
		struct content content;

		if (names.all[i].name[0] == '\0')
			continue;
		content = content_of(names.all[i].inode, n, fate);
		put_file(state_dir, names.all[i].name, content.bytes, content.length);
	}
}

/* What happens in a node's life: lists and orders in turn. */
struct step {
	bool is_list;
	uint32_t version; /* in force after it */
	uint64_t counter;
	struct made made;
	struct made other; /* another document that is as good in its place */
	uint64_t other_counter;
};

#define N_STEPS 6
static struct step steps[N_STEPS];

static struct made order_made(const struct signer *signer, uint64_t counter)
{
	struct window_order order = order_of(signer, counter);

	return made_order(&order, signer);
}

static void plan_steps(void)
{
	struct device_list third = third_list(), second_later = second, third_later;
	struct made third_made = made_list(&third, &ada);

	second_later.devices[2].added_ms++;
	third_later = third;
	third_later.devices[2].added_ms++;
	steps[0] = (struct step){ true, 1, 0, first_made, first_made, 0 };
	steps[1] = (struct step){ false, 1, 20, order_made(&ada, 20), order_made(&ada, 15), 15 };
	steps[2] = (struct step){ true, 2, 20, second_made, made_list(&second_later, &ada), 15 };
	steps[3] = (struct step){ false, 2, 40, order_made(&bob, 40), order_made(&bob, 35), 35 };
	steps[4] = (struct step){ true, 3, 40, third_made, made_list(&third_later, &ada), 40 };
	steps[5] = (struct step){ false, 3, 60, order_made(&ada, 60), order_made(&ada, 55), 55 };
}

static enum refusal take(struct standing *standing, bool is_list, const struct made *made)
{
	struct window_order order;
	uint32_t version;

	return is_list ? standing_take_device_list(standing, made->bytes, made->length, &version)
		       : standing_take_window(standing, made->bytes, made->length, NOW_MS, &order);
}

static void note_answer(const struct standing *standing)
{
	struct call *call = note(ANSWERED, -1);

	call->version = standing_device_version(standing);
	call->counter = standing_counter(standing);
}

static void begin_life(void)
{
	empty_state();
	n_calls = n_inodes = n_made = 0;
}

/* All steps in turn; after a refusal the same document again, or the other one. True if all went in. */
static bool live(bool takes_other)
{
	struct standing *standing;
	bool is_right = true;

	if (standing_open(&standing, state_dir, identity_dir) != REFUSAL_NONE)
		return false;
	is_noting = true;
	for (int i = 0; i < N_STEPS; i++) {
		const struct step *step = &steps[i];
		uint32_t version = standing_device_version(standing);
		uint64_t counter = standing_counter(standing);
		enum refusal refusal = take(standing, step->is_list, &step->made);

		if (refusal == REFUSAL_STORAGE) {
			is_right = is_right && standing_device_version(standing) == version &&
				   standing_counter(standing) == counter;
			refusal = take(standing, step->is_list,
				       takes_other ? &step->other : &step->made);
		}
		is_right = is_right && refusal == REFUSAL_NONE &&
			   standing_device_version(standing) == step->version &&
			   (standing_counter(standing) == step->counter ||
			    standing_counter(standing) == step->other_counter);
		note_answer(standing);
		/* After the other list none of the planned ones follows. */
		if (takes_other && i == 2)
			break;
	}
	is_noting = false;
	standing_close(standing);
	return is_right;
}

/* The last answer before call `n`, and the next one after it. */
static void answers_around(int n, const struct call **last, const struct call **next)
{
	static const struct call nothing = { .kind = ANSWERED };

	*last = &nothing;
	for (int i = 0; i < n; i++)
		if (calls[i].kind == ANSWERED)
			*last = &calls[i];
	*next = *last;
	for (int i = n_calls; i-- > n;)
		if (calls[i].kind == ANSWERED)
			*next = &calls[i];
}

/* Whether things go on from what was found: every later step goes in, unless it is in already. */
static bool goes_on(struct standing *standing)
{
	for (int i = 0; i < N_STEPS; i++) {
		const struct step *step = &steps[i];
		bool is_in = step->is_list ? step->version <= standing_device_version(standing)
					   : step->counter <= standing_counter(standing);

		if (!is_in && take(standing, step->is_list, &step->made) != REFUSAL_NONE)
			return false;
	}
	return standing_device_version(standing) == 3 && standing_counter(standing) == 60;
}

/* Opens what the power cut left; false if it is not the last answer's state or the next's. */
static bool survives(int n, bool has_failed)
{
	const struct call *last, *next;
	struct standing *standing;
	bool is_right;

	answers_around(n, &last, &next);
	if (standing_open(&standing, state_dir, identity_dir) != REFUSAL_NONE)
		return false;
	is_right = standing_device_version(standing) >= last->version &&
		   standing_device_version(standing) <= next->version &&
		   standing_counter(standing) >= last->counter &&
		   /* a counter that was refused for want of storage may be used up */
		   standing_counter(standing) <= next->counter + (has_failed ? 5 : 0);
	is_right = is_right && (has_failed || goes_on(standing));
	standing_close(standing);
	return is_right;
}

/* Cuts the power behind every call of the life that was noted; returns how many disks it left. */
static int cut_everywhere(bool has_failed, int *spoiled)
{
	int disks = 0;

	for (int n = 0; n <= n_calls; n++) {
		int synced = 0;

		for (int i = 0; i < n; i++)
			if (calls[i].kind == DIR_SYNCED)
				synced = i;
		for (int kept = synced; kept <= n; kept++) {
			if (kept < n && !changes_names(&calls[kept]))
				continue;
			for (enum fate fate = LOST; fate <= ZEROED; fate++) {
				make_disk(n, kept, fate);
				disks++;
				if (survives(n, has_failed))
					continue;
				if ((*spoiled)++ == 0)
					printf("first spoiled disk: %d calls, %d kept, fate %d\n",
					       n, kept, fate);
			}
		}
	}
	return disks;
}

static void test_power_cuts(void)
{
	int spoiled = 0, disks;

	begin_life();
	check("without a failure every step goes in", live(false));
	disks = cut_everywhere(false, &spoiled);
	printf("%d calls, %d disks\n", n_calls, disks);
	check("a power cut leaves the last answer's state or the next", spoiled == 0);
	check("there were power cuts", n_calls > 60 && disks > 500);
}

static void test_short_writes(void)
{
	int spoiled = 0;

	begin_life();
	write_limit = 100;
	check("a write may take less than it is given", live(false));
	write_limit = SIZE_MAX;
	cut_everywhere(false, &spoiled);
	check("a power cut between two parts of a file spoils nothing", spoiled == 0);
}

/* Each call fails once, then the power goes at any moment. */
static void test_failures(bool takes_other)
{
	int spoiled = 0, wrong = 0, disks = 0, lives = 0;

	for (failing_call = 0;; failing_call++, lives++) {
		begin_life();
		wrong += !live(takes_other);
		if (n_made <= failing_call)
			break;
		disks += cut_everywhere(true, &spoiled);
	}
	failing_call = -1;
	printf("%d failures, %d disks\n", lives, disks);
	check(takes_other ? "after a failure another document goes in"
			  : "after a failure the same document goes in",
	      wrong == 0);
	check("a power cut around a failure spoils nothing", spoiled == 0);
	check("there were failures", lives > (takes_other ? 30 : 60));
}

/*
 * The process dies at a call while the machine goes on, and another process takes up what it finds:
 * what that one answers must outlive a power cut too. False if it cannot go on.
 */
static bool live_twice(void)
{
	static struct standing *standing;
	static int step;
	static bool is_right;

	step = 0;
	is_right = standing_open(&standing, state_dir, identity_dir) == REFUSAL_NONE;
	is_noting = true;
	if (setjmp(death) != 0) {
		standing_close(standing);
		is_right = standing_open(&standing, state_dir, identity_dir) == REFUSAL_NONE;
		/* What a keeper asks first. */
		if (is_right)
			note_answer(standing);
	}
	for (; is_right && step < N_STEPS; step++) {
		enum refusal refusal = take(standing, steps[step].is_list, &steps[step].made);
		bool was_in = refusal == REFUSAL_ORDER_REPLAYED &&
			      standing_counter(standing) == steps[step].counter;

		is_right = refusal == REFUSAL_NONE || was_in;
		note_answer(standing);
	}
	is_noting = false;
	standing_close(standing);
	return is_right;
}

static void test_deaths(void)
{
	int spoiled = 0, wrong = 0, disks = 0, deaths = 0;

	for (last_call = 0;; last_call++, deaths++) {
		begin_life();
		wrong += !live_twice();
		if (n_made <= last_call)
			break;
		disks += cut_everywhere(false, &spoiled);
	}
	last_call = -1;
	printf("%d deaths, %d disks\n", deaths, disks);
	check("whoever comes after a death goes on", wrong == 0);
	check("a power cut around a death spoils nothing", spoiled == 0);
	check("there were deaths", deaths > 60);
}

int main(void)
{
	if (sodium_init() < 0 || !freopen("/dev/null", "w", stderr))
		return 1;
	name_people();
	make_folders(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	plan_steps();
	test_power_cuts();
	test_short_writes();
	test_failures(false);
	test_failures(true);
	test_deaths();
	remove_folders();
	return conclude();
}
