/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The DNS reader against glibc's resolver library, over messages drawn at random and mutants of
 * them: both take the same for a message, and it says the same to both. Where the reader means to
 * differ, the oracle asks the library for that: what stands behind the answers is not read, nor
 * behind an alias that is no host; a pointer leads backwards, and a service's target has none. Whether
 * the record at which a message that says it is cut short becomes unreadable was cut or is wrong, each
 * may say as it likes; the addresses before it are the same. usage: test_dns_oracle [MESSAGES [SEED]]
 */
#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>

#include "dns_reading.h"
#include "tap.h"
#include "tests/dns_random.h"

/* What the library finds, in its own words. */
struct oracle {
	ns_msg msg;
	char question[NS_MAXDNAME], name[NS_MAXDNAME];
	uint32_t qtype;
	uint32_t ttl; /* of the aliases */
	bool cut;
	unsigned n_found;
	struct dns_found found[HG_DNS_TURNS];
};

/* Names come as text, with a backslash before what is no letter. */
static bool is_host(const char *name)
{
	return *name &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			    "-_.") == strlen(name) &&
	       strcmp(name, ".");
}

static void found(struct oracle *o, const uint8_t *address, bool v4, uint32_t ttl)
{
	struct dns_found *f = &o->found[o->n_found++];

	memset(f->address, 0, 10);
	memset(f->address + 10, 0xff, 2);
	memcpy(f->address + (v4 ? 12 : 0), address, v4 ? 4 : 16);
	f->ttl = ttl;
}

/* The root's label, or a pointer. */
static const uint8_t *labels_end(const uint8_t *at)
{
	while (*at && *at < 0xc0)
		at += 1 + *at;
	return at;
}

/* Each pointer leads before what led there (RFC 1035 4.1.4), and not into the header. */
static bool leads_back(const struct oracle *o, const uint8_t *at)
{
	const uint8_t *msg = ns_msg_base(o->msg), *before = at;

	for (;;) {
		at = labels_end(at);
		if (!*at)
			return true;
		at = msg + (ns_get16(at) & 0x3fff);
		if (at >= before || at < msg + NS_HFIXEDSZ)
			return false;
		before = at;
	}
}

/* As text; its length in the message, or -1. */
static int name_at(const struct oracle *o, const uint8_t *at, char *to)
{
	int len = ns_name_uncompress(ns_msg_base(o->msg), ns_msg_end(o->msg), at, to, NS_MAXDNAME);

	return len >= 0 && leads_back(o, at) ? len : -1;
}

static bool service(struct oracle *o, const ns_rr *rr, uint32_t ttl)
{
	const uint8_t *at = ns_rr_rdata(*rr), *end = at + ns_rr_rdlen(*rr);
	char target[NS_MAXDNAME];
	int len;

	if (end - at < 3)
		return false;
	if (!ns_get16(at))
		return true;
	len = name_at(o, at + 2, target);
	if (len < 0 || len > end - at - 2 || *labels_end(at + 2))
		return false;
	for (at += 2 + len; at < end;) {
		uint32_t key, size, i, width;

		if (end - at < 4)
			return false;
		key = ns_get16(at);
		size = ns_get16(at + 2);
		at += 4;
		if (end - at < size)
			return false;
		width = key == 4 ? 4 : 16;
		if (key == 4 || key == 6) {
			if (!size || size % width)
				return false;
			for (i = 0; i < size; i += width)
				found(o, at + i, key == 4, ttl);
		}
		at += size;
	}
	return true;
}

/* False: the library, or what it says, refuses the record. */
static bool record(struct oracle *o, const ns_rr *rr, bool *ret_last)
{
	uint32_t type = ns_rr_type(*rr), len = ns_rr_rdlen(*rr), ttl = ns_rr_ttl(*rr);

	if (strcasecmp(ns_rr_name(*rr), o->name) || ns_rr_class(*rr) != ns_c_in)
		return true;
	if (ttl > 0x7fffffff)
		ttl = 0;
	ttl = ttl < o->ttl ? ttl : o->ttl;
	if (type == ns_t_cname) {
		int used = name_at(o, ns_rr_rdata(*rr), o->name);

		o->ttl = ttl;
		*ret_last = !is_host(o->name);
		return used >= 0 && (uint32_t)used == len;
	}
	if (type == ns_t_a || type == ns_t_aaaa) {
		if (len != (type == ns_t_a ? 4 : 16))
			return false;
		found(o, ns_rr_rdata(*rr), type == ns_t_a, ttl);
	}
	if (type == o->qtype && (type == 64 || type == 65))
		return service(o, rr, ttl);
	return true;
}

/* Behind the one question. */
static const uint8_t *question_end(const uint8_t *msg, uint32_t len)
{
	int size = ns_skiprr(msg + NS_HFIXEDSZ, msg + len, ns_s_qd, 1);

	return size < 0 ? NULL : msg + NS_HFIXEDSZ + size;
}

static bool question(struct oracle *o, const uint8_t *msg, uint32_t len)
{
	ns_rr rr;

	if (ns_initparse(msg, (int)len, &o->msg) || ns_msg_count(o->msg, ns_s_qd) != 1 ||
	    ns_parserr(&o->msg, ns_s_qd, 0, &rr) ||
	    ns_msg_getflag(o->msg, ns_f_opcode) != ns_o_query || ns_rr_class(rr) != ns_c_in ||
	    !is_host(ns_rr_name(rr)))
		return false;
	strcpy(o->question, ns_rr_name(rr));
	strcpy(o->name, o->question);
	o->qtype = ns_rr_type(rr);
	o->ttl = 0x7fffffff;
	o->n_found = 0;
	o->cut = false;
	return true;
}

