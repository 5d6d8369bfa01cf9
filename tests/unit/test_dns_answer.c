/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* DNS answers: which addresses are read from them, for how long, and what ends the reading. */
#include "dns_reading.h"
#include "tap.h"

/* clang-format off */
/* Octal escapes end before the letters behind them. */
#define COUNTS(qd, an, ns, ar) "\0" qd "\0" an "\0" ns "\0" ar
#define HEADER(flags, an) "\x12\x34" flags COUNTS("\1", an, "\0", "\0")
#define RA "\x81\x80"
#define TC "\x83\x80"
#define IN "\0\1"
#define A "\0\1"
#define CNAME "\0\5"
#define AAAA "\0\x1c"
#define TXT "\0\x10"
#define SVCB "\0\x40"
#define HTTPS "\0\x41"
/* At 12; `model` at 16, `example` at 22, the root at 30. The first record at 35, its data at 47. */
#define NAME "\3api\5model\7example\0"
#define ASKED "\xc0\x0c"
#define TARGET "\xc0\x2f"
#define TO(n, records) HEADER(RA, n) NAME A IN records
#define TO_HTTPS(n, records) HEADER(RA, n) NAME HTTPS IN records
#define MINUTE "\0\0\0\x3c"
#define HOUR "\0\0\x0e\x10"
#define V4 "\0\4" "\300\0\2\1"
#define OTHER_V4 "\0\4" "\300\0\2\2"
#define V6 "\0\20" "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
#define EDGE "\4edge\3cdn\4test\0"
#define TO_EDGE ASKED CNAME IN MINUTE "\0\17" EDGE
#define OF_ASKED ASKED A IN HOUR V4
#define OF_TARGET TARGET A IN HOUR V4

struct row {
	const char *what, *bytes;
	size_t len;
	enum hg_dns_status status;
	const char *found;
};
#define M(bytes) bytes, sizeof(bytes) - 1
#define N_ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct row addresses[] = {
	{"no record", M(TO("\0", "")), HG_DNS_OK, ""},
	{"an address", M(TO("\1", OF_ASKED)), HG_DNS_OK, "192.0.2.1 3600"},
	{"two", M(TO("\2", OF_ASKED ASKED AAAA IN MINUTE V6)), HG_DNS_OK,
	 "192.0.2.1 3600, 2001:db8::1 60"},
	{"a mapped address in AAAA",
	 M(TO("\1", ASKED AAAA IN MINUTE "\0\20\0\0\0\0\0\0\0\0\0\0\xff\xff\300\0\2\1")), HG_DNS_OK,
	 "192.0.2.1 60"},
	{"the owner written out, in other case",
	 M(TO("\1", "\3API\5Model\7examplE\0" A IN HOUR V4)), HG_DNS_OK, "192.0.2.1 3600"},
	{"the owner's end by a pointer", M(TO("\1", "\3api\xc0\x10" A IN HOUR V4)), HG_DNS_OK,
	 "192.0.2.1 3600"},
	{"other names", M(TO("\3", "\3api\xc0\x16" A IN HOUR V4 "\3apj\xc0\x10" A IN HOUR V4
				   "\3api\5model\7examplf\0" A IN HOUR V4)),
	 HG_DNS_OK, ""},
	{"an owner that is the root, or no host",
	 M(TO("\2", "\0" A IN HOUR V4 "\3a.i\xc0\x10" A IN HOUR V4)),
	 HG_DNS_OK, ""},
	{"a record of another class", M(TO("\2", ASKED A "\0\3" HOUR V4 OF_ASKED)), HG_DNS_OK,
	 "192.0.2.1 3600"},
	{"a record of another type",
	 M(TO("\3", ASKED TXT IN HOUR "\0\4\3abc" ASKED "\0\x2e" IN HOUR "\0\0" OF_ASKED)),
	 HG_DNS_OK, "192.0.2.1 3600"},
	{"a time whose top bit is set", M(TO("\1", ASKED A IN "\x80\0\0\1" V4)), HG_DNS_OK,
	 "192.0.2.1 0"},
	{"the longest time", M(TO("\1", ASKED A IN "\x7f\xff\xff\xff" V4)), HG_DNS_OK,
	 "192.0.2.1 2147483647"},
	{"more records than are counted", M(TO("\1", OF_ASKED OF_ASKED)), HG_DNS_OK,
	 "192.0.2.1 3600"},
	{"an error with records", M(HEADER("\x81\x83", "\1") NAME A IN OF_ASKED), HG_DNS_OK, ""},
};

