/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* DNS queries: the one form that passes, and what is said of each other. */
#include "dns_reading.h"
#include "tap.h"

/* clang-format off */
/* Octal escapes end before the letters behind them. */
#define COUNTS(qd, an, ns, ar) "\0" qd "\0" an "\0" ns "\0" ar
#define HEADER(flags, ar) "\x12\x34" flags COUNTS("\1", "\0", "\0", ar)
#define RD "\1\0"
#define NAME "\3api\5model\7example\0"
#define A "\0\1"
#define IN "\0\1"
#define PLAIN HEADER(RD, "\0") NAME A IN
/* The root, type 41, 1,232 bytes; then extended rcode, version, flags, length, options. */
#define OPT_ROOT "\0" "\0\x29" "\4\xd0"
#define OPT(length, options) OPT_ROOT "\0" "\0" "\0\0" length options
#define WITH(opt) HEADER(RD, "\1") NAME A IN opt
#define EIGHT "\1\2\3\4\5\6\7\10"

struct row {
	const char *what, *bytes;
	size_t len;
	enum hg_dns_status status;
};
#define M(bytes) bytes, sizeof(bytes) - 1
#define N_ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct row passing[] = {
	{"one question", M(PLAIN), HG_DNS_OK},
	{"without RD", M(HEADER("\0\0", "\0") NAME A IN), HG_DNS_OK},
	{"with AD and CD", M(HEADER("\1\x30", "\0") NAME A IN), HG_DNS_OK},
	{"an OPT without options", M(WITH(OPT("\0\0", ""))), HG_DNS_OK},
	{"an OPT with DO", M(WITH(OPT_ROOT "\0" "\0" "\x80\0" "\0\0")), HG_DNS_OK},
	{"a client's cookie", M(WITH(OPT("\0\14", "\0\12\0\10" EIGHT))), HG_DNS_OK},
	{"a cookie with the server's shortest half",
	 M(WITH(OPT("\0\24", "\0\12\0\20" EIGHT EIGHT))), HG_DNS_OK},
	{"a cookie with the server's longest half",
	 M(WITH(OPT("\0\54", "\0\12\0\50" EIGHT EIGHT EIGHT EIGHT EIGHT))), HG_DNS_OK},
	{"an empty NSID", M(WITH(OPT("\0\4", "\0\3\0\0"))), HG_DNS_OK},
	{"an empty keepalive", M(WITH(OPT("\0\4", "\0\13\0\0"))), HG_DNS_OK},
	{"no padding", M(WITH(OPT("\0\4", "\0\14\0\0"))), HG_DNS_OK},
	{"sixteen bytes of padding",
	 M(WITH(OPT("\0\24", "\0\14\0\20" "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"))),
	 HG_DNS_OK},
	{"padding, then a keepalive", M(WITH(OPT("\0\13", "\0\14\0\3\0\0\0" "\0\13\0\0"))), HG_DNS_OK},
};

