/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The event log, /var/log/hydraguard/events.jsonl: many writers, one line an event, `seq` without
 * a gap within a boot. Safe to rotate by renaming or by copy and truncate: every append opens it.
 */
#ifndef HG_JOURNAL_H
#define HG_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "event.h"

/* Events on their way to the log, as text without seq. */
struct batch {
	char *text;
	size_t len, room;
	size_t n;
};
/* Sets the event's time to now where it has none. -ENOMEM: nothing was added. */
int batch_add(struct batch *b, struct event *ev);
void batch_clear(struct batch *b);
#define _batch_ __attribute__((cleanup(batch_clear)))

/*
 * Appends all of a batch and empties it, or nothing of it and -errno (disk full). dir: where
 * events.jsonl is; seq_fd: the file that keeps the sequence, locked meanwhile.
 */
int journal_append(int dir, int seq_fd, struct batch *b);

/* Opens both. Tells why. */
struct journal {
	int dir, seq_fd;
};
int journal_open(struct journal *ret);
void journal_close(struct journal *j);
#define _journal_ __attribute__((cleanup(journal_close)))

/* One event at once; tells why it could not be kept. Clears ev. */
int journal_put(struct event *ev);

#endif
