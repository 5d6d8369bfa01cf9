/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Native against kernel: DNS messages drawn at random, mutants of them, and some that take many
 * turns, through the reader as built for this machine and as BPF in the running kernel; every
 * result must be the same. usage: dns [MESSAGES [SEED]]; prints TAP.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns.h"
#include "tests/dns_random.h"
#include "tests/kernel/dns.skel.h"

/* The native answer, into the same fields. */
static void answer(struct dns_case *c)
{
	enum hg_dns_turn turn;

	hg_dns_begin(&c->dns, c->kind);
	do {
		turn = hg_dns_turn(&c->dns);
		c->n_turns++;
		if (turn == HG_DNS_ADDRESS) {
			struct dns_found *f = &c->found[c->n_found++ % ADDRESSES];

			memcpy(f->address, c->dns.address, 16);
			f->ttl = c->dns.ttl;
		}
	} while (turn != HG_DNS_DONE);
}

#define QUESTION "\3api\5model\7example\0\0\1\0\1"
#define MINUTE	 "\0\0\0\x3c"
#define BYTES(s) s, sizeof(s) - 1

static void add(struct dns_random *r, const char *bytes, size_t n)
{
	memcpy(r->msg + r->len, bytes, n);
	r->len += n;
}

/* A query as long as can be: of padding, or of options without data. */
static void long_query(struct dns_random *r, bool padding)
{
	uint32_t end = padding ? HG_DNS_MAX : HG_DNS_MAX - 2, left;

	memset(r->msg, 0, sizeof(r->msg));
	add(r, BYTES("\x12\x34\1\0\0\1\0\0\0\0\0\1" QUESTION "\0\0\x29\4\xd0\0\0\0\0"));
	left = end - r->len - 2;
	dns_put16(r, left);
	if (padding) {
		dns_put16(r, 12);
		dns_put16(r, left - 4);
		r->len = end;
	}
	while (r->len < end)
		add(r, BYTES("\0\3\0\0"));
}

/* An answer of which each owner has to be read and compared. */
static void long_answer(struct dns_random *r)
{
	uint32_t n = 0;

	add(r, BYTES("\x12\x34\x81\x80\0\1\0\0\0\0\0\0" QUESTION));
	for (; r->len + 20 <= HG_DNS_MAX; n++) {
		add(r, BYTES("\3api\xc0\x10\0\1\0\1" MINUTE "\0\4\300\0\2"));
		dns_put(r, n);
	}
	r->msg[7] = n;
}

/* An answer with owners at the end of many pointers, more than there are turns. */
static void endless_answer(struct dns_random *r)
{
	uint32_t i, n_hops = 1500;

	add(r, BYTES("\x12\x34\x81\x80\0\1\0\3\0\0\0\0" QUESTION));
	add(r, BYTES("\xc0\x0c\0\x10\0\1" MINUTE));
	dns_put16(r, 2 * n_hops);
	for (i = 0; i < n_hops; i++)
		dns_put16(r, 0xc000 | (i ? r->len - 2 : 12));
	for (i = 0; i < 2; i++) {
		dns_put16(r, 0xc000 | (47 + 2 * (n_hops - 1)));
		add(r, BYTES("\0\1\0\1" MINUTE "\0\4\300\0\2\1"));
	}
}

#define LONG_MESSAGES 4

static void draw(struct dns_random *r, unsigned long nth, struct dns_case *c)
{
	bool query = nth < 2 || nth % 4 == 0;

	r->len = r->n_written = 0;
	if (nth < 2)
		long_query(r, nth == 0);
	else if (nth == 2)
		long_answer(r);
	else if (nth == 3)
		endless_answer(r);
	else if (query)
		dns_random_query(r);
	else
		dns_random_answer(r);
	if (nth >= LONG_MESSAGES && nth % 3)
		dns_mutate(r);
	memset(c, 0, sizeof(*c));
	/* Now and then it is not what it should be. */
	c->kind = query == (nth < LONG_MESSAGES || nth % 50) ? HG_DNS_QUERY : HG_DNS_ANSWER;
	memcpy(c->dns.msg, r->msg, r->len);
	c->dns.len = nth % 1000 == 999 ? HG_DNS_MAX + 1 : r->len;
}

/* Loads, and says what it cost the verifier. */
static struct dns_bpf *load(void)
{
	struct dns_bpf *o = dns_bpf__open();
	static char log[4096];
	const char *processed;

	if (!o)
		return NULL;
	bpf_program__set_log_buf(o->progs.read_message, log, sizeof(log));
	bpf_program__set_log_level(o->progs.read_message, 4); /* its statistics */
	if (dns_bpf__load(o)) {
		dns_bpf__destroy(o);
		/* Once more, for libbpf to print why not. */
		return dns_bpf__open_and_load();
	}
	processed = strstr(log, "processed");
	if (processed)
		printf("# verifier: %.*s\n", (int)strcspn(processed, "\n"), processed);
	return o;
}

int main(int argc, char **argv)
{
	unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 10) : 50000, i, wrong = 0, found = 0;
	struct dns_random r = {.state = argc > 2 ? strtoull(argv[2], NULL, 10) : 20261121};
	unsigned long n_status[HG_N_DNS_STATUSES] = {0}, absent = 0, most = 0;
	static struct dns_case ours, theirs;
	LIBBPF_OPTS(bpf_test_run_opts, run);
	struct dns_bpf *o;
	__u32 zero = 0;

	printf("1..3\n# seed %llu\n", (unsigned long long)r.state);
	o = load();
	if (!o) {
		printf("not ok 1 - the comparison's BPF program loads: %s\n", strerror(errno));
		return 1;
	}
	for (i = 0; i < n; i++) {
		int fd = bpf_map__fd(o->maps.message);

		draw(&r, i, &ours);
		if (bpf_map_update_elem(fd, &zero, &ours, 0) ||
		    bpf_prog_test_run_opts(bpf_program__fd(o->progs.read_message), &run) ||
		    run.retval || bpf_map_lookup_elem(fd, &zero, &theirs))
			wrong++;
		answer(&ours);
		if (memcmp(&ours, &theirs, sizeof(ours)) && wrong++ < 5)
			printf("# message %lu: status %u %u, turns %u %u, addresses %u %u\n", i,
			       ours.dns.status, theirs.dns.status, ours.n_turns, theirs.n_turns,
			       ours.n_found, theirs.n_found);
		n_status[theirs.dns.status % HG_N_DNS_STATUSES]++;
		found += theirs.n_found;
		most = theirs.n_turns > most ? theirs.n_turns : most;
	}
	printf("%s 1 - native and kernel agree on %lu messages\n", wrong ? "not ok" : "ok", n);
	for (i = 0; i < HG_N_DNS_STATUSES; i++) {
		printf("# status %lu: %lu\n", i, n_status[i]);
		absent += !n_status[i];
	}
	absent += found < n / 10;
	printf("%s 2 - these have every status, and %lu addresses\n", absent ? "not ok" : "ok",
	       found);
	printf("%s 3 - and one takes all turns\n", most == HG_DNS_TURNS ? "ok" : "not ok");
	dns_bpf__destroy(o);
	return wrong || absent || most != HG_DNS_TURNS;
}
