/*
 * What the warden takes and what it keeps: the rules of PROTOCOL.md, sections 7.5 and 7.6, each with
 * the document that breaks only it; and state folders that must not be believed.
 */
#include "../standing.h"
#include "standing-made.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

static struct standing *open_standing(void)
{
	struct standing *standing;

	if (standing_open(&standing, state_dir, identity_dir) != REFUSAL_NONE) {
		printf("the state does not open\n");
		exit(1);
	}
	return standing;
}

/* An empty state into which both lists and an order with counter 10 were taken. */
static struct standing *filled_standing(void)
{
	struct standing *standing;
	struct window_order order = order_of(&ada, 10);

	empty_state();
	standing = open_standing();
	check_refusal("the pinned list is taken", take_list(standing, &first_made), REFUSAL_NONE);
	check_refusal("the list after it is taken", take_list(standing, &second_made),
		      REFUSAL_NONE);
	check_refusal("an admin's order is taken", take_order(standing, &order, &ada),
		      REFUSAL_NONE);
	return standing;
}

static void test_first_list(void)
{
	struct standing *standing;
	struct device_list list = first;
	struct made made;
	struct window_order order = order_of(&ada, 1);
	uint32_t version = 7;

	empty_state();
	standing = open_standing();
	check("nothing is in force before the first list",
	      standing_device_version(standing) == 0 && standing_counter(standing) == 0);
	check_refusal("before the first list nobody may order", take_order(standing, &order, &ada),
		      REFUSAL_NOT_AUTHORISED);
	list.issued_ms++;
	made = made_list(&list, &ada);
	check_refusal("a first list that was not pinned is refused", take_list(standing, &made),
		      REFUSAL_NOT_AUTHORISED);
	check_refusal("the second list does not come first", take_list(standing, &second_made),
		      REFUSAL_NOT_AUTHORISED);
	check_refusal("nothing is no list",
		      standing_take_device_list(standing, made.bytes, 0, &version),
		      REFUSAL_NOT_AUTHORISED);
	check("a refused list leaves the version", version == 0);
	check_refusal(
		"the pinned list is taken",
		standing_take_device_list(standing, first_made.bytes, first_made.length, &version),
		REFUSAL_NONE);
	check("its version is told", version == 1 && standing_device_version(standing) == 1);
	check_refusal("it may come again", take_list(standing, &first_made), REFUSAL_NONE);
	standing_close(standing);
}

/* Pins a first list and offers it. */
static enum refusal first_list_verdict(const struct device_list *list, const struct signer *signer)
{
	struct made made = made_list(list, signer);
	struct standing *standing;
	uint8_t hash[32];
	enum refusal refusal;

	crypto_hash_sha256(hash, made.bytes, made.length);
	put_hex("genesis", hash);
	empty_state();
	standing = open_standing();
	refusal = take_list(standing, &made);
	standing_close(standing);
	return refusal;
}

/* Even root's pin does not make a list good that breaks a rule. */
static void test_pinned_lists(void)
{
	struct device_list list = first;
	uint8_t hash[32];

	check_refusal("a pinned list of one admin is taken", first_list_verdict(&list, &ada),
		      REFUSAL_NONE);
	check_refusal("a pinned list needs its signature", first_list_verdict(&list, &bob),
		      REFUSAL_AUTHENTICATION);
	list.version = 2;
	check_refusal("the first list has version 1", first_list_verdict(&list, &ada),
		      REFUSAL_NOT_AUTHORISED);
	list = first;
	list.previous[31] = 1;
	check_refusal("nothing stands before the first list", first_list_verdict(&list, &ada),
		      REFUSAL_NOT_AUTHORISED);
	list = first;
	list.devices[0].role = ROLE_CHAT;
	check_refusal("a chat device signs no first list", first_list_verdict(&list, &ada),
		      REFUSAL_NOT_AUTHORISED);
	list = first;
	list.devices[0].is_revoked = true;
	check_refusal("a revoked device signs no first list", first_list_verdict(&list, &ada),
		      REFUSAL_NOT_AUTHORISED);
	list = first;
	list.node[0] ^= 1;
	check_refusal("a first list names this node", first_list_verdict(&list, &ada),
		      REFUSAL_NOT_AUTHORISED);
	list = first;
	memcpy(list.devices[0].tunnel_key, list.devices[0].signing_key, KEY_BYTES);
	check_refusal("one device has two keys", first_list_verdict(&list, &ada),
		      REFUSAL_NOT_AUTHORISED);
	list = first;
	list.devices[0].role = 3;
	check_refusal("the form is judged after the pin", first_list_verdict(&list, &ada),
		      REFUSAL_DOCUMENT_FIELD);
	crypto_hash_sha256(hash, first_made.bytes, first_made.length);
	put_hex("genesis", hash);
}