static const struct row refused[] = {
	{"an answer", M(HEADER("\x81\0", "\0") NAME A IN), HG_DNS_DIRECTION},
	{"an inverse query", M(HEADER("\x09\0", "\0") NAME A IN), HG_DNS_OPCODE},
	{"an update", M(HEADER("\x28\0", "\0") NAME A IN), HG_DNS_OPCODE},
	{"an unknown opcode", M(HEADER("\x79\0", "\0") NAME A IN), HG_DNS_OPCODE},
	{"AA", M(HEADER("\5\0", "\0") NAME A IN), HG_DNS_FLAGS},
	{"TC", M(HEADER("\3\0", "\0") NAME A IN), HG_DNS_FLAGS},
	{"RA", M(HEADER("\1\x80", "\0") NAME A IN), HG_DNS_FLAGS},
	{"the bit that is reserved", M(HEADER("\1\x40", "\0") NAME A IN), HG_DNS_FLAGS},
	{"a query that is an error", M(HEADER("\1\1", "\0") NAME A IN), HG_DNS_FLAGS},
	{"no question", M("\x12\x34" RD COUNTS("\0", "\0", "\0", "\0")), HG_DNS_QUESTIONS},
	{"two questions", M("\x12\x34" RD COUNTS("\2", "\0", "\0", "\0") NAME A IN NAME A IN),
	 HG_DNS_QUESTIONS},
	{"257 questions", M("\x12\x34" RD "\1\1" "\0\0\0\0\0\0" NAME A IN), HG_DNS_QUESTIONS},
	{"an answer's record", M("\x12\x34" RD COUNTS("\1", "\1", "\0", "\0") NAME A IN),
	 HG_DNS_RECORDS},
	{"an authority's record", M("\x12\x34" RD COUNTS("\1", "\0", "\1", "\0") NAME A IN),
	 HG_DNS_RECORDS},
	{"two additional records", M(HEADER(RD, "\2") NAME A IN OPT("\0\0", "") OPT("\0\0", "")),
	 HG_DNS_RECORDS},
	{"an additional record that is no OPT",
	 M(WITH("\0" A IN "\0\0\0\0" "\0\4" "\300\0\2\1")), HG_DNS_RECORDS},
	{"an OPT of another owner", M(WITH("\1x\0" "\0\x29" "\4\xd0" "\0\0\0\0" "\0\0")),
	 HG_DNS_RECORDS},
	{"an OPT whose owner is a pointer to the root",
	 M(WITH("\xc0\x1d" "\0\x29" "\4\xd0" "\0\0\0\0" "\0\0")), HG_DNS_RECORDS},
	{"an OPT with an error", M(WITH(OPT_ROOT "\1" "\0" "\0\0" "\0\0")), HG_DNS_EDNS},
	{"an OPT of version 1", M(WITH(OPT_ROOT "\0" "\1" "\0\0" "\0\0")), HG_DNS_EDNS},
	{"an OPT with a flag next to DO", M(WITH(OPT_ROOT "\0" "\0" "\xc0\0" "\0\0")), HG_DNS_EDNS},
	{"an OPT with the last flag", M(WITH(OPT_ROOT "\0" "\0" "\0\1" "\0\0")), HG_DNS_EDNS},
	{"the client's subnet", M(WITH(OPT("\0\13", "\0\10\0\7" "\0\1\x18\0\300\0\2"))),
	 HG_DNS_OPTION},
	{"an option for experiments", M(WITH(OPT("\0\6", "\375\351\0\2ab"))), HG_DNS_OPTION},
	{"option 0", M(WITH(OPT("\0\4", "\0\0\0\0"))), HG_DNS_OPTION},
	{"an NSID with bytes", M(WITH(OPT("\0\5", "\0\3\0\1x"))), HG_DNS_OPTION},
	{"a keepalive with a time", M(WITH(OPT("\0\6", "\0\13\0\2ab"))), HG_DNS_OPTION},
	{"an empty cookie", M(WITH(OPT("\0\4", "\0\12\0\0"))), HG_DNS_OPTION},
	{"a cookie of seven bytes", M(WITH(OPT("\0\13", "\0\12\0\7" "1234567"))), HG_DNS_OPTION},
	{"a cookie of fifteen bytes", M(WITH(OPT("\0\23", "\0\12\0\17" "1234567" EIGHT))),
	 HG_DNS_OPTION},
	{"a cookie of 41 bytes",
	 M(WITH(OPT("\0\55", "\0\12\0\51" "1" EIGHT EIGHT EIGHT EIGHT EIGHT))), HG_DNS_OPTION},
	{"padding whose last byte is not zero", M(WITH(OPT("\0\7", "\0\14\0\3" "\0\0\1"))),
	 HG_DNS_OPTION},
	{"padding whose seventeenth byte is not zero",
	 M(WITH(OPT("\0\25", "\0\14\0\21" "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" "\1"))), HG_DNS_OPTION},
	{"an option that says it is longer", M(WITH(OPT("\0\4", "\0\14\0\1"))), HG_DNS_MALFORMED},
	{"half an option", M(WITH(OPT("\0\3", "\0\3\0"))), HG_DNS_MALFORMED},
	{"an OPT that says it is longer", M(WITH(OPT("\0\5", "\0\3\0\0"))), HG_DNS_MALFORMED},
	{"an OPT that says it is shorter", M(WITH(OPT("\0\0", "\0\3\0\0"))), HG_DNS_TRAILING},
	{"a byte behind the OPT", M(WITH(OPT("\0\0", "\0"))), HG_DNS_TRAILING},
	{"a byte behind the question", M(PLAIN "\0"), HG_DNS_TRAILING},
	{"an OPT that is not counted", M(PLAIN OPT("\0\0", "")), HG_DNS_TRAILING},
	{"an OPT that is counted and absent", M(HEADER(RD, "\1") NAME A IN), HG_DNS_MALFORMED},
	{"the class CHAOS", M(HEADER(RD, "\0") NAME A "\0\3"), HG_DNS_CLASS},
	{"any class", M(HEADER(RD, "\0") NAME A "\0\xff"), HG_DNS_CLASS},
	{"the class with multicast's bit", M(HEADER(RD, "\0") NAME A "\x80\1"), HG_DNS_CLASS},
	{"the root", M(HEADER(RD, "\0") "\0" "\0\2" IN), HG_DNS_ROOT},
	{"a dot in a label", M(HEADER(RD, "\0") "\11api.model\7example\0" A IN), HG_DNS_NAME},
	{"a label that is a dot", M(HEADER(RD, "\0") "\1.\7example\0" A IN), HG_DNS_NAME},
	{"a dot that ends a label", M(HEADER(RD, "\0") "\4api.\7example\0" A IN), HG_DNS_NAME},
	{"a NUL in a label", M(HEADER(RD, "\0") "\4api\0\7example\0" A IN), HG_DNS_NAME},
	{"a space in a label", M(HEADER(RD, "\0") "\3a i\7example\0" A IN), HG_DNS_NAME},
	{"a label in UTF-8", M(HEADER(RD, "\0") "\3\xc3\xa9z\7example\0" A IN), HG_DNS_NAME},
	{"a compressed name", M(HEADER(RD, "\0") "\3api\xc0\x0c" A IN), HG_DNS_COMPRESSED},
	{"a label of the type 01", M(HEADER(RD, "\0") "\x41x\0" A IN), HG_DNS_MALFORMED},
	{"a label of the type 10", M(HEADER(RD, "\0") "\x81x\0" A IN), HG_DNS_MALFORMED},
};

