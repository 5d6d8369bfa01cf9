/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A DNS message through the reader, turn by turn, and all that it said. What lies in the buffer
 * behind the message may not matter: each is read with two kinds of it, and must be read alike.
 */
#ifndef HG_DNS_READING_H
#define HG_DNS_READING_H

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/core/dns.h"

struct dns_found {
	uint8_t address[16];
	uint32_t ttl;
};

struct dns_reading {
	struct hg_dns dns;
	unsigned n_turns, n_found;
	struct dns_found found[HG_DNS_TURNS];
};

static void dns_read_once(struct dns_reading *r, enum hg_dns_kind kind, const void *msg, size_t len,
			  int behind)
{
	enum hg_dns_turn turn = HG_DNS_MORE;

	memset(r, behind, sizeof(*r));
	r->n_turns = r->n_found = 0;
	memcpy(r->dns.msg, msg, len < HG_DNS_MAX ? len : HG_DNS_MAX);
	r->dns.len = (uint32_t)len;
	hg_dns_begin(&r->dns, kind);
	while (turn != HG_DNS_DONE) {
		turn = hg_dns_turn(&r->dns);
		if (++r->n_turns > HG_DNS_TURNS || r->dns.status >= HG_N_DNS_STATUSES)
			abort();
		if (turn == HG_DNS_ADDRESS) {
			memcpy(r->found[r->n_found].address, r->dns.address, 16);
			r->found[r->n_found++].ttl = r->dns.ttl;
		}
	}
	if (hg_dns_turn(&r->dns) != HG_DNS_DONE)
		abort();
}

static bool dns_same_host(const struct hg_host *a, const struct hg_host *b)
{
	return a->len == b->len && a->bad == b->bad &&
	       !memcmp(a->bytes + HG_HOST_END - a->len, b->bytes + HG_HOST_END - b->len, a->len);
}

static bool dns_same(const struct dns_reading *a, const struct dns_reading *b)
{
	return a->n_turns == b->n_turns && a->n_found == b->n_found && a->dns.id == b->dns.id &&
	       a->dns.qtype == b->dns.qtype && a->dns.status == b->dns.status &&
	       a->dns.rcode == b->dns.rcode && a->dns.truncated == b->dns.truncated &&
	       dns_same_host(&a->dns.question, &b->dns.question) &&
	       !memcmp(a->found, b->found, a->n_found * sizeof(a->found[0]));
}

/* The caller's to free. */
__attribute__((unused)) static struct dns_reading *dns_read(enum hg_dns_kind kind, const void *msg,
							    size_t len)
{
	struct dns_reading *r = malloc(sizeof(*r)), *other = malloc(sizeof(*other));

	if (!r || !other)
		abort();
	dns_read_once(other, kind, msg, len, 0xff);
	dns_read_once(r, kind, msg, len, 0);
	if (!dns_same(r, other)) {
		fprintf(stderr, "bytes behind the message are read\n");
		abort();
	}
	free(other);
	return r;
}

/* The question as text, cut where `to` ends. */
__attribute__((unused)) static const char *dns_question(const struct dns_reading *r, char to[256])
{
	unsigned len = r->dns.question.len;

	memcpy(to, r->dns.question.bytes + HG_HOST_END - len, len);
	for (unsigned i = 0; i < len / 2; i++) {
		char c = to[i];

		to[i] = to[len - 1 - i];
		to[len - 1 - i] = c;
	}
	to[len] = 0;
	return to;
}

/* "192.0.2.1 300, 2001:db8::1 60" */
__attribute__((unused)) static const char *dns_addresses(const struct dns_reading *r, char *to,
							 size_t max)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	size_t len = 0;

	to[0] = 0;
	for (unsigned i = 0; i < r->n_found && len < max; i++) {
		const uint8_t *a = r->found[i].address;
		bool v4 = !memcmp(a, mapped, 12);
		char text[INET6_ADDRSTRLEN];

		inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a + 12 : a, text, sizeof(text));
		len += snprintf(to + len, max - len, "%s%s %u", i ? ", " : "", text,
				r->found[i].ttl);
	}
	return to;
}

#endif