static void refuse_next(const char *sentence, const struct device_list *next,
			const struct signer *signer, enum refusal expected)
{
	struct standing *standing = open_standing();
	struct made made = made_list(next, signer);

	check_refusal(sentence, take_list(standing, &made), expected);
	check("a refused list changes nothing", standing_device_version(standing) == 2);
	standing_close(standing);
}

static void test_next_list(void)
{
	struct device_list next = third_list();
	struct standing *standing = filled_standing();
	struct made made;

	check_refusal("an older list is refused", take_list(standing, &first_made),
		      REFUSAL_NOT_AUTHORISED);
	check_refusal("the list in force may come again", take_list(standing, &second_made),
		      REFUSAL_NONE);
	standing_close(standing);

	refuse_next("a list is signed by who it says", &next, &bob, REFUSAL_AUTHENTICATION);
	memcpy(next.signer, cy.public_key, KEY_BYTES);
	refuse_next("a chat device signs no list", &next, &cy, REFUSAL_NOT_AUTHORISED);
	memcpy(next.signer, eve.public_key, KEY_BYTES);
	refuse_next("a revoked admin signs no list", &next, &eve, REFUSAL_NOT_AUTHORISED);
	memcpy(next.signer, node.public_key, KEY_BYTES);
	next.devices[4] = device_of("node", ROLE_ADMIN);
	next.n_devices = 5;
	refuse_next("nobody enrols himself as admin", &next, &node, REFUSAL_NOT_AUTHORISED);

	next = third_list();
	next.version = 4;
	refuse_next("no version is left out", &next, &ada, REFUSAL_NOT_AUTHORISED);
	next.version = 2;
	refuse_next("no version comes twice", &next, &ada, REFUSAL_NOT_AUTHORISED);
	next = third_list();
	next.previous[0] ^= 1;
	refuse_next("a list follows the one in force", &next, &ada, REFUSAL_NOT_AUTHORISED);
	next = third_list();
	next.issued_ms = second.issued_ms - 1;
	refuse_next("a list is not older than the one before", &next, &ada, REFUSAL_NOT_AUTHORISED);
	next = third_list();
	next.node[5] ^= 1;
	refuse_next("a list of another node is refused", &next, &ada, REFUSAL_NOT_AUTHORISED);
	next = third_list();
	next.devices[1] = next.devices[2];
	next.n_devices = 2;
	refuse_next("no device vanishes without being revoked", &next, &ada,
		    REFUSAL_NOT_AUTHORISED);
	next = third_list();
	next.devices[2].tunnel_key[9] ^= 1;
	refuse_next("no device changes its key", &next, &ada, REFUSAL_NOT_AUTHORISED);
	next = third_list();
	next.devices[3].is_revoked = false;
	refuse_next("no device comes back", &next, &ada, REFUSAL_NOT_AUTHORISED);
	next = third_list();
	next.devices[3].revoked_ms++;
	refuse_next("a revocation keeps its time", &next, &ada, REFUSAL_NOT_AUTHORISED);
	next = third_list();
	next.devices[0].role = ROLE_CHAT;
	next.devices[1].is_revoked = true;
	refuse_next("an admin is left", &next, &ada, REFUSAL_NOT_AUTHORISED);
	next = third_list();
	next.devices[4] = device_of("di", ROLE_CHAT);
	memcpy(next.devices[4].tunnel_key, next.devices[0].signing_key, KEY_BYTES);
	next.n_devices = 5;
	refuse_next("no key stands in two entries", &next, &ada, REFUSAL_NOT_AUTHORISED);

	next = third_list();
	next.issued_ms = second.issued_ms;
	memcpy(next.signer, bob.public_key, KEY_BYTES);
	next.devices[0].is_revoked = true;
	next.devices[0].revoked_ms = 1790000000600;
	next.devices[3] = device_of("di", ROLE_CHAT);
	made = made_list(&next, &bob);
	standing = open_standing();
	check_refusal("an admin revokes another and drops who was revoked",
		      take_list(standing, &made), REFUSAL_NONE);
	check("the list is in force", standing_device_version(standing) == 3);
	standing_close(standing);
	standing = open_standing();
	check("and after a restart", standing_device_version(standing) == 3);
	struct window_order order = order_of(&ada, 11);
	check_refusal("who was revoked orders nothing", take_order(standing, &order, &ada),
		      REFUSAL_NOT_AUTHORISED);
	order = order_of(&bob, 11);
	check_refusal("who is left does", take_order(standing, &order, &bob), REFUSAL_NONE);
	standing_close(standing);
}