static const struct row chains[] = {
	{"an alias's address, its time the alias's", M(TO("\2", TO_EDGE OF_TARGET)), HG_DNS_OK,
	 "192.0.2.1 60"},
	{"an alias's address of a shorter time", M(TO("\2", TO_EDGE TARGET A IN "\0\0\0\1" V4)),
	 HG_DNS_OK, "192.0.2.1 1"},
	{"an alias's owner written out",
	 M(TO("\2", TO_EDGE "\4EDGE\3cdn\4test\0" A IN HOUR V4)), HG_DNS_OK, "192.0.2.1 60"},
	{"an alias whose end is a pointer",
	 M(TO("\2", ASKED CNAME IN MINUTE "\0\7\4edge\xc0\x10" OF_TARGET)), HG_DNS_OK,
	 "192.0.2.1 60"},
	{"three aliases, the second the shortest, addresses in between of no use",
	 M(TO("\6", ASKED CNAME IN HOUR "\0\2\xc0\x10" /* model.example; data at 47 */
	      "\xc0\x10" CNAME IN "\0\0\0\7" "\0\2\xc0\x16" /* example; data at 61 */
	      OF_ASKED "\xc0\x16" CNAME IN HOUR "\0\5\3xyz\0" /* data at 91 */
	      "\xc0\x2f" A IN HOUR OTHER_V4 "\xc0\x5b" A IN HOUR V4)),
	 HG_DNS_OK, "192.0.2.1 7"},
	{"an address before its alias", M(TO("\2", "\4edge\3cdn\4test\0" A IN HOUR V4 TO_EDGE)),
	 HG_DNS_OK, ""},
	{"an address of the name that became an alias", M(TO("\3", TO_EDGE OF_ASKED OF_TARGET)),
	 HG_DNS_OK, "192.0.2.1 60"},
	{"an alias of another name", M(TO("\2", "\xc0\x10" CNAME IN MINUTE "\0\17" EDGE OF_TARGET)),
	 HG_DNS_OK, ""},
	{"a DNAME and the alias made of it",
	 M(TO("\3", "\xc0\x10" "\0\x27" IN HOUR "\0\12\3cdn\4test\0"
	      ASKED CNAME IN MINUTE "\0\6\3api\xc0\x2f" "\xc0\x45" /* the alias */ A IN HOUR V4)),
	 HG_DNS_OK, "192.0.2.1 60"},
	{"an alias of itself", M(TO("\2", ASKED CNAME IN MINUTE "\0\2\xc0\x0c" OF_ASKED)), HG_DNS_OK,
	 "192.0.2.1 60"},
	{"an alias that is no host", M(TO("\2", ASKED CNAME IN MINUTE "\0\5\3e e\0" OF_TARGET)),
	 HG_DNS_OK, ""},
	{"an alias that is the root", M(TO("\2", ASKED CNAME IN MINUTE "\0\1\0" TARGET A IN HOUR V4)),
	 HG_DNS_OK, ""},
	{"an alias shorter than its data, where a record would be",
	 M(TO("\2", ASKED CNAME IN MINUTE "\0\37" EDGE OF_TARGET)), HG_DNS_MALFORMED, ""},
	{"an alias longer than its data", M(TO("\2", ASKED CNAME IN MINUTE "\0\16" EDGE OF_TARGET)),
	 HG_DNS_MALFORMED, ""},
	{"an alias without data", M(TO("\2", ASKED CNAME IN MINUTE "\0\0" OF_ASKED)),
	 HG_DNS_MALFORMED, ""},
};