/* clang-format on */

static void test_rows(struct tap *t, const struct row *rows, size_t n, const char *verb)
{
	struct dns_reading *r;
	size_t i;

	for (i = 0; i < n; i++) {
		r = dns_read(HG_DNS_QUERY, rows[i].bytes, rows[i].len);
		if (!tap_ok(t, r->dns.status == rows[i].status && !r->n_found, "%s: %s", verb,
			    rows[i].what))
			tap_note("status %u, wanted %u", r->dns.status, rows[i].status);
		free(r);
	}
}

/* A query is cut at each length: nothing shorter is taken for it. */
static void test_cut(struct tap *t)
{
	static const char whole[] = WITH(OPT("\0\23", "\0\12\0\10" EIGHT "\0\14\0\3\0\0\0"));
	unsigned bad = 0, i;

	for (i = 0; i < sizeof(whole); i++) {
		struct dns_reading *r = dns_read(HG_DNS_QUERY, whole, i);

		bad += r->dns.status != (i == sizeof(whole) - 1 ? HG_DNS_OK : HG_DNS_MALFORMED);
		free(r);
	}
	tap_ok(t, !bad, "a query that is cut anywhere is malformed");
}

static void test_results(struct tap *t)
{
	static const char mixed[] = HEADER("\1\0", "\0") "\3ApI\5MODEL\2_x\1-\7eXample\0"
							 "\1\1" IN;
	static const char option[] = WITH(OPT("\0\4", "\0\10\0\0"));
	struct dns_reading *r = dns_read(HG_DNS_QUERY, M(mixed));
	char name[256];

	tap_ok(t, r->dns.id == 0x1234 && r->dns.qtype == 257, "id and type are in host order");
	tap_ok(t, !strcmp(dns_question(r, name), "api.model._x.-.example"), "the name is folded");
	free(r);
	r = dns_read(HG_DNS_QUERY, M(option));
	tap_ok(t, !strcmp(dns_question(r, name), "api.model.example") && r->dns.qtype == 1,
	       "the name is known of a query that is refused for what follows it");
	free(r);
	r = dns_read(HG_DNS_QUERY, M(PLAIN));
	tap_note("%u turns", r->n_turns);
	tap_ok(t, r->n_turns <= 8, "a plain query takes few turns");
	free(r);
}

