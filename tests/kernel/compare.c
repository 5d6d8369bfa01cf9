/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Native against kernel: random policies, random paths, endpoints and names through bpf/core/ as built for
 * this machine and as BPF in the running kernel; every field of every answer must be the same.
 * usage: compare [CASES [SEED]]; prints TAP.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../bpf/core/run.h"
#include "../random_policy.h"
#include "compare.h"
#include "tests/kernel/compare.skel.h"

/* Native side: an image is its chunks. */
struct chunks {
	const struct hg_chunk *at;
	uint32_t n;
};

HG_INLINE const struct hg_chunk *hg_fetch(void *image, __u32 idx)
{
	const struct chunks *c = image;

	return idx < c->n ? &c->at[idx] : NULL;
}

static void random_name(struct compare_case *c, unsigned at)
{
	uint32_t len, i;

	if (rnd(4)) {
		len = snprintf((char *)c->names[at], 256, "%s", words[rnd(N_WORDS)]);
		if (rnd(5) == 0 && len < 250)
			c->names[at][len++] = "abn.v\xff\n"[rnd(7)];
	} else {
		len = 1 + rnd(rnd(4) ? 12 : HG_NAME_MAX);
		for (i = 0; i < len; i++) {
			do {
				c->names[at][i] = rnd(2) ? (uint32_t)"abenv.-usr"[rnd(10)] : rnd(256);
			} while (!c->names[at][i] || c->names[at][i] == '/');
		}
	}
	c->lens[at] = len;
}

/* Names and arguments, with and without a NUL at the end, and counts that need not fit. */
static void random_line(struct compare_case *c, uint32_t n_argvs)
{
	uint8_t *line = (uint8_t *)c->names;
	uint32_t i;

	c->proto = 1 + rnd(n_argvs);
	c->lens[0] = rnd(3) ? rnd(40) : rnd(CASE_LINE_MAX + 1);
	for (i = 0; i < c->lens[0]; i++)
		line[i] = rnd(8) ? (uint8_t) "ab-/\0\0ab"[rnd(8)] : rnd(256);
	if (rnd(2))
		memcpy(line, "usr", rnd(5));
	c->lens[1] = rnd(4) ? 0 : rnd(4);
	c->lens[2] = rnd(20);
}

/* A host, which is asked for or connected to, or an agent. */
static void random_label(struct compare_case *c)
{
	char *name = (char *)c->names[0];
	uint32_t i;

	c->kind = rnd(4) ? CASE_HOST : CASE_AGENT;
	if (c->kind == CASE_AGENT)
		c->lens[0] = (uint32_t)sprintf(name, "%s", words[rnd(N_WORDS)]);
	else
		c->lens[0] = random_host(name, rnd(4) ? 1 + rnd(4) : 1 + rnd(25));
	for (i = 0; i < c->lens[0]; i++)
		c->names[1][i] = c->names[0][c->lens[0] - 1 - i];
	if (rnd(3)) {
		c->proto = rnd(4) ? HG_TCP : HG_UDP;
		c->port = rnd(3) ? rnd(3) * 443 + rnd(2) : rnd(65536);
	}
}

