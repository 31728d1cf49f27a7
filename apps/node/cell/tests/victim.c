/*
 * Puts a word, read from standard input, into every kind of memory that a process has, and ends as told.
 *
 *   victim ENDING WEIGHTS     WEIGHTS is a file that begins with the word and is only read
 *
 * Each place holds the word followed by "-" and the name of the place, once in each of its pages.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096
#define PAGES 64
#define HUGE (4ul << 20)
#define TOO_MUCH (256ul << 20)
#define WORD 32

static char word[WORD + 1];
static char data[PAGES * PAGE] = "data";
static char nothing[PAGES * PAGE];
static pthread_barrier_t filled, told;
static const char *ending;

static void fill(volatile char *memory, size_t bytes, const char *place)
{
	char text[WORD + 32];
	size_t length = (size_t)snprintf(text, sizeof(text), "%s-%s;", word, place);

	for (size_t page = 0; page < bytes; page += PAGE)
		for (size_t at = 0; at < length; at++)
			memory[page + at] = text[at];
	explicit_bzero(text, sizeof(text));
}

static char *map(size_t bytes, int flags, int fd)
{
	char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (memory == MAP_FAILED)
		exit(3);
	return memory;
}

static void fill_everywhere(const char *weights)
{
	char *memory;
	int file;

	fill(data, sizeof(data), "data");
	fill(nothing, sizeof(nothing), "bss");
	fill(malloc(PAGES * PAGE), PAGES * PAGE, "heap");
	fill(map(PAGES * PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1), PAGES * PAGE, "mmap");
	memory = map(2 * HUGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	madvise(memory, 2 * HUGE, MADV_HUGEPAGE);
	fill(memory, 2 * HUGE, "huge");
	memory = map(PAGES * PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	fill(memory, PAGES * PAGE, "readonly");
	mprotect(memory, PAGES * PAGE, PROT_READ);
	memory = map(PAGES * PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	fill(memory, PAGES * PAGE, "hidden");
	mprotect(memory, PAGES * PAGE, PROT_NONE);
	file = open(weights, O_RDONLY);
	fill(map(PAGE, MAP_PRIVATE, file), PAGE, "copied");
	memory = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0);
	/* Only a page that was read is there. */
	if (memory == MAP_FAILED || memcmp(memory, word, WORD))
		exit(3);
}

/* Words where no pagemap shows them, or where no overwriter knows what they would do. */
static void fill_shared(void)
{
	aio_context_t ring = 0;
	char *memory;

	if (!strcmp(ending, "shared")) {
		memory = map(PAGES * PAGE, MAP_SHARED | MAP_ANONYMOUS, -1);
		fill(memory, PAGES * PAGE, "shared");
		madvise(memory, PAGES * PAGE, MADV_DONTNEED);
	}
	if (!strcmp(ending, "device") && syscall(SYS_io_setup, 1, &ring))
		exit(3);
}

/* Whether its first thread ends before the second. */
static bool is_first_to_leave(void)
{
	return !strcmp(ending, "first-thread-leaves") || !strcmp(ending, "threads-leave-one-by-one");
}

/* Fills some of its stack, and stays until the process ends, or longer than the first thread. */
static void *second_thread(void *unused)
{
	volatile char stack[PAGES * PAGE];

	fill(stack, sizeof(stack), "thread");
	pthread_barrier_wait(&filled);
	if (is_first_to_leave()) {
		/* Not a moment before the end is wanted: whoever searches this memory may begin late. */
		pthread_barrier_wait(&told);
		usleep(100000);
		if (!strcmp(ending, "first-thread-leaves"))
			_exit(0);
		/* Not pthread_exit: the stack shall stay as it is. */
		syscall(SYS_exit, 0);
	}
	for (;;)
		pause();
	return unused;
}

/* A process of its own that says so, if it ever runs. */
static void make_process(void)
{
	pid_t child = fork();

	if (child == 0) {
		puts("a second process ran");
		fflush(stdout);
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

/* More than its control group has; a machine without such a group is not to suffer from it. */
static void take_all_memory(void)
{
	for (size_t taken = 0; taken < TOO_MUCH; taken += HUGE)
		memset(map(HUGE, MAP_PRIVATE | MAP_ANONYMOUS, -1), 1, HUGE);
}

/* Many short threads, as a program makes them that computes with a pool for each step. */
static void *no_work(void *unused)
{
	return unused;
}

static void make_threads(int count)
{
	for (int at = 0; at < count; at++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, no_work, NULL) == 0)
			pthread_join(thread, NULL);
	}
}

static void end_as_told(char **argv)
{
	if (!strcmp(ending, "fork"))
		make_process();
	if (!strcmp(ending, "many-threads"))
		make_threads(1000);
	if (!strcmp(ending, "exec"))
		execv("/bin/true", argv);
	if (!strcmp(ending, "abort"))
		abort();
	if (!strcmp(ending, "segv"))
		*(volatile int *)0 = 1;
	if (!strcmp(ending, "kill"))
		raise(SIGKILL);
	if (!strcmp(ending, "stop"))
		raise(SIGSTOP);
	if (!strncmp(ending, "memory", strlen("memory")))
		take_all_memory();
	if (!strcmp(ending, "wait"))
		pause();
	if (is_first_to_leave()) {
		pthread_barrier_wait(&told);
		syscall(SYS_exit, 0);
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	volatile char stack[PAGES * PAGE];
	pthread_t thread;
	char go;

	if (argc < 3 || read(0, word, WORD) != WORD)
		return 2;
	ending = argv[1];
	pthread_barrier_init(&filled, NULL, 2);
	pthread_barrier_init(&told, NULL, 2);
	if (pthread_create(&thread, NULL, second_thread, NULL))
		return 3;
	pthread_barrier_wait(&filled);
	fill(stack, sizeof(stack), "stack");
	fill_everywhere(argv[2]);
	fill_shared();
	printf("ready %d\n", (int)getpid());
	fflush(stdout);
	if (read(0, &go, 1) != 1)
		return 3;
	end_as_told(argv);
	return 0;
}
