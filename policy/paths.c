/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Lexer and directory machine fitted to each other: symbols that no directory tells apart become
 * one, which lets the lexer shrink; and what holds below each directory is worked out.
 */
#include <errno.h>
#include <string.h>

#include "paths.h"

struct join {
	const struct paths_symbols *symbols;
	const struct fa *dirs;
	uint32_t *number; /* old symbol to new */
};

/* Numbers symbols that do the same equally; 0 is for those that are the default everywhere. Where a
 * symbol does not occur it has no transition, and may become one that has none there either. */
static int merge_symbols(struct join *j, uint32_t *ret_n)
{
	struct fa_intern distinct = {0};
	struct fa_columns c = {0};
	uint32_t s;
	int r;

	r = fa_transpose(j->dirs, &c);
	if (r == 0)
		r = fa_intern_add(&distinct, NULL, 0, &s);
	for (s = 0; s < j->dirs->n_symbols && r >= 0; s++)
		r = fa_intern_add(&distinct, (uint32_t *)(c.cells + c.start[s]),
				  FA_COLUMN_WORDS * (c.start[s + 1] - c.start[s]), j->number + s);
	*ret_n = (uint32_t)distinct.n;
	fa_columns_done(&c);
	fa_intern_done(&distinct);
	return r < 0 ? r : 0;
}

/* dirs over the new symbols. The first old symbol of each new one speaks for all; as numbers were
 * given in order of first appearance, edges stay in order. */
