/*
 * The warden's socket, as a keeper uses it and as one that was taken over might: signed documents,
 * events of real attempts, what is lost, limits, and what is remembered when the warden is killed.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "../clock.h"
#include "../keeper.h"
#include "stage.h"
#include "standing-made.h"

static struct stage stage;
static int keeper = -1;
static char received[1 << 20];
static size_t received_length;

static void connect_keeper(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (keeper >= 0)
		close(keeper);
	strcpy(address.sun_path, stage.socket);
	keeper = socket(AF_UNIX, SOCK_STREAM, 0);
	received_length = 0;
	if (connect(keeper, (struct sockaddr *)&address, sizeof(address)))
		perror(stage.socket);
}

static void say_bytes(const char *bytes, size_t length)
{
	while (length) {
		ssize_t sent = send(keeper, bytes, length, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		bytes += sent;
		length -= (size_t)sent;
	}
}

/* The next line, without its end, or NULL when none comes within `wait_ms`; "" once the warden hung
 * up. */
static char *next_line(int wait_ms)
{
	static char line[16384];
	struct pollfd wait = { .fd = keeper, .events = POLLIN };
	char *end;

	while (!(end = memchr(received, '\n', received_length))) {
		ssize_t got;

		if (poll(&wait, 1, wait_ms) != 1)
			return NULL;
		got = read(keeper, received + received_length, sizeof(received) - received_length);
		if (got <= 0)
			return strcpy(line, "");
		received_length += (size_t)got;
	}
	*end = 0;
	snprintf(line, sizeof(line), "%.16000s", received);
	received_length -= (size_t)(end + 1 - received);
	memmove(received, end + 1, received_length);
	return line;
}

static const char *answer_to(const char *request)
{
	char *line;

	say_bytes(request, strlen(request));
	while ((line = next_line(3000)) &&
	       (!strncmp(line, "event ", 6) || !strncmp(line, "lost ", 5)))
		;
	return line ? line : "(silence)";
}

static const char *answer_to_document(const char *word, const struct made *made)
{
	static char request[4 * MAX_DOCUMENT_BYTES];
	int at = sprintf(request, "%s ", word);

	sodium_bin2hex(request + at, sizeof(request) - (size_t)at, made->bytes, made->length);
	strcat(request, "\n");
	return answer_to(request);
}

static void check_answer(const char *sentence, const char *actual, const char *expected)
{
	bool holds = actual && !strncmp(actual, expected, strlen(expected));

	check(sentence, holds);
	if (!holds)
		printf("        \"%s\" instead of \"%s\"\n", actual ? actual : "(silence)", expected);
}

static struct window_order order_for(const struct signer *signer, uint64_t counter,
				     uint64_t from_now_ms)
{
	struct window_order order = order_of(signer, counter);

	order.not_after_ms = unix_ms() + from_now_ms;
	memcpy(order.endpoints[0].address, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16);
	order.endpoints[0].port = 4443;
	return order;
}

static const char *ask_window(const struct signer *signer, uint64_t counter, uint64_t from_now_ms)
{
	struct window_order order = order_for(signer, counter, from_now_ms);
	struct made made = made_order(&order, signer);

	return answer_to_document("window", &made);
}

/* ECONNREFUSED: it was let through, and nobody listens there. */
static int reach(void *context)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(*(uint16_t *)context),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&to, sizeof(to)) ? errno
											    : 0;
}

static int fetcher_reaches(uint16_t port)
{
	return stage_in(&stage, "fetcher", reach, &port) == ECONNREFUSED;
}

static int herald_reaches(uint16_t port)
{
	return stage_in(&stage, "herald", reach, &port) == ECONNREFUSED;
}

/* The last one, to be shown again. */
static struct made last_report;

static const char *ask_report(const struct signer *signer, uint64_t counter, uint16_t port)
{
	struct window_order order = order_for(signer, counter, 3600000);

	order.endpoints[0].port = port;
	order.n_endpoints = port ? 1 : 0;
	last_report = made_report(&order, signer);
	return answer_to_document("report", &last_report);
}

