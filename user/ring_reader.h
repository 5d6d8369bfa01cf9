/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reading a BPF ring buffer so that what was read is given back only when it is safe elsewhere:
 * libbpf's reader gives each record back before anybody can have written it down, and a reader that
 * is killed then takes it along. Layout: kernel/bpf/ringbuf.c.
 */
#ifndef HG_RING_READER_H
#define HG_RING_READER_H

#include <stddef.h>
#include <stdint.h>

struct ring_reader {
	size_t page, size;
	uint64_t *consumer;   /* a page, shared with the kernel and with other readers */
	const char *producer; /* a page, then the data twice in a row */
	uint64_t at;	      /* read up to here, not yet given back */
};

/* fd: the map; it may be closed afterwards. -errno. */
int ring_reader_open(struct ring_reader *r, int fd);
void ring_reader_close(struct ring_reader *r);

/* Begins where the kernel has been told that readers are. */
void ring_reader_begin(struct ring_reader *r);

/* The next record, valid until it is given back; NULL: none is whole. */
const void *ring_reader_next(struct ring_reader *r, size_t *ret_len);

/* Gives back what has been read since ring_reader_begin(). */
void ring_reader_commit(struct ring_reader *r);

#endif
