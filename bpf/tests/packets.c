/*
 * The packet programs, packet by packet through BPF_PROG_TEST_RUN: what each rule lets through, and
 * that everything else, whole or cut short, is refused, counted and told. The kernel gives the
 * test's packets the cgroup of this process.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../clock.h"
#include "../counts.h"
#include "../policy.h"
#include "../window.h"
#include "check.h"

#define OWN_PORT       8443
#define ETHERNET_BYTES 14
/* 14 + 40 + 60: the longest header of each, and no content. */
#define PACKET_BYTES 160

enum { SYN = 0x02, RST = 0x04, PSH = 0x08, ACK = 0x10 };

struct packet {
	unsigned char bytes[PACKET_BYTES];
	unsigned length;
};

/* What a packet says; what is left 0 is what a plain one says. */
struct made {
	int version; /* 4 or 6 */
	int protocol;
	const char *from, *to;
	int from_port, to_port;
	int flags;
	int options; /* 32-bit words of IPv4 options */
	int fragment;
	int extension; /* first next-header of IPv6, before the real one */
	int ethertype;
	int data_offset;
};

static struct policy policy;
static __u64 own_id;
static char cgroup[256], pins[64];

static struct packet packet_of(struct made made)
{
	struct packet packet = { .length = ETHERNET_BYTES };
	unsigned char *at = packet.bytes + ETHERNET_BYTES;
	int ethertype = made.ethertype ? made.ethertype : made.version == 4 ? 0x0800 : 0x86dd;

	packet.bytes[12] = (unsigned char)(ethertype >> 8);
	packet.bytes[13] = (unsigned char)ethertype;
	if (made.version == 4) {
		at[0] = (unsigned char)(0x45 + made.options);
		at[6] = (unsigned char)(made.fragment >> 8);
		at[7] = (unsigned char)made.fragment;
		at[8] = 64;
		at[9] = (unsigned char)made.protocol;
		inet_pton(AF_INET, made.from, at + 12);
		inet_pton(AF_INET, made.to, at + 16);
		at += 20 + 4 * made.options;
	} else {
		at[0] = 0x60;
		at[6] = (unsigned char)(made.extension ? made.extension : made.protocol);
		at[7] = 64;
		inet_pton(AF_INET6, made.from, at + 8);
		inet_pton(AF_INET6, made.to, at + 24);
		at += 40;
		if (made.extension) {
			at[0] = (unsigned char)made.protocol;
			at += 8;
		}
	}
	at[0] = (unsigned char)(made.from_port >> 8);
	at[1] = (unsigned char)made.from_port;
	at[2] = (unsigned char)(made.to_port >> 8);
	at[3] = (unsigned char)made.to_port;
	if (made.protocol == IPPROTO_TCP) {
		at[12] = (unsigned char)((made.data_offset ? made.data_offset : 5) << 4);
		at[13] = (unsigned char)made.flags;
		at += 20;
	} else {
		at += 8;
	}
	packet.length = (unsigned)(at - packet.bytes);
	return packet;
}

/* 1 passed, 0 refused, -1 when the kernel itself would not run it. */
static int run(const char *program, const struct packet *packet)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet->bytes,
		    .data_size_in = packet->length, .repeat = 1);
	int fd = bpf_program__fd(
		bpf_object__find_program_by_name(policy.object[TIER_CGROUP], program));

	return bpf_prog_test_run_opts(fd, &options) ? -1 : (int)options.retval;
}

static void become(enum egress_kind kind, __u32 port)
{
	struct egress_unit unit = { .kind = kind, .port = port };

	if (kind == UNIT_UNKNOWN)
		bpf_map_delete_elem(policy.map[MAP_UNITS], &own_id);
	else
		bpf_map_update_elem(policy.map[MAP_UNITS], &own_id, &unit, BPF_ANY);
}

static void expect(const char *sentence, const char *program, int verdict, struct made made)
{
	struct packet packet = packet_of(made);

	check(sentence, run(program, &packet) == verdict);
}

#define FAR4 .version = 4, .protocol = IPPROTO_TCP
#define FAR6 .version = 6, .protocol = IPPROTO_TCP
#define REPLY4                                                                                     \
	FAR4, .from = "192.0.2.1", .to = "198.51.100.7", .from_port = OWN_PORT, .to_port = 50000
#define REPLY6                                                                                     \
	FAR6, .from = "2001:db8::1", .to = "2001:db8::7", .from_port = OWN_PORT, .to_port = 50000
#define ASK4                                                                                       \
	FAR4, .from = "198.51.100.7", .to = "192.0.2.1", .from_port = 50000, .to_port = OWN_PORT