#define SERVICE(length, data) ASKED HTTPS IN MINUTE length data
#define HINT4 "\0\4\0\4\300\0\2\1"
static const struct row services[] = {
	{"a service's hints", M(TO_HTTPS("\1", SERVICE("\0\57", "\0\1\0" "\0\1\0\3\2h2"
		"\0\4\0\10\300\0\2\1\300\0\2\2" "\0\5\0\1x"
		"\0\6\0\20\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"))), HG_DNS_OK,
	 "192.0.2.1 60, 192.0.2.2 60, 2001:db8::1 60"},
	{"a service of a name of its own", M(TO_HTTPS("\1", SERVICE("\0\31", "\0\1" EDGE HINT4))),
	 HG_DNS_OK, "192.0.2.1 60"},
	{"an alias's service", M(TO_HTTPS("\2", TO_EDGE TARGET HTTPS IN HOUR "\0\13" "\0\1\0" HINT4)),
	 HG_DNS_OK, "192.0.2.1 60"},
	{"a service without hints", M(TO_HTTPS("\1", SERVICE("\0\3", "\0\1\0"))), HG_DNS_OK, ""},
	{"a service that is an alias", M(TO_HTTPS("\1", SERVICE("\0\13", "\0\0\0" HINT4))), HG_DNS_OK,
	 ""},
	{"a service that nobody asked for", M(TO("\1", SERVICE("\0\13", "\0\1\0" HINT4))), HG_DNS_OK,
	 ""},
	{"another type's service", M(HEADER(RA, "\2") NAME SVCB IN SERVICE("\0\13", "\0\1\0" HINT4)
		ASKED SVCB IN HOUR "\0\13" "\0\1\0" HINT4), HG_DNS_OK, "192.0.2.1 3600"},
	{"a service of another owner", M(TO_HTTPS("\1", "\xc0\x10" HTTPS IN HOUR "\0\13" "\0\1\0" HINT4)),
	 HG_DNS_OK, ""},
	{"a service that is too short", M(TO_HTTPS("\1", SERVICE("\0\2", "\0\1"))), HG_DNS_MALFORMED,
	 ""},
	{"a service whose target is a pointer",
	 M(TO_HTTPS("\1", SERVICE("\0\14", "\0\1\xc0\x0c" HINT4))), HG_DNS_MALFORMED, ""},
	{"a service whose target is longer than the data",
	 M(TO_HTTPS("\2", SERVICE("\0\4", "\0\1\3a") "bc\0" HINT4)), HG_DNS_MALFORMED, ""},
	{"half a parameter", M(TO_HTTPS("\1", SERVICE("\0\6", "\0\1\0\0\1\0"))), HG_DNS_MALFORMED, ""},
	{"a parameter longer than the data",
	 M(TO_HTTPS("\1", SERVICE("\0\10", "\0\1\0\0\1\0\2x") "y")), HG_DNS_MALFORMED, ""},
	{"a hint of no address", M(TO_HTTPS("\1", SERVICE("\0\7", "\0\1\0" "\0\4\0\0"))),
	 HG_DNS_MALFORMED, ""},
	{"a hint of five bytes", M(TO_HTTPS("\1", SERVICE("\0\14", "\0\1\0" "\0\4\0\5\300\0\2\1x"))),
	 HG_DNS_MALFORMED, ""},
	{"an IPv6 hint of four bytes", M(TO_HTTPS("\1", SERVICE("\0\13", "\0\1\0" "\0\6\0\4\300\0\2\1"))),
	 HG_DNS_MALFORMED, ""},
};

static const struct row broken[] = {
	{"an empty message", M(""), HG_DNS_MALFORMED, ""},
	{"a query", M(HEADER("\1\0", "\0") NAME A IN), HG_DNS_DIRECTION, ""},
	{"a notification's answer", M(HEADER("\xa1\0", "\1") NAME A IN OF_ASKED), HG_DNS_OPCODE, ""},
	{"no question", M("\x12\x34\x81\x81" COUNTS("\0", "\0", "\0", "\0")), HG_DNS_QUESTIONS, ""},
	{"two questions", M("\x12\x34" RA COUNTS("\2", "\1", "\0", "\0") NAME A IN NAME A IN OF_ASKED),
	 HG_DNS_QUESTIONS, ""},
	{"another class", M(HEADER(RA, "\1") NAME A "\0\3" OF_ASKED), HG_DNS_CLASS, ""},
	{"the root", M(HEADER(RA, "\0") "\0" "\0\2" IN), HG_DNS_ROOT, ""},
	{"no host", M(HEADER(RA, "\0") "\3a/b\0" A IN), HG_DNS_NAME, ""},
	{"more records counted than are there", M(TO("\2", OF_ASKED)), HG_DNS_MALFORMED,
	 "192.0.2.1 3600"},
	{"an IPv4 address of five bytes", M(TO("\1", ASKED A IN HOUR "\0\5\300\0\2\1x")),
	 HG_DNS_MALFORMED, ""},
	{"an IPv6 address of four bytes", M(TO("\1", ASKED AAAA IN HOUR V4)), HG_DNS_MALFORMED, ""},
	{"data past the message's end", M(TO("\1", ASKED TXT IN HOUR "\0\5\3abc")), HG_DNS_MALFORMED,
	 ""},
	{"a pointer past the end", M(TO("\1", "\xff\xff" A IN HOUR V4)), HG_DNS_MALFORMED, ""},
	{"half a pointer", M(TO("\1", "\xc0")), HG_DNS_MALFORMED, ""},
	{"a pointer to itself", M(TO("\1", "\xc0\x23" A IN HOUR V4)), HG_DNS_MALFORMED, ""},
	{"a pointer to its own name", M(TO("\1", "\1x\xc0\x23" A IN HOUR V4)), HG_DNS_MALFORMED, ""},
	{"a pointer forwards", M(TO("\2", "\1x\xc0\x31" A IN HOUR V4 OF_ASKED)), HG_DNS_MALFORMED, ""},
	{"a pointer into the header", M(TO("\1", "\xc0\x0b" A IN HOUR V4)), HG_DNS_MALFORMED, ""},
	/* At 47 a pointer to 49, where one leads back. */
	{"two pointers in a circle",
	 M(TO("\2", ASKED TXT IN HOUR "\0\4\xc0\x31\xc0\x2f" "\xc0\x31" A IN HOUR V4)),
	 HG_DNS_MALFORMED, ""},
	{"a name that runs into the pointer that led to it",
	 M(TO("\2", ASKED TXT IN HOUR "\0\4\1x\xc0\x2f" "\xc0\x2f" A IN HOUR V4)), HG_DNS_MALFORMED,
	 ""},
	{"the question as a pointer to itself", M(HEADER(RA, "\1") "\xc0\x0c" A IN OF_ASKED),
	 HG_DNS_MALFORMED, ""},
	{"truncated behind a record", M(HEADER(TC, "\2") NAME A IN OF_ASKED), HG_DNS_OK,
	 "192.0.2.1 3600"},
	{"truncated within fields", M(HEADER(TC, "\2") NAME A IN OF_ASKED ASKED A IN "\0"), HG_DNS_OK,
	 "192.0.2.1 3600"},
	{"truncated within an address", M(HEADER(TC, "\2") NAME A IN OF_ASKED ASKED A IN HOUR "\0\4\300"),
	 HG_DNS_OK, "192.0.2.1 3600"},
	{"truncated within an owner", M(HEADER(TC, "\2") NAME A IN OF_ASKED "\3ap"), HG_DNS_OK,
	 "192.0.2.1 3600"},
	{"truncated within the question", M(HEADER(TC, "\1") NAME A "\0"), HG_DNS_MALFORMED, ""},
};

