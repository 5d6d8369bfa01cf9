/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Native against kernel: first payloads, good, cut and changed, through bpf/core/hello.h as built
 * for this machine and as BPF in the running kernel; everything that is left in the struct must be
 * the same. usage: hello [CASES [SEED]]; prints TAP.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../random.h"
#include "hello.h"
#include "tests/kernel/hello.skel.h"

struct bytes {
	uint32_t len;
	uint8_t at[2 * HG_HELLO_MAX];
};

static void put(struct bytes *b, const void *from, uint32_t len)
{
	memcpy(b->at + b->len, from, len);
	b->len += len;
}

static void put_number(struct bytes *b, uint32_t number, unsigned size)
{
	while (size--)
		b->at[b->len++] = (uint8_t)(number >> 8 * size);
}

static const char *const names[] = {
	"a.example",
	"www.longer.name.example",
	"192.0.2.1",
	"0x7f.0X1",
	"A.Example",
	"a.example.",
	"a..b",
	"_x.a-b.example",
	"localhost",
	"a.0",
	"a.0b",
	"a\0b.example",
	"012345678901234567890123456789012345678901234567890123456789012.example",
	"0123456789012345678901234567890123456789012345678901234567890123.example",
};
#define N_NAMES (sizeof(names) / sizeof(*names))

static uint32_t random_name(const char **ret)
{
	uint32_t i = rnd(3) ? rnd(2) : rnd(N_NAMES);

	*ret = names[i];
	return i == 11 ? 11 : (uint32_t)strlen(names[i]);
}

static void random_extension(struct bytes *b)
{
	static const uint8_t zeros[2000];
	uint32_t kind = rnd(12), len;
	const char *name;

	if (kind < 3) {
		len = random_name(&name);
		put_number(b, 0, 2);
		put_number(b, len + 5, 2);
		put_number(b, len + 3, 2);
		put_number(b, rnd(20) == 0, 1);
		put_number(b, len, 2);
		put(b, name, len);
		return;
	}
	put_number(b, kind == 3 ? 0xfe0d : 1 + rnd(60), 2);
	len = rnd(3) ? rnd(40) : rnd(sizeof(zeros));
	put_number(b, len, 2);
	put(b, zeros, len);
}

static void random_tls(struct bytes *out)
{
	static struct bytes message, extensions;
	uint32_t n = rnd(8), size = rnd(3) ? 16384 : 1 + rnd(rnd(2) ? 5 : 500), from, len;

	message.len = extensions.len = out->len = 0;
	while (n--)
		random_extension(&extensions);
	len = 2 + 32 + 1 + 4 + 2 + 2 + extensions.len;
	put_number(&message, 1, 1);
	put_number(&message, len, 3);
	put_number(&message, 0x0303, 2);
	message.len += 32;
	put_number(&message, 0, 1);
	put(&message, "\0\2\x13\1\1", 6);
	put_number(&message, extensions.len, 2);
	put(&message, extensions.at, extensions.len);
	for (from = 0; from < message.len && out->len < HG_HELLO_MAX; from += len) {
		len = message.len - from < size ? message.len - from : size;
		put_number(out, 0x160301, 3);
		put_number(out, len, 2);
		put(out, message.at + from, len);
	}
}

static void put_text(struct bytes *b, const char *text)
{
	put(b, text, (uint32_t)strlen(text));
}

static void random_host(struct bytes *b)
{
	static const char *const ports[] = {":80", ":443", ":", ":123456", ":8a"};
	const char *name;
	uint32_t len = random_name(&name);

	put(b, name, len);
	if (rnd(4) == 0)
		put_text(b, ports[rnd(2) ? 0 : rnd(5)]);
}

static void random_field(struct bytes *b)
{
	static const char *const fields[] = {
		"Accept: */*\r\n",
		"X:\r\n",
		"Hosts: b.example\r\n",
		"X-Forwarded-Host: b\r\n",
		"User-Agent: x/1 (y)\r\n",
		" folded\r\n",
		"X : y\r\n",
		"X: y\nHost: b\r\n",
	};
	uint32_t len = rnd(12) ? 0 : rnd(9000);

	if (len) {
		put_text(b, "Cookie: ");
		memset(b->at + b->len, 'c', len);
		b->len += len;
		put_text(b, "\r\n");
	}
	if (rnd(3) == 0) {
		put_text(b, rnd(2) ? "Host: " : "hOsT:\t");
		random_host(b);
		put_text(b, rnd(3) ? "\r\n" : " \t\r\n");
		return;
	}
	put_text(b, fields[rnd(8) ? rnd(5) : rnd(8)]);
}

