/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A connection's first payload from anywhere. What was said of some bytes is not taken back with
 * more of them, and is not said before the bytes it rests on are there; turns and `need` keep to
 * their bounds; a name is a host's; how records are cut is no difference.
 */
#include <stdlib.h>

#include "tests/unit/hello_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check_name(const struct reading *r)
{
	size_t len = strlen(r->name), i;

	must(len && len <= HG_HOST_MAX);
	for (i = 0; i < len; i++)
		must(hg_host_byte((uint8_t)r->name[i]) || r->name[i] == '.');
	must(r->name[0] != '.' && r->name[len - 1] != '.' && !strstr(r->name, ".."));
}

static void check_alone(const struct reading *r, size_t size)
{
	must(r->status >= HG_HELLO_NAME && r->status <= HG_HELLO_TOO_LONG);
	must(r->at <= size || r->status == HG_HELLO_TOO_LONG);
	if (r->status == HG_HELLO_NEED)
		must(r->need > size && r->need <= HG_HELLO_MAX && r->at == size);
	if (r->status == HG_HELLO_UNKNOWN)
		must(r->kind == HG_HELLO_OTHER);
	else if (r->status != HG_HELLO_NEED && r->status != HG_HELLO_TOO_LONG)
		must(r->kind != HG_HELLO_OTHER);
	if (r->status == HG_HELLO_NAME)
		check_name(r);
}

/* The first n bytes, given what is said of all. */
static void check_part(const uint8_t *data, size_t n, const struct reading *whole)
{
	struct reading part = hello_read(data, n);

	check_alone(&part, n);
	if (part.status == HG_HELLO_TOO_LONG) {
		/* It is known early; of all bytes something worse may be. */
		must(whole->status >= HG_HELLO_BAD_NAME);
		return;
	}
	if (part.status != HG_HELLO_NEED) {
		must(same(part, *whole) && part.at == whole->at);
		return;
	}
	/* What is certain to come is not more than what was enough. */
	must(!n || n < whole->at || whole->status == HG_HELLO_NEED ||
	     whole->status == HG_HELLO_TOO_LONG);
	if (whole->status == HG_HELLO_NAME || whole->status == HG_HELLO_NO_NAME)
		must(part.need <= whole->at);
}

/* One struct, taken further at two places. */
static void check_resumed(const uint8_t *data, size_t size, const struct reading *whole)
{
	size_t ends[] = {size / 3, size - size / 4, size}, i;
	struct hg_hello *h = malloc(sizeof(*h));
	struct reading r = {0};

	memset(h, 0x5a, sizeof(*h));
	hg_hello_begin(h);
	for (i = 0; i < 3; i++) {
		memcpy(h->bytes, data, ends[i]);
		h->len = (uint32_t)ends[i];
		r = hello_turns(h);
	}
	if (r.status == HG_HELLO_TOO_LONG) {
		must(whole->status >= HG_HELLO_BAD_NAME);
	} else {
		must(same(r, *whole) && r.at == whole->at);
		must(r.status != HG_HELLO_NEED || r.need == whole->need);
	}
	free(h);
}

/* The handshake message in one record, and in records of seven bytes. */
static void check_records(const uint8_t *data, const struct reading *whole)
{
	static struct packet message, all;
	struct reading r;
	size_t at, n;

	message.len = 0;
	for (at = 0; at < whole->at; at += 5 + n) {
		n = (size_t)data[at + 3] << 8 | data[at + 4];
		put(&message, data + at + 5, n);
	}
	must(at == whole->at);
	for (n = 7; n <= 16384; n += 16384 - 7) {
		all.len = 0;
		put_records(&all, message.bytes, message.len, n);
		r = hello_read(all.bytes, all.len);
		must(same(r, *whole) || all.len > HG_HELLO_MAX);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reading whole = hello_read(data, size);
	size_t step = size / 64 + 1, n;

	check_alone(&whole, size);
	if (size > HG_HELLO_MAX)
		return 0;
	for (n = 0; n < size; n += step)
		check_part(data, n, &whole);
	if (whole.at && whole.at <= size)
		check_part(data, whole.at - 1, &whole);
	check_part(data, whole.at, &whole);
	check_resumed(data, size, &whole);
	if (whole.kind == HG_HELLO_TLS &&
	    (whole.status == HG_HELLO_NAME || whole.status == HG_HELLO_NO_NAME))
		check_records(data, &whole);
	return 0;
}
