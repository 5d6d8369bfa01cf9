/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The ClientHello's extensions and the names in them, built from parts. */
#include <stdlib.h>

#include "hello_read.h"
#include "tap.h"

static struct reading read_name(const char *name, size_t len)
{
	struct packet e = {0};

	put_server_name(&e, name, len);
	return hello_with(&e);
}

static void test_names(struct tap *t)
{
	static const char *const good[] = {
		"a.example",
		"localhost",
		"xn--bcher-kva.example",
		"_sip.a.example",
		"1.2.3.4.example",
		"0x7f.a.example",
		"a.0xg",
		"a.1a",
		"a.0b1",
		"4.0x7f-1",
		"a-.-b.example",
	};
	static const char *const bad[] = {
		"192.0.2.1",
		"1",
		"0",
		"0x",
		"0x7f000001",
		"0X7F.1",
		"3221225985",
		"a.0x1f",
		"a.0",
		"a.007",
		"[2001:db8::1]",
		"2001:db8::1",
		"a.example.",
		".",
		".a.example",
		"a..example",
		"a.example:443",
		"a,b.example",
		"user@a.example",
		"a.example\n",
		"a.example%00",
	};
	char longest[HG_HOST_MAX + 2];
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(*good); i++)
		tap_ok(t, names(read_name(good[i], strlen(good[i])), good[i]), "a name: %s",
		       good[i]);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		tap_ok(t, read_name(bad[i], strlen(bad[i])).status == HG_HELLO_BAD_NAME,
		       "no name: %zu: %.13s", i, i == 19 ? "with a line feed" : bad[i]);
	tap_ok(t, read_name("a.example\0.b.example", 20).status == HG_HELLO_BAD_NAME,
	       "no name: a NUL, and another name behind it");
	tap_ok(t, read_name("a.example\0", 10).status == HG_HELLO_BAD_NAME,
	       "no name: a NUL at its end");
	for (i = 0; i < sizeof(longest); i++)
		longest[i] = i % 64 == 63 ? '.' : 'a';
	longest[HG_HOST_MAX] = 0;
	tap_ok(t, names(read_name(longest, HG_HOST_MAX), longest), "253 bytes are a name");
	longest[HG_HOST_MAX] = 'a';
	tap_ok(t, read_name(longest, HG_HOST_MAX + 1).status == HG_HELLO_BAD_NAME, "254 are none");
	memset(longest, 'a', 64);
	tap_ok(t, read_name(longest, 64).status == HG_HELLO_BAD_NAME, "a label of 64 is none");
}

static void test_extensions(struct tap *t)
{
	struct packet e = {0};
	struct reading r;

	r = hello_with(NULL);
	tap_ok(t, r.status == HG_HELLO_NO_NAME && r.kind == HG_HELLO_TLS,
	       "a hello without extensions names nobody");
	tap_ok(t, hello_with(&e).status == HG_HELLO_NO_NAME, "nor does one with no extension");
	put_extension(&e, 0x0a0a, "", 0);
	put_extension(&e, 43, "\2\3\4", 3);
	tap_ok(t, hello_with(&e).status == HG_HELLO_NO_NAME, "nor does one with others");
	put_server_name(&e, "a.example", 9);
	tap_ok(t, names(hello_with(&e), "a.example"), "a name behind other extensions");
	put_extension(&e, 0x1a1a, "x", 1);
	put_extension(&e, 0xfe0c, "x", 1);
	r = hello_with(&e);
	tap_ok(t, names(r, "a.example") && !r.ech, "a name between other extensions");
	put_extension(&e, 0xfe0d, "\0\0\1\0\1\x42\0\0\0\0", 10);
	r = hello_with(&e);
	tap_ok(t, names(r, "a.example") && r.ech, "with encrypted_client_hello behind it");
	put_server_name(&e, "a.example", 9);
	tap_ok(t, hello_with(&e).status == HG_HELLO_MALFORMED,
	       "the same server_name a second time is refused");
	e.len = 0;
	put_extension(&e, 0xfe0d, "", 0);
	r = hello_with(&e);
	tap_ok(t, r.status == HG_HELLO_NO_NAME && r.ech, "encrypted_client_hello without a name");
	put_server_name(&e, "a.example", 9);
	put_extension(&e, 0, "", 0);
	tap_ok(t, hello_with(&e).status == HG_HELLO_MALFORMED, "an empty second server_name");
	e.len = 0;
	put_extension(&e, 0, "", 0);
	tap_ok(t, hello_with(&e).status == HG_HELLO_MALFORMED,
	       "an empty server_name, which is the server's");
}