static void test_orders(void)
{
	struct standing *standing = filled_standing();
	struct window_order order = order_of(&ada, 11), taken;
	struct made made;

	check("the counter is remembered", standing_counter(standing) == 10);
	check_refusal("an order is signed by who it says", take_order(standing, &order, &bob),
		      REFUSAL_AUTHENTICATION);
	order = order_of(&cy, 11);
	check_refusal("a chat device orders nothing", take_order(standing, &order, &cy),
		      REFUSAL_NOT_AUTHORISED);
	order = order_of(&eve, 11);
	check_refusal("a revoked admin orders nothing", take_order(standing, &order, &eve),
		      REFUSAL_NOT_AUTHORISED);
	order = order_of(&node, 11);
	check_refusal("a stranger orders nothing", take_order(standing, &order, &node),
		      REFUSAL_NOT_AUTHORISED);
	order = order_of(&ada, 11);
	order.node[0] ^= 1;
	check_refusal("an order for another node is refused", take_order(standing, &order, &ada),
		      REFUSAL_ORDER_NODE);
	order = order_of(&ada, 11);
	order.n_endpoints = 0;
	check_refusal("an order without endpoints is refused", take_order(standing, &order, &ada),
		      REFUSAL_DOCUMENT_FIELD);
	order = order_of(&ada, 11);
	order.n_files = 0;
	check_refusal("an order without files is refused", take_order(standing, &order, &ada),
		      REFUSAL_DOCUMENT_FIELD);
	order = order_of(&ada, 11);
	order.n_endpoints = 2;
	check_refusal("no endpoint has port 0", take_order(standing, &order, &ada),
		      REFUSAL_DOCUMENT_FIELD);
	order = order_of(&ada, 11);
	order.not_after_ms = NOW_MS;
	check_refusal("at its deadline an order is over", take_order(standing, &order, &ada),
		      REFUSAL_ORDER_EXPIRED);
	order.not_after_ms = 0;
	check_refusal("long after it too", take_order(standing, &order, &ada),
		      REFUSAL_ORDER_EXPIRED);
	order.not_after_ms = NOW_MS + MAX_WINDOW_MS + 1;
	check_refusal("more than half an hour is too long", take_order(standing, &order, &ada),
		      REFUSAL_ORDER_TOO_LONG);
	order.not_after_ms = (1ULL << 53) - 1;
	check_refusal("for ever is too long", take_order(standing, &order, &ada),
		      REFUSAL_ORDER_TOO_LONG);
	order = order_of(&ada, 10);
	check_refusal("a counter works once", take_order(standing, &order, &ada),
		      REFUSAL_ORDER_REPLAYED);
	order = order_of(&bob, 9);
	check_refusal("and no lower one after it", take_order(standing, &order, &bob),
		      REFUSAL_ORDER_REPLAYED);
	check("refused orders use up no counter", standing_counter(standing) == 10);

	order = order_of(&bob, 11);
	order.not_after_ms = NOW_MS + MAX_WINDOW_MS;
	order.n_endpoints = 2;
	order.endpoints[1].address[15] = 1;
	order.endpoints[1].port = 65535;
	made = made_order(&order, &bob);
	check_refusal("exactly half an hour is taken",
		      standing_take_window(standing, made.bytes, made.length, NOW_MS, &taken),
		      REFUSAL_NONE);
	check("what was signed is what is told", memcmp(&taken, &order, sizeof(order)) == 0);
	check_refusal("the same order again is refused",
		      standing_take_window(standing, made.bytes, made.length, NOW_MS, &taken),
		      REFUSAL_ORDER_REPLAYED);
	check("of a refused order nothing is told",
	      sodium_is_zero((const uint8_t *)&taken, sizeof(taken)));
	standing_close(standing);

	standing = open_standing();
	check("the counter outlives a restart", standing_counter(standing) == 11);
	check_refusal("and so does its refusal",
		      standing_take_window(standing, made.bytes, made.length, NOW_MS, &taken),
		      REFUSAL_ORDER_REPLAYED);
	order = order_of(&ada, UINT64_MAX);
	check_refusal("the highest counter is taken", take_order(standing, &order, &ada),
		      REFUSAL_NONE);
	check_refusal("and nothing after it", take_order(standing, &order, &ada),
		      REFUSAL_ORDER_REPLAYED);
	standing_close(standing);
	standing = open_standing();
	check("the highest counter is read back", standing_counter(standing) == UINT64_MAX);
	standing_close(standing);
}

