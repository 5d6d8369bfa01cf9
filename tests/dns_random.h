/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * DNS messages drawn at random, for comparisons: queries and answers as they are, each field now
 * and then of another value, and mutants of them.
 */
#ifndef HG_DNS_RANDOM_H
#define HG_DNS_RANDOM_H

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "bpf/core/limits.h"

#define DNS_MAX	    (HG_DNS_MAX + 64)
#define DNS_LABEL63 "label-of-the-length-that-is-the-greatest-for-a-label-of-a-name-"

static const char *const dns_names[] = {
	"api.model.example",
	"model.example",
	"example",
	"edge.cdn.test",
	"cdn.test",
	"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.cdn.test",
	"_443._https.a-name-that-passes-one-piece.model.example",
	"b-name-that-passes-one-piece.model.example",
	"bad name.example",
	"",
	DNS_LABEL63 "." DNS_LABEL63 "." DNS_LABEL63
		    ".label-of-the-length-which-fills-up-names-to-255-bytes.example",
};
#define DNS_NAMES (sizeof(dns_names) / sizeof(dns_names[0]))

struct dns_random {
	uint64_t state;
	uint8_t msg[DNS_MAX];
	uint32_t len;
	uint32_t n_written; /* ends of names, for pointers */
	struct dns_written {
		const char *name;
		uint32_t at;
	} written[64];
};

static uint32_t dns_rnd(struct dns_random *r, uint32_t below)
{
	/* xorshift64*, by Vigna. */
	r->state ^= r->state >> 12;
	r->state ^= r->state << 25;
	r->state ^= r->state >> 27;
	return (uint32_t)((r->state * 0x2545f4914f6cdd1dull) >> 33) % below;
}

static void dns_put(struct dns_random *r, uint32_t byte)
{
	if (r->len < HG_DNS_MAX)
		r->msg[r->len++] = (uint8_t)byte;
}

static void dns_put16(struct dns_random *r, uint32_t value)
{
	dns_put(r, value >> 8);
	dns_put(r, value & 0xff);
}

/* A pointer to where this end of a name was written, if it was. */
static bool dns_put_pointer(struct dns_random *r, const char *name)
{
	uint32_t i;

	for (i = 0; i < r->n_written; i++)
		if (!strcasecmp(r->written[i].name, name)) {
			dns_put16(r, 0xc000 | r->written[i].at);
			return true;
		}
	return false;
}

static void dns_put_name(struct dns_random *r, const char *name, bool compress)
{
	while (*name) {
		uint32_t len = (uint32_t)strcspn(name, "."), i;

		if (compress && dns_rnd(r, 4) && dns_put_pointer(r, name))
			return;
		if (r->n_written < 64 && r->len < HG_DNS_MAX)
			r->written[r->n_written++] = (struct dns_written){name, r->len};
		dns_put(r, len);
		for (i = 0; i < len; i++)
			dns_put(r, dns_rnd(r, 8) ? (uint32_t)name[i] : (uint32_t)name[i] ^ 0x20);
		name += len + (name[len] == '.');
	}
	dns_put(r, 0);
}

static const char *dns_any_name(struct dns_random *r)
{
	return dns_names[dns_rnd(r, dns_rnd(r, 4) ? 5 : DNS_NAMES)];
}

static uint32_t dns_any_type(struct dns_random *r)
{
	static const uint16_t types[] = {1, 1, 28, 28, 65, 64, 5, 16, 255, 2};

	return types[dns_rnd(r, sizeof(types) / sizeof(types[0]))];
}

static void dns_header(struct dns_random *r, uint32_t flags, uint32_t answers, uint32_t additional)
{
	r->len = r->n_written = 0;
	dns_put16(r, dns_rnd(r, 65536));
	dns_put16(r, dns_rnd(r, 12) ? flags : flags ^ 1u << dns_rnd(r, 16));
	dns_put16(r, dns_rnd(r, 30) ? 1 : dns_rnd(r, 3));
	dns_put16(r, dns_rnd(r, 30) ? answers : dns_rnd(r, 5));
	dns_put16(r, dns_rnd(r, 50) ? 0 : dns_rnd(r, 2));
	dns_put16(r, dns_rnd(r, 30) ? additional : dns_rnd(r, 3));
}

static void dns_put_question(struct dns_random *r, const char *name, uint32_t type)
{
	dns_put_name(r, name, false);
	dns_put16(r, type);
	dns_put16(r, dns_rnd(r, 40) ? 1 : dns_rnd(r, 300));
}

static void dns_put_address(struct dns_random *r, bool v4)
{
	static const uint8_t prefix[12] = {0x20, 1, 0x0d, 0xb8};
	uint32_t i;

	for (i = 0; i < (v4 ? 0u : 12u); i++)
		dns_put(r, prefix[i]);
	dns_put(r, v4 ? 192 : 0);
	dns_put(r, 0);
	dns_put(r, 2);
	dns_put(r, dns_rnd(r, 256));
}

