/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The ClientHello's server_name: what is read, what is not yet, and what is refused. */
#include <stdlib.h>

#include "hello_read.h"
#include "tap.h"

static const uint8_t plain[] = {
	22,  3,	  1,	0,   65, /* 0: record: handshake, 3.1, 65 bytes */
	1,   0,	  0,	61,	 /* 5: ClientHello, 61 bytes */
	3,   3,			 /* 9: TLS 1.2 */
	1,   2,	  3,	4,   5,	  6,   7,   8,	 9,   10, 11, 12, 13, 14, 15, 16, /* 11: random */
	1,   2,	  3,	4,   5,	  6,   7,   8,	 9,   10, 11, 12, 13, 14, 15, 16,
	0,					      /* 43: no session */
	0,   2,	  0x13, 1,			      /* 44: one cipher suite */
	1,   0,					      /* 48: no compression */
	0,   18,				      /* 50: extensions */
	0,   0,	  0,	14,			      /* 52: server_name, 14 bytes */
	0,   12,				      /* 56: list */
	0,   0,	  9,				      /* 58: host_name, 9 bytes */
	'a', '.', 'E',	'x', 'a', 'm', 'p', 'l', 'e', /* 61 */
};

static void test_plain(struct tap *t)
{
	struct reading r = hello_read(plain, sizeof(plain));
	uint8_t longer[sizeof(plain) + 8];
	size_t i;

	tap_ok(t, names(r, "a.example"), "the name is read, in lower case");
	tap_ok(t, r.kind == HG_HELLO_TLS && !r.ech, "of a TLS hello without ECH");
	for (i = 0; i < 6; i++) {
		memcpy(longer, plain, sizeof(plain));
		/* ChangeCipherSpec, alert, handshake, data, of TLS 1.3's early data; rubbish */
		memcpy(longer + sizeof(plain), "\0\3\3\0\1\1\xff\xff", 8);
		longer[sizeof(plain)] = i < 5 ? (uint8_t)(20 + i) : 0xff;
		if (!names(hello_read(longer, sizeof(longer)), "a.example"))
			break;
	}
	tap_ok(t, i == 6, "whatever record comes behind it");
}

