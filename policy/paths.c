/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Lexer and directory machine fitted to each other: symbols that no directory tells apart become
 * one, which lets the lexer shrink; and what holds below each directory is worked out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "paths.h"

/* Numbers equal columns equally: number[old symbol] is the new one, 0 that of dirs->rest. */
static int merge_symbols(const struct fa *dirs, const uint8_t *real, uint32_t *number,
			 uint32_t *ret_n)
{
	struct fa_intern distinct = { 0 };
	struct fa_columns c = { 0 };
	uint32_t s;
	int r;

	r = fa_transpose(dirs, &c);
	if (r == 0)
		r = fa_intern_add(&distinct, NULL, 0, &s);
	for (s = 0; s < dirs->n_symbols && r >= 0; s++) {
		number[s] = 0;
		/* What no name has may be anything; as the rest it costs nothing. */
		if (real[s])
			r = fa_intern_add(&distinct, (uint32_t *)(c.cells + c.start[s]),
					  FA_COLUMN_WORDS * (c.start[s + 1] - c.start[s]),
					  number + s);
	}
	*ret_n = (uint32_t)distinct.n;
	fa_columns_done(&c);
	fa_intern_done(&distinct);
	return r < 0 ? r : 0;
}

/* dirs over the new symbols. The first old symbol of each new one speaks for all; as numbers were
 * given in order of first appearance, edges stay in order. */
static int renumber_dirs(const struct fa *dirs, const uint32_t *number, uint32_t n_symbols,
			 struct fa **ret)
{
	struct fa *out HG_CLEANUP(fa_free) = NULL;
	uint8_t *first = calloc(dirs->n_symbols, 1);
	uint32_t s, seen = 1, state, i;
	int r;

	r = first ? fa_new(n_symbols, 0, &out) : -ENOMEM;
	for (s = 0; s < dirs->n_symbols && r == 0; s++)
		if (number[s] == seen) {
			first[s] = 1;
			seen++;
		}
	for (state = 0; state < dirs->n_states && r == 0; state++) {
		const struct fa_state *st = dirs->states + state;

		r = fa_add_state(out, 0, st->next, st->next_out);
		for (i = 0; i < st->n_edges && r == 0; i++) {
			struct fa_edge e = dirs->edges[st->first_edge + i];
			uint32_t hi = e.hi;

			for (s = e.lo; s <= hi && r == 0; s++) {
				if (!first[s])
					continue;
				e.lo = e.hi = number[s];
				r = fa_add_edge(out, &e);
			}
		}
	}
	free(first);
	if (r < 0)
		return r;
	out->start = dirs->start;
	out->start_out = dirs->start_out;
	*ret = out;
	out = NULL;
	return 0;
}

/* The lexer with new symbols, minimal. */
static int renumber_lexer(const struct fa *lexer, const uint32_t *number, struct fa **ret)
{
	struct fa copy = *lexer;
	uint32_t i;
	int r;

	copy.states = malloc(lexer->n_states * sizeof(*copy.states));
	if (!copy.states)
		return -ENOMEM;
	for (i = 0; i < lexer->n_states; i++) {
		copy.states[i] = lexer->states[i];
		copy.states[i].out = number[lexer->states[i].out];
	}
	r = fa_minimise(&copy, ret);
	free(copy.states);
	return r;
}

static uint32_t row_bits(void *ctx, uint32_t out)
{
	struct hg_out row = pack_rows_get(ctx, out);

	return row.allow | (uint32_t)(row.allow | row.ask) << 8;
}

static int fill_below(struct paths *p, const struct pack_rows *rows)
{
	struct fa_below below = { .ctx = (void *)rows, .bits = row_bits, .real = p->real };

	p->any = malloc(p->dirs->n_states * sizeof(*p->any));
	p->all = malloc(p->dirs->n_states * sizeof(*p->all));
	if (!p->any || !p->all)
		return -ENOMEM;
	return fa_below(p->dirs, &below, p->any, p->all);
}

/* States with equal verdicts below: the classes of the machine whose outputs forget the rules. */
static int fill_kin(struct paths *p, const struct pack_rows *rows)
{
	struct fa copy = *p->dirs;
	size_t i;
	int r;

	p->kin = malloc(p->dirs->n_states * sizeof(*p->kin));
	copy.states = malloc(copy.n_states * sizeof(*copy.states));
	copy.edges = malloc((copy.n_edges + 1) * sizeof(*copy.edges));
	r = p->kin && copy.states && copy.edges ? 0 : -ENOMEM;
	for (i = 0; i < copy.n_states && r == 0; i++) {
		copy.states[i] = p->dirs->states[i];
		copy.states[i].next_out = row_bits((void *)rows, copy.states[i].next_out);
	}
	for (i = 0; i < copy.n_edges && r == 0; i++) {
		copy.edges[i] = p->dirs->edges[i];
		copy.edges[i].out = row_bits((void *)rows, copy.edges[i].out);
	}
	if (r == 0)
		r = fa_classes(&copy, p->kin);
	free(copy.states);
	free(copy.edges);
	return r;
}

int paths_join(const struct paths_symbols *symbols, const struct fa *dirs,
	       const struct pack_rows *rows, struct paths *ret)
{
	uint32_t *number HG_CLEANUP(fa_free_words) = malloc(symbols->n * sizeof(*number));
	uint32_t s;
	int r;

	*ret = (struct paths){ 0 };
	r = number ? merge_symbols(dirs, symbols->real, number, &ret->n_symbols) : -ENOMEM;
	if (r == 0)
		r = renumber_dirs(dirs, number, ret->n_symbols, &ret->dirs);
	if (r == 0)
		r = renumber_lexer(symbols->fa, number, &ret->lexer);
	if (r == 0) {
		ret->real = calloc(ret->n_symbols, 1);
		r = ret->real ? 0 : -ENOMEM;
	}
	for (s = 0; s < symbols->n && r == 0; s++)
		ret->real[number[s]] |= symbols->real[s];
	if (r == 0)
		r = fill_below(ret, rows);
	if (r == 0)
		r = fill_kin(ret, rows);
	if (r < 0)
		paths_done(ret);
	return r;
}

void paths_done(struct paths *paths)
{
	fa_free(&paths->lexer);
	fa_free(&paths->dirs);
	free(paths->real);
	free(paths->any);
	free(paths->all);
	free(paths->kin);
	*paths = (struct paths){ 0 };
}