/* clang-format on */

static void test_rows(struct tap *t, const struct row *rows, size_t n)
{
	char found[4096];
	size_t i;

	for (i = 0; i < n; i++) {
		struct dns_reading *r = dns_read(HG_DNS_ANSWER, rows[i].bytes, rows[i].len);

		dns_addresses(r, found, sizeof(found));
		/* Few turns: no circle went on until they were used up. */
		if (!tap_ok(t,
			    r->dns.status == rows[i].status && !strcmp(found, rows[i].found) &&
				    r->n_turns < 64,
			    "%s", rows[i].what))
			tap_note("status %u, wanted %u; %s", r->dns.status, rows[i].status, found);
		free(r);
	}
}

static void test_results(struct tap *t)
{
	static const char msg[] = HEADER("\x87\x83", "\0") "\3API\5model\7example\0" AAAA IN;
	struct dns_reading *r = dns_read(HG_DNS_ANSWER, M(msg));
	char name[256];

	tap_ok(t, r->dns.id == 0x1234 && r->dns.qtype == 28, "id and type are in host order");
	tap_ok(t, r->dns.rcode == 3 && r->dns.truncated == 1, "the error and TC are said");
	tap_ok(t, !strcmp(dns_question(r, name), "api.model.example"), "the name is folded");
	free(r);
	r = dns_read(HG_DNS_ANSWER, M(TO("\3", TO_EDGE OF_TARGET TARGET AAAA IN HOUR V6)));
	tap_note("%u turns for an alias and two addresses", r->n_turns);
	tap_ok(t, r->n_turns <= 20, "a plain answer takes few turns");
	free(r);
}

/* Cut anywhere, an answer gives the addresses before the cut, and is malformed, or was announced as
 * truncated. */
static void test_cut(struct tap *t)
{
	static const char whole[] =
		TO("\4", TO_EDGE OF_TARGET TARGET AAAA IN HOUR V6 TARGET A IN MINUTE OTHER_V4);
	static const char all[] = "192.0.2.1 60, 2001:db8::1 60, 192.0.2.2 60";
	char msg[sizeof(whole)], found[4096];
	unsigned bad = 0, i;

	memcpy(msg, whole, sizeof(msg));
	for (i = 0; i < 2 * sizeof(whole); i++) {
		unsigned len = i / 2, tc = i % 2;
		bool is_ok = len == sizeof(whole) - 1 || (tc && len >= 35);
		struct dns_reading *r;

		msg[2] = tc ? '\x83' : '\x81';
		r = dns_read(HG_DNS_ANSWER, msg, len);
		dns_addresses(r, found, sizeof(found));
		bad += r->dns.status != (is_ok ? HG_DNS_OK : HG_DNS_MALFORMED);
		bad += strncmp(found, all, strlen(found)) != 0;
		bad += r->n_found != 0u + (len >= 78) + (len >= 106) + (len >= 122);
		free(r);
	}
	tap_ok(t, !bad, "cut anywhere, the addresses before are read");
}