/* One byte of the hello above, changed. */
static const struct {
	uint8_t at, byte;
	enum hg_hello_status status;
	const char *says;
} changes[] = {
	{0, 20, HG_HELLO_MALFORMED, "ChangeCipherSpec first"},
	{0, 21, HG_HELLO_MALFORMED, "an alert first"},
	{0, 23, HG_HELLO_MALFORMED, "data first"},
	{0, 19, HG_HELLO_UNKNOWN, "no type of a record"},
	{0, 25, HG_HELLO_UNKNOWN, "no type of a record either"},
	{0, 0x80, HG_HELLO_UNKNOWN, "an SSL 2 hello"},
	{1, 2, HG_HELLO_UNKNOWN, "a record of version 2"},
	{1, 4, HG_HELLO_UNKNOWN, "a record of version 4"},
	{2, 3, HG_HELLO_NAME, "a record of TLS 1.2"},
	{4, 66, HG_HELLO_MALFORMED, "a record longer than the hello"},
	{4, 64, HG_HELLO_NEED, "a record shorter than the hello"},
	{3, 0x40, HG_HELLO_MALFORMED, "a record longer than records are"},
	{5, 2, HG_HELLO_MALFORMED, "another handshake message"},
	{8, 60, HG_HELLO_MALFORMED, "a hello shorter than its record"},
	{8, 40, HG_HELLO_MALFORMED, "a hello shorter than hellos are"},
	{8, 62, HG_HELLO_MALFORMED, "a hello that its extensions do not fill"},
	{9, 2, HG_HELLO_MALFORMED, "a hello of version 2"},
	{10, 1, HG_HELLO_NAME, "a hello of TLS 1.0"},
	{43, 33, HG_HELLO_MALFORMED, "a session of 33 bytes"},
	{43, 32, HG_HELLO_MALFORMED, "a session where the rest is"},
	{45, 1, HG_HELLO_MALFORMED, "an odd number of cipher bytes"},
	{45, 0, HG_HELLO_MALFORMED, "no cipher suite"},
	{44, 1, HG_HELLO_MALFORMED, "cipher suites beyond the hello"},
	{48, 0, HG_HELLO_MALFORMED, "no compression method"},
	{48, 20, HG_HELLO_MALFORMED, "compression methods that leave one byte"},
	{48, 21, HG_HELLO_NO_NAME, "compression methods up to the end"},
	{48, 22, HG_HELLO_MALFORMED, "compression methods beyond it"},
	{51, 17, HG_HELLO_MALFORMED, "extensions with a byte behind them"},
	{51, 19, HG_HELLO_MALFORMED, "extensions beyond the hello"},
	{51, 0, HG_HELLO_MALFORMED, "no extensions, and bytes behind them"},
	{53, 1, HG_HELLO_NO_NAME, "another extension"},
	{55, 15, HG_HELLO_MALFORMED, "a server_name beyond the extensions"},
	{55, 13, HG_HELLO_MALFORMED, "a list beyond its server_name"},
	{55, 5, HG_HELLO_MALFORMED, "a server_name that is too short"},
	{57, 11, HG_HELLO_MALFORMED, "a list with a byte behind it"},
	{57, 13, HG_HELLO_MALFORMED, "a list beyond its extension"},
	{57, 0, HG_HELLO_MALFORMED, "an empty list"},
	{58, 1, HG_HELLO_BAD_NAME, "a name of type 1"},
	{60, 8, HG_HELLO_BAD_NAME, "a byte behind the name"},
	{60, 10, HG_HELLO_MALFORMED, "a name beyond its list"},
	{60, 0, HG_HELLO_MALFORMED, "an empty name"},
	{62, 0, HG_HELLO_BAD_NAME, "a NUL in the name"},
	{61, '.', HG_HELLO_BAD_NAME, "a dot before the name"},
	{69, '.', HG_HELLO_BAD_NAME, "a dot behind the name"},
	{63, '.', HG_HELLO_BAD_NAME, "two dots in the name"},
	{62, ' ', HG_HELLO_BAD_NAME, "a space in the name"},
	{62, '*', HG_HELLO_BAD_NAME, "a star in the name"},
	{62, '/', HG_HELLO_BAD_NAME, "a slash in the name"},
	{62, 0xe4, HG_HELLO_BAD_NAME, "a byte that is not ASCII in the name"},
};

static void test_changes(struct tap *t)
{
	uint8_t bytes[sizeof(plain)];
	size_t i;

	for (i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		struct reading r;

		memcpy(bytes, plain, sizeof(plain));
		bytes[changes[i].at] = changes[i].byte;
		r = hello_read(bytes, sizeof(bytes));
		if (!tap_ok(t, r.status == changes[i].status, "%s", changes[i].says))
			tap_note("status %d, not %d", r.status, changes[i].status);
	}
}

/* Of each prefix nothing is said but how much is to come, and never more than does. */
static unsigned prefix_errors(const uint8_t *bytes, size_t len, const char *name)
{
	struct reading whole = hello_read(bytes, len), r;
	uint32_t need = 0;
	unsigned bad = !names(whole, name);
	size_t n;

	for (n = 0; n < len; n++) {
		r = hello_read(bytes, n);
		bad += r.status != HG_HELLO_NEED || r.need <= n || r.need > len || r.need < need;
		need = r.need;
	}
	return bad;
}

/* The same, with one struct that is taken further. */
static unsigned resume_errors(const uint8_t *bytes, size_t len)
{
	struct reading whole = hello_read(bytes, len), r;
	static struct hg_hello h;

	memset(&h, 0, sizeof(h));
	hg_hello_begin(&h);
	while ((r = hello_turns(&h)).status == HG_HELLO_NEED && h.len < len) {
		h.bytes[h.len] = bytes[h.len];
		h.len++;
	}
	return !same(whole, r) || whole.need > len;
}