#define ASK6                                                                                       \
	FAR6, .from = "2001:db8::7", .to = "2001:db8::1", .from_port = 50000, .to_port = OWN_PORT

static void gateway(void)
{
	become(UNIT_GATEWAY, OWN_PORT);
	expect("a gateway's answer over IPv4 passes", "egress", 1,
	       (struct made){ REPLY4, .flags = ACK | PSH });
	expect("a gateway's answer over IPv6 passes", "egress", 1,
	       (struct made){ REPLY6, .flags = ACK | PSH });
	expect("its SYN-ACK passes", "egress", 1, (struct made){ REPLY4, .flags = SYN | ACK });
	expect("its SYN-ACK over IPv6 passes", "egress", 1,
	       (struct made){ REPLY6, .flags = SYN | ACK });
	expect("its RST passes", "egress", 1, (struct made){ REPLY4, .flags = RST });
	expect("its bare SYN does not, from its own port either", "egress", 0,
	       (struct made){ REPLY4, .flags = SYN });
	expect("its bare SYN over IPv6 does not", "egress", 0,
	       (struct made){ REPLY6, .flags = SYN });
	expect("a SYN with other flags and no ACK does not", "egress", 0,
	       (struct made){ REPLY4, .flags = SYN | PSH });
	expect("an answer from the port above its own does not", "egress", 0,
	       (struct made){ FAR4, .from = "192.0.2.1", .to = "198.51.100.7",
			      .from_port = OWN_PORT + 1, .to_port = 50000, .flags = ACK });
	expect("an answer from the port below its own does not", "egress", 0,
	       (struct made){ FAR6, .from = "2001:db8::1", .to = "2001:db8::7",
			      .from_port = OWN_PORT - 1, .to_port = 50000, .flags = ACK });
	expect("UDP from its own port does not", "egress", 0,
	       (struct made){ .version = 4,
			      .protocol = IPPROTO_UDP,
			      .from = "192.0.2.1",
			      .to = "198.51.100.7",
			      .from_port = OWN_PORT,
			      .to_port = 53 });
	expect("a packet to its port comes in", "ingress", 1, (struct made){ ASK4, .flags = SYN });
	expect("a packet to its port comes in over IPv6", "ingress", 1,
	       (struct made){ ASK6, .flags = ACK });
	expect("a packet to another port does not", "ingress", 0,
	       (struct made){ REPLY4, .flags = ACK });
	expect("UDP to its port does not", "ingress", 0,
	       (struct made){ .version = 6,
			      .protocol = IPPROTO_UDP,
			      .from = "2001:db8::7",
			      .to = "2001:db8::1",
			      .from_port = 53,
			      .to_port = OWN_PORT });
}

/* Each is a packet that would pass but for one thing. */
static void unparsed(void)
{
	become(UNIT_GATEWAY, OWN_PORT);
	for (int words = 1; words <= 10; words++)
		expect("IPv4 options are not understood", "egress", 0,
		       (struct made){ REPLY4, .flags = ACK, .options = words });
	expect("a first fragment is refused", "egress", 0,
	       (struct made){ REPLY4, .flags = ACK, .fragment = 0x2000 });
	expect("a later fragment is refused", "egress", 0,
	       (struct made){ REPLY4, .flags = ACK, .fragment = 0x0001 });
	expect("the last offset of a fragment is refused", "egress", 0,
	       (struct made){ REPLY4, .flags = ACK, .fragment = 0x1fff });
	expect("do-not-fragment is no fragment", "egress", 1,
	       (struct made){ REPLY4, .flags = ACK, .fragment = 0x4000 });
	for (int extension = 0; extension < 256; extension++)
		if (extension != IPPROTO_TCP && extension)
			expect("an IPv6 extension header, or any other next header, is refused",
			       "egress", 0,
			       (struct made){ REPLY6, .flags = ACK, .extension = extension });
	for (int protocol = 0; protocol < 256; protocol++)
		if (protocol != IPPROTO_TCP)
			expect("a protocol that is not TCP is refused", "egress", 0,
			       (struct made){ .version = 4,
					      .protocol = protocol,
					      .from = "192.0.2.1",
					      .to = "198.51.100.7",
					      .from_port = OWN_PORT,
					      .to_port = 50000 });
	for (int offset = 1; offset < 5; offset++)
		expect("a TCP header that says it is shorter than one is refused", "egress", 0,
		       (struct made){ REPLY4, .flags = ACK, .data_offset = offset });
	expect("ARP is refused", "egress", 0,
	       (struct made){ REPLY4, .flags = ACK, .ethertype = 0x0806 });
	expect("an unknown kind of frame is refused", "egress", 0,
	       (struct made){ REPLY4, .flags = ACK, .ethertype = 0x88b5 });
	expect("IPv6 in a frame that says IPv4 is refused", "egress", 0,
	       (struct made){ REPLY6, .flags = ACK, .ethertype = 0x0800 });
	expect("IPv4 in a frame that says IPv6 is refused", "egress", 0,
	       (struct made){ REPLY4, .flags = ACK, .ethertype = 0x86dd });
}

