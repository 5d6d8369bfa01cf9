/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How component patterns lie in memory; for paths_lexer.c and paths_symbols.c only. */
#ifndef HG_PATHS_LEXER_H
#define HG_PATHS_LEXER_H

#include "paths.h"

#define PATHS_NO_COMP UINT32_MAX
/* NUL is in no component, so no pattern speaks of it. */
#define PATHS_BYTE_REST 0u

struct lexer_node {
	uint32_t comp; /* whose pattern ends here, or PATHS_NO_COMP */
	uint16_t rule; /* the first that has this pattern */
};

struct paths_lexer {
	struct fa_nfa *nfa;
	struct fa_intern comps, sets;
	uint32_t *start; /* for each component pattern its first node */
	size_t cap_start;
	uint32_t byte_label[256];
	uint32_t *set_label;
	size_t cap_set_label;
	struct lexer_node *nodes;
	size_t cap_nodes, n_nodes;
	uint32_t *words; /* of the pattern at hand */
	size_t cap_words;
	unsigned max_rule;
};

#endif
