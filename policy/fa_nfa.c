/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Nondeterministic automata: nodes, labels, edges, and nodes shared by common beginnings. */
#include <errno.h>
#include <string.h>

#include "fa_nfa.h"

#define LABEL_STAR UINT32_MAX /* only as a key of fa_nfa.children */

int fa_nfa_new(struct fa_nfa **ret)
{
	struct fa_nfa *nfa = calloc(1, sizeof(*nfa));
	uint32_t label;
	int r;

	if (!nfa)
		return -ENOMEM;
	/* FA_ANY and FA_EPSILON take their numbers; their ranges are never read. */
	r = fa_nfa_label(nfa, &label);
	if (r == 0)
		r = fa_nfa_label(nfa, &label);
	if (r < 0) {
		fa_nfa_free(&nfa);
		return r;
	}
	*ret = nfa;
	return 0;
}

void fa_nfa_free(struct fa_nfa **nfa)
{
	struct fa_nfa *n = *nfa;
	size_t i;

	if (!n)
		return;
	for (i = 0; i < n->n_labels; i++)
		free(n->labels[i].ranges);
	free(n->labels);
	free(n->first);
	free(n->edges);
	free(n->child);
	fa_intern_done(&n->children);
	free(n);
	*nfa = NULL;
}

int fa_nfa_label(struct fa_nfa *nfa, uint32_t *ret_label)
{
	int r;

	r = fa_grow((void **)&nfa->labels, &nfa->cap_labels, nfa->n_labels + 1,
		    sizeof(*nfa->labels));
	if (r < 0)
		return r;
	memset(nfa->labels + nfa->n_labels, 0, sizeof(*nfa->labels));
	*ret_label = (uint32_t)nfa->n_labels++;
	return 0;
}

int fa_nfa_label_add(struct fa_nfa *nfa, uint32_t label, struct fa_range range)
{
	struct nfa_label *l = nfa->labels + label;
	int r;

	if (label <= FA_EPSILON || label >= nfa->n_labels || range.lo > range.hi)
		return -EINVAL;
	if (l->n && l->ranges[l->n - 1].hi + 1 == range.lo) {
		l->ranges[l->n - 1].hi = range.hi;
		return 0;
	}
	r = fa_grow((void **)&l->ranges, &l->cap, l->n + 1, sizeof(*l->ranges));
	if (r < 0)
		return r;
	l->ranges[l->n++] = range;
	return 0;
}

int fa_nfa_node(struct fa_nfa *nfa, uint32_t *ret_node)
{
	int r;

	r = fa_grow((void **)&nfa->first, &nfa->cap_nodes, nfa->n_nodes + 1, sizeof(*nfa->first));
	if (r < 0)
		return r;
	nfa->first[nfa->n_nodes] = 0;
	*ret_node = (uint32_t)nfa->n_nodes++;
	return 0;
}

int fa_nfa_edge(struct fa_nfa *nfa, uint32_t from, uint32_t label, uint32_t to)
{
	int r;

	r = fa_grow((void **)&nfa->edges, &nfa->cap_edges, nfa->n_edges + 1, sizeof(*nfa->edges));
	if (r < 0)
		return r;
	nfa->edges[nfa->n_edges++] = (struct nfa_edge){label, to, nfa->first[from]};
	nfa->first[from] = (uint32_t)nfa->n_edges;
	return 0;
}

/* Gives the node under (from, key); returns 1 when it was just made and has no edge to it yet. */
static int child_of(struct fa_nfa *nfa, uint32_t from, uint32_t key, uint32_t *ret_node)
{
	uint32_t words[2] = {from, key}, id;
	int r, new;

	new = fa_intern_add(&nfa->children, words, 2, &id);
	if (new < 0)
		return new;
	if (new) {
		r = fa_grow((void **)&nfa->child, &nfa->cap_child, (size_t)id + 1,
			    sizeof(*nfa->child));
		if (r < 0)
			return r;
		r = fa_nfa_node(nfa, nfa->child + id);
		if (r < 0)
			return r;
	}
	*ret_node = nfa->child[id];
	return new;
}

int fa_nfa_child(struct fa_nfa *nfa, uint32_t from, uint32_t label, uint32_t *ret_node)
{
	int r = child_of(nfa, from, label, ret_node);

	return r == 1 ? fa_nfa_edge(nfa, from, label, *ret_node) : r;
}

int fa_nfa_star(struct fa_nfa *nfa, uint32_t from, uint32_t *ret_node)
{
	int r = child_of(nfa, from, LABEL_STAR, ret_node);

	if (r == 1)
		r = fa_nfa_edge(nfa, from, FA_EPSILON, *ret_node);
	if (r == 0 && !nfa->first[*ret_node])
		r = fa_nfa_edge(nfa, *ret_node, FA_ANY, *ret_node);
	return r;
}

uint32_t fa_nfa_size(const struct fa_nfa *nfa)
{
	return (uint32_t)nfa->n_nodes;
}