static void truncated(void)
{
	struct packet whole[] = { packet_of((struct made){ REPLY4, .flags = ACK }),
				  packet_of((struct made){ REPLY6, .flags = ACK }) };
	int ran = 0, passed_short = 0;

	become(UNIT_GATEWAY, OWN_PORT);
	for (int i = 0; i < 2; i++)
		for (unsigned length = ETHERNET_BYTES; length < whole[i].length; length++) {
			struct packet packet = whole[i];
			int verdict;

			packet.length = length;
			verdict = run("egress", &packet);
			ran += verdict >= 0;
			passed_short += verdict == 1;
		}
	check("a packet cut short anywhere is refused", passed_short == 0);
	check("the kernel ran most of the lengths", ran >= 40);
	printf("        %d lengths ran\n", ran);
}

static void fetcher(void)
{
	unsigned char listed4[16], listed6[16];
	int endpoints = policy.map[MAP_ENDPOINTS];

	inet_pton(AF_INET6, "::ffff:198.51.100.7", listed4);
	inet_pton(AF_INET6, "2001:db8::7", listed6);
	become(UNIT_FETCHER, 0);
#define OUT4 FAR4, .from = "192.0.2.1", .to = "198.51.100.7", .from_port = 40000, .to_port = 443
#define OUT6 FAR6, .from = "2001:db8::1", .to = "2001:db8::7", .from_port = 40000, .to_port = 443
#define IN4  FAR4, .to = "192.0.2.1", .from = "198.51.100.7", .to_port = 40000, .from_port = 443
	expect("a fetcher without a window sends nothing", "egress", 0,
	       (struct made){ OUT4, .flags = SYN });
	window_list(endpoints, listed4, 443, boot_ns() + 60 * 1000000000ULL);
	window_list(endpoints, listed6, 443, boot_ns() + 60 * 1000000000ULL);
	expect("a fetcher's SYN to a listed endpoint passes", "egress", 1,
	       (struct made){ OUT4, .flags = SYN });
	expect("over IPv6 too", "egress", 1, (struct made){ OUT6, .flags = SYN });
	expect("the answer comes in", "ingress", 1, (struct made){ IN4, .flags = SYN | ACK });
	expect("a SYN from a listed endpoint does not", "ingress", 0,
	       (struct made){ IN4, .flags = SYN });
	expect("another port of a listed address does not", "egress", 0,
	       (struct made){ FAR4, .from = "192.0.2.1", .to = "198.51.100.7", .from_port = 443,
			      .to_port = 80, .flags = SYN });
	expect("another address does not", "egress", 0,
	       (struct made){ FAR4, .from = "192.0.2.1", .to = "198.51.100.8", .from_port = 40000,
			      .to_port = 443, .flags = SYN });
	expect("the listed address as IPv4-compatible IPv6 does not", "egress", 0,
	       (struct made){ FAR6, .from = "2001:db8::1", .to = "::198.51.100.7",
			      .from_port = 40000, .to_port = 443, .flags = SYN });
	expect("UDP to a listed endpoint does not", "egress", 0,
	       (struct made){ .version = 4,
			      .protocol = IPPROTO_UDP,
			      .from = "192.0.2.1",
			      .to = "198.51.100.7",
			      .from_port = 40000,
			      .to_port = 443 });
	become(UNIT_WORKER, 0);
	expect("a worker gets nothing from an open window", "egress", 0,
	       (struct made){ OUT4, .flags = SYN });
	become(UNIT_HERALD, 0);
	expect("nor does a herald", "egress", 0, (struct made){ OUT4, .flags = SYN });
	become(UNIT_FETCHER, 0);
	window_list(endpoints, listed4, 443, boot_ns());
	expect("at the deadline an established connection ends, outwards", "egress", 0,
	       (struct made){ OUT4, .flags = ACK });
	expect("and inwards", "ingress", 0, (struct made){ IN4, .flags = ACK });
	expect("another endpoint with a later deadline still passes", "egress", 1,
	       (struct made){ OUT6, .flags = ACK });
	window_list(endpoints, listed4, 443, boot_ns() + 50000000);
	expect("50 ms before the deadline it passes", "egress", 1,
	       (struct made){ OUT4, .flags = ACK });
	usleep(51000);
	expect("1 ms after the deadline it does not", "egress", 0,
	       (struct made){ OUT4, .flags = ACK });
	window_close(endpoints);
	expect("a closed window is closed for every endpoint", "egress", 0,
	       (struct made){ OUT6, .flags = ACK });
}