/* The herald goes where the standing order lists, and nowhere before it, beside it, or after it. */
static void reports(void)
{
	unsigned long long before = stage_attempts(&stage, "herald");
	static struct made newest;

	check("before an order a herald reaches nothing",
	      !herald_reaches(4443) && stage_attempts(&stage, "herald") == before + 1);
	check_answer("a chat device's standing order is refused", ask_report(&cy, 5, 4443),
		     "refused ERR_NOT_AUTHORISED");
	check_answer("an admin's is taken", ask_report(&ada, 5, 4443), "ok {\"counter\":\"5\"}");
	check("the herald reaches what it lists", herald_reaches(4443));
	before = stage_attempts(&stage, "herald");
	check("and not the port beside it",
	      !herald_reaches(4444) && stage_attempts(&stage, "herald") == before + 1);
	check("nobody else does", !fetcher_reaches(4443));
	check_answer("the next one takes its place", ask_report(&ada, 6, 4444), "ok ");
	check("so the herald reaches the other port only",
	      !herald_reaches(4443) && herald_reaches(4444));
	newest = last_report;
	check_answer("an earlier one does not come back", ask_report(&ada, 5, 4443),
		     "refused ERR_ORDER_REPLAYED");
	stage_end(&stage, SIGKILL);
	check("it holds without a warden", herald_reaches(4444));
	check("another warden starts", !stage_start(&stage, NULL));
	connect_keeper();
	check_answer("and takes the order again", answer_to_document("report", &newest), "ok ");
	check("which the herald still reaches", herald_reaches(4444));
	check_answer("one without a place", ask_report(&ada, 7, 0), "ok ");
	check("lets the herald reach nothing", !herald_reaches(4444));
	check_answer("a last one is ordered", ask_report(&bob, 8, 4443), "ok ");
}

static void documents(void)
{
	struct made forged = second_made;

	check_answer("an order before any list is refused", ask_window(&ada, 1, 60000),
		     "refused ERR_NOT_AUTHORISED");
	check_answer("the pinned list is taken", answer_to_document("device-list", &first_made),
		     "ok {\"version\":1}");
	forged.bytes[forged.length - 1] ^= 1;
	check_answer("a forged list is refused", answer_to_document("device-list", &forged),
		     "refused ERR_AUTHENTICATION");
	check_answer("the next list is taken", answer_to_document("device-list", &second_made),
		     "ok {\"version\":2}");
	check_answer("and may be sent again", answer_to_document("device-list", &second_made),
		     "ok {\"version\":2}");
	check_answer("an older one is refused", answer_to_document("device-list", &first_made),
		     "refused ");

	check_answer("an order of a chat device is refused", ask_window(&cy, 5, 60000),
		     "refused ERR_NOT_AUTHORISED");
	check_answer("of a revoked admin", ask_window(&eve, 5, 60000),
		     "refused ERR_NOT_AUTHORISED");
	check_answer("one that has expired", ask_window(&ada, 5, 0), "refused ERR_ORDER_EXPIRED");
	check_answer("one for more than half an hour", ask_window(&ada, 5, MAX_WINDOW_MS + 60000),
		     "refused ERR_ORDER_TOO_LONG");
	check("none of these opened anything", !fetcher_reaches(4443));
}

