/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Endpoint rules to an automaton: an address prefix and a port range are ranges of bytes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "endpoints_inner.h"

int endpoints_visit(struct endpoints *e, uint32_t node, uint16_t rule)
{
	int r;

	r = fa_grow((void **)&e->nodes, &e->cap_nodes, (size_t)node + 1, sizeof(*e->nodes));
	if (r < 0)
		return r;
	if (node == e->n_nodes)
		e->nodes[e->n_nodes++] = (struct endpoint_node){.rule = rule};
	e->nodes[node].users++;
	return 0;
}

int endpoints_new(struct endpoints **ret)
{
	struct endpoints *e HG_CLEANUP(endpoints_free) = calloc(1, sizeof(*e));
	int r;

	if (!e)
		return -ENOMEM;
	r = fa_nfa_new(&e->nfa);
	if (r == 0)
		r = fa_nfa_node(e->nfa, &e->root);
	if (r == 0)
		r = endpoints_visit(e, e->root, 0);
	if (r < 0)
		return r;
	*ret = e;
	e = NULL;
	return 0;
}

void endpoints_free(struct endpoints **endpoints)
{
	struct endpoints *e = *endpoints;

	if (!e)
		return;
	fa_nfa_free(&e->nfa);
	fa_intern_done(&e->ranges);
	free(e->label);
	free(e->nodes);
	free(e);
	*endpoints = NULL;
}

int endpoints_label(struct endpoints *e, uint32_t lo, uint32_t hi, uint32_t *ret_label)
{
	uint32_t words[2] = {lo, hi}, id;
	int r;

	if (lo == 0 && hi == 255) {
		*ret_label = FA_ANY;
		return 0;
	}
	r = fa_intern_add(&e->ranges, words, 2, &id);
	if (r == 1) {
		r = fa_grow((void **)&e->label, &e->cap_label, (size_t)id + 1, sizeof(*e->label));
		if (r == 0)
			r = fa_nfa_label(e->nfa, e->label + id);
		if (r == 0)
			r = fa_nfa_label_add(e->nfa, e->label[id], (struct fa_range){lo, hi});
	}
	*ret_label = r < 0 ? 0 : e->label[id];
	return r;
}

int endpoints_step(struct endpoints *e, uint32_t *node, uint32_t lo, uint32_t hi, uint16_t rule)
{
	uint32_t label;
	int r;

	r = endpoints_label(e, lo, hi, &label);
	if (r == 0)
		r = fa_nfa_child(e->nfa, *node, label, node);
	return r < 0 ? r : endpoints_visit(e, *node, rule);
}

void endpoints_accept(struct endpoints *e, uint32_t node, uint32_t rule_actions)
{
	uint16_t rule = rule_actions & 0xffff;
	unsigned a;

	for (a = 0; a < HG_N_EP_ACTIONS; a++)
		if ((rule_actions >> 16 & HG_BIT(a)) && e->nodes[node].accept[a] < rule + 1u)
			e->nodes[node].accept[a] = rule + 1u;
}

static int add_port_part(struct endpoints *e, uint32_t node, struct fa_range high,
			 struct fa_range low, uint32_t rule_actions)
{
	uint16_t rule = rule_actions & 0xffff;
	int r;

	r = endpoints_step(e, &node, high.lo, high.hi, rule);
	if (r == 0)
		r = endpoints_step(e, &node, low.lo, low.hi, rule);
	if (r == 0)
		endpoints_accept(e, node, rule_actions);
	return r;
}

int endpoints_ports(struct endpoints *e, uint32_t node, uint16_t port_low, uint16_t port_high,
		    uint32_t rule_actions)
{
	uint32_t first = port_low >> 8, last = port_high >> 8;
	uint32_t low = port_low & 0xff, high = port_high & 0xff;
	struct fa_range all = {0, 255};
	int r = 0;

	if (first == last)
		return add_port_part(e, node, (struct fa_range){first, first},
				     (struct fa_range){low, high}, rule_actions);
	if (low != 0) {
		r = add_port_part(e, node, (struct fa_range){first, first},
				  (struct fa_range){low, 255}, rule_actions);
		first++;
	}
	if (r == 0 && high != 255) {
		r = add_port_part(e, node, (struct fa_range){last, last},
				  (struct fa_range){0, high}, rule_actions);
		last--;
	}
	if (r == 0 && first <= last)
		r = add_port_part(e, node, (struct fa_range){first, last}, all, rule_actions);
	return r;
}

