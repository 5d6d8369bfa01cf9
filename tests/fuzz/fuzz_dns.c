/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * DNS messages from anywhere, each read as a query and as an answer. The reader ends within its
 * turns with one of its statuses, says the same whatever lies behind the message, and never says
 * more of a message than it holds. What it takes for a name is one.
 */
#include "tests/unit/dns_reading.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

static void check_question(const struct dns_reading *r, const uint8_t *data, size_t size)
{
	char name[256];

	dns_question(r, name);
	check(strlen(name) == r->dns.question.len && strlen(name) <= HG_HOST_MAX,
	      "no NUL, not too long");
	check(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == strlen(name),
	      "letters only");
	check(!strstr(name, "..") && name[0] != '.', "no empty label");
	check(!*name || name[strlen(name) - 1] != '.', "no final dot");
	if (r->dns.status == HG_DNS_OK)
		check(hg_host_end(&r->dns.question) && size >= HG_DNS_HEADER + 4, "a name, if OK");
}

/* A query that passes has no byte which was not judged: its name is the whole first label run. */
static void check_query(const struct dns_reading *r, const uint8_t *data, size_t size)
{
	size_t name = r->dns.question.len + 2u;

	check(!r->n_found, "a query has no address");
	if (r->dns.status != HG_DNS_OK)
		return;
	check(!(data[2] & 0xfe) && !(data[3] & ~0x30), "flags of a query");
	check(data[HG_DNS_HEADER + name - 1] == 0, "the name ends where its text does");
	check(size == HG_DNS_HEADER + name + 4 || size >= HG_DNS_HEADER + name + 4 + 11,
	      "nothing, or an OPT");
}

static void check_answer(const struct dns_reading *r, const uint8_t *data, size_t size)
{
	unsigned i;

	check(r->n_found <= size / 4, "not more addresses than fit");
	for (i = 0; i < r->n_found; i++) {
		static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
		const uint8_t *a = r->found[i].address;
		bool v4 = !memcmp(a, mapped, 12);

		check(memmem(data, size, v4 ? a + 12 : a, v4 ? 4 : 16),
		      "an address from the message");
		check(r->found[i].ttl <= 0x7fffffff, "a time of 31 bits");
	}
	check(!r->n_found || hg_host_end(&r->dns.question), "a question for each address");
	check(!r->n_found || !r->dns.rcode, "no address with an error");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* An exact copy: a read past the end is seen. */
	uint8_t *copy = malloc(size ? size : 1);
	struct dns_reading *r;

	memcpy(copy, data, size);
	r = dns_read(HG_DNS_QUERY, copy, size);
	check((size > HG_DNS_MAX) == (r->dns.status == HG_DNS_TOO_LONG), "too long");
	check_question(r, copy, size);
	check_query(r, copy, size);
	check(r->n_turns < HG_DNS_TURNS, "each query is read to its end");
	free(r);
	r = dns_read(HG_DNS_ANSWER, copy, size);
	check((size > HG_DNS_MAX) == (r->dns.status == HG_DNS_TOO_LONG), "too long");
	check_question(r, copy, size);
	check_answer(r, copy, size);
	free(r);
	free(copy);
	return 0;
}
