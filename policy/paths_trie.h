/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How the trie of patterns lies in memory; for the paths_*.c that build and walk it. */
#ifndef HG_PATHS_TRIE_H
#define HG_PATHS_TRIE_H

#include "paths.h"

#define TRIE_ROOT 0u /* never a child, so that 0 can stand for "no child" */

/* Rules are kept as 1 + index, 0 for none, so that "later" is "greater". */
struct trie_node {
	uint32_t accept[HG_N_PATH_ACTIONS];  /* the last rule with a pattern that ends here */
	uint32_t subtree[HG_N_PATH_ACTIONS]; /* the last that ends here or further down */
	uint32_t later[HG_N_PATH_ACTIONS];   /* behind a component: star_child's not */
	uint32_t parent;
	uint32_t star_child; /* behind a double star */
	uint32_t any_child;  /* behind the component '*' */
	uint32_t first_edge; /* index + 1 */
	uint32_t users;	     /* patterns through here */
	uint16_t rule;	     /* the first of them */
	bool star;	     /* "any components": loops, so it accepts everything below too */
};

struct trie_edge {
	uint32_t comp, child;
	uint32_t next; /* of the same node: index + 1 */
};

struct paths_trie {
	struct paths_lexer *lexer;
	struct trie_node *nodes;
	size_t n_nodes, cap_nodes;
	struct trie_edge *edges;
	size_t n_edges, cap_edges;
	struct fa_intern children; /* (node, component pattern) */
	uint32_t *child;	   /* its node, by number in children */
	size_t cap_child;
	uint32_t *sets; /* for each set of the glob at hand its word */
	size_t cap_sets;
	unsigned max_rule;
};

static inline void trie_raise(uint32_t to[HG_N_PATH_ACTIONS], const uint32_t from[HG_N_PATH_ACTIONS])
{
	unsigned a;

	for (a = 0; a < HG_N_PATH_ACTIONS; a++)
		if (to[a] < from[a])
			to[a] = from[a];
}

/* Fills in what is known once all patterns are there, and lets one node stand for all that do the same. No
 * pattern is added afterwards: nodes have several parents then. 0, -ENOMEM. */
int paths_trie_fold(struct paths_trie *t);

#endif