static void check_opening(const char *sentence, enum refusal expected)
{
	struct standing *standing;

	check_refusal(sentence, standing_open(&standing, state_dir, identity_dir), expected);
	check("only an opened state is given", (standing != NULL) == (expected == REFUSAL_NONE));
	standing_close(standing);
}

/* Writes one file of a good state anew and tries to open it. */
static void try_file(const char *name, const void *bytes, size_t length, const char *sentence,
		     enum refusal expected)
{
	standing_close(filled_standing());
	put_file(state_dir, name, bytes, length);
	check_opening(sentence, expected);
}

static void test_spoiled_state(void)
{
	static const char *const BAD_NUMBERS[] = {
		"",
		"\n",
		"10",
		"1",
		" 10\n",
		"10 \n",
		"010\n",
		"+10\n",
		"-10\n",
		"0x10\n",
		"10\n\n",
		"10\r\n",
		"18446744073709551616\n",
		"99999999999999999999\n",
		"ten\n",
		"9\n",
		"0\n",
		"10\n10\n",
	};
	struct device_list second_later = second;
	struct made other = made_list(&second, &bob), flipped = second_made, later;
	char seen[128], path[128];
	uint8_t zeros[400] = { 0 };

	for (size_t i = 0; i < sizeof(BAD_NUMBERS) / sizeof(*BAD_NUMBERS); i++)
		try_file("counter", BAD_NUMBERS[i], strlen(BAD_NUMBERS[i]),
			 "a counter that is not whole or lower than seen is refused",
			 REFUSAL_STORAGE);
	try_file("counter", "11\0\n", 4, "a counter with a zero byte is refused", REFUSAL_STORAGE);
	try_file("counter", zeros, 3, "a counter of zero bytes is refused", REFUSAL_STORAGE);
	try_file("counter", zeros, 400, "a counter that is too long is refused", REFUSAL_STORAGE);
	try_file("counter", "11\n", 3, "a counter ahead of what was seen is believed",
		 REFUSAL_NONE);

	try_file("devices.list", second_made.bytes, second_made.length,
		 "the list that was there is believed", REFUSAL_NONE);
	try_file("devices.list", first_made.bytes, first_made.length, "an older list is refused",
		 REFUSAL_STORAGE);
	try_file("devices.list", "", 0, "an empty list is refused", REFUSAL_STORAGE);
	try_file("devices.list", second_made.bytes, second_made.length - 1, "a cut list is refused",
		 REFUSAL_STORAGE);
	flipped.bytes[150] ^= 1;
	try_file("devices.list", flipped.bytes, flipped.length,
		 "a list with a flipped bit is refused", REFUSAL_STORAGE);
	try_file("devices.list", other.bytes, other.length,
		 "a list without its signature is refused", REFUSAL_STORAGE);

	second_later.issued_ms++;
	later = made_list(&second_later, &ada);
	try_file("devices.list", later.bytes, later.length,
		 "another list of the version that was seen is refused", REFUSAL_STORAGE);

	try_file("seen", "", 0, "an empty memory is refused", REFUSAL_STORAGE);
	try_file("seen", "2\n", 2, "a cut memory is refused", REFUSAL_STORAGE);
	memset(seen, '0', sizeof(seen));
	memcpy(seen, "1 ", 2);
	memcpy(seen + 66, " 0\n", 4);
	try_file("seen", seen, strlen(seen), "a memory of another list is refused",
		 REFUSAL_STORAGE);

	standing_close(filled_standing());
	remove_file(state_dir, "counter");
	check_opening("a lost counter is refused", REFUSAL_STORAGE);
	standing_close(filled_standing());
	remove_file(state_dir, "devices.list");
	check_opening("a lost list is refused", REFUSAL_STORAGE);
	standing_close(filled_standing());
	remove_file(state_dir, "seen");
	check_opening("a lost memory is refused", REFUSAL_STORAGE);
	remove_file(state_dir, "devices.list");
	check_opening("a counter without lists is refused", REFUSAL_STORAGE);
	put_file(state_dir, "devices.list", first_made.bytes, first_made.length);
	remove_file(state_dir, "counter");
	check_opening("a first list without a counter is refused", REFUSAL_STORAGE);
	standing_close(filled_standing());
	chmod(state_dir, 0720);
	check_opening("a folder that others may write is refused", REFUSAL_STORAGE);
	chmod(state_dir, 0700);
	path_of(path, state_dir, "counter");
	chmod(path, 0622);
	check_opening("a counter that others may write is refused", REFUSAL_STORAGE);
	chmod(path, 0600);
	check_opening("and is believed when only we may", REFUSAL_NONE);
	standing_close(filled_standing());
	remove_file(state_dir, "counter");
	symlink("/dev/zero", path);
	check_opening("a link is no counter", REFUSAL_STORAGE);
	remove_file(state_dir, "counter");
	put_line(state_dir, "elsewhere", "11\n");
	symlink("elsewhere", path);
	check_opening("not even one to a counter", REFUSAL_STORAGE);
	remove_file(state_dir, "elsewhere");
	remove_file(state_dir, "counter");
	mkfifo(path, 0600);
	check_opening("a pipe is no counter, and is not waited for", REFUSAL_STORAGE);
	empty_state();
}

