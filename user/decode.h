/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Turns what the kernel side reports (struct hg_event) into events with names. */
#ifndef HG_DECODE_H
#define HG_DECODE_H

#include "../bpf/core/abi.h"
#include "event.h"
#include "places.h"
#include "record.h"

/* What numbers stand for, on this machine and in this boot. */
struct decoder {
	char boot[40];	     /* boot id */
	uint64_t since_1970; /* of the boot clock's zero; nanoseconds */
	int cgroup_fd;	     /* the hierarchy's mount; -1: cgroups stay numbers */
	struct places places;
};
int decoder_open(struct decoder *ret);
void decoder_close(struct decoder *d);
/* The clock may have been set. */
void decoder_set_clock(struct decoder *d);
/* The same, and mounts may have changed. */
void decoder_refresh(struct decoder *d);

/* Whose event it is. generation: NULL where its table is lost; then rules stay numbers. */
struct decode_agent {
	const char *name;
	const struct generation_record *generation;
};

/* Is a record of `size` bytes whole and what abi.h says? */
bool event_record_ok(const void *data, size_t size);

/* Fills ret, which is to be cleared by the caller. data: checked by event_record_ok(). */
void event_decode(struct decoder *d, const struct decode_agent *agent, const struct hg_event *data,
		  struct event *ret);

#endif