static void windows(void)
{
	unsigned long long before;
	__u64 opened;

	check_answer("an order of an admin opens a window", ask_window(&ada, 5, 60000),
		     "ok {\"counter\":\"5\",\"deadline\":");
	check("the fetcher reaches what it lists", fetcher_reaches(4443));
	before = stage_attempts(&stage, "fetcher");
	check("and not the port beside it",
	      !fetcher_reaches(4444) && stage_attempts(&stage, "fetcher") == before + 1);
	check_answer("a second window is refused meanwhile", ask_window(&bob, 6, 60000),
		     "refused ERR_WINDOW_OPEN");
	check_answer("the status names the open window",
		     strstr(answer_to("status\n"), "\"window\":"),
		     "\"window\":{\"counter\":\"5\",\"deadline\":");
	check_answer("a window can be closed", answer_to("close-window\n"), "ok {}");
	check_answer("and that is told", next_line(1000), "window closed");
	check("the fetcher reaches nothing then", !fetcher_reaches(4443));
	check_answer("closing again does no harm", answer_to("close-window\n"), "ok {}");
	check_answer("the same counter does not open again", ask_window(&ada, 5, 60000),
		     "refused ERR_ORDER_REPLAYED");
	check_answer("nor a lower one", ask_window(&ada, 4, 60000), "refused ERR_ORDER_REPLAYED");
	opened = unix_ms();
	check_answer("a short window opens", ask_window(&bob, 6, 1500), "ok {\"counter\":\"6\"");
	check("and is open", fetcher_reaches(4443));
	check_answer("at its deadline its end is told", answer_to(""), "window closed");
	check("within a second of it", unix_ms() - opened >= 1400 && unix_ms() - opened <= 2700);
	check("and it is closed", !fetcher_reaches(4443));

	check_answer("a window is open when the warden is killed", ask_window(&ada, 7, 60000),
		     "ok {\"counter\":\"7\"");
	stage_end(&stage, SIGKILL);
	check("it stays open without a warden", fetcher_reaches(4443));
	check("another warden starts", !stage_start(&stage, NULL));
	connect_keeper();
	check_answer("and knows of it", strstr(answer_to("status\n"), "\"window\":"),
		     "\"window\":{\"counter\":\"7\"");
	check_answer("so there is still one at a time", ask_window(&ada, 8, 60000),
		     "refused ERR_WINDOW_OPEN");
	check_answer("it closes it", answer_to("close-window\n"), "ok {}");
	check_answer("and says so", next_line(1000), "window closed");
	check_answer("it remembers the list",
		     strstr(answer_to("status\n"), "\"deviceListVersion\""),
		     "\"deviceListVersion\":2,\"highestCounter\":\"7\"}");
	check_answer("and the counter", ask_window(&ada, 7, 60000), "refused ERR_ORDER_REPLAYED");
}

/* The list after `list`, signed by ada; `list` becomes it. */
static const char *take_next_list(struct device_list *list, struct made *made)
{
	crypto_hash_sha256(list->previous, made->bytes, made->length);
	list->version++;
	list->issued_ms += 1000;
	*made = made_list(list, &ada);
	return answer_to_document("device-list", made);
}

static void new_lists(void)
{
	struct device_list list = second;
	struct made made = second_made;

	check_answer("an admin opens a window", ask_window(&ada, 8, 60000), "ok ");
	check_answer("a new list is taken meanwhile", take_next_list(&list, &made),
		     "ok {\"version\":3}");
	check("the window of who is still an admin stays open",
	      !next_line(200) && fetcher_reaches(4443));
	stage_end(&stage, SIGKILL);
	check("a warden starts that does not know who opened it", !stage_start(&stage, NULL));
	connect_keeper();
	check_answer("the list in force, sent again", answer_to_document("device-list", &made),
		     "ok {\"version\":3}");
	check("closes nothing", !next_line(200) && fetcher_reaches(4443));
	check_answer("the next list", take_next_list(&list, &made), "ok {\"version\":4}");
	check_answer("closes the window", next_line(1000), "window closed");
	check("for the fetcher too", !fetcher_reaches(4443));
	check_answer("another admin opens a window", ask_window(&bob, 9, 60000), "ok ");
	check("it is open", fetcher_reaches(4443));
	check("an unknown admin's standing order ended with the list too", !herald_reaches(4443));
	check_answer("and orders where to report", ask_report(&bob, 9, 4443), "ok ");
	check("which the herald reaches", herald_reaches(4443));
	list.devices[1].is_revoked = true;
	list.devices[1].revoked_ms = list.issued_ms;
	check_answer("a list that revokes them", take_next_list(&list, &made),
		     "ok {\"version\":5}");
	check_answer("closes their window", next_line(1000), "window closed");
	check("also for the fetcher", !fetcher_reaches(4443));
	check("and their standing order: the herald reaches nothing", !herald_reaches(4443));
}

