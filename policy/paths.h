/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Path patterns as two machines, split as a lexer and a parser are split: the lexer turns the bytes
 * of one component into a symbol (which of all component patterns it matches), the directory
 * machine turns symbols into verdict rows and the residual policy below.
 *
 * A lexer may serve the directories of two rule sets, which makes their machines comparable.
 */
#ifndef HG_PATHS_H
#define HG_PATHS_H

#include "fa.h"
#include "glob.h"
#include "pack_rows.h"

struct paths_lexer;
struct paths_trie;

/* The component pattern that is every component: '*'. */
#define PATHS_COMP_ANY UINT32_MAX

int paths_lexer_new(struct paths_lexer **ret);
void paths_lexer_free(struct paths_lexer **lexer);
/* One component pattern; words as paths_word_*(). The same pattern has one number. */
int paths_lexer_add(struct paths_lexer *lexer, const uint32_t *words, size_t n, uint16_t rule,
		    uint32_t *ret_comp);
#define PATHS_WORD_ONE	0x100u
#define PATHS_WORD_STAR	0x101u
#define PATHS_WORD_SET	0x10000u	/* + paths_lexer_set() */
int paths_lexer_set(struct paths_lexer *lexer, const struct glob_set *set, uint32_t *ret_set);
uint32_t paths_lexer_size(const struct paths_lexer *lexer);

struct paths_limits {
	uint32_t max_states;
	size_t max_edges;
};

/* The compiled lexer: a Moore machine over bytes. */
struct paths_symbols {
	struct fa *fa;			/* state.out is the symbol */
	uint32_t n;			/* symbols; 0 is "no component pattern" */
	uint8_t *real;			/* for each symbol, whether some component has it */
	struct fa_intern comps;		/* for each symbol its component patterns, rising */
};
int paths_lexer_compile(struct paths_lexer *lexer, const struct paths_limits *limits,
			struct paths_symbols *ret, struct ruleset_error *ret_error);
/* Fills real; for paths_lexer_compile(). */
int paths_symbols_real(struct paths_symbols *symbols);
void paths_symbols_done(struct paths_symbols *symbols);
/* Shortest components: for each symbol its cost in a witness (its component and the '/' before it;
 * 0 when it does not occur), and the component itself, at most HG_NAME_MAX bytes. */
struct paths_words;
int paths_words_new(const struct paths_symbols *symbols, struct paths_words **ret);
void paths_words_free(struct paths_words **words);
const uint32_t *paths_words_costs(const struct paths_words *words);
size_t paths_words_get(const struct paths_words *words, uint32_t symbol, char word[HG_NAME_MAX]);

/* The patterns of one rule set, over a lexer's components. */
int paths_trie_new(struct paths_lexer *lexer, struct paths_trie **ret);
void paths_trie_free(struct paths_trie **trie);
int paths_trie_add(struct paths_trie *trie, const struct glob *glob, uint16_t rule,
		   uint8_t actions, struct ruleset_error *ret_error);
/* The directory machine: Mealy, outputs are rows. Minimal. */
int paths_trie_compile(struct paths_trie *trie, const struct paths_symbols *symbols,
		       struct pack_rows *rows, const struct paths_limits *limits, struct fa **ret,
		       struct ruleset_error *ret_error);

/* Both, ready to pack: symbols that no directory tells apart are one. */
struct paths {
	struct fa *lexer;		/* minimal */
	struct fa *dirs;
	uint32_t n_symbols;
	uint8_t *real;			/* for each symbol */
	uint32_t *any, *all;		/* for each directory state: allow | held << 8 */
	uint32_t *kin;			/* equal for states with equal verdicts below */
};
int paths_join(const struct paths_symbols *symbols, const struct fa *dirs,
	       const struct pack_rows *rows, struct paths *ret);
void paths_done(struct paths *paths);

/* Who makes an automaton grow: weight[rule] to the four heaviest in error->blamed. */
void paths_blame(struct ruleset_error *error, const uint64_t *weight, size_t n_rules,
		 const char *what);

#endif
