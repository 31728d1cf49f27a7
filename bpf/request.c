/* What the keeper may ask: it carries signed documents here, and has no say in what they mean. */
#include <sodium.h>
#include <string.h>
#include "clock.h"
#include "daemon.h"
#include "window.h"

static int refused(struct daemon *daemon, const char *what, enum refusal refusal)
{
	log_event("refused", "\"what\":\"%s\",\"code\":\"%s\"", what, refusal_code(refusal));
	keeper_say(&daemon->keeper, "refused %s", refusal_code(refusal));
	return 0;
}

/* The document in hexadecimal, decoded in place; -1 when it is none. */
static int decode(char *hex, size_t *length)
{
	const char *end;

	return sodium_hex2bin((unsigned char *)hex, strlen(hex) / 2, hex, strlen(hex), NULL, length,
			      &end) ||
			       *end
		       ? -1
		       : 0;
}

/* Who is no admin any more has no order either; nor does somebody of whom nothing is known. */
static int may_order(const struct daemon *daemon, const __u8 signer[KEY_BYTES])
{
	return !sodium_is_zero(signer, KEY_BYTES) &&
	       standing_has_active_admin(daemon->standing, signer);
}

static void close_report(struct daemon *daemon)
{
	report_close(daemon->policy.map[MAP_ENDPOINTS]);
	sodium_memzero(daemon->report_signer, KEY_BYTES);
}

static int take_device_list(struct daemon *daemon, const unsigned char *untrusted, size_t length)
{
	uint32_t version;
	enum refusal refusal =
		standing_take_device_list(daemon->standing, untrusted, length, &version);

	if (refusal)
		return refused(daemon, "device-list", refusal);
	keeper_say(&daemon->keeper, "ok {\"version\":%u}", version);
	/* The list in force may be sent again at any time, and says nothing new. */
	if (version != daemon->status.device_version) {
		if (!may_order(daemon, daemon->window_signer))
			request_close_window(daemon);
		/* The keeper shows an order that still holds again, after the list. */
		if (!may_order(daemon, daemon->report_signer))
			close_report(daemon);
	}
	daemon->status.device_version = version;
	return 0;
}

static int take_window(struct daemon *daemon, const unsigned char *untrusted, size_t length)
{
	int endpoints = daemon->policy.map[MAP_ENDPOINTS];
	__u64 now_ms = unix_ms(), now_ns = boot_ns(), deadline;
	struct window_order order;
	enum refusal refusal;

	if (daemon->fault.line[0])
		return refused(daemon, "window", REFUSAL_POLICY);
	if (window_deadline(endpoints))
		return refused(daemon, "window", REFUSAL_WINDOW_OPEN);
	refusal = standing_take_window(daemon->standing, untrusted, length, now_ms, &order);
	if (refusal)
		return refused(daemon, "window", refusal);
	daemon->status.highest_counter = order.counter;
	deadline = now_ns + (order.not_after_ms - now_ms) * 1000000;
	window_close(endpoints);
	for (int i = 0; i < order.n_endpoints; i++)
		if (window_list(endpoints, order.endpoints[i].address, order.endpoints[i].port,
				deadline)) {
			window_close(endpoints);
			return refused(daemon, "window", REFUSAL_POLICY);
		}
	daemon->deadline = deadline;
	memcpy(daemon->window_signer, order.signer, KEY_BYTES);
	log_event("window-opened", "\"counter\":\"%llu\",\"deadline\":%llu",
		  (unsigned long long)order.counter, (unsigned long long)order.not_after_ms);
	keeper_say(&daemon->keeper, "ok {\"counter\":\"%llu\",\"deadline\":%llu}",
		   (unsigned long long)order.counter, (unsigned long long)order.not_after_ms);
	return 0;
}

static int take_report(struct daemon *daemon, const unsigned char *untrusted, size_t length)
{
	__u64 now_ms = unix_ms(), now_ns = boot_ns();
	struct window_order order;
	enum refusal refusal;

	if (daemon->fault.line[0])
		return refused(daemon, "report", REFUSAL_POLICY);
	refusal = standing_take_report(daemon->standing, untrusted, length, now_ms, &order);
	if (refusal)
		return refused(daemon, "report", refusal);
	if (report_list(daemon->policy.map[MAP_ENDPOINTS], &order,
			now_ns + (order.not_after_ms - now_ms) * 1000000))
		return refused(daemon, "report", REFUSAL_POLICY);
	memcpy(daemon->report_signer, order.signer, KEY_BYTES);
	log_event("report-ordered", "\"counter\":\"%llu\",\"endpoints\":%u",
		  (unsigned long long)order.counter, order.n_endpoints);
	keeper_say(&daemon->keeper, "ok {\"counter\":\"%llu\"}",
		   (unsigned long long)order.counter);
	return 0;
}

/* The warden's part of a receipt: {} where it saw nothing, "isLive" where the task may go on. */
static int take_receipt(struct daemon *daemon, const unsigned char *untrusted, size_t length)
{
	char part[WITNESS_BYTES] = "{}";

	if (!daemon->fault.line[0])
		witness_sign(&daemon->witness, &daemon->policy, untrusted, length, part);
	keeper_say(&daemon->keeper, "ok %s", part);
	return 0;
}

void request_close_window(struct daemon *daemon)
{
	window_close(daemon->policy.map[MAP_ENDPOINTS]);
	if (!daemon->deadline)
		return;
	daemon->deadline = 0;
	sodium_memzero(daemon->window_signer, KEY_BYTES);
	log_event("window-closed", "%s", "");
	keeper_say(&daemon->keeper, "window closed");
}

int request_answer(void *context, char *line)
{
	struct daemon *daemon = context;
	char status[STATUS_BYTES];
	char *hex = strchr(line, ' ');
	size_t length;

	if (hex)
		*hex++ = 0;
	if (!strcmp(line, "device-list") && hex && !decode(hex, &length))
		return take_device_list(daemon, (const unsigned char *)hex, length);
	if (!strcmp(line, "window") && hex && !decode(hex, &length))
		return take_window(daemon, (const unsigned char *)hex, length);
	if (!strcmp(line, "report") && hex && !decode(hex, &length))
		return take_report(daemon, (const unsigned char *)hex, length);
	if (!strcmp(line, "witness") && hex && !decode(hex, &length))
		return take_receipt(daemon, (const unsigned char *)hex, length);
	if (!strcmp(line, "close-window") && !hex) {
		keeper_say(&daemon->keeper, "ok {}");
		request_close_window(daemon);
		return 0;
	}
	if (!strcmp(line, "status") && !hex) {
		status_json(&daemon->status, status);
		keeper_say(&daemon->keeper, "ok %s", status);
		return 0;
	}
	return -1;
}