/* Long owners, written out, of which one byte differs from the question's. */
static void test_long_owners(struct tap *t)
{
	enum { FIRST = 50, SECOND = 49, NAME_SIZE = 1 + FIRST + 1 + SECOND + 1 };
	unsigned bad = 0, i;

	for (i = 0; i < NAME_SIZE - 1; i++) {
		uint8_t msg[512] = HEADER(RA, "\1");
		uint8_t *name = msg + HG_DNS_HEADER, *owner = name + NAME_SIZE + 4;
		bool is_letter = i && i != 1 + FIRST;
		struct dns_reading *r;

		memset(name, 'x', NAME_SIZE - 1);
		name[0] = FIRST;
		name[1 + FIRST] = SECOND;
		memcpy(name + NAME_SIZE, A IN, 4);
		memcpy(owner, name, NAME_SIZE);
		if (is_letter)
			owner[i] = 'y';
		memcpy(owner + NAME_SIZE, A IN HOUR V4, 14);
		r = dns_read(HG_DNS_ANSWER, msg, owner + NAME_SIZE + 14 - msg);
		bad += r->dns.status != HG_DNS_OK || r->n_found != (is_letter ? 0 : 1);
		free(r);
	}
	tap_ok(t, !bad, "of a long owner each byte is compared");
}

/* As many records as fit, with these owners. */
static struct dns_reading *fill(const char *record, size_t size)
{
	uint8_t msg[HG_DNS_MAX] = TO("\0", "");
	struct dns_reading *r;
	size_t at = 35, n = 0;
	char found[64];

	for (; at + size <= sizeof(msg); at += size, n++)
		memcpy(msg + at, record, size);
	msg[6] = n >> 8;
	msg[7] = n & 0xff;
	r = dns_read(HG_DNS_ANSWER, msg, at);
	tap_note("%zu records, %u addresses, %u turns: %s", n, r->n_found, r->n_turns,
		 dns_addresses(r, found, sizeof(found)));
	return r;
}

static void test_limits(struct tap *t)
{
	static const char owner[] = "\3api\xc0\x10" A IN HOUR V4;
	uint8_t hops[HG_DNS_MAX] = TO("\3", ASKED TXT IN HOUR);
	struct dns_reading *r = fill(M(OF_ASKED));
	unsigned at, to;

	tap_ok(t, r->dns.status == HG_DNS_OK && r->n_found == 253,
	       "as many addresses as fit are read");
	free(r);
	r = fill(M(owner));
	tap_ok(t, r->dns.status == HG_DNS_OK && r->n_found == 203,
	       "and of owners that end in a pointer");
	free(r);
	/* The data of one record: pointers, each to the one before; and two owners at their end. */
	for (at = 47, to = 12; at < 3000; to = at, at += 2) {
		hops[at] = 0xc0 | to >> 8;
		hops[at + 1] = to & 0xff;
	}
	hops[45] = (at - 47) >> 8;
	hops[46] = (at - 47) & 0xff;
	hops[at] = 0xc0 | to >> 8;
	hops[at + 1] = to & 0xff;
	memcpy(hops + at + 2, A IN HOUR V4, 14);
	memcpy(hops + at + 16, hops + at, 16);
	r = dns_read(HG_DNS_ANSWER, hops, at + 32);
	tap_ok(t,
	       r->dns.status == HG_DNS_MALFORMED && r->n_turns == HG_DNS_TURNS && r->n_found == 1,
	       "what takes more than the turns that there are is malformed");
	free(r);
	r = dns_read(HG_DNS_ANSWER, hops, HG_DNS_MAX + 1);
	tap_ok(t, r->dns.status == HG_DNS_TOO_LONG && r->n_turns == 1,
	       "what is too long is not read");
	free(r);
}

int main(void)
{
	struct tap t = {0};

	test_rows(&t, addresses, N_ROWS(addresses));
	test_rows(&t, chains, N_ROWS(chains));
	test_rows(&t, services, N_ROWS(services));
	test_rows(&t, broken, N_ROWS(broken));
	test_results(&t);
	test_cut(&t);
	test_long_owners(&t);
	test_limits(&t);
	return tap_done(&t);
}
