/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How the trie of patterns lies in memory; for paths_trie.c and paths_dirs.c only. */
#ifndef HG_PATHS_TRIE_H
#define HG_PATHS_TRIE_H

#include "paths.h"

/* Rules are kept as 1 + index, 0 for none, so that "later" is "greater". */
struct trie_node {
	uint32_t accept[HG_N_PATH_ACTIONS];	/* the last rule with a pattern that ends here */
	uint32_t later[HG_N_PATH_ACTIONS];	/* the last that can still match, further down */
	uint32_t parent;
	uint32_t users;
	uint16_t rule;		/* the first that made it */
	bool star;		/* "any components": loops, so it accepts everything below too */
};

struct paths_trie {
	struct paths_lexer *lexer;
	struct fa_nfa *nfa;
	uint32_t root;
	struct trie_node *nodes;
	size_t n_nodes, cap_nodes;
	uint32_t *label;	/* for each component pattern, 0 while unused */
	size_t n_label, cap_label;
	uint32_t *sets;		/* for each set of the glob at hand its word */
	size_t cap_sets;
	unsigned max_rule;
};

#endif