/* server_name extensions that are lists of names. */
static void test_lists(struct tap *t)
{
	static const struct {
		const char *name, *list;
		size_t len;
		enum hg_hello_status status;
	} lists[] = {
		{"two names",
		 "\0\x16\0\0\x08"
		 "a.sample"
		 "\0\0\x08"
		 "b.sample",
		 24, HG_HELLO_BAD_NAME},
		{"a name, and one of another type",
		 "\0\x16\0\0\x08"
		 "a.sample"
		 "\1\0\x08"
		 "b.sample",
		 24, HG_HELLO_BAD_NAME},
		{"a name behind the list",
		 "\0\x0b\0\0\x08"
		 "a.sample"
		 "\0\0\x08"
		 "b.sample",
		 24, HG_HELLO_MALFORMED},
		{"a byte behind the name",
		 "\0\x0c\0\0\x08"
		 "a.sample"
		 "\0",
		 14, HG_HELLO_BAD_NAME},
		{"a name of no bytes", "\0\x03\0\0\0", 5, HG_HELLO_MALFORMED},
	};
	struct packet e = {0};
	size_t i;

	for (i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		e.len = 0;
		put_extension(&e, 0, lists[i].list, lists[i].len);
		tap_ok(t, hello_with(&e).status == lists[i].status, "%s", lists[i].name);
	}
	e.len = 0;
	put_server_name(&e, "a.example", 9);
	put_number(&e, 21, 2);
	tap_ok(t, hello_with(&e).status == HG_HELLO_MALFORMED, "half an extension at the end");
	put_number(&e, 1, 2);
	tap_ok(t, hello_with(&e).status == HG_HELLO_MALFORMED, "one whose byte is not there");
}

/* As browsers send it: GREASE (RFC 8701), X25519MLKEM768 (1,216 bytes of key share), padding. */
static void test_large(struct tap *t)
{
	static const uint8_t zeros[HG_HELLO_MAX];
	struct packet e = {0}, message = {0}, all = {0};
	uint8_t share[1260] = {4, 0xea, 0x0a, 0x0a, 0, 1, 0, 0x11, 0xec, 4, 0xc0};
	struct reading r;
	unsigned i;

	share[11 + 1216 + 1] = 29;
	share[11 + 1216 + 3] = 32;
	put_extension(&e, 0x2a2a, "", 0);
	for (i = 10; i < 24; i++)
		put_extension(&e, (uint16_t)i, zeros, 2 + i);
	put_extension(&e, 51, share, sizeof(share));
	put_extension(&e, 0xfe0d, zeros, 250);
	put_server_name(&e, "www.large.example", 17);
	put_extension(&e, 41, zeros, 200);
	put_hello(&message, &e);
	put_records(&all, message.bytes, message.len, 16384);
	r = hello_read(all.bytes, all.len);
	tap_ok(t, names(r, "www.large.example") && r.ech && r.turns < 40,
	       "a post-quantum hello of %zu bytes takes %u turns", all.len, r.turns);
	all.len = 0;
	put_records(&all, message.bytes, message.len, 1);
	r = hello_read(all.bytes, all.len);
	tap_ok(t, names(r, "www.large.example"), "in records of a byte each, %zu bytes, %u turns",
	       all.len, r.turns);
	/* The longest hello in one record that there is room for, and one byte more. */
	e.len = 0;
	put_server_name(&e, "a.example", 9);
	put_extension(&e, 21, zeros, HG_HELLO_MAX - 5 - 4 - 45 - 18 - 4);
	r = hello_with(&e);
	tap_ok(t, names(r, "a.example"), "a hello of %d bytes is read", HG_HELLO_MAX);
	e.len = 0;
	put_server_name(&e, "a.example", 9);
	put_extension(&e, 21, zeros, HG_HELLO_MAX - 5 - 4 - 45 - 18 - 4 + 1);
	message.len = all.len = 0;
	put_hello(&message, &e);
	put_records(&all, message.bytes, message.len, 16384);
	tap_ok(t, hello_read(all.bytes, HG_HELLO_MAX).status == HG_HELLO_TOO_LONG,
	       "a byte more is too long");
	tap_ok(t, hello_read(all.bytes, 5).status == HG_HELLO_TOO_LONG, "which its header says");
	tap_ok(t, hello_read(all.bytes, all.len).status == HG_HELLO_TOO_LONG,
	       "more than there is room for is not looked at");
}

/* The most turns: as many bytes as there may be, each a step of its own. */
static void test_turns(struct tap *t)
{
	struct packet e = {0}, message = {0}, all = {0};
	struct reading r;

	while (e.len < 2680)
		put_extension(&e, 10, "", 0);
	put_hello(&message, &e);
	put_records(&all, message.bytes, message.len, 1);
	r = hello_read(all.bytes, all.len);
	tap_ok(t, r.status == HG_HELLO_NO_NAME && r.turns > HG_HELLO_TURNS - 20,
	       "%zu bytes, one a record, take %u turns of %u", all.len, r.turns, HG_HELLO_TURNS);
	e.len = 0;
	while (e.len < 10000)
		put_extension(&e, 10, "", 0);
	message.len = all.len = 0;
	put_hello(&message, &e);
	put_records(&all, message.bytes, message.len, 1);
	r = hello_read(all.bytes, HG_HELLO_MAX);
	tap_ok(t, r.status == HG_HELLO_TOO_LONG, "what cannot end in time takes no more");
}

int main(void)
{
	struct tap t = {0};

	test_names(&t);
	test_extensions(&t);
	test_lists(&t);
	test_large(&t);
	test_turns(&t);
	return tap_done(&t);
}
