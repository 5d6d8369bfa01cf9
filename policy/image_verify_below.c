/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Verifying what an image says is below each directory: reads the directory machine out of it and
 * works the answers out again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image_verify.h"
#include "paths.h"

struct context {
	uint32_t *symbols; /* that occur, rising */
	size_t n;
	uint32_t *fallbacks; /* those of them that have a fallback */
	size_t n_fallbacks;
};

struct reading {
	struct verifier *v;
	struct context *contexts;
	uint32_t n_contexts;
	uint32_t *context_of;  /* for each lexer state 1 + the context that starts there */
	struct hg_cell *cells; /* by key */
	uint32_t *first;       /* for each directory state and the end, in cells */
	uint32_t *symbols;     /* of the state at hand that may be exceptions */
	size_t cap_symbols;
	struct fa *dirs;
};

static void reading_done(struct reading *rd)
{
	uint32_t i;

	for (i = 0; i < rd->n_contexts; i++) {
		free(rd->contexts[i].symbols);
		free(rd->contexts[i].fallbacks);
	}
	free(rd->contexts);
	free(rd->context_of);
	free(rd->cells);
	free(rd->first);
	free(rd->symbols);
	fa_free(&rd->dirs);
}

static int read_context(struct reading *rd, struct paths_walk *walk, uint32_t start, size_t *cap)
{
	struct context *c;
	size_t i;
	int r;

	r = fa_grow((void **)&rd->contexts, cap, rd->n_contexts + 1, sizeof(*rd->contexts));
	if (r < 0)
		return r;
	c = rd->contexts + rd->n_contexts++;
	*c = (struct context){0};
	rd->context_of[start] = rd->n_contexts;
	r = paths_walk(walk, rd->v->lexer, start, &c->symbols, &c->n);
	if (r < 0)
		return r;
	c->fallbacks = malloc((c->n + 1) * sizeof(*c->fallbacks));
	if (!c->fallbacks)
		return -ENOMEM;
	for (i = 0; i < c->n; i++)
		if (rd->v->symbol[c->symbols[i]].fallback != HG_FALLBACK_NONE)
			c->fallbacks[c->n_fallbacks++] = c->symbols[i];
	return 0;
}

static int read_contexts(struct reading *rd)
{
	struct paths_walk walk HG_CLEANUP(paths_walk_done) = {0};
	size_t cap = 0;
	uint32_t i;
	int r = 0;

	rd->context_of = calloc(rd->v->lexer->n_states, sizeof(*rd->context_of));
	if (!rd->context_of)
		return -ENOMEM;
	for (i = 0; i < rd->v->head->n_dirs && r == 0; i++)
		if (!rd->context_of[rd->v->start[i]])
			r = read_context(rd, &walk, rd->v->start[i], &cap);
	return r;
}

static int compare_cells(const void *a, const void *b)
{
	const struct hg_cell *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

static int read_cells(struct reading *rd)
{
	size_t size = (size_t)1 << rd->v->head->hash_bits, n = 0, i;
	uint32_t dir;

	rd->cells = malloc(size * sizeof(*rd->cells));
	rd->first = calloc(rd->v->head->n_dirs + 1, sizeof(*rd->first));
	if (!rd->cells || !rd->first)
		return -ENOMEM;
	for (i = 0; i < size; i++) {
		rd->cells[n] = image_cell_at(rd->v, (uint32_t)i);
		if (rd->cells[n].key != HG_CELL_FREE)
			rd->first[(rd->cells[n++].key >> 16) + 1]++;
	}
	if (n)
		qsort(rd->cells, n, sizeof(*rd->cells), compare_cells);
	for (dir = 0; dir < rd->v->head->n_dirs; dir++)
		rd->first[dir + 1] += rd->first[dir];
	return 0;
}

static const struct hg_cell *find_cell(const struct reading *rd, uint32_t dir, uint32_t symbol)
{
	uint32_t lo = rd->first[dir], hi = rd->first[dir + 1], mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if ((rd->cells[mid].key & 0xffff) < symbol)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < rd->first[dir + 1] && (rd->cells[lo].key & 0xffff) == symbol)
		return rd->cells + lo;
	return NULL;
}

static bool occurs(const struct context *c, uint32_t symbol)
{
	size_t lo = 0, hi = c->n, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (c->symbols[mid] < symbol)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < c->n && c->symbols[lo] == symbol;
}

/* Where a symbol leads: in the order of hg_enter(). */
static void resolve(const struct reading *rd, uint32_t dir, const struct hg_dir *d, uint32_t symbol,
		    struct fa_edge *ret)
{
	const struct verified_symbol *s = rd->v->symbol + symbol;
	const struct hg_cell *cell = find_cell(rd, dir, symbol);

	*ret = (struct fa_edge){symbol, symbol, d->next, d->out};
	if (!cell && d->base != dir)
		cell = find_cell(rd, d->base, symbol);
	if (cell) {
		ret->next = cell->next;
		ret->out = cell->out;
	} else if (s->fallback != HG_FALLBACK_NONE) {
		ret->next = s->fallback == HG_FALLBACK_PLACE ? s->next : d->next;
		ret->out = s->out;
	}
}