static void random_http(struct bytes *out)
{
	static const char *const methods[] = {"GET",	 "POST",     "OPTIONS",
					      "CONNECT", "XCONNECT", "PRI"};
	uint32_t method = rnd(2) ? 0 : rnd(6), n = rnd(5);

	out->len = 0;
	put_text(out, methods[method]);
	put_text(out, " ");
	if (method == 3 ? rnd(8) : rnd(3) == 0) {
		if (method != 3)
			put_text(out, rnd(2) ? "http://" : "HTTPS://");
		random_host(out);
		if (method == 3)
			put_text(out, ":443");
		else if (rnd(2))
			put_text(out, rnd(2) ? "/path" : "?query");
	} else {
		put_text(out, method == 2 && rnd(2) ? "*" : "/path?query");
	}
	put_text(out, rnd(20) ? (rnd(2) ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n")
			      : (rnd(2) ? " HTTP/2.0\r\n" : "\r\n"));
	while (n--)
		random_field(out);
	if (rnd(2)) {
		put_text(out, "Host: ");
		random_host(out);
		put_text(out, "\r\n");
	}
	put_text(out, "\r\n");
}

/* What reads the most bytes with the most turns. */
static void longest(struct bytes *out)
{
	uint32_t end = HG_HELLO_MAX + (rnd(2) ? 0 : rnd(4));

	out->len = 0;
	put_text(out, rnd(2) ? "GET / HTTP/1.1\r\nHost: a.example\r\nCookie: " : "GET /");
	while (out->len < end - 4)
		put_text(out, "c");
	put_text(out, "\r\n\r\n");
}

static void random_payload(struct bytes *out)
{
	uint32_t kind = rnd(64), n;

	if (kind == 0)
		longest(out);
	else if (kind < 30)
		random_http(out);
	else
		random_tls(out);
	if (rnd(3) == 0)
		out->len = rnd(out->len + 1);
	for (n = rnd(3) ? 0 : 1 + rnd(4); n && out->len; n--)
		out->at[rnd(rnd(2)	    ? out->len
			    : out->len < 80 ? out->len
					    : 80)] =
			rnd(2) ? (uint32_t) "\0\1\2\3\x16.:a \r\n/@0"[rnd(14)] : rnd(256);
	if (out->len > HG_HELLO_MAX)
		out->len = HG_HELLO_MAX + rnd(2);
}

/* Both halves are handed the same bytes, and the same rubbish in everything else. */
static void fill(struct hello_case *ours, struct hello_case *theirs, const struct bytes *b)
{
	memset(ours, (int)rnd(256), sizeof(*ours));
	memcpy(ours->h.bytes, b->at, b->len < HG_HELLO_MAX ? b->len : HG_HELLO_MAX);
	ours->h.len = b->len;
	memcpy(theirs, ours, sizeof(*ours));
}

static unsigned long by_status[HG_HELLO_TOO_LONG + 1], n_wrong;

static void compare(struct hello_case *ours, const struct hello_case *theirs)
{
	hg_hello_begin(&ours->h);
	ours->turns = 1;
	while (ours->turns <= HG_HELLO_TURNS && !hg_hello_turn(&ours->h))
		ours->turns++;
	if (ours->turns > HG_HELLO_TURNS || ours->h.status < HG_HELLO_NAME ||
	    ours->h.status > HG_HELLO_TOO_LONG || memcmp(ours, theirs, sizeof(*ours))) {
		if (n_wrong++ < 5)
			printf("# %u bytes: native %u %u %u need %u in %u turns, "
			       "kernel %u %u %u need %u in %u turns\n",
			       ours->h.len, ours->h.status, ours->h.kind, ours->h.ech, ours->h.need,
			       ours->turns, theirs->h.status, theirs->h.kind, theirs->h.ech,
			       theirs->h.need, theirs->turns);
		return;
	}
	by_status[ours->h.status]++;
}

static void run_one(int prog, struct hello_case *theirs, uint32_t nth, const struct bytes *b)
{
	struct hello_run run = {.nth = nth};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &run, .ctx_size_in = sizeof(run));
	static struct hello_case ours;
	int err;

	fill(&ours, theirs, b);
	err = bpf_prog_test_run_opts(prog, &opts);
	if (err || opts.retval) {
		printf("# run: %d, %d\n", err, opts.retval);
		n_wrong++;
		return;
	}
	compare(&ours, theirs);
}

static uint32_t verified(const struct bpf_program *prog)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len);
	return info.verified_insns;
}

int main(int argc, char **argv)
{
	unsigned long wanted = argc > 1 ? strtoul(argv[1], NULL, 10) : 40000, i;
	static struct bytes payload;
	struct hello_case *cases;
	struct hello_bpf *o;
	unsigned status;
	size_t size;

	random_state = argc > 2 ? strtoull(argv[2], NULL, 10) : 20261121;
	printf("1..3\n# seed %llu\n", (unsigned long long)random_state);
	o = hello_bpf__open_and_load();
	printf("%s 1 - the reader loads, as a syscall program and as an sk_msg program\n",
	       o ? "ok" : "not ok");
	if (!o)
		return 1;
	printf("# %u and %u instructions verified\n", verified(o->progs.hello),
	       verified(o->progs.hello_sent));
	size = (HELLO_CASES * sizeof(*cases) + 4095) & ~4095ul;
	cases = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(o->maps.cases), 0);
	if (cases == MAP_FAILED) {
		printf("not ok 2 - the map is mapped: %s\n", strerror(errno));
		return 1;
	}
	for (i = 0; i < wanted; i++) {
		random_payload(&payload);
		run_one(bpf_program__fd(o->progs.hello), &cases[i % HELLO_CASES], i % HELLO_CASES,
			&payload);
	}
	printf("%s 2 - native and kernel agree on %lu payloads\n", n_wrong ? "not ok" : "ok", i);
	for (status = HG_HELLO_NAME; status <= HG_HELLO_TOO_LONG; status++)
		if (by_status[status] < wanted / 500)
			break;
	printf("%s 3 - of these %lu have a name, %lu want more, %lu name nobody, %lu are no name, "
	       "%lu unknown, %lu malformed, %lu too long\n",
	       status > HG_HELLO_TOO_LONG ? "ok" : "not ok", by_status[1], by_status[2],
	       by_status[3], by_status[4], by_status[5], by_status[6], by_status[7]);
	munmap(cases, size);
	hello_bpf__destroy(o);
	return n_wrong != 0 || status <= HG_HELLO_TOO_LONG;
}
