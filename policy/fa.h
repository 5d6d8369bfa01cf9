/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finite automata over integer symbols 0 .. n_symbols - 1: bytes, or the component symbols that a
 * lexer of bytes gives. A state has a default transition and sorted exceptions, so that an alphabet
 * of tens of thousands of symbols costs what is exceptional.
 *
 * One structure serves both kinds of machine. Moore: state.out says what a word that ends here is;
 * transition outputs are 0. Mealy: transition outputs say it, state.out is 0; then a state is
 * exactly what may still follow. What an output means is the user's.
 *
 * Functions return 0 or -errno; -E2BIG when a bound given by the caller is passed.
 */
#ifndef HG_FA_H
#define HG_FA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define HG_CLEANUP(f) __attribute__((cleanup(f)))

/* The array at *array (cap elements of elem bytes) gets room for n. */
int fa_grow(void **array, size_t *cap, size_t n, size_t elem);

static inline void fa_free_words(uint32_t **p)
{
	free(*p);
}

struct fa_range {
	uint32_t lo, hi; /* inclusive */
};

/* ---- nondeterministic ---- */
struct fa_nfa;

#define FA_ANY	   0u /* the label of every symbol */
#define FA_EPSILON 1u /* the label of none: taken without reading */

int fa_nfa_new(struct fa_nfa **ret);
void fa_nfa_free(struct fa_nfa **nfa);
/* A new label, standing for no symbol yet. */
int fa_nfa_label(struct fa_nfa *nfa, uint32_t *ret_label);
/* Makes the label stand for range too. Ranges of one label may not overlap. */
int fa_nfa_label_add(struct fa_nfa *nfa, uint32_t label, struct fa_range range);
int fa_nfa_node(struct fa_nfa *nfa, uint32_t *ret_node);
int fa_nfa_edge(struct fa_nfa *nfa, uint32_t from, uint32_t label, uint32_t to);
/* The node that fa_nfa_child() with the same label gave before, or a new one behind a new edge:
 * patterns with a common beginning share it, as in a trie. */
int fa_nfa_child(struct fa_nfa *nfa, uint32_t from, uint32_t label, uint32_t *ret_node);
/* The same for a node reached by FA_EPSILON that loops over every symbol: "any word". */
int fa_nfa_star(struct fa_nfa *nfa, uint32_t from, uint32_t *ret_node);
uint32_t fa_nfa_size(const struct fa_nfa *nfa);

/* ---- deterministic ---- */
struct fa_edge {
	uint32_t lo, hi; /* symbols, inclusive */
	uint32_t next, out;
};

struct fa_state {
	uint32_t out;
	uint32_t next, next_out; /* default transition */
	uint32_t tag;		 /* states with different tags are different; else the user's */
	uint32_t n_edges;
	size_t first_edge;
};

struct fa {
	uint32_t n_symbols, n_states;
	uint32_t rest; /* the symbol that is never an exception: defaults are canonical */
	uint32_t start, start_out;
	struct fa_state *states;
	struct fa_edge *edges;
	size_t n_edges, cap_states, cap_edges;
};

void fa_free(struct fa **fa);
uint32_t fa_next(const struct fa *fa, uint32_t state, uint32_t symbol, uint32_t *ret_out);
/* Runs a word from the start; gives the state, and the output of the whole word of a Mealy
 * machine (start_out for the empty word) or of the state of a Moore machine: whichever is not 0. */
uint32_t fa_run(const struct fa *fa, const uint32_t *word, size_t len, uint32_t *ret_out);
uint32_t fa_run_bytes(const struct fa *fa, const void *bytes, size_t len, uint32_t *ret_out);

/* Building by hand: states get their edges in order, each finished before the next. */
int fa_new(uint32_t n_symbols, uint32_t rest, struct fa **ret);
int fa_add_state(struct fa *fa, uint32_t out, uint32_t next, uint32_t next_out);
/* Adds to the newest state; edges in rising order. Joins equal neighbours, drops what the default
 * says anyway. */
int fa_add_edge(struct fa *fa, const struct fa_edge *edge);

/* The transitions of each symbol, where they are not the default: cells[start[symbol]] up to
 * cells[start[symbol + 1]], by rising state. */