/* Parameters of a service: hints, and others in between. */
static void dns_put_service(struct dns_random *r)
{
	uint32_t n = dns_rnd(r, 4), key, size, i;

	dns_put16(r, dns_rnd(r, 4) ? 1 + dns_rnd(r, 9) : 0);
	dns_put_name(r, dns_rnd(r, 2) ? "" : dns_any_name(r), !dns_rnd(r, 20));
	while (n--) {
		key = dns_rnd(r, 8);
		size = key == 4 ? 4 : key == 6 ? 16 : dns_rnd(r, 20);
		if (key == 4 || key == 6)
			size *= 1 + dns_rnd(r, 3);
		dns_put16(r, key);
		dns_put16(r, dns_rnd(r, 40) ? size : size - 1);
		for (i = 0; i < size; i++)
			dns_put(r, dns_rnd(r, 256));
	}
}

/* One record about *name, or not; an alias moves *name on. */
static void dns_put_record(struct dns_random *r, const char **name, uint32_t qtype)
{
	static const uint16_t types[] = {1, 1, 1, 28, 28, 5, 5, 64, 65, 39, 16, 46};
	uint32_t type = types[dns_rnd(r, sizeof(types) / sizeof(types[0]))], from, i;

	if (qtype >= 64 && qtype <= 65 && dns_rnd(r, 2))
		type = qtype;
	dns_put_name(r, dns_rnd(r, 8) ? *name : dns_any_name(r), true);
	dns_put16(r, type);
	dns_put16(r, dns_rnd(r, 40) ? 1 : 3);
	dns_put16(r, dns_rnd(r, 20) ? 0 : dns_rnd(r, 65536));
	dns_put16(r, dns_rnd(r, 65536));
	dns_put16(r, 0);
	from = r->len;
	if (type == 1 || type == 28) {
		dns_put_address(r, type == 1);
	} else if (type == 5 || type == 39) {
		const char *to = dns_any_name(r);

		dns_put_name(r, to, type == 5);
		if (type == 5)
			*name = to;
	} else if (type == 64 || type == 65) {
		dns_put_service(r);
	} else {
		for (i = dns_rnd(r, 30); i; i--)
			dns_put(r, dns_rnd(r, 256));
	}
	i = r->len - from + (dns_rnd(r, 60) ? 0 : dns_rnd(r, 3) - 1);
	r->msg[from - 2] = i >> 8;
	r->msg[from - 1] = i & 0xff;
}

/* A byte changed, one too many, or the end cut off. */
static void dns_mutate(struct dns_random *r)
{
	uint32_t n = 1 + dns_rnd(r, 3), at;

	while (n-- && r->len) {
		at = dns_rnd(r, r->len);
		switch (dns_rnd(r, 6)) {
		case 0:
			r->len = at;
			break;
		case 1:
			dns_put(r, dns_rnd(r, 256));
			break;
		case 2:
			r->msg[at] = (uint8_t)(0xc0 | dns_rnd(r, 2));
			break;
		default:
			r->msg[at] = (uint8_t)(dns_rnd(r, 2) ? dns_rnd(r, 256)
							     : r->msg[at] ^ 1u << dns_rnd(r, 8));
		}
	}
}

__attribute__((unused)) static void dns_random_answer(struct dns_random *r)
{
	uint32_t n = dns_rnd(r, 20) ? dns_rnd(r, 7) : dns_rnd(r, 200);
	const char *name = dns_any_name(r);
	uint32_t type = dns_any_type(r);

	dns_header(r, dns_rnd(r, 12) ? 0x8180 : 0x8380, n, 0);
	dns_put_question(r, name, type);
	while (n-- && r->len < HG_DNS_MAX - 800)
		dns_put_record(r, &name, type);
}

static void dns_put_option(struct dns_random *r)
{
	static const uint8_t codes[] = {3, 8, 10, 10, 11, 12, 12};
	uint32_t code = codes[dns_rnd(r, sizeof(codes))], size = 0;

	if (code == 10)
		size = dns_rnd(r, 2) ? 8 : 8 + dns_rnd(r, 40);
	else if (code == 12)
		size = dns_rnd(r, 8) ? dns_rnd(r, 40) : dns_rnd(r, 1000);
	dns_put16(r, code);
	dns_put16(r, size);
	while (size--)
		dns_put(r, code == 12 && dns_rnd(r, 4000) ? 0 : dns_rnd(r, 256));
}

__attribute__((unused)) static void dns_random_query(struct dns_random *r)
{
	uint32_t n = dns_rnd(r, 3), from;
	bool opt = dns_rnd(r, 2);

	dns_header(r, 0x0100 | (dns_rnd(r, 4) ? 0 : 0x30), 0, opt);
	dns_put_question(r, dns_any_name(r), dns_any_type(r));
	if (!opt)
		return;
	dns_put(r, 0);
	dns_put16(r, dns_rnd(r, 30) ? 41 : dns_rnd(r, 60));
	dns_put16(r, 1232);
	dns_put16(r, dns_rnd(r, 30) ? 0 : dns_rnd(r, 300));
	dns_put16(r, dns_rnd(r, 30) ? 0x8000 * dns_rnd(r, 2) : dns_rnd(r, 65536));
	dns_put16(r, 0);
	for (from = r->len; n--;)
		dns_put_option(r);
	r->msg[from - 2] = (r->len - from) >> 8;
	r->msg[from - 1] = (r->len - from) & 0xff;
}

#endif