static void random_case(struct compare_case *c, uint32_t n_argvs)
{
	static const uint8_t protos[] = { HG_TCP, HG_UDP, HG_ICMP, HG_ICMPV6, 132 };
	unsigned i;

	memset(c, 0, sizeof(*c));
	if (rnd(4) == 0) {
		random_label(c);
		return;
	}
	if (n_argvs && rnd(4) == 0) {
		c->kind = CASE_ARGV;
		random_line(c, n_argvs);
		return;
	}
	c->kind = rnd(2) ? CASE_PATH : rnd(3) + CASE_ENDPOINT;
	if (c->kind == CASE_PATH) {
		c->n_components = 1 + rnd(CASE_COMPONENTS);
		for (i = 0; i < c->n_components; i++)
			random_name(c, i);
		return;
	}
	for (i = 0; i < 16; i++)
		c->address[i] = rnd(3) ? rnd(4) : rnd(256);
	if (rnd(3) == 0)
		c->address[0] = c->kind == CASE_V4 ? 10 : 0x20;
	if (rnd(6) == 0)
		memset(c->address, 0, 16);
	if (rnd(6) == 0)
		memcpy(c->address, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
	c->port = rnd(65536);
	c->proto = protos[rnd(sizeof(protos))];
	c->peer = rnd(2);
	if (c->kind == CASE_ENDPOINT) {
		c->endpoint.len = rnd(HG_ENDPOINT_MAX + 1);
		for (i = 0; i < c->endpoint.len; i++)
			c->endpoint.bytes[i] = rnd(2) ? rnd(8) : rnd(256);
	}
}

static bool answer_line(struct hg_reader *r, struct compare_case *c)
{
	struct hg_line line = { .skip = c->lens[1], .args = c->lens[2] };
	const uint8_t *at = (const uint8_t *)c->names;
	__u32 state, left = c->lens[0], i;
	bool done;
	__u64 row;

	if (!hg_argv_start(r, c->proto, &state))
		return false;
	for (i = 0; i < CASE_COMPONENTS; i++, at += HG_WINDOW) {
		if (!hg_argv_window(r, &state, &line, at, &left, &done))
			return false;
		left = left > HG_WINDOW ? left - HG_WINDOW : 0;
	}
	if (!hg_row_out(r, state, &row))
		return false;
	c->ret_out = row & 0xffff;
	return true;
}

/* The native answer, into the same fields. */
static bool answer(const struct image *im, struct chunks *chunks, struct compare_case *c)
{
	struct hg_reader r = { .image = chunks };
	struct hg_at at;
	__u32 state, left, i, from;
	bool done;

	if (c->kind == CASE_PATH) {
		if (!hg_root(&r, &c->at))
			return false;
		for (i = 0; i < c->n_components; i++) {
			state = from = 0;
			left = c->lens[i];
			for (;;) {
				if (!hg_component(&r, c->at.dir, &state, c->names[i] + from, &left,
						  &at, &done))
					return false;
				if (done)
					break;
				from += HG_WINDOW;
				left -= HG_WINDOW;
			}
			c->at = at;
		}
		if (!hg_out_read(&r, c->at.out, &c->out) || !hg_dir_read(&r, c->at.dir, &c->dir))
			return false;
	} else if (c->kind == CASE_ARGV) {
		if (!answer_line(&r, c) || !hg_out_read(&r, c->ret_out, &c->out))
			return false;
	} else if (c->kind == CASE_HOST) {
		if (image_host(im, (const char *)c->names[0], c->proto, c->port, &c->out))
			return false;
	} else if (c->kind == CASE_AGENT) {
		if (image_label(im, HG_LABEL_AGENT, (const char *)c->names[0], c->lens[0], &c->out))
			return false;
	} else {
		if (c->kind == CASE_V4)
			hg_endpoint_v4(&c->endpoint, c->address, c->proto, c->port, c->peer);
		else if (c->kind == CASE_V6)
			hg_endpoint_v6(&c->endpoint, c->address, c->proto, c->port, c->peer);
		if (!hg_endpoint(&r, &c->endpoint, &c->ret_out) ||
		    !hg_out_read(&r, c->ret_out, &c->out))
			return false;
	}
	if (c->out.rule[0] != HG_RULE_NONE && !hg_rule_read(&r, c->out.rule[0], &c->rule))
		return false;
	c->answered = 1;
	return true;
}

static int install(struct compare_bpf *o, struct image *im)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_INNER_MAP);
	const struct hg_chunk *chunks;
	uint32_t n, i, slot = 1;
	int fd, err = 0;

	chunks = image_chunks(im, &n);
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, NULL, 4, HG_CHUNK_SIZE, n, &opts);
	if (fd < 0)
		return -errno;
	for (i = 0; !err && i < n; i++)
		err = bpf_map_update_elem(fd, &i, &chunks[i], 0);
	if (!err)
		err = bpf_map_update_elem(bpf_map__fd(o->maps.policies), &slot, &fd, 0);
	close(fd);
	return err;
}

static unsigned long n_allowed, n_wrong;

static void compare_batch(struct compare_bpf *o, const struct image *im, struct chunks *chunks,
			  struct compare_case *all)
{
	LIBBPF_OPTS(bpf_test_run_opts, run);
	int fd = bpf_map__fd(o->maps.cases), err;
	struct compare_case theirs;
	uint32_t i;

	for (i = 0; i < CASES; i++) {
		random_case(&all[i], ((const struct hg_head *)chunks->at)->n_argvs);
		bpf_map_update_elem(fd, &i, &all[i], 0);
	}
	err = bpf_prog_test_run_opts(bpf_program__fd(o->progs.compare), &run);
	if (err || run.retval)
		printf("# run: %d, %d\n", err, run.retval);
	for (i = 0; i < CASES; i++) {
		if (!answer(im, chunks, &all[i]) || bpf_map_lookup_elem(fd, &i, &theirs) ||
		    memcmp(&theirs, &all[i], sizeof(theirs))) {
			if (n_wrong++ < 5)
				printf("# case %u kind %u answered %u: at %u/%u %u/%u out %u %u\n",
				       i, all[i].kind, theirs.answered, all[i].at.dir,
				       all[i].at.out, theirs.at.dir, theirs.at.out, all[i].ret_out,
				       theirs.ret_out);
		}
		n_allowed += !!all[i].out.allow;
	}
}

int main(int argc, char **argv)
{
	unsigned long wanted = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000, done = 0, n_big = 0;
	static struct compare_case all[CASES];
	struct compare_bpf *o;

	random_state = argc > 2 ? strtoull(argv[2], NULL, 10) : 20261120;
	printf("1..2\n# seed %llu\n", (unsigned long long)random_state);
	o = compare_bpf__open_and_load();
	if (!o) {
		printf("not ok 1 - the comparison's BPF program loads: %s\n", strerror(errno));
		return 1;
	}
	while (done < wanted) {
		struct image *im = NULL;
		struct chunks chunks;
		unsigned i;

		int err = random_image(&im);

		/* Some of what is drawn multiplies states; that the compiler says so is tested elsewhere. */
		if (err == -E2BIG && n_big++ < 1 + done / CASES / 4)
			continue;
		if (err || install(o, im)) {
			printf("not ok 1 - a random policy compiles and is installed\n");
			return 1;
		}
		chunks.at = image_chunks(im, &chunks.n);
		for (i = 0; i < 40 && done < wanted; i++, done += CASES)
			compare_batch(o, im, &chunks, all);
		image_free(im);
	}
	printf("%s 1 - native and kernel agree on %lu inputs\n", n_wrong ? "not ok" : "ok", done);
	/* All denied, or all allowed, would compare nothing. */
	printf("%s 2 - of these, %lu are allowed something\n",
	       n_allowed > done / 20 && n_allowed < done ? "ok" : "not ok", n_allowed);
	compare_bpf__destroy(o);
	return n_wrong != 0;
}