static void events(void)
{
	uint16_t port = 4444;
	unsigned long long sequence, next;
	__u64 before = boot_ns(), at;
	char *line;

	while (next_line(200))
		;
	stage_in(&stage, "worker", reach, &port);
	line = next_line(1000);
	check("a refused attempt is told within a second",
	      line &&
		      sscanf(line, "event {\"sequence\":%llu,\"bootNs\":%llu,", &sequence, &at) ==
			      2 &&
		      at >= before && at <= boot_ns());
	check("with unit, hook, protocol, address, port and user",
	      line &&
		      strstr(line, "\"unit\":\"worker\",\"hook\":\"connect4\",\"protocol\":\"tcp\","
				   "\"address\":\"127.0.0.1\",\"port\":4444,\"cgroup\":") &&
		      strstr(line, "\"uid\":0}"));
	stage_in(&stage, "clerk", reach, &port);
	line = next_line(1000);
	check("the next one has the next number",
	      line && sscanf(line, "event {\"sequence\":%llu,", &next) == 1 &&
		      next == sequence + 1 && strstr(line, "\"unit\":\"clerk\""));
	close(keeper);
	keeper = -1;
	usleep(100000);
	stage_in(&stage, "worker", reach, &port);
	connect_keeper();
	line = next_line(1500);
	check("what happens while no keeper is there waits in the ring",
	      line && strstr(line, "\"unit\":\"worker\""));
}

static int flood(void *context)
{
	const struct sockaddr_in to = { .sin_family = AF_INET,
					.sin_port = htons(9),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), reached = 0;

	for (int i = 0; i < *(int *)context; i++)
		reached += !connect(fd, (const struct sockaddr *)&to, sizeof(to));
	return reached > 0;
}

static void lost(void)
{
	int count = 30000;
	unsigned long long told = 0, told_lost = 0, lines_lost = 0, number,
			   before = stage_attempts(&stage, "worker");
	char *line;

	while (next_line(200))
		;
	/* Nobody reads meanwhile: first the socket fills, then the backlog, then the ring. */
	stage_in(&stage, "worker", flood, &count);
	count = (int)(stage_attempts(&stage, "worker") - before);
	while ((line = next_line(1500)) && *line)
		if (sscanf(line, "lost %llu", &number) == 1)
			told_lost += number, lines_lost++;
		else
			told += !strncmp(line, "event ", 6) && strstr(line, "\"unit\":\"worker\"");
	check("a flood is told as events and as lost ones, and they add up",
	      told + told_lost == (unsigned long long)count);
	check("some were lost", told_lost > 0 && lines_lost > 0 && told > 0);
	check("the kernel's own counts say the same", stage_adds_up(&stage));
	printf("        %d attempts: %llu told, %llu lost in %llu lines\n", count, told, told_lost,
	       lines_lost);
}

static void hung_up(const char *sentence, const char *bytes, size_t length)
{
	char *line;

	connect_keeper();
	say_bytes(bytes, length);
	while ((line = next_line(1500)) && *line)
		;
	check(sentence, line && !*line);
}

static void limits(void)
{
	static char line[LINE_BYTES + 1];

	hung_up("a word that is no request ends the connection", "hello\n", 6);
	hung_up("so does a request with more behind it", "status now\n", 11);
	hung_up("a document that is not hexadecimal", "window zz\n", 10);
	hung_up("half a byte", "window 123\n", 11);
	hung_up("a document without content", "window\n", 7);
	hung_up("an empty line", "\n", 1);
	hung_up("a zero byte", "status\0\n", 8);
	memset(line, '0', sizeof(line));
	memcpy(line, "window ", 7);
	hung_up("a line of 131,201 bytes", line, LINE_BYTES + 1);
	/* An odd number of digits is no document, so one space less: 131,200 bytes with the end. */
	connect_keeper();
	memcpy(line, "device-list ", 12);
	line[LINE_BYTES - 2] = '\n';
	say_bytes(line, LINE_BYTES - 1);
	check_answer("a line within 131,200 bytes is read", next_line(2000), "refused ERR_LENGTH");
	check_answer("and the connection lives", answer_to("status\n"),
		     "ok {\"version\":1,\"bootId\":\"");
	memcpy(line, "device-list", 11);
	memset(line + 11, '0', sizeof(line) - 11);
	line[11] = ' ';
	hung_up("a line without an end is not waited for", line, LINE_BYTES);

	/* Asks and never reads: the backlog is bounded. */
	connect_keeper();
	for (int i = 0; i < 4000; i++)
		say_bytes("status\n", 7);
	usleep(300000);
	connect_keeper();
	check_answer("who never reads its answers is dropped, and the next is served",
		     answer_to("status\n"), "ok {");
}

