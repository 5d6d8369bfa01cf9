/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What one rule set allows and another does not: one directory machine over the patterns of both,
 * and the shortest path at which they differ.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ruleset_inner.h"

/* Both rule sets, and the machine over both. */
struct pair {
	struct paths_lexer *lexer;
	struct paths_symbols *symbols;
	const struct ruleset *sets[2];
	struct fa *dirs;	    /* outputs: bits of what is newly allowed */
	struct paths_words **words; /* for each context, when it was asked for */
};

static void pair_done(struct pair *p)
{
	uint32_t i, n = p->words ? paths_symbols_contexts(p->symbols) : 0;

	for (i = 0; i < n; i++)
		paths_words_free(p->words + i);
	free(p->words);
	fa_free(&p->dirs);
	paths_symbols_free(&p->symbols);
	paths_lexer_free(&p->lexer);
}

static bool allows(const struct ruleset *rs, uint32_t last)
{
	return last && rs->rules[last - 1].verdict == HG_ALLOW;
}

static int newly_allowed(void *ctx, const uint32_t last[][HG_N_PATH_ACTIONS], uint32_t *ret_out)
{
	struct pair *p = ctx;
	unsigned a;

	*ret_out = 0;
	for (a = 0; a < HG_N_PATH_ACTIONS; a++)
		if (allows(p->sets[1], last[1][a]) && !allows(p->sets[0], last[0][a]))
			*ret_out |= HG_BIT(a);
	return 0;
}

static bool is_set(void *ctx, uint32_t out)
{
	(void)ctx;
	return out != 0;
}

/* The words of a context; NULL when there is no memory, which makes its symbols not occur. */
static struct paths_words *words_of(struct pair *p, uint32_t state)
{
	uint32_t context = p->dirs->states[state].tag;

	if (!p->words[context])
		paths_words_new(paths_symbols_fa(p->symbols),
				paths_symbols_start(p->symbols, context),
				paths_symbols_count(p->symbols), p->words + context);
	return p->words[context];
}

static uint32_t cost_of(void *ctx, uint32_t state, uint32_t symbol)
{
	struct paths_words *words = words_of(ctx, state);

	return words ? paths_words_cost(words, symbol) : 0;
}

static uint32_t other_symbol(void *ctx, uint32_t state)
{
	struct pair *p = ctx;
	const struct fa_state *st = p->dirs->states + state;
	uint32_t best = UINT32_MAX, best_cost = UINT32_MAX, cost;
	const uint32_t *symbols;
	size_t n, i;

	symbols = paths_symbols_of(p->symbols, st->tag, &n);
	for (i = 0; i < n; i++) {
		if (fa_has_edge(p->dirs, st, symbols[i]))
			continue;
		cost = cost_of(p, state, symbols[i]);
		if (cost && cost < best_cost) {
			best = symbols[i];
			best_cost = cost;
		}
	}
	return best;
}

/* The word of symbols as a path, and the output it ends with. */
static int spell(struct pair *p, const uint32_t *word, size_t len, char *path, size_t max)
{
	uint32_t state = p->dirs->start, out;
	char name[HG_NAME_MAX];
	size_t at = 0, n, i;

	if (!len) {
		if (max < 2)
			return -ENAMETOOLONG;
		memcpy(path, "/", 2);
		return 0;
	}
	for (i = 0; i < len; i++) {
		struct paths_words *words = words_of(p, state);

		if (!words)
			return -ENOMEM;
		n = paths_words_get(words, word[i], name);
		if (at + n + 2 > max)
			return -ENAMETOOLONG;
		path[at++] = '/';
		memcpy(path + at, name, n);
		at += n;
		state = fa_next(p->dirs, state, word[i], &out);
	}
	path[at] = 0;
	return 0;
}

/* Argument rules: by which arguments is not told apart, so in `a` only those that take away count,
 * in `b` only those that give. */
static uint8_t pick_pair(const struct ruleset_pick *pick, const struct ruleset_pattern *p)
{
	bool gives = pick->rs->rules[p->rule].verdict == HG_ALLOW;

	if (!ruleset_argv_of(pick->rs, p->rule) || gives == (pick->trie == 1))
		return p->actions;
	return 0;
}

static int compile_pair(struct pair *p)
{
	struct ruleset_pick pick[2] = {{pick_pair, p->sets[0], NULL, 0},
				       {pick_pair, p->sets[1], NULL, 1}};
	struct paths_trie *a HG_CLEANUP(paths_trie_free) = NULL;
	struct paths_trie *b HG_CLEANUP(paths_trie_free) = NULL;
	struct paths_dirs in = {.n_tries = 2,
				.limits = ruleset_paths_limits(NULL),
				.ctx = p,
				.output = newly_allowed};
	int r;

	r = paths_lexer_new(&p->lexer);
	if (r == 0)
		r = ruleset_fill_trie(p->sets[0], p->lexer, pick, &a, NULL);
	if (r == 0)
		r = ruleset_fill_trie(p->sets[1], p->lexer, pick + 1, &b, NULL);
	if (r == 0)
		r = paths_symbols_new(p->lexer, &in.limits, &p->symbols);
	in.symbols = p->symbols;
	in.tries[0] = a;
	in.tries[1] = b;
	return r < 0 ? r : paths_dirs_compile(&in, &p->dirs, NULL);
}

int ruleset_newly_allows(const struct ruleset *a, const struct ruleset *b, unsigned *ret_action,
			 char *witness, size_t max)
{
	struct pair p HG_CLEANUP(pair_done) = {.sets = {a, b}};
	struct fa_want want = {.ctx = &p, .want = is_set, .cost = cost_of, .other = other_symbol};
	uint32_t *word HG_CLEANUP(fa_free_words) = NULL;
	uint32_t out;
	size_t len;
	int r;

	r = compile_pair(&p);
	if (r < 0)
		return r;
	p.words = calloc(paths_symbols_contexts(p.symbols), sizeof(*p.words));
	if (!p.words)
		return -ENOMEM;
	r = fa_witness(p.dirs, &want, &word, &len);
	if (r <= 0)
		return r;
	fa_run(p.dirs, word, len, &out);
	*ret_action = (unsigned)__builtin_ctz(out);
	r = spell(&p, word, len, witness, max);
	return r < 0 ? r : 1;
}
