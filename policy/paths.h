/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Path patterns as two machines, split as a lexer and a parser are split: a lexer turns the bytes
 * of one component into a symbol (which component patterns it matches), the directory machine turns
 * symbols into verdict rows and the residual policy below.
 *
 * Each directory state has a context: the component patterns that can still decide something there.
 * Its lexer tells apart those and no others. So the names of /etc and those of a home do not
 * multiply each other, and what floats (".ssh anywhere") is shared by all contexts.
 */
#ifndef HG_PATHS_H
#define HG_PATHS_H

#include "fa.h"
#include "fa_intern.h"
#include "glob.h"
#include "pack_rows.h"

struct paths_limits {
	uint32_t max_states;
	size_t max_edges;
};

/* ---- component patterns (paths_lexer.c) ---- */
struct paths_lexer;

/* The component pattern that is every component: '*'. */
#define PATHS_COMP_ANY UINT32_MAX
/* What a component pattern is made of, beside bytes: */
#define PATHS_WORD_ONE	0x100u
#define PATHS_WORD_STAR 0x101u
#define PATHS_WORD_SET	0x10000u /* + paths_lexer_set() */

int paths_lexer_new(struct paths_lexer **ret);
void paths_lexer_free(struct paths_lexer **lexer);
/* The number of a component pattern; the same pattern has one number. */
int paths_lexer_add(struct paths_lexer *lexer, const uint32_t *words, size_t n, uint16_t rule,
		    uint32_t *ret_comp);
int paths_lexer_set(struct paths_lexer *lexer, const struct glob_set *set, uint32_t *ret_set);

/* ---- which symbols occur (paths_walk.c) ---- */
struct paths_walk {
	uint32_t *seen; /* for each state and what was read, the last walk that saw it */
	size_t cap_seen, n_seen;
	uint32_t now;
	uint32_t *todo, *found;
	size_t n_todo, cap_todo, n_found, cap_found;
};
/* The symbols that components have from `start` on, rising; the caller frees. The scratch memory
 * may be used again with the same lexer, also when it has grown. */
int paths_walk(struct paths_walk *walk, const struct fa *lexer, uint32_t start,
	       uint32_t **ret_symbols, size_t *ret_n);
void paths_walk_done(struct paths_walk *walk);

/* ---- contexts and symbols (paths_symbols.c) ---- */
struct paths_symbols;

/* No pattern may be added to the lexer after this. */
int paths_symbols_new(const struct paths_lexer *lexer, const struct paths_limits *limits,
		      struct paths_symbols **ret);
void paths_symbols_free(struct paths_symbols **symbols);
/* The context of these component patterns (rising, each once). -E2BIG with *ret_error. */
int paths_symbols_context(struct paths_symbols *symbols, const uint32_t *comps, size_t n,
			  uint32_t *ret_context, struct ruleset_error *ret_error);
/* The symbols that components have there, rising. 0 is "no component pattern". */
const uint32_t *paths_symbols_of(const struct paths_symbols *symbols, uint32_t context,
				 size_t *ret_n);
/* The component patterns of a symbol, rising. */
const uint32_t *paths_symbols_comps(const struct paths_symbols *symbols, uint32_t symbol,
				    size_t *ret_n);
/* The component patterns of a context, rising. */
const uint32_t *paths_symbols_context_comps(const struct paths_symbols *symbols, uint32_t context,
					    size_t *ret_n);
/* The symbol of exactly these patterns: 1, or 0 when there is none. */
int paths_symbols_find(const struct paths_symbols *symbols, const uint32_t *comps, size_t n,
		       uint32_t *ret_symbol);
uint32_t paths_symbols_count(const struct paths_symbols *symbols);
uint32_t paths_symbols_contexts(const struct paths_symbols *symbols);
/* The lexer of all contexts: a Moore machine over bytes, state.out is the symbol; and where a
 * context starts in it. */
const struct fa *paths_symbols_fa(const struct paths_symbols *symbols);
uint32_t paths_symbols_start(const struct paths_symbols *symbols, uint32_t context);

/* ---- shortest components (paths_words.c) ---- */
struct paths_words;

int paths_words_new(const struct fa *lexer, uint32_t start, uint32_t n_symbols,
		    struct paths_words **ret);
void paths_words_free(struct paths_words **words);
/* Bytes of the component and the '/' before it; 0 when no component has the symbol. */
uint32_t paths_words_cost(const struct paths_words *words, uint32_t symbol);
size_t paths_words_get(const struct paths_words *words, uint32_t symbol, char word[HG_NAME_MAX]);

/* ---- the patterns of one rule set (paths_trie.c) ---- */
struct paths_trie;

int paths_trie_new(struct paths_lexer *lexer, struct paths_trie **ret);
void paths_trie_free(struct paths_trie **trie);
int paths_trie_add(struct paths_trie *trie, const struct glob *glob, uint16_t rule, uint8_t actions,
		   struct ruleset_error *ret_error);

/* ---- the directory machine (paths_dirs.c) ---- */
/* One of plain rules, the others of argument rules: each of their actions is one set of programs (see
 * ruleset_argv.c). */
#define PATHS_TRIES_MAX 8

struct paths_dirs {
	struct paths_symbols *symbols;
	struct paths_trie *tries[PATHS_TRIES_MAX];
	unsigned n_tries;
	struct paths_limits limits;
	void *ctx;
	/* The output of a place: for each trie and action 1 + the last rule that matches. */
	int (*output)(void *ctx, const uint32_t last[][HG_N_PATH_ACTIONS], uint32_t *ret_out);
};
/* A minimal Mealy machine over symbols; the tag of a state is its context. Its default occurs in
 * every state: where every component matches some pattern, it is what one of these does. */
int paths_dirs_compile(const struct paths_dirs *in, struct fa **ret,
		       struct ruleset_error *ret_error);

/* Replaces both by ones with fewer contexts, as far as that makes the image smaller
 * (paths_cluster.c). */
int paths_cluster(const struct paths_lexer *lexer, const struct paths_limits *limits,
		  struct paths_symbols **symbols, struct fa **dirs);

/* ---- both, ready to pack (paths.c) ---- */
struct paths {
	struct fa *lexer; /* minimal */
	struct fa *dirs;  /* the tag of a state is its context */
	uint32_t n_symbols, n_contexts;
	uint32_t *start;     /* for each context, of the lexer */
	size_t *first;	     /* for each context and the end, in occurs */
	uint32_t *occurs;    /* symbols that occur in a context, rising */
	uint32_t *any, *all; /* for each directory state: allow | held << 8 */
	uint32_t *kin;	     /* equal for states with equal verdicts below */
};
/* Symbols that no directory tells apart become one. */
int paths_join(const struct paths_symbols *symbols, const struct fa *dirs,
	       const struct pack_rows *rows, struct paths *ret);
void paths_done(struct paths *paths);

/* Who makes an automaton grow: the heaviest of weight[rule] to error->blamed. Returns -E2BIG. */
int paths_blame(struct ruleset_error *error, const uint64_t *weight, size_t n_rules,
		const char *what);

#endif
