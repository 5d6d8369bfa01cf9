/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Draining an agent's ring into the event log. Any process may do it, one at a time: whoever holds
 * the lock on the agent's `drain` file, which also says how many losses have been told.
 */
#ifndef HG_RING_H
#define HG_RING_H

#include "decode.h"
#include "engine.h"
#include "journal.h"

struct ring;

/* agents_dir and the record are copied or duplicated. -errno without a message. */
int ring_open(const struct engine *e, int agents_dir, const struct agent_record *a,
	      struct ring **ret);
void ring_close(struct ring *r);

/* For poll(2) or epoll: readable when there is something to drain. */
int ring_fd(const struct ring *r);
const char *ring_agent(const struct ring *r);
uint64_t ring_uid(const struct ring *r);

/*
 * Moves everything that is in the ring into the log, and tells of losses since the last time.
 * What cannot be written now stays in the ring, and the error is returned. -EAGAIN: another
 * process has been at it for seconds.
 */
int ring_drain(struct ring *r, struct decoder *d, const struct journal *j);

static inline void ring_closep(struct ring **r)
{
	ring_close(*r);
}
#define _ring_ __attribute__((cleanup(ring_closep)))

#endif