static void test_leftovers(void)
{
	struct standing *standing = filled_standing();
	struct window_order order = order_of(&ada, 11);

	standing_close(standing);
	put_line(state_dir, "counter.new", "99\n");
	put_file(state_dir, "devices.list.new", first_made.bytes, 40);
	put_line(state_dir, "seen.new", "");
	standing = open_standing();
	check("unfinished files are ignored",
	      standing_counter(standing) == 10 && standing_device_version(standing) == 2);
	check_refusal("and written over", take_order(standing, &order, &ada), REFUSAL_NONE);
	standing_close(standing);
}

/* Readable by all, so that who may read it is not what decides. */
static void chown_state(uid_t owner)
{
	static const char *const NAMES[] = { "", "devices.list", "counter", "seen" };
	char path[128];

	for (size_t i = 0; i < sizeof(NAMES) / sizeof(*NAMES); i++) {
		path_of(path, state_dir, NAMES[i]);
		if (chown(path, owner, owner) != 0 || chmod(path, i == 0 ? 0755 : 0644) != 0)
			exit(1);
	}
}

static void check_as(uid_t user, const char *sentence, enum refusal expected)
{
	if (seteuid(user) != 0)
		exit(1);
	check_opening(sentence, expected);
	if (seteuid(0) != 0)
		exit(1);
}

