/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reading a BPF ring buffer. */
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <sys/mman.h>

#include "ring_reader.h"
#include "util.h"

int ring_reader_open(struct ring_reader *r, int fd)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);
	void *consumer, *producer;

	*r = (struct ring_reader){};
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	r->page = sysconf(_SC_PAGESIZE);
	r->size = info.max_entries;
	consumer = mmap(NULL, r->page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (consumer == MAP_FAILED)
		return -errno;
	r->consumer = consumer;
	producer = mmap(NULL, r->page + 2 * r->size, PROT_READ, MAP_SHARED, fd, r->page);
	if (producer == MAP_FAILED) {
		ring_reader_close(r);
		return -errno;
	}
	r->producer = producer;
	ring_reader_begin(r);
	return 0;
}

void ring_reader_close(struct ring_reader *r)
{
	int saved = errno;

	if (r->consumer)
		munmap(r->consumer, r->page);
	if (r->producer)
		munmap((void *)r->producer, r->page + 2 * r->size);
	*r = (struct ring_reader){};
	errno = saved;
}

void ring_reader_begin(struct ring_reader *r)
{
	r->at = __atomic_load_n(r->consumer, __ATOMIC_ACQUIRE);
}

const void *ring_reader_next(struct ring_reader *r, size_t *ret_len)
{
	const char *record;
	uint32_t head;

	while (r->at < __atomic_load_n((const uint64_t *)r->producer, __ATOMIC_SEQ_CST)) {
		record = r->producer + r->page + (r->at & (r->size - 1));
		head = __atomic_load_n((const uint32_t *)record, __ATOMIC_ACQUIRE);
		/* Still being written; those behind it wait, so that order is kept. */
		if (head & BPF_RINGBUF_BUSY_BIT)
			return NULL;
		*ret_len = head & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
		r->at += (*ret_len + BPF_RINGBUF_HDR_SZ + 7) & ~7ull;
		if (!(head & BPF_RINGBUF_DISCARD_BIT))
			return record + BPF_RINGBUF_HDR_SZ;
	}
	return NULL;
}

/* In order with the next look at the producer: the kernel wakes a reader only when it finds that
 * all before its record has been given back. */
void ring_reader_commit(struct ring_reader *r)
{
	__atomic_store_n(r->consumer, r->at, __ATOMIC_SEQ_CST);
}