/* The record at *at, which moves on. False: it does not end in the message. */
static bool next_record(const struct oracle *o, const uint8_t **at, ns_rr *ret)
{
	int size = ns_skiprr(*at, ns_msg_end(o->msg), ns_s_an, 1), len;

	if (size < 0)
		return false;
	len = dn_skipname(*at, ns_msg_end(o->msg));
	ret->type = ns_get16(*at + len);
	ret->rr_class = ns_get16(*at + len + 2);
	ret->ttl = ns_get32(*at + len + 4);
	ret->rdlength = ns_get16(*at + len + 8);
	ret->rdata = *at + len + 10;
	*at += size;
	return true;
}

static bool answer(struct oracle *o, const uint8_t *whole, uint32_t len)
{
	static uint8_t msg[DNS_MAX];
	const uint8_t *at, *owner;
	bool last = false;
	uint32_t i, n;
	ns_rr rr;

	if (len < NS_HFIXEDSZ)
		return false;
	n = ns_get16(whole + 6);
	/* The library wants to have read it all: it gets the question, and then records one by one. */
	memcpy(msg, whole, len);
	memset(msg + 6, 0, 6);
	at = question_end(msg, len);
	if (!at || !question(o, msg, at - msg) || !ns_msg_getflag(o->msg, ns_f_qr))
		return false;
	o->msg._eom = msg + len;
	for (i = 0; i < n && !last && !ns_msg_getflag(o->msg, ns_f_rcode); i++) {
		owner = at;
		if (next_record(o, &at, &rr) && name_at(o, owner, rr.name) >= 0 &&
		    record(o, &rr, &last))
			continue;
		o->cut = ns_msg_getflag(o->msg, ns_f_tc);
		return o->cut;
	}
	return true;
}

static bool option(uint32_t code, uint32_t size, const uint8_t *data)
{
	while (code == 12 && size && !data[size - 1])
		size--;
	return code == 10 ? size == 8 || (size > 15 && size < 41)
			  : (code == 3 || code == 11 || code == 12) && !size;
}

static bool opt(const struct oracle *o, const ns_rr *rr)
{
	const uint8_t *at = ns_rr_rdata(*rr), *end = at + ns_rr_rdlen(*rr);

	if (strcmp(ns_rr_name(*rr), ".") || at[-11] || ns_rr_type(*rr) != ns_t_opt ||
	    (ns_rr_ttl(*rr) & ~0x8000u))
		return false;
	for (; end - at >= 4 && end - at - 4 >= ns_get16(at + 2); at += 4 + ns_get16(at + 2))
		if (!option(ns_get16(at), ns_get16(at + 2), at + 4))
			return false;
	return at == end;
}

/* Of queries the library is to find the one form, byte for byte. */
static bool query(struct oracle *o, const uint8_t *msg, uint32_t len)
{
	int n_opt;
	ns_rr rr;

	if (!question(o, msg, len) || (ns_get16(msg + 2) & ~0x0130u) ||
	    ns_msg_count(o->msg, ns_s_an) || ns_msg_count(o->msg, ns_s_ns))
		return false;
	n_opt = ns_msg_count(o->msg, ns_s_ar);
	/* Not compressed: as long as its text, and the lengths before and behind. */
	if (n_opt > 1 || strlen((const char *)msg + 12) != strlen(o->question) + 1)
		return false;
	return !n_opt || (!ns_parserr(&o->msg, ns_s_ar, 0, &rr) && opt(o, &rr));
}

static bool agree(const struct oracle *o, const struct dns_reading *r)
{
	char name[256];

	return !strcasecmp(dns_question(r, name), o->question) && r->dns.qtype == o->qtype &&
	       r->dns.id == ns_msg_id(o->msg) && r->n_found == o->n_found &&
	       !memcmp(r->found, o->found, o->n_found * sizeof(o->found[0]));
}

struct sums {
	unsigned long answers, queries, addresses, wrong;
};

static void compare(struct dns_random *r, struct sums *sums, bool is_query)
{
	static struct oracle o;
	struct dns_reading *ours =
		dns_read(is_query ? HG_DNS_QUERY : HG_DNS_ANSWER, r->msg, r->len);
	bool theirs = is_query ? query(&o, r->msg, r->len) : answer(&o, r->msg, r->len);
	bool ok = ours->dns.status == HG_DNS_OK;

	if (theirs && !is_query && o.cut)
		ok = true;
	if (ok != theirs || (ok && !agree(&o, ours)))
		sums->wrong++;
	else if (ok)
		sums->addresses += o.n_found;
	sums->answers += ok && theirs && !is_query;
	sums->queries += ok && theirs && is_query;
	free(ours);
}

int main(int argc, char **argv)
{
	unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 10) : 60000, i;
	struct dns_random r = {.state = argc > 2 ? strtoull(argv[2], NULL, 10) : 20261121};
	struct sums sums = {0};
	struct tap t = {0};

	tap_note("seed %llu", (unsigned long long)r.state);
	for (i = 0; i < n; i++) {
		uint64_t from = r.state;
		unsigned long wrong = sums.wrong;

		if (i % 4)
			dns_random_answer(&r);
		else
			dns_random_query(&r);
		if (i % 3)
			dns_mutate(&r);
		compare(&r, &sums, i % 4 == 0);
		if (sums.wrong > wrong && wrong < 5)
			tap_note("message %lu, drawn from %llu", i, (unsigned long long)from);
	}
	tap_ok(&t, !sums.wrong, "the library and the reader agree on each of %lu messages", n);
	tap_ok(&t, sums.answers > n / 8 && sums.queries > n / 40 && sums.addresses > n / 4,
	       "of which both take %lu answers with %lu addresses, and %lu queries", sums.answers,
	       sums.addresses, sums.queries);
	return tap_done(&t);
}
