/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the tests of bpf/core/hello.h share: reading bytes, and building a ClientHello. */
#ifndef HG_HELLO_READ_H
#define HG_HELLO_READ_H

#include <sanitizer/asan_interface.h>
#include <stdint.h>
#include <string.h>

#include "bpf/core/hello.h"

struct reading {
	enum hg_hello_status status;
	enum hg_hello_kind kind;
	bool ech;
	uint32_t need, turns, at;
	char name[HG_HOST_MAX + 1];
};

static inline struct reading reading_of(const struct hg_hello *h, uint32_t turns)
{
	struct reading r = {.status = h->status, .kind = h->kind, .ech = h->ech, .need = h->need};
	uint32_t i;

	r.turns = turns;
	r.at = h->at;
	for (i = 0; r.status == HG_HELLO_NAME && i < h->name.len; i++)
		r.name[i] = (char)h->name.bytes[HG_HOST_END - 1 - i];
	return r;
}

/* Takes turns as the kernel does; more than there may be gives no status at all. */
static inline struct reading hello_turns(struct hg_hello *h)
{
	uint32_t turns;

	for (turns = 1; turns <= HG_HELLO_TURNS; turns++)
		if (hg_hello_turn(h))
			return reading_of(h, turns);
	return (struct reading){0};
}

/* What lies behind the bytes that were given may not be looked at: the sanitizer watches. */
static inline struct reading hello_read(const void *bytes, size_t len)
{
	static struct hg_hello h;
	size_t kept = len <= HG_HELLO_MAX ? len : HG_HELLO_MAX;
	struct reading r;

	memset(&h, 0xa5, sizeof(h));
	memcpy(h.bytes, bytes, kept);
	__asan_poison_memory_region(h.bytes + kept, sizeof(h.bytes) - kept);
	h.len = (uint32_t)len;
	hg_hello_begin(&h);
	r = hello_turns(&h);
	__asan_unpoison_memory_region(h.bytes, sizeof(h.bytes));
	return r;
}

static inline bool names(struct reading r, const char *name)
{
	return r.status == HG_HELLO_NAME && !strcmp(r.name, name);
}

static inline bool same(struct reading a, struct reading b)
{
	return a.status == b.status && a.kind == b.kind && a.ech == b.ech &&
	       !strcmp(a.name, b.name);
}

struct packet {
	size_t len;
	uint8_t bytes[4 * HG_HELLO_MAX];
};

static inline void put(struct packet *p, const void *bytes, size_t len)
{
	memcpy(p->bytes + p->len, bytes, len);
	p->len += len;
}

/* A number of `size` bytes, in network order. */
static inline void put_number(struct packet *p, uint32_t number, unsigned size)
{
	while (size--)
		p->bytes[p->len++] = (uint8_t)(number >> 8 * size);
}

static inline void put_extension(struct packet *p, uint16_t type, const void *bytes, size_t len)
{
	put_number(p, type, 2);
	put_number(p, (uint32_t)len, 2);
	put(p, bytes, len);
}

static inline void put_server_name(struct packet *p, const char *name, size_t len)
{
	struct packet list = {0};

	put_number(&list, (uint32_t)len + 3, 2);
	put_number(&list, 0, 1);
	put_number(&list, (uint32_t)len, 2);
	put(&list, name, len);
	put_extension(p, 0, list.bytes, list.len);
}

/* The handshake message with these extensions; NULL: without the field that gives their length. */
static inline void put_hello(struct packet *p, const struct packet *extensions)
{
	struct packet body = {0};

	put_number(&body, 0x0303, 2);
	body.len += 32;			     /* random */
	put_number(&body, 0, 1);	     /* no session */
	put(&body, "\0\4\x13\1\xc0\x2f", 6); /* two cipher suites */
	put(&body, "\1", 2);		     /* one compression method, null */
	if (extensions) {
		put_number(&body, (uint32_t)extensions->len, 2);
		put(&body, extensions->bytes, extensions->len);
	}
	put_number(p, 1, 1);
	put_number(p, (uint32_t)body.len, 3);
	put(p, body.bytes, body.len);
}

/* A handshake message in records of at most `size` bytes. */
static inline void put_records(struct packet *p, const void *message, size_t len, size_t size)
{
	const uint8_t *from = message;

	while (len) {
		size_t n = len < size ? len : size;

		put_number(p, 0x160301, 3);
		put_number(p, (uint32_t)n, 2);
		put(p, from, n);
		from += n;
		len -= n;
	}
}

/* A whole connection's beginning with these extensions, in one record. */
static inline struct reading hello_with(const struct packet *extensions)
{
	struct packet message = {0}, all = {0};

	put_hello(&message, extensions);
	put_records(&all, message.bytes, message.len, 16384);
	return hello_read(all.bytes, all.len);
}

#endif