/* A query for a name of labels of these lengths, and what is said of it. */
static struct dns_reading *ask(const uint8_t *labels)
{
	uint8_t msg[HG_DNS_MAX] = HEADER(RD, "\0");
	size_t at = HG_DNS_HEADER;

	for (; *labels; labels++) {
		msg[at++] = *labels;
		memset(msg + at, 'x', *labels);
		at += *labels;
	}
	msg[at++] = 0;
	memcpy(msg + at, A IN, 4);
	return dns_read(HG_DNS_QUERY, msg, at + 4);
}

static void test_name_limits(struct tap *t)
{
	static const uint8_t longest[] = {63, 63, 63, 61, 0}, longer[] = {63, 63, 63, 62, 0};
	static const uint8_t wide[] = {64, 0};
	uint8_t ones[129] = {0};
	struct dns_reading *r = ask(longest);

	tap_ok(t, r->dns.status == HG_DNS_OK && r->dns.question.len == HG_HOST_MAX,
	       "a name of 253 characters passes");
	free(r);
	r = ask(longer);
	tap_ok(t, r->dns.status == HG_DNS_MALFORMED, "one of 254 is malformed");
	free(r);
	r = ask(wide);
	tap_ok(t, r->dns.status == HG_DNS_MALFORMED, "so is a label of 64");
	free(r);
	memset(ones, 1, 127);
	r = ask(ones);
	tap_ok(t, r->dns.status == HG_DNS_OK && r->dns.question.len == HG_HOST_MAX,
	       "127 labels pass");
	tap_note("%u turns", r->n_turns);
	free(r);
	ones[127] = 1;
	r = ask(ones);
	tap_ok(t, r->dns.status == HG_DNS_MALFORMED, "128 are malformed");
	free(r);
}

/* A query as long as can be, of options of this code and size. */
static struct dns_reading *fill(unsigned code, unsigned size, size_t len)
{
	uint8_t *msg = calloc(1, len);
	size_t at = sizeof(WITH(OPT("\0\0", ""))) - 1;
	struct dns_reading *r;

	memcpy(msg, WITH(OPT("\0\0", "")), at);
	msg[at - 2] = (len - at) >> 8;
	msg[at - 1] = (len - at) & 0xff;
	for (; at + 4 + size <= len; at += 4 + size) {
		msg[at + 1] = code;
		msg[at + 2] = size >> 8;
		msg[at + 3] = size & 0xff;
	}
	r = dns_read(HG_DNS_QUERY, msg, len);
	free(msg);
	return r;
}

static void test_limits(struct tap *t)
{
	size_t head = sizeof(WITH(OPT("\0\0", ""))) - 1, most = head + (HG_DNS_MAX - head) / 4 * 4;
	struct dns_reading *r = fill(3, 0, most);

	tap_ok(t, r->dns.status == HG_DNS_OK && r->n_turns < HG_DNS_TURNS / 2,
	       "as many options as fit pass");
	tap_note("%u turns", r->n_turns);
	free(r);
	r = fill(12, HG_DNS_MAX - head - 4, HG_DNS_MAX);
	tap_ok(t, r->dns.status == HG_DNS_OK, "as much padding as fits passes");
	tap_note("%u turns", r->n_turns);
	free(r);
	r = fill(12, HG_DNS_MAX - head - 3, HG_DNS_MAX + 1);
	tap_ok(t, r->dns.status == HG_DNS_TOO_LONG && !r->dns.question.len,
	       "one byte more is too long");
	free(r);
}

int main(void)
{
	struct tap t = {0};

	test_rows(&t, passing, N_ROWS(passing), "passes");
	test_rows(&t, refused, N_ROWS(refused), "refused");
	test_cut(&t);
	test_results(&t);
	test_name_limits(&t);
	test_limits(&t);
	return tap_done(&t);
}
