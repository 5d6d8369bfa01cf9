/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel half of the comparison: the product's own functions (chain_window, the image readers,
 * the endpoint encoding) on the BPF target, fed from a map instead of from dentries.
 */
#include "../../bpf/check.h"
#include "../../bpf/label.h"
#include "compare.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CASES);
	__type(key, __u32);
	__type(value, struct compare_case);
} cases SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hg_scratch);
} work SEC(".maps");

/* Turn t: component t % CASE_COMPONENTS of case t / CASE_COMPONENTS. */
__noinline int component_turn(struct hg_scratch *s, __u32 turn)
{
	__u32 nth = turn / CASE_COMPONENTS, i;
	__u64 at = turn;
	struct compare_case *c = bpf_map_lookup_elem(&cases, &nth);
	struct hg_reader r;
	int why = HG_WHY_BROKEN_POLICY;

	if (!s || !c)
		return 1;
	asm("" : "+r"(at));
	at &= CASE_COMPONENTS - 1;
	if (c->kind != CASE_PATH || at >= c->n_components)
		return 0;
	if (at == 0) {
		if (!image_open(&r, 1) || !hg_root(&r, &s->at))
			return 1;
	}
	s->slot = 1;
	s->name_from = 0;
	s->lexer = 0;
	s->name_left = c->lens[at];
	bpf_probe_read_kernel(s->name, 256, c->names[at]);
	for (i = 0; i <= HG_NAME_MAX / HG_WINDOW; i++) {
		why = chain_window(s);
		if (why != HG_WHY_RULE || s->name_from == HG_STEPPED)
			break;
	}
	if (why != HG_WHY_RULE || s->name_from != HG_STEPPED)
		return 1;
	c->at = s->at;
	return 0;
}

/* Turn t: window t % CASE_COMPONENTS of the command line of case t / CASE_COMPONENTS. */
__noinline int line_turn(struct hg_scratch *s, __u32 turn)
{
	__u32 nth = turn / CASE_COMPONENTS;
	__u64 at = turn;
	struct compare_case *c = bpf_map_lookup_elem(&cases, &nth);
	struct hg_reader r;
	bool done;
	__u64 row;

	if (!s || !c)
		return 1;
	asm("" : "+r"(at));
	at &= CASE_COMPONENTS - 1;
	if (c->kind != CASE_ARGV)
		return 0;
	if (!image_open(&r, 1))
		return 1;
	if (at == 0) {
		if (!hg_argv_start(&r, c->proto, &s->line_state))
			return 1;
		s->line.skip = c->lens[1];
		s->line.args = c->lens[2];
		s->line_len = c->lens[0];
	}
	if (!hg_argv_window(&r, &s->line_state, &s->line, (__u8 *)c->names + at * HG_WINDOW,
			    &s->line_len, &done))
		return 1;
	s->line_len = s->line_len > HG_WINDOW ? s->line_len - HG_WINDOW : 0;
	if (at + 1 < CASE_COMPONENTS)
		return 0;
	if (!image_open(&r, 1) || !hg_row_out(&r, s->line_state, &row))
		return 1;
	c->ret_out = row & 0xffff;
	return 0;
}

__noinline int label_turn(struct hg_scratch *s, __u32 nth)
{
	struct compare_case *c = bpf_map_lookup_elem(&cases, &nth);
	bool host;

	if (!s || !c)
		return 1;
	host = c->kind == CASE_HOST;
	if (!host && c->kind != CASE_AGENT)
		return 0;
	s->slot = 1;
	s->label = (__u64)c->names[host ? 1 : 0];
	s->label_len = c->lens[0];
	s->tail[0] = 0;
	s->tail[1] = c->proto;
	s->tail[2] = c->port >> 8;
	s->tail[3] = c->port;
	s->tail_len = !host ? 0 : c->proto ? 4 : 1;
	if (label_resolve(s, host ? HG_LABEL_HOST : HG_LABEL_AGENT) != HG_WHY_RULE)
		return 1;
	c->out = s->out;
	return 0;
}

__noinline int answer_turn(__u32 nth)
{
	struct compare_case *c = bpf_map_lookup_elem(&cases, &nth);
	struct hg_reader r;
	__u32 out;

	if (!c || !image_open(&r, 1))
		return 1;
	if (c->kind == CASE_PATH) {
		if (!hg_out_read(&r, c->at.out, &c->out) || !hg_dir_read(&r, c->at.dir, &c->dir))
			return 1;
	} else if (c->kind == CASE_ARGV) {
		if (!hg_out_read(&r, c->ret_out, &c->out))
			return 1;
	} else if (c->kind != CASE_HOST && c->kind != CASE_AGENT) {
		if (c->kind == CASE_V4)
			hg_endpoint_v4(&c->endpoint, c->address, c->proto, c->port, c->peer);
		else if (c->kind == CASE_V6)
			hg_endpoint_v6(&c->endpoint, c->address, c->proto, c->port, c->peer);
		if (!hg_endpoint(&r, &c->endpoint, &out) || !hg_out_read(&r, out, &c->out))
			return 1;
		c->ret_out = out;
	}
	if (c->out.rule[0] != HG_RULE_NONE && !hg_rule_read(&r, c->out.rule[0], &c->rule))
		return 1;
	c->answered = 1;
	return 0;
}

static long component_loop(__u32 turn, struct hg_loop *loop)
{
	if (component_turn(loop->s, turn))
		return 1;
	return 0;
}

static long line_loop(__u32 turn, struct hg_loop *loop)
{
	if (line_turn(loop->s, turn))
		return 1;
	return 0;
}

static long label_loop(__u32 turn, struct hg_loop *loop)
{
	if (label_turn(loop->s, turn))
		return 1;
	return 0;
}

static long answer_loop(__u32 turn, struct hg_loop *loop)
{
	if (answer_turn(turn))
		return 1;
	return 0;
}

/* Answers every case in the map; user space sees by `answered` what was not reached. */
SEC("syscall")
int compare(void *ctx)
{
	__u32 zero = 0;
	struct hg_loop loop = { .s = bpf_map_lookup_elem(&work, &zero) };

	if (!loop.s)
		return 1;
	bpf_loop(CASES * CASE_COMPONENTS, component_loop, &loop, 0);
	bpf_loop(CASES * CASE_COMPONENTS, line_loop, &loop, 0);
	bpf_loop(CASES, label_loop, &loop, 0);
	bpf_loop(CASES, answer_loop, &loop, 0);
	return 0;
}
