/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How a nondeterministic automaton lies in memory; for fa_nfa.c and fa_subset.c only. */
#ifndef HG_FA_NFA_H
#define HG_FA_NFA_H

#include "fa.h"
#include "fa_intern.h"

struct nfa_edge {
	uint32_t label, to;
	uint32_t next; /* of the same node: index + 1, 0 ends */
};

struct nfa_label {
	struct fa_range *ranges;
	size_t n, cap;
};

struct fa_nfa {
	uint32_t *first; /* for each node its newest edge: index + 1, 0 for none */
	size_t n_nodes, cap_nodes;
	struct nfa_edge *edges;
	size_t n_edges, cap_edges;
	struct nfa_label *labels;
	size_t n_labels, cap_labels;
	struct fa_intern children; /* (from, label) */
	uint32_t *child;	   /* its node, by number in children */
	size_t cap_child;
};

#endif