static void test_need(struct tap *t)
{
	struct packet split = {0};

	tap_ok(t, !prefix_errors(plain, sizeof(plain), "a.example"),
	       "each part of a hello wants more, and never more than the hello has");
	tap_ok(t, hello_read(plain, 0).need == 1, "of nothing, one byte is wanted");
	tap_ok(t, hello_read(plain, 1).need == 50, "of one byte, the shortest hello");
	tap_ok(t, hello_read(plain, 5).need == sizeof(plain), "of a record's header, the record");
	put_records(&split, plain + 5, sizeof(plain) - 5, 10);
	tap_ok(t, hello_read(split.bytes, 5).need == 5 + 5 + 45,
	       "a record too short for any hello needs another");
	tap_ok(t, hello_read(split.bytes, 9).need == 9 + 6 + 5 + 55,
	       "a record too short for its hello needs another");
	tap_ok(t, hello_read("\x16\3\1\0\x41\1\1\0\0", 9).status == HG_HELLO_TOO_LONG,
	       "a hello of 64 KiB is too long as soon as it says so");
	tap_ok(t, !resume_errors(plain, sizeof(plain)), "bytes may come one by one");
	tap_ok(t, !resume_errors(split.bytes, split.len), "also those of several records");
}

static void test_records(struct tap *t)
{
	unsigned bad = 0, bad_prefix = 0, bad_resume = 0;
	struct packet p;
	size_t size, at;

	for (size = 1; size <= sizeof(plain) - 5; size++) {
		p.len = 0;
		put_records(&p, plain + 5, sizeof(plain) - 5, size);
		bad += !names(hello_read(p.bytes, p.len), "a.example");
		bad_prefix += prefix_errors(p.bytes, p.len, "a.example");
		bad_resume += resume_errors(p.bytes, p.len);
	}
	tap_ok(t, !bad, "records of each size give the name");
	tap_ok(t, !bad_prefix, "and each part of them wants more");
	tap_ok(t, !bad_resume, "also when it is taken further byte by byte");
	bad = 0;
	for (at = 1; at < sizeof(plain) - 5; at++) {
		p.len = 0;
		put_records(&p, plain + 5, at, 16384);
		put_records(&p, plain + 5 + at, sizeof(plain) - 5 - at, 16384);
		bad += !names(hello_read(p.bytes, p.len), "a.example");
		/* An empty record between them: RFC 8446 5.1 forbids it. */
		p.len = 0;
		put_records(&p, plain + 5, at, 16384);
		put_number(&p, 0x160301, 3);
		put_number(&p, 0, 2);
		put_records(&p, plain + 5 + at, sizeof(plain) - 5 - at, 16384);
		bad += hello_read(p.bytes, p.len).status != HG_HELLO_MALFORMED;
	}
	tap_ok(t, !bad, "so do two records cut anywhere, and not with an empty one between them");
}

static void test_between(struct tap *t)
{
	static const uint32_t heads[] = {0x140303, 0x150303, 0x170303, 0x160203, 0x800303};
	unsigned bad = 0;
	struct packet p;
	size_t i;

	for (i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
		p.len = 0;
		put_records(&p, plain + 5, 20, 20);
		put_number(&p, heads[i], 3);
		put_number(&p, 1, 2);
		put_number(&p, 1, 1);
		put_records(&p, plain + 25, sizeof(plain) - 25, 16384);
		bad += hello_read(p.bytes, p.len).status != HG_HELLO_MALFORMED;
	}
	tap_ok(t, !bad, "another record between those of a hello is refused");
	p.len = 0;
	put_records(&p, plain + 5, 20, 20);
	put_number(&p, 0x160301, 3);
	put_number(&p, sizeof(plain) - 25 + 4, 2);
	put(&p, plain + 25, sizeof(plain) - 25);
	put_number(&p, 0, 4);
	tap_ok(t, hello_read(p.bytes, p.len).status == HG_HELLO_MALFORMED,
	       "another message behind the hello in its last record is refused");
}

int main(void)
{
	struct tap t = {0};

	test_plain(&t);
	test_changes(&t);
	test_need(&t);
	test_records(&t);
	test_between(&t);
	return tap_done(&t);
}