static int compare_words(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The symbols that may not take the default: in rd->symbols, rising, some more than once. */
static int list_symbols(struct reading *rd, uint32_t dir, uint32_t base, const struct context *c,
			size_t *ret_n)
{
	size_t n = 0, i;
	int r;

	r = fa_grow((void **)&rd->symbols, &rd->cap_symbols,
		    c->n_fallbacks + (rd->first[dir + 1] - rd->first[dir]) +
			    (rd->first[base + 1] - rd->first[base]) + 1,
		    sizeof(*rd->symbols));
	if (r < 0)
		return r;
	for (i = 0; i < c->n_fallbacks; i++)
		rd->symbols[n++] = c->fallbacks[i];
	for (i = rd->first[dir]; i < rd->first[dir + 1]; i++)
		rd->symbols[n++] = rd->cells[i].key & 0xffff;
	for (i = rd->first[base]; i < rd->first[base + 1]; i++)
		rd->symbols[n++] = rd->cells[i].key & 0xffff;
	if (n)
		qsort(rd->symbols, n, sizeof(*rd->symbols), compare_words);
	*ret_n = n;
	return 0;
}

static int read_dir(struct reading *rd, uint32_t dir)
{
	uint32_t context = rd->context_of[rd->v->start[dir]] - 1;
	const struct context *c = rd->contexts + context;
	struct hg_dir d = image_dir_at(rd->v, dir);
	struct fa_edge e;
	size_t n, i;
	int r;

	r = list_symbols(rd, dir, d.base, c, &n);
	if (r == 0)
		r = fa_add_state(rd->dirs, 0, d.next, d.out);
	if (r < 0)
		return r;
	rd->dirs->states[dir].tag = context;
	for (i = 0; i < n && r == 0; i++) {
		if ((i && rd->symbols[i] == rd->symbols[i - 1]) || !occurs(c, rd->symbols[i]))
			continue;
		resolve(rd, dir, &d, rd->symbols[i], &e);
		r = fa_add_edge(rd->dirs, &e);
	}
	return r;
}

static uint32_t row_bits(void *ctx, uint32_t out)
{
	struct hg_out row = image_out_at(ctx, out);
	uint32_t exec = row.argv ? HG_BIT(HG_EXEC) : 0;

	return row.allow | (uint32_t)(row.allow | row.ask) << 8 | exec << 16;
}

static uint32_t row_kin(void *ctx, uint32_t out)
{
	struct hg_out row = image_out_at(ctx, out);

	return row.allow | (uint32_t)(row.allow | row.ask) << 8 | (uint32_t)row.argv << 16;
}

static int check_bits(struct reading *rd)
{
	struct fa_below below = {.ctx = rd->v, .bits = row_bits};
	uint32_t n = rd->v->head->n_dirs, i;
	uint32_t *any HG_CLEANUP(fa_free_words) = malloc(n * sizeof(*any));
	uint32_t *all HG_CLEANUP(fa_free_words) = malloc(n * sizeof(*all));
	int r;

	if (!any || !all)
		return -ENOMEM;
	r = fa_below(rd->dirs, &below, any, all);
	for (i = 0; i < n && r == 0; i++) {
		struct hg_dir d = image_dir_at(rd->v, i);

		/* Running with some arguments is a right, though not every argument has it. */
		any[i] |= (any[i] >> 16) * 0x101u;
		if (d.any_allow != (any[i] & HG_ALL_PATH_ACTIONS) ||
		    d.any_held != (any[i] >> 8 & HG_ALL_PATH_ACTIONS) ||
		    d.all_allow != (all[i] & HG_ALL_PATH_ACTIONS) ||
		    d.all_held != (all[i] >> 8 & HG_ALL_PATH_ACTIONS))
			r = image_bad(rd->v, "what is below a directory", i);
	}
	return r;
}

/* After check_bits(): the outputs become verdicts without rules. */
static int check_kin(struct reading *rd)
{
	uint32_t *kin HG_CLEANUP(fa_free_words) = malloc(rd->dirs->n_states * sizeof(*kin));
	uint32_t i;
	size_t k;
	int r;

	if (!kin)
		return -ENOMEM;
	for (i = 0; i < rd->dirs->n_states; i++)
		rd->dirs->states[i].next_out = row_kin(rd->v, rd->dirs->states[i].next_out);
	for (k = 0; k < rd->dirs->n_edges; k++)
		rd->dirs->edges[k].out = row_kin(rd->v, rd->dirs->edges[k].out);
	r = fa_classes(rd->dirs, kin);
	for (i = 0; i < rd->dirs->n_states && r == 0; i++)
		if (image_dir_at(rd->v, i).kin != kin[i])
			r = image_bad(rd->v, "a directory's kin", i);
	return r;
}

int image_verify_below(struct verifier *v)
{
	struct reading rd HG_CLEANUP(reading_done) = {.v = v};
	uint32_t dir;
	int r;

	r = read_contexts(&rd);
	if (r == 0)
		r = read_cells(&rd);
	if (r == 0)
		r = fa_new(v->head->n_symbols, 0, &rd.dirs);
	for (dir = 0; dir < v->head->n_dirs && r == 0; dir++)
		r = read_dir(&rd, dir);
	if (r == 0)
		r = check_bits(&rd);
	return r < 0 ? r : check_kin(&rd);
}