/* The value of a line of /proc/PID/status as a number of this base. */
static unsigned long long status_of(pid_t pid, const char *name, int base)
{
	char path[64], line[256];
	unsigned long long value = ~0ULL;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
			value = strtoull(line + strlen(name) + 1, NULL, base);
	if (file)
		fclose(file);
	return value;
}

static void confined(void)
{
	const unsigned long long kept = 1ULL << CAP_BPF | 1ULL << CAP_NET_ADMIN;

	check("a warden that waits has two capabilities",
	      status_of(stage.warden, "CapEff", 16) == kept &&
		      status_of(stage.warden, "CapPrm", 16) == kept);
	check("and can get no other", status_of(stage.warden, "CapBnd", 16) == kept &&
					      status_of(stage.warden, "CapInh", 16) == 0 &&
					      status_of(stage.warden, "CapAmb", 16) == 0);
	check("it is under its filter of calls, for good",
	      status_of(stage.warden, "Seccomp", 10) == 2 &&
		      status_of(stage.warden, "NoNewPrivs", 10) == 1);
	/* /dev/null is a character device, about which a C library asks more than about a pipe. */
	stage_end(&stage, SIGTERM);
	check("a warden starts with nowhere to write to", !stage_start_silent(&stage));
	connect_keeper();
	check_answer("answers", answer_to("status\n"), "ok {");
	check_answer("refuses, which it logs", answer_to("window 00\n"), "refused ERR_LENGTH");
	check_answer("and lives", answer_to("status\n"), "ok {");
}

static void not_in_force(void)
{
	int link = stage_pin(&stage, "link_egress");

	stage_end(&stage, SIGTERM);
	check("a warden of a demo starts", !stage_start(&stage, "--make-cgroup", NULL));
	connect_keeper();
	check_answer("the control: its status has no fault",
		     strstr(answer_to("status\n"), "\"fault\":"), "\"fault\":null");
	check("a link is detached", !bpf_link_detach(link));
	close(link);
	usleep(1500000);
	check_answer("within a second and a half the status says so",
		     strstr(answer_to("status\n"), "\"fault\":"),
		     "\"fault\":\"ERR_LINK_DETACHED egress");
	check_answer("and no window opens", ask_window(&ada, 100, 60000), "refused ERR_POLICY");
	check("the counter was not used up",
	      stage_warden(&stage, "status", "--json", NULL) == 1 &&
		      strstr(stage.said, "\"highestCounter\":\"9\""));
}

int main(void)
{
	stage_make(&stage);
	if (sodium_init() < 0)
		return 1;
	name_people();
	strcpy(identity_dir, stage.identity);
	put_hex("node.pub", node.public_key);
	unsigned char genesis[32];
	crypto_hash_sha256(genesis, first_made.bytes, first_made.length);
	put_hex("genesis", genesis);
	/* 64 KiB: a ring of some 600 events, so that a flood overflows it. */
	if (stage_start(&stage, "--make-cgroup", "--events", "65536", NULL))
		return printf("the warden did not start: %s\n", stage.said), stage_remove(&stage),
		       1;
	/* Killed, so that the cgroups stay for the wardens that follow. */
	stage_end(&stage, SIGKILL);
	check("a warden starts on what another one left",
	      !stage_start(&stage, "--events", "65536", NULL));
	connect_keeper();
	documents();
	windows();
	reports();
	new_lists();
	stage_end(&stage, SIGTERM);
	check("a warden with a small ring starts", !stage_start(&stage, "--events", "65536", NULL));
	connect_keeper();
	events();
	lost();
	limits();
	confined();
	not_in_force();
	stage_remove(&stage);
	return conclude();
}
