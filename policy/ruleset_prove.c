/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What one rule set allows and another does not: both as directory machines over one lexer, run at
 * once, and the shortest path at which they differ.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ruleset_inner.h"

#define PRODUCT_STATES_MAX (1u << 20)

struct side {
	struct paths_trie *trie;
	struct pack_rows rows;
	struct fa *dirs;
};

static void side_done(struct side *s)
{
	paths_trie_free(&s->trie);
	pack_rows_done(&s->rows);
	fa_free(&s->dirs);
}

static int newly_allowed(void *ctx, uint32_t out_a, uint32_t out_b, uint32_t *ret_out)
{
	struct side *sides = ctx;

	*ret_out = pack_rows_get(&sides[1].rows, out_b).allow &
		   ~pack_rows_get(&sides[0].rows, out_a).allow;
	return 0;
}

static bool is_set(void *ctx, uint32_t out)
{
	(void)ctx;
	return out != 0;
}

/* The word of symbols as a path. */
static int spell(const struct paths_words *words, const uint32_t *word, size_t len, char *path,
		 size_t max)
{
	char name[HG_NAME_MAX];
	size_t at = 0, n, i;

	if (!len) {
		if (max < 2)
			return -ENAMETOOLONG;
		memcpy(path, "/", 2);
		return 0;
	}
	for (i = 0; i < len; i++) {
		n = paths_words_get(words, word[i], name);
		if (at + n + 2 > max)
			return -ENAMETOOLONG;
		path[at++] = '/';
		memcpy(path + at, name, n);
		at += n;
	}
	path[at] = 0;
	return 0;
}

static int find_witness(struct side sides[2], const struct paths_symbols *symbols,
			unsigned *ret_action, char *path, size_t max)
{
	struct paths_words *words HG_CLEANUP(paths_words_free) = NULL;
	struct fa *both HG_CLEANUP(fa_free) = NULL;
	uint32_t *word HG_CLEANUP(fa_free_words) = NULL;
	struct fa_pair pair = { sides, newly_allowed, PRODUCT_STATES_MAX };
	struct fa_want want = { .want = is_set };
	uint32_t out;
	size_t len;
	int r;

	r = fa_product(sides[0].dirs, sides[1].dirs, &pair, &both);
	if (r == 0)
		r = paths_words_new(symbols, &words);
	if (r < 0)
		return r;
	want.cost = paths_words_costs(words);
	r = fa_witness(both, &want, &word, &len);
	if (r <= 0)
		return r;
	fa_run(both, word, len, &out);
	*ret_action = (unsigned)__builtin_ctz(out);
	r = spell(words, word, len, path, max);
	return r < 0 ? r : 1;
}

int ruleset_newly_allows(const struct ruleset *a, const struct ruleset *b, unsigned *ret_action,
			 char *witness, size_t max)
{
	struct paths_lexer *lexer HG_CLEANUP(paths_lexer_free) = NULL;
	struct paths_symbols symbols HG_CLEANUP(paths_symbols_done) = { 0 };
	struct paths_limits limits = ruleset_paths_limits(NULL);
	const struct ruleset *sets[2] = { a, b };
	struct side sides[2] = { 0 };
	int r, i;

	r = paths_lexer_new(&lexer);
	for (i = 0; i < 2 && r == 0; i++)
		r = ruleset_fill_trie(sets[i], lexer, &sides[i].trie, NULL);
	if (r == 0)
		r = paths_lexer_compile(lexer, &limits, &symbols, NULL);
	for (i = 0; i < 2 && r == 0; i++) {
		r = pack_rows_init(&sides[i].rows, sets[i]->rules, sets[i]->n_rules);
		if (r == 0)
			r = paths_trie_compile(sides[i].trie, &symbols, &sides[i].rows, &limits,
					       &sides[i].dirs, NULL);
	}
	if (r == 0)
		r = find_witness(sides, &symbols, ret_action, witness, max);
	side_done(sides);
	side_done(sides + 1);
	return r;
}