struct fa_column_cell {
	uint32_t state, next, out;
};
#define FA_COLUMN_WORDS (sizeof(struct fa_column_cell) / sizeof(uint32_t))
/* More is -E2BIG: no image could hold them. */
#define FA_COLUMN_CELLS_MAX (8u << 20)
struct fa_columns {
	size_t *start;
	struct fa_column_cell *cells;
};
int fa_transpose(const struct fa *fa, struct fa_columns *ret);
void fa_columns_done(struct fa_columns *columns);

/* ---- subset construction ---- */
struct fa_subset {
	void *ctx;
	/* The output of a set of nodes (sorted): "which rule wins" is decided here. */
	int (*output)(void *ctx, const uint32_t *nodes, size_t n, uint32_t *ret_out);
	/* Drops, in place, nodes that cannot change any later output; gives the new count. Or NULL.
	 */
	size_t (*reduce)(void *ctx, uint32_t *nodes, size_t n);
	bool mealy; /* outputs on transitions, decided before reduce() */
	uint32_t n_symbols, rest;
	uint32_t max_states;
	size_t max_edges;
	uint64_t *presence; /* or NULL: for each node, in how many sets it is (also on -E2BIG) */
};
int fa_determinise(const struct fa_nfa *nfa, uint32_t start, const struct fa_subset *sub,
		   struct fa **ret);

/* The same for several starts, one after another: what they have in common is built once. */
struct fa_builder;
int fa_builder_new(const struct fa_nfa *nfa, const struct fa_subset *sub, struct fa_builder **ret);
void fa_builder_free(struct fa_builder **builder);
/* The state of a set of nodes, with everything that can be reached from it. */
int fa_builder_start(struct fa_builder *builder, const uint32_t *nodes, size_t n,
		     uint32_t *ret_state, uint32_t *ret_out);
/* What has been built so far; changes with the next start. */
struct fa *fa_builder_fa(struct fa_builder *builder);

/* ---- on deterministic automata ---- */
/* The smallest equivalent automaton, reachable states only, numbered breadth-first from 0. */
int fa_minimise(const struct fa *fa, struct fa **ret);
/* The same, keeping what is reachable from several states; replaces them by their new numbers. */
int fa_minimise_from(const struct fa *fa, uint32_t *roots, size_t n_roots, struct fa **ret);
/* For each state the class of the states that do the same: their lowest number. */
int fa_classes(const struct fa *fa, uint32_t *ret_class);

struct fa_pair {
	void *ctx;
	int (*output)(void *ctx, uint32_t out_a, uint32_t out_b, uint32_t *ret_out);
	uint32_t max_states;
};
/* Both at once; a and b have the same alphabet and kind. */
int fa_product(const struct fa *a, const struct fa *b, const struct fa_pair *pair, struct fa **ret);

struct fa_want {
	void *ctx;
	bool (*want)(void *ctx, uint32_t out);
	/* What a symbol costs in a state, 0 where it does not occur; and the cheapest that takes
	 * the default there, UINT32_MAX when none does. NULL: all cost 1. */
	uint32_t (*cost)(void *ctx, uint32_t state, uint32_t symbol);
	uint32_t (*other)(void *ctx, uint32_t state);
};
/* A cheapest word with a wanted output. Returns 1 and the word (the caller frees it), 0 when there
 * is none, -errno. */
int fa_witness(const struct fa *fa, const struct fa_want *want, uint32_t **ret_word,
	       size_t *ret_len);
/* Whether both give every word the same output: 1, or 0 with a shortest word that differs. */
int fa_equivalent(const struct fa *a, const struct fa *b, uint32_t **ret_word, size_t *ret_len);

struct fa_below {
	void *ctx;
	uint32_t (*bits)(void *ctx, uint32_t out);
};
/* For each state: bits that some, and that every non-empty word from there has in its output. A
 * default counts as a transition that occurs, unless edges cover every symbol. */
int fa_below(const struct fa *fa, const struct fa_below *below, uint32_t *ret_any,
	     uint32_t *ret_all);
/* Whether some symbol takes the default. */
bool fa_default_occurs(const struct fa *fa, const struct fa_state *state);
/* Whether an edge of the state has the symbol. */
bool fa_has_edge(const struct fa *fa, const struct fa_state *state, uint32_t symbol);

#endif
