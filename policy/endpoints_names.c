/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What has a name instead of an address: unix sockets, agents, hosts. */
#include <string.h>

#include "endpoints_inner.h"

static int no_slash(struct endpoints *e, uint32_t *ret_label)
{
	int r = 0;

	if (!e->no_slash) {
		r = fa_nfa_label(e->nfa, &e->no_slash);
		if (r == 0)
			r = fa_nfa_label_add(e->nfa, e->no_slash, (struct fa_range){0, '/' - 1});
		if (r == 0)
			r = fa_nfa_label_add(e->nfa, e->no_slash, (struct fa_range){'/' + 1, 255});
	}
	*ret_label = e->no_slash;
	return r;
}

static int set_label(struct endpoints *e, const struct glob_set *set, uint32_t *ret_label)
{
	uint32_t b;
	int r;

	r = fa_nfa_label(e->nfa, ret_label);
	for (b = 0; b < 256 && r == 0; b++)
		if (glob_set_has(set, b))
			r = fa_nfa_label_add(e->nfa, *ret_label, (struct fa_range){b, b});
	return r;
}

/* Any bytes but '/': a node of its own that loops, reached without reading. */
static int step_star(struct endpoints *e, uint32_t *node, uint16_t rule)
{
	uint32_t label, to;
	int r;

	r = no_slash(e, &label);
	if (r == 0)
		r = fa_nfa_node(e->nfa, &to);
	if (r == 0)
		r = endpoints_visit(e, to, rule);
	if (r == 0)
		r = fa_nfa_edge(e->nfa, *node, FA_EPSILON, to);
	if (r == 0)
		r = fa_nfa_edge(e->nfa, to, label, to);
	*node = to;
	return r;
}

static int step_token(struct endpoints *e, const struct glob *glob, const struct glob_token *t,
		      uint32_t *node, uint16_t rule)
{
	uint32_t label = 0;
	int r;

	switch (t->kind) {
	case GLOB_BYTE:
		return endpoints_step(e, node, t->byte, t->byte, rule);
	case GLOB_STAR:
		return step_star(e, node, rule);
	case GLOB_DSTAR:
		r = fa_nfa_star(e->nfa, *node, node);
		return r < 0 ? r : endpoints_visit(e, *node, rule);
	case GLOB_ONE:
		r = no_slash(e, &label);
		break;
	default:
		r = set_label(e, glob->sets + t->set, &label);
	}
	if (r == 0)
		r = fa_nfa_child(e->nfa, *node, label, node);
	return r < 0 ? r : endpoints_visit(e, *node, rule);
}

int endpoints_add_label(struct endpoints *e, uint8_t kind, const struct glob *glob, uint16_t rule,
			uint8_t actions)
{
	uint32_t node;
	size_t i, k;
	int r = 0;

	if (rule > e->max_rule)
		e->max_rule = rule;
	for (i = 0; i < glob->n_alternatives && r == 0; i++) {
		const struct glob_alternative *alt = glob->alternatives + i;

		node = e->root;
		r = endpoints_step(e, &node, kind, kind, rule);
		for (k = 0; k < alt->n && r == 0; k++)
			r = step_token(e, glob, alt->tokens + k, &node, rule);
		if (r == 0)
			endpoints_accept(e, node, rule | (uint32_t)actions << 16);
	}
	return r;
}

/* ---- hosts ---- */

/* At least one byte of a name: whatever stands in front of a wildcard's dot. */
static int step_labels(struct endpoints *e, uint32_t *node, uint16_t rule)
{
	uint32_t label = 0, to = *node;
	int r;

	r = endpoints_label(e, 1, 255, &label);
	if (r == 0)
		r = fa_nfa_child(e->nfa, *node, label, &to);
	if (r == 0 && to == e->n_nodes)
		r = fa_nfa_edge(e->nfa, to, label, to);
	*node = to;
	return r < 0 ? r : endpoints_visit(e, to, rule);
}

/* Up to the NUL behind the name. */
static int add_name(struct endpoints *e, const struct ruleset_host *host, uint16_t rule,
		    uint32_t *ret_node)
{
	size_t i = strlen(host->name);
	uint32_t node = e->root;
	int r;

	r = endpoints_step(e, &node, HG_LABEL_HOST, HG_LABEL_HOST, rule);
	while (i-- > 0 && r == 0)
		r = endpoints_step(e, &node, (uint8_t)host->name[i], (uint8_t)host->name[i], rule);
	if (r == 0 && host->below && *host->name)
		r = endpoints_step(e, &node, '.', '.', rule);
	if (r == 0 && host->below)
		r = step_labels(e, &node, rule);
	if (r == 0)
		r = endpoints_step(e, &node, 0, 0, rule);
	*ret_node = node;
	return r;
}

int endpoints_add_host(struct endpoints *e, const struct ruleset_host *host, uint16_t rule,
		       uint8_t actions)
{
	const uint8_t protos[3] = {HG_TCP, HG_UDP, HG_ICMP};
	const bool wanted[3] = {host->tcp, host->udp, host->icmp};
	uint32_t node, to;
	unsigned i;
	int r;

	if (rule > e->max_rule)
		e->max_rule = rule;
	r = add_name(e, host, rule, &node);
	if (r == 0 && (actions & HG_BIT(HG_RESOLVE)))
		endpoints_accept(e, node, rule | HG_BIT(HG_RESOLVE) << 16);
	for (i = 0; i < 3 && r == 0 && (actions & HG_BIT(HG_CONNECT)); i++) {
		if (!wanted[i])
			continue;
		to = node;
		r = endpoints_step(e, &to, protos[i], protos[i], rule);
		if (r == 0)
			r = endpoints_ports(e, to, host->port_low, host->port_high,
					    rule | HG_BIT(HG_CONNECT) << 16);
	}
	return r;
}