static void every_kind(void)
{
	static const enum egress_kind nothing[] = { UNIT_UNKNOWN,   UNIT_WORKER, UNIT_CLERK,
						    UNIT_KEEPER,    UNIT_WARDEN, UNIT_HERALD,
						    UNIT_INSTALLER, UNIT_HOLD,   UNIT_PROBE };

	for (unsigned i = 0; i < sizeof(nothing) / sizeof(*nothing); i++) {
		struct egress_count before, after;

		become(nothing[i], 0);
		counts_read(policy.map[MAP_COUNTS], nothing[i], &before);
		expect("a unit with no rule sends nothing", "egress", 0,
		       (struct made){ REPLY4, .flags = ACK });
		expect("a unit with no rule gets nothing", "ingress", 0,
		       (struct made){ ASK6, .flags = ACK });
		expect("a unit with no rule sends nothing on loopback", "egress", 0,
		       (struct made){ FAR4, .from = "127.0.0.1", .to = "127.0.0.1",
				      .from_port = OWN_PORT, .to_port = 80, .flags = ACK });
		counts_read(policy.map[MAP_COUNTS], nothing[i], &after);
		check("each refusal counts once, for its unit",
		      after.attempts == before.attempts + 3 &&
			      after.attempts == after.logged + after.lost);
	}
}

static struct egress_event last;

static int keep_last(void *context, void *event, size_t size)
{
	(void)context;
	if (size == sizeof(last))
		last = *(struct egress_event *)event;
	return 0;
}

static void told(void)
{
	struct ring_buffer *ring = ring_buffer__new(policy.map[MAP_EVENTS], keep_last, NULL, NULL);
	unsigned char address[16];

	become(UNIT_WORKER, 0);
	ring_buffer__consume(ring);
	expect("UDP of a worker is refused", "egress", 0,
	       (struct made){ .version = 4,
			      .protocol = IPPROTO_UDP,
			      .from = "192.0.2.1",
			      .to = "198.51.100.7",
			      .from_port = 40000,
			      .to_port = 53 });
	ring_buffer__consume(ring);
	inet_pton(AF_INET6, "::ffff:198.51.100.7", address);
	check("the event says where to, over what, and from which unit",
	      last.has_address && !memcmp(last.address, address, 16) && last.port == 53 &&
		      last.protocol == IPPROTO_UDP && last.kind == UNIT_WORKER &&
		      last.hook == HOOK_EGRESS && last.cgroup == own_id);
	expect("a packet for a worker is refused", "ingress", 0,
	       (struct made){ ASK6, .flags = ACK });
	ring_buffer__consume(ring);
	inet_pton(AF_INET6, "2001:db8::7", address);
	check("the event of a packet inwards says where it came from",
	      last.hook == HOOK_INGRESS && !memcmp(last.address, address, 16) &&
		      last.port == 50000);
	expect("a frame of another kind is refused", "egress", 0,
	       (struct made){ REPLY4, .ethertype = 0x88b5 });
	ring_buffer__consume(ring);
	check("the event of what has no address says so",
	      !last.has_address && !last.port && !last.protocol);
	ring_buffer__free(ring);
}

int main(void)
{
	char own[CGROUP_PATH_BYTES], folder[300], mount_point[CGROUP_PATH_BYTES];
	struct fault fault = {};

	if (cgroup_of_self(own, &fault) || cgroup_mount_point(mount_point))
		return fprintf(stderr, "%s\n", fault.line), 1;
	snprintf(cgroup, sizeof(cgroup), "%.200s/phantoma-packets-%d", mount_point, getpid());
	snprintf(pins, sizeof(pins), "/sys/fs/bpf/phantoma-packets-%d", getpid());
	snprintf(folder, sizeof(folder), "%s/unit", cgroup);
	if (mkdir(cgroup, 0755) || mkdir(folder, 0755) ||
	    policy_load(&policy, cgroup, pins, 1 << 20, &fault) || cgroup_join(folder))
		return fprintf(stderr, "%s %s\n", fault.line, strerror(errno)), 1;
	own_id = cgroup_id(policy.root.fd, "unit");
	gateway();
	unparsed();
	truncated();
	fetcher();
	every_kind();
	told();
	cgroup_join(own);
	rmdir(folder);
	rmdir(cgroup);
	return conclude();
}
