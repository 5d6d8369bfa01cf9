/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How the trie of patterns lies in memory; for paths_trie.c and paths_dirs.c only. */
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

#endif
