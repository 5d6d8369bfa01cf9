/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `run`'s account of its agent: denials as they come or at the end, the events kept, a summary. */
#ifndef HG_REPORT_H
#define HG_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "agent.h"
#include "event.h"
#include "follow.h"

#define REPORT_KINDS 16
/* Kinds of denials that are kept for the end. */
#define REPORT_HELD_MAX 200

struct report_held {
	char *kind; /* event_kind(); NULL: of no kind */
	struct event ev;
};

struct report {
	const char *agent;
	char uid[20]; /* as in hydraguard.agent_uid */
	struct follow follow;
	bool quiet;
	FILE *events; /* NULL: not kept */
	/* The denial printed last, and how often it came again. */
	char *last;
	uint64_t n_again;
	/* On a terminal, which the command writes to as well: what is told when it has ended. */
	bool hold;
	struct report_held *held;
	size_t n_held;
	uint64_t n_not_held;
	/* Denials by action. */
	struct {
		char *action;
		uint64_t n;
	} kinds[REPORT_KINDS];
	bool events_broken;
};

/* Before the agent is attached, so that nothing is missed. live: tell at once, on a terminal too.
 * Tells why. */
int report_open(struct report *r, const char *events_file, bool quiet, bool live);
void report_begin(struct report *r, const struct agent_record *a);
/* Deals with what is in the event log by now. */
void report_read(struct report *r);
/* For poll(2). */
int report_fd(const struct report *r);
void report_end(struct report *r, const struct agent_totals *t, bool audit);
void report_close(struct report *r);

#endif