static int add_family(struct endpoints *e, const struct ruleset_endpoint *ep, uint8_t family,
		      uint32_t rule_actions)
{
	const uint8_t protos[3] = {HG_TCP, HG_UDP, HG_ICMP};
	const bool wanted[3] = {ep->tcp, ep->udp, ep->icmp};
	unsigned len = family == 4 ? 4 : 16, bits = ep->prefix_len, i;
	uint32_t node = e->root, to;
	uint16_t rule = rule_actions & 0xffff;
	int r;

	r = endpoints_step(e, &node, family, family, rule);
	for (i = 0; i < len && r == 0; i++) {
		unsigned fixed = bits > 8 ? 8 : bits;
		uint32_t span = 0xffu >> fixed, lo = ep->address[i] & ~span & 0xff;

		r = endpoints_step(e, &node, lo, lo | span, rule);
		bits -= fixed;
	}
	for (i = 0; i < 3 && r == 0; i++) {
		if (!wanted[i])
			continue;
		to = node;
		r = endpoints_step(e, &to, protos[i], protos[i], rule);
		if (r == 0)
			r = endpoints_ports(e, to, ep->port_low, ep->port_high, rule_actions);
	}
	return r;
}

int endpoints_add(struct endpoints *e, const struct ruleset_endpoint *ep, uint16_t rule,
		  uint8_t actions)
{
	uint32_t rule_actions = rule | (uint32_t)actions << 16;
	int r = 0;

	if (rule > e->max_rule)
		e->max_rule = rule;
	if (ep->family != 6)
		r = add_family(e, ep, 4, rule_actions);
	if (ep->family != 4 && r == 0)
		r = add_family(e, ep, 6, rule_actions);
	return r;
}

struct compile {
	struct endpoints *endpoints;
	struct pack_rows *rows;
};

static int row_of(void *ctx, const uint32_t *nodes, size_t n, uint32_t *ret_out)
{
	struct compile *c = ctx;
	uint32_t last[HG_N_PATH_ACTIONS] = {0};
	size_t i;
	unsigned a;

	for (i = 0; i < n; i++)
		for (a = 0; a < HG_N_EP_ACTIONS; a++)
			if (last[a] < c->endpoints->nodes[nodes[i]].accept[a])
				last[a] = c->endpoints->nodes[nodes[i]].accept[a];
	return pack_rows_add(c->rows, last, ret_out);
}

static int blame(const struct endpoints *e, const uint64_t *presence, struct ruleset_error *error)
{
	uint64_t *weight = calloc(e->max_rule + 1, sizeof(*weight));
	size_t i;

	if (!weight)
		return -ENOMEM;
	for (i = 0; i < e->n_nodes; i++)
		weight[e->nodes[i].rule] += presence[i] / e->nodes[i].users;
	paths_blame(error, weight, e->max_rule + 1,
		    "too many addresses and port ranges; use wider prefixes, or the same ports "
		    "for neighbours");
	free(weight);
	return -E2BIG;
}

int endpoints_compile(struct endpoints *e, struct pack_rows *rows,
		      const struct paths_limits *limits, struct fa **ret,
		      struct ruleset_error *ret_error)
{
	uint64_t *presence = calloc(fa_nfa_size(e->nfa), sizeof(*presence));
	struct fa *fa HG_CLEANUP(fa_free) = NULL;
	struct compile c = {e, rows};
	struct fa_subset sub = {
		/* 0xfe is rare as an address byte and no protocol that rules speak of. */
		.ctx = &c,
		.output = row_of,
		.n_symbols = 256,
		.rest = 0xfe,
		.max_states = limits->max_states,
		.max_edges = limits->max_edges,
		.presence = presence,
	};
	int r;

	r = presence ? fa_determinise(e->nfa, e->root, &sub, &fa) : -ENOMEM;
	if (r == -E2BIG)
		r = blame(e, presence, ret_error);
	free(presence);
	return r < 0 ? r : fa_minimise(fa, ret);
}
