/*
 * What the warden holds as true between restarts: the device list in force and the highest counter
 * of an order. Nothing lowers either; what was answered with REFUSAL_NONE outlives a power cut.
 *
 * In the state folder, which is the warden's alone:
 *   devices.list  the bytes of the list in force
 *   counter       the highest counter, decimal, one line
 *   seen          version and hash of the list, and the counter: written after the two, so that an
 *                 older copy of either is noticed
 *   report        counter and hash of the last standing order; an older copy of it alone is not noticed,
 *                 and lets an earlier order count until that one's own end
 * In the identity folder, read only: node.pub and genesis, 32 bytes each in hexadecimal.
 */
#ifndef PHANTOMA_STANDING_H
#define PHANTOMA_STANDING_H

#include "documents.h"

/* Half an hour is a 50 GB model at 30 MB/s; a window that is forgotten closes soon. */
#define MAX_WINDOW_MS (30 * 60 * 1000)

/* A person signs again once a year; the rest is for being late. The keeper has the same. */
#define MAX_STANDING_MS (400ULL * 24 * 60 * 60 * 1000)

struct standing;

/*
 * Reads both folders. REFUSAL_STORAGE, and a line on stderr with the file's name, when a file is not
 * readable, not whole, older than another one says, or writable by others: a state that cannot be
 * trusted is never replaced by an empty one. A folder without any of the files is a first start.
 */
enum refusal standing_open(struct standing **opened, const char *state_dir,
			   const char *identity_dir);
void standing_close(struct standing *standing);

/* The list after the one in force, or the one in force again. `version`: of the list in force. */
enum refusal standing_take_device_list(struct standing *standing, const uint8_t *untrusted,
				       size_t length, uint32_t *version);

/*
 * An order that may be carried out now and once: its counter is on the disk before this returns
 * REFUSAL_NONE. `order` is zeros otherwise.
 */
enum refusal standing_take_window(struct standing *standing, const uint8_t *untrusted,
				  size_t length, uint64_t now_ms, struct window_order *order);

/*
 * A standing order that holds now: one above every one before, which is on the disk before this returns
 * REFUSAL_NONE, or the last one again. One without endpoints lets the herald reach nothing.
 */
enum refusal standing_take_report(struct standing *standing, const uint8_t *untrusted,
				  size_t length, uint64_t now_ms, struct window_order *order);

/* Whether the list in force still lets this key's orders count. */
bool standing_has_active_admin(const struct standing *standing,
			       const uint8_t signing_key[KEY_BYTES]);

/* 0 before the first list. */
uint32_t standing_device_version(const struct standing *standing);
/* 0 before the first order. */
uint64_t standing_counter(const struct standing *standing);

#endif