static void test_identity(void)
{
	uint8_t hash[32];
	char hex[66];

	empty_state();
	crypto_hash_sha256(hash, first_made.bytes, first_made.length);
	sodium_bin2hex(hex, 65, hash, 32);
	put_line(identity_dir, "genesis", "");
	check_opening("an empty genesis is refused", REFUSAL_STORAGE);
	hex[63] = '\0';
	put_line(identity_dir, "genesis", hex);
	check_opening("a cut genesis is refused", REFUSAL_STORAGE);
	sodium_bin2hex(hex, 65, hash, 32);
	strcat(hex, "0");
	put_line(identity_dir, "genesis", hex);
	check_opening("a genesis that goes on is refused", REFUSAL_STORAGE);
	hex[64] = '\n';
	put_line(identity_dir, "genesis", hex);
	check_opening("a genesis may end its line", REFUSAL_NONE);
	empty_state();
	struct standing *standing = open_standing();
	check_refusal("the pinned list is taken", take_list(standing, &first_made), REFUSAL_NONE);
	standing_close(standing);
	remove_file(state_dir, "counter");
	check_opening("a counter that was lost before the first order is refused", REFUSAL_STORAGE);
	put_line(state_dir, "counter", "0\n");
	put_hex("genesis", ada.public_key);
	check_opening("a first list that is no longer pinned is refused", REFUSAL_STORAGE);
	put_line(identity_dir, "genesis", hex);
	standing_close(filled_standing());
	put_hex("node.pub", ada.public_key);
	check_opening("the state of another node is refused", REFUSAL_STORAGE);
	put_hex("node.pub", node.public_key);
	check_opening("the state of this node is opened", REFUSAL_NONE);
	snprintf(state_dir, sizeof(state_dir), "%s/nowhere", folder);
	check_opening("a missing folder is refused", REFUSAL_STORAGE);
	snprintf(state_dir, sizeof(state_dir), "%s/state", folder);
	if (geteuid() == 0) {
		char path[128];

		path_of(path, identity_dir, "genesis");
		if (chown(path, 65534, 65534) == 0)
			check_opening("a genesis that somebody else put there is refused",
				      REFUSAL_STORAGE);
		if (chown(path, 0, 0) != 0)
			exit(1);
		put_hex("genesis", hash);
		check_opening("a genesis of root's is believed", REFUSAL_NONE);
		path_of(path, state_dir, "counter");
		if (chown(path, 65534, 65534) != 0)
			exit(1);
		check_opening("a counter that somebody else put there is refused", REFUSAL_STORAGE);
		chown_state(65534);
		check_opening("root may look into the warden's folder", REFUSAL_NONE);
		check_as(65533, "a third one may not", REFUSAL_STORAGE);
		check_as(65534, "the warden may", REFUSAL_NONE);
		chown_state(0);
	}
}

/* Everything that `standing` refuses while nothing can be stored; it is open already. */
static void check_full(struct standing *standing, const char *where)
{
	struct device_list next = third_list();
	struct made made = made_list(&next, &ada);
	struct window_order order = order_of(&ada, 11);

	printf("%s\n", where);
	check_refusal("an order that cannot be stored is refused",
		      take_order(standing, &order, &ada), REFUSAL_STORAGE);
	check_refusal("a list that cannot be stored is refused", take_list(standing, &made),
		      REFUSAL_STORAGE);
	check("what was in force stays in force",
	      standing_counter(standing) == 10 && standing_device_version(standing) == 2);
}

static void check_space_again(struct standing *standing)
{
	struct window_order order = order_of(&ada, 11);

	check_refusal("with space the refused order is taken", take_order(standing, &order, &ada),
		      REFUSAL_NONE);
	standing_close(standing);
	standing = open_standing();
	check("and remembered",
	      standing_counter(standing) == 11 && standing_device_version(standing) == 2);
	standing_close(standing);
}

static void test_file_size_limit(void)
{
	struct standing *standing = filled_standing();
	struct rlimit before, none = { 0, 0 };

	getrlimit(RLIMIT_FSIZE, &before);
	none.rlim_max = before.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	fflush(stdout);
	setrlimit(RLIMIT_FSIZE, &none);
	struct window_order order = order_of(&ada, 11);
	enum refusal refusal = take_order(standing, &order, &ada);
	setrlimit(RLIMIT_FSIZE, &before);
	check_refusal("an order past the limit of file sizes is refused", refusal, REFUSAL_STORAGE);
	check_space_again(standing);
}