static int renumber_dirs(const struct join *j, uint32_t n_symbols, struct fa **ret)
{
	const struct fa *dirs = j->dirs;
	struct fa *out HG_CLEANUP(fa_free) = NULL;
	uint8_t *first = calloc(dirs->n_symbols, 1);
	uint32_t s, seen = 1, state, i;
	int r;

	r = first ? fa_new(n_symbols, 0, &out) : -ENOMEM;
	for (s = 0; s < dirs->n_symbols && r == 0; s++)
		if (j->number[s] == seen) {
			first[s] = 1;
			seen++;
		}
	for (state = 0; state < dirs->n_states && r == 0; state++) {
		const struct fa_state *st = dirs->states + state;

		r = fa_add_state(out, 0, st->next, st->next_out);
		if (r == 0)
			out->states[state].tag = st->tag;
		for (i = 0; i < st->n_edges && r == 0; i++) {
			struct fa_edge e = dirs->edges[st->first_edge + i];
			uint32_t hi = e.hi;

			for (s = e.lo; s <= hi && r == 0; s++) {
				if (!first[s])
					continue;
				e.lo = e.hi = j->number[s];
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

/* The lexer with new symbols, minimal, and its starts. */
static int renumber_lexer(const struct join *j, struct paths *p)
{
	const struct fa *lexer = paths_symbols_fa(j->symbols);
	struct fa copy = *lexer;
	uint32_t i;
	int r;

	p->n_contexts = paths_symbols_contexts(j->symbols);
	p->start = malloc((p->n_contexts + 1) * sizeof(*p->start));
	copy.states = malloc(lexer->n_states * sizeof(*copy.states));
	if (!copy.states || !p->start) {
		free(copy.states);
		return -ENOMEM;
	}
	for (i = 0; i < lexer->n_states; i++) {
		copy.states[i] = lexer->states[i];
		copy.states[i].out = j->number[lexer->states[i].out];
	}
	for (i = 0; i < p->n_contexts; i++)
		p->start[i] = paths_symbols_start(j->symbols, i);
	r = fa_minimise_from(&copy, p->start, p->n_contexts, &p->lexer);
	free(copy.states);
	return r;
}

static int compare_words(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Contexts that start the lexer in one state are one: the tags of directories become the lowest of
 * them. */
static int merge_contexts(struct paths *p)
{
	uint32_t *first = malloc(p->lexer->n_states * sizeof(*first)), c, i;
	struct fa *dirs;
	int r;

	if (!first)
		return -ENOMEM;
	memset(first, 0xff, p->lexer->n_states * sizeof(*first));
	for (c = p->n_contexts; c-- > 0;)
		first[p->start[c]] = c;
	for (i = 0; i < p->dirs->n_states; i++)
		p->dirs->states[i].tag = first[p->start[p->dirs->states[i].tag]];
	free(first);
	r = fa_minimise(p->dirs, &dirs);
	if (r < 0)
		return r;
	fa_free(&p->dirs);
	p->dirs = dirs;
	return 0;
}

/* The new symbols of each context. */
static int renumber_contexts(const struct join *j, struct paths *p)
{
	size_t n, i, k = 0, cap = 0, from;
	uint32_t c;
	int r;

	p->first = calloc(p->n_contexts + 1, sizeof(*p->first));
	if (!p->first)
		return -ENOMEM;
	for (c = 0; c < p->n_contexts; c++) {
		const uint32_t *symbols = paths_symbols_of(j->symbols, c, &n);

		r = fa_grow((void **)&p->occurs, &cap, k + n, sizeof(*p->occurs));
		if (r < 0)
			return r;
		from = k;
		for (i = 0; i < n; i++)
			p->occurs[from + i] = j->number[symbols[i]];
		if (n)
			qsort(p->occurs + from, n, sizeof(*p->occurs), compare_words);
		for (i = 0; i < n; i++)
			if (k == from || p->occurs[k - 1] != p->occurs[from + i])
				p->occurs[k++] = p->occurs[from + i];
		p->first[c + 1] = k;
	}
	return 0;
}

/* allow | held << 8, and what some arguments may be allowed << 16. */
static uint32_t row_bits(void *ctx, uint32_t out)
{
	struct hg_out row = pack_rows_get(ctx, out);

	return row.allow | (uint32_t)(row.allow | row.ask) << 8 |
	       (row.argv ? HG_BIT(HG_EXEC) : 0) << 16;
}

/* What makes verdicts equal: rules aside, but not which arguments are asked. */
static uint32_t row_kin(void *ctx, uint32_t out)
{
	struct hg_out row = pack_rows_get(ctx, out);

	return row.allow | (uint32_t)(row.allow | row.ask) << 8 | (uint32_t)row.argv << 16;
}

static int fill_below(struct paths *p, const struct pack_rows *rows)
{
	struct fa_below below = {.ctx = (void *)rows, .bits = row_bits};
	uint32_t i;
	int r;

	p->any = malloc(p->dirs->n_states * sizeof(*p->any));
	p->all = malloc(p->dirs->n_states * sizeof(*p->all));
	if (!p->any || !p->all)
		return -ENOMEM;
	r = fa_below(p->dirs, &below, p->any, p->all);
	for (i = 0; i < p->dirs->n_states && r == 0; i++)
		p->any[i] |= (p->any[i] >> 16) * 0x101u;
	return r;
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
		copy.states[i].next_out = row_kin((void *)rows, copy.states[i].next_out);
	}
	for (i = 0; i < copy.n_edges && r == 0; i++) {
		copy.edges[i] = p->dirs->edges[i];
		copy.edges[i].out = row_kin((void *)rows, copy.edges[i].out);
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
	struct join j = {.symbols = symbols, .dirs = dirs};
	int r;

	*ret = (struct paths){0};
	j.number = malloc(dirs->n_symbols * sizeof(*j.number));
	r = j.number ? merge_symbols(&j, &ret->n_symbols) : -ENOMEM;
	if (r == 0)
		r = renumber_dirs(&j, ret->n_symbols, &ret->dirs);
	if (r == 0)
		r = renumber_lexer(&j, ret);
	if (r == 0)
		r = merge_contexts(ret);
	if (r == 0)
		r = renumber_contexts(&j, ret);
	if (r == 0)
		r = fill_below(ret, rows);
	if (r == 0)
		r = fill_kin(ret, rows);
	free(j.number);
	if (r < 0)
		paths_done(ret);
	return r;
}

void paths_done(struct paths *paths)
{
	fa_free(&paths->lexer);
	fa_free(&paths->dirs);
	free(paths->start);
	free(paths->first);
	free(paths->occurs);
	free(paths->any);
	free(paths->all);
	free(paths->kin);
	*paths = (struct paths){0};
}