/* A file system of our own, full to the last byte. */
static void test_full_disk(void)
{
	struct standing *standing;
	char zeros[4096] = { 0 }, path[128];
	FILE *filler;

	if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("tmpfs", state_dir, "tmpfs", 0, "size=64k,mode=0700") != 0) {
		printf("not tested: a full disk, which needs root\n");
		return;
	}
	standing = filled_standing();
	path_of(path, state_dir, "filler");
	filler = fopen(path, "w");
	setvbuf(filler, NULL, _IONBF, 0);
	while (fwrite(zeros, 1, sizeof(zeros), filler) == sizeof(zeros))
		;
	check_full(standing, "a full disk:");
	fclose(filler);
	unlink(path);
	check_space_again(standing);
	umount(state_dir);
}

/* A standing order is no window: other rules, a counter of its own, and it may be shown again. */
static void test_reports(void)
{
	struct standing *standing = filled_standing();
	struct window_order order = order_of(&ada, 5);

	check_refusal("a standing order of an admin is taken", take_report(standing, &order, &ada),
		      REFUSAL_NONE);
	check("and uses up no window's counter", standing_counter(standing) == 10);
	check_refusal("it may be shown again", take_report(standing, &order, &ada), REFUSAL_NONE);
	order.endpoints[0].port = 444;
	check_refusal("another one of its counter may not", take_report(standing, &order, &ada),
		      REFUSAL_ORDER_REPLAYED);
	order.counter = 4;
	check_refusal("nor one below it", take_report(standing, &order, &ada),
		      REFUSAL_ORDER_REPLAYED);
	order.counter = 6;
	check_refusal("an order is signed by who it says", take_report(standing, &order, &bob),
		      REFUSAL_AUTHENTICATION);
	order = order_of(&cy, 6);
	check_refusal("a chat device orders nothing", take_report(standing, &order, &cy),
		      REFUSAL_NOT_AUTHORISED);
	order = order_of(&eve, 6);
	check_refusal("a revoked admin orders nothing", take_report(standing, &order, &eve),
		      REFUSAL_NOT_AUTHORISED);
	order = order_of(&ada, 6);
	order.node[0] ^= 1;
	check_refusal("nor is it another node's", take_report(standing, &order, &ada),
		      REFUSAL_ORDER_NODE);
	order = order_of(&ada, 6);
	order.not_after_ms = NOW_MS;
	check_refusal("at its deadline it is over", take_report(standing, &order, &ada),
		      REFUSAL_ORDER_EXPIRED);
	order.not_after_ms = NOW_MS + MAX_STANDING_MS + 1;
	check_refusal("more than 400 days is too long", take_report(standing, &order, &ada),
		      REFUSAL_ORDER_TOO_LONG);
	order.not_after_ms = NOW_MS + MAX_STANDING_MS;
	order.endpoints[0].port = 0;
	check_refusal("no endpoint has port 0", take_report(standing, &order, &ada),
		      REFUSAL_DOCUMENT_FIELD);
	order.endpoints[0].port = 443;
	check_refusal("400 days are not too long", take_report(standing, &order, &ada),
		      REFUSAL_NONE);
	check_refusal("a window's order is none", take_order(standing, &order, &ada),
		      REFUSAL_ORDER_TOO_LONG);
	standing_close(standing);
	standing = open_standing();
	check_refusal("it is remembered", take_report(standing, &order, &ada), REFUSAL_NONE);
	order.counter = 5;
	check_refusal("and so is what it replaced", take_report(standing, &order, &ada),
		      REFUSAL_ORDER_REPLAYED);
	order.counter = 7;
	order.n_endpoints = 0;
	check_refusal("one without endpoints is taken", take_report(standing, &order, &ada),
		      REFUSAL_NONE);
	standing_close(standing);
	put_line(state_dir, "report", "7 12\n");
	check("a damaged memory of it stops the warden",
	      standing_open(&standing, state_dir, identity_dir) == REFUSAL_STORAGE);
	empty_state();
}

int main(void)
{
	if (sodium_init() < 0 || !freopen("/dev/null", "w", stderr))
		return 1;
	name_people();
	make_folders("/tmp");
	test_first_list();
	test_pinned_lists();
	test_next_list();
	test_orders();
	test_reports();
	test_spoiled_state();
	test_leftovers();
	test_identity();
	test_file_size_limit();
	test_full_disk();
	empty_state();
	remove_folders();
	return conclude();
}
