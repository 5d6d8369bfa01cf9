/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The directory machine as few exceptions. Two regularities of policies pay for it: a name that is
 * ruled on wherever it is has the same verdict from nearly every directory (the symbol's fallback
 * says it); and the states within a project's .git, .config and so on do what the project's own
 * state does for all but a few names (that is their base).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pack.h"

/* A transition that differs from its state's default. */
struct entry {
	uint32_t symbol, next, out;
};

struct chooser {
	const struct paths *paths;
	const struct fa *dirs;
	uint32_t *members; /* for each symbol, in how many states it occurs */
	const uint32_t *row_number;
	struct pack_dirs *d;
	/* What neither fallback nor default says, for each state: entries[start[q]].. by symbol. */
	size_t *start;
	struct entry *entries;
	size_t n_entries, cap_entries;
	/* Counting of candidates: (kind, next, out). */
	struct fa_intern targets;
	uint32_t *count;
	size_t cap_count;
};

static int count_target(struct chooser *c, uint32_t kind, uint32_t next, uint32_t out)
{
	uint32_t words[3] = {kind, kind == HG_FALLBACK_PLACE ? next : 0, out}, id;
	int r;

	r = fa_intern_add(&c->targets, words, 3, &id);
	if (r == 1) {
		r = fa_grow((void **)&c->count, &c->cap_count, (size_t)id + 1, sizeof(*c->count));
		if (r == 0)
			c->count[id] = 0;
	}
	if (r >= 0)
		c->count[id]++;
	return r < 0 ? r : 0;
}

/* What the symbol does from most states where it is no default. */
static int choose_fallback(struct chooser *c, uint32_t symbol, const struct fa_column_cell *cells,
			   size_t n)
{
	uint32_t best = 0, id;
	const uint32_t *words;
	size_t i, len;
	int r = 0;

	/* A fallback is to be taken back where the default holds. */
	if (2 * n <= c->members[symbol])
		return 0;
	fa_intern_reset(&c->targets);
	for (i = 0; i < n && r == 0; i++) {
		r = count_target(c, HG_FALLBACK_PLACE, cells[i].next, cells[i].out);
		if (r == 0 && cells[i].next == c->dirs->states[cells[i].state].next)
			r = count_target(c, HG_FALLBACK_VERDICT, 0, cells[i].out);
	}
	for (id = 1; id < c->targets.n; id++)
		if (c->count[id] > c->count[best])
			best = id;
	if (r < 0 || c->members[symbol] - c->count[best] >= n)
		return r;
	words = fa_intern_get(&c->targets, best, &len);
	c->d->fallback[symbol] = (struct pack_fallback){
		(uint16_t)words[0],
		(uint16_t)words[1],
		(uint16_t)c->row_number[words[2]],
	};
	return 0;
}

/* Whether the symbol needs no cell where it leads to (next, out). */
static bool falls_back(const struct chooser *c, uint32_t dir, uint32_t symbol, uint32_t next,
		       uint32_t out)
{
	const struct fa_state *s = c->dirs->states + dir;
	const struct pack_fallback *f = c->d->fallback + symbol;

	switch (f->kind) {
	case HG_FALLBACK_PLACE:
		return f->next == next && f->out == c->row_number[out];
	case HG_FALLBACK_VERDICT:
		return s->next == next && f->out == c->row_number[out];
	default:
		return s->next == next && s->next_out == out;
	}
}

static int add_entry(struct chooser *c, uint32_t symbol, uint32_t next, uint32_t out)
{
	int r = fa_grow((void **)&c->entries, &c->cap_entries, c->n_entries + 1,
			sizeof(*c->entries));

	if (r == 0)
		c->entries[c->n_entries++] = (struct entry){symbol, next, out};
	return r;
}

/* The symbols that occur in a state, rising. */
static const uint32_t *occurring(const struct chooser *c, uint32_t dir, size_t *ret_n)
{
	uint32_t context = c->dirs->states[dir].tag;

	*ret_n = c->paths->first[context + 1] - c->paths->first[context];
	return c->paths->occurs + c->paths->first[context];
}

static bool occurs(const struct chooser *c, uint32_t dir, uint32_t symbol)
{
	const uint32_t *symbols;
	size_t lo = 0, hi, n, mid;

	symbols = occurring(c, dir, &n);
	for (hi = n; lo < hi;) {
		mid = (lo + hi) / 2;
		if (symbols[mid] < symbol)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n && symbols[lo] == symbol;
}

/* Entries of one state: its edges, and its default where a symbol with a fallback has it.
 * with[0..n) are the symbols of its context that have one. */
static int list_state(struct chooser *c, uint32_t dir, const uint32_t *with, size_t n)
{
	const struct fa_state *s = c->dirs->states + dir;
	const struct fa_edge *e = c->dirs->edges + s->first_edge, *end = e + s->n_edges;
	uint32_t symbol = 0, next, out;
	size_t k = 0;
	int r = 0;

	while (r == 0 && (e < end || k < n)) {
		bool edge = e < end && (k == n || e->hi < with[k] || e->lo <= with[k]);

		/* Within an edge one symbol after another, else the next that has a fallback. */
		symbol = !edge ? with[k] : symbol < e->lo ? e->lo : symbol;
		next = edge ? e->next : s->next;
		out = edge ? e->out : s->next_out;
		k += k < n && with[k] == symbol;
		e += edge && e->hi == symbol;
		if (!falls_back(c, dir, symbol, next, out))
			r = add_entry(c, symbol, next, out);
		symbol++;
	}
	return r;
}

/* Lists for each context the symbols with a fallback: with[start[context]].. */
static int list_fallbacks(const struct chooser *c, uint32_t **ret_with, size_t *start)
{
	uint32_t *with = malloc((c->paths->first[c->paths->n_contexts] + 1) * sizeof(*with));
	uint32_t context;
	size_t i, n = 0;

	if (!with)
		return -ENOMEM;
	for (context = 0; context < c->paths->n_contexts; context++) {
		start[context] = n;
		for (i = c->paths->first[context]; i < c->paths->first[context + 1]; i++)
			if (c->d->fallback[c->paths->occurs[i]].kind != HG_FALLBACK_NONE)
				with[n++] = c->paths->occurs[i];
	}
	start[context] = n;
	*ret_with = with;
	return 0;
}

static int list_entries(struct chooser *c)
{
	size_t *start = calloc(c->paths->n_contexts + 1, sizeof(*start));
	uint32_t *with = NULL, dir, context;
	int r = start ? list_fallbacks(c, &with, start) : -ENOMEM;

	/* So that "entries of a state" is a pointer also where there are none at all. */
	if (r == 0)
		r = fa_grow((void **)&c->entries, &c->cap_entries, 1, sizeof(*c->entries));
	for (dir = 0; r == 0 && dir < c->dirs->n_states; dir++) {
		context = c->dirs->states[dir].tag;
		c->start[dir] = c->n_entries;
		r = list_state(c, dir, with + start[context], start[context + 1] - start[context]);
		c->start[dir + 1] = c->n_entries;
	}
	free(start);
	free(with);
	return r;
}

static int count_members(struct chooser *c)
{
	uint32_t *n_dirs = calloc(c->paths->n_contexts + 1, sizeof(*n_dirs)), k;
	size_t i;

	if (!n_dirs)
		return -ENOMEM;
	for (k = 0; k < c->dirs->n_states; k++)
		n_dirs[c->dirs->states[k].tag]++;
	for (k = 0; k < c->paths->n_contexts; k++)
		for (i = c->paths->first[k]; i < c->paths->first[k + 1]; i++)
			c->members[c->paths->occurs[i]] += n_dirs[k];
	free(n_dirs);
	return 0;
}

static int add_cell(struct chooser *c, uint32_t dir, uint32_t symbol, uint32_t next, uint32_t out)
{
	struct pack_dirs *d = c->d;
	int r;

	r = fa_grow((void **)&d->cells, &d->cap_cells, d->n_cells + 1, sizeof(*d->cells));
	if (r < 0)
		return r;
	d->cells[d->n_cells++] = (struct hg_cell){
		.key = dir << 16 | symbol,
		.next = (uint16_t)next,
		.out = (uint16_t)c->row_number[out],
	};
	return 0;
}

/* Cells that `dir` needs beside those of `base` (itself: all it needs). emit: adds them. */
static int cells_beside(struct chooser *c, uint32_t dir, uint32_t base, bool emit, size_t *ret_n)
{
	const struct entry *e = c->entries + c->start[dir], *end = c->entries + c->start[dir + 1];
	const struct entry *b = c->entries + c->start[base];
	const struct entry *b_end = base == dir ? b : c->entries + c->start[base + 1];
	uint32_t out, next;
	size_t n = 0;
	int r = 0;

	while (r == 0 && (e < end || b < b_end)) {
		uint32_t symbol =
			b == b_end || (e < end && e->symbol <= b->symbol) ? e->symbol : b->symbol;
		bool mine = e < end && e->symbol == symbol,
		     theirs = b < b_end && b->symbol == symbol;

		if (mine) {
			next = e->next;
			out = e->out;
		} else {
			next = fa_next(c->dirs, dir, symbol, &out);
		}
		if (!mine && !occurs(c, dir, symbol)) {
			/* no name brings this cell of the base here */
		} else if (!theirs || b->next != next || b->out != out) {
			n++;
			if (emit)
				r = add_cell(c, dir, symbol, next, out);
		}
		e += mine;
		b += theirs;
	}
	*ret_n = n;
	return r;
}

/* The states of a group lead to one place by default. The one that others differ least from is
 * their base, for those that gain by it. Trying all is dear in large groups: a sample does. */
#define CANDIDATES_MAX 24

static int choose_base(struct chooser *c, const uint32_t *group, size_t n)
{
	size_t best_total = 0, total, own, k, i, step = n / CANDIDATES_MAX + 1;
	uint32_t best = group[0];

	for (k = 0; k < n; k += step) {
		for (i = 0, total = 0; i < n; i += n / 256 + 1) {
			cells_beside(c, group[i], group[k], false, &own);
			if (own < c->start[group[i] + 1] - c->start[group[i]] &&
			    group[i] != group[k])
				total += c->start[group[i] + 1] - c->start[group[i]] - own;
		}
		if (total > best_total) {
			best_total = total;
			best = group[k];
		}
	}
	for (i = 0; i < n; i++) {
		cells_beside(c, group[i], best, false, &own);
		if (group[i] != best && own < c->start[group[i] + 1] - c->start[group[i]])
			c->d->base[group[i]] = (uint16_t)best;
	}
	return 0;
}

struct grouped {
	uint32_t next, out, dir;
};

static int compare_grouped(const void *a, const void *b)
{
	const struct grouped *x = a, *y = b;

	if (x->next != y->next)
		return x->next < y->next ? -1 : 1;
	if (x->out != y->out)
		return x->out < y->out ? -1 : 1;
	return (x->dir > y->dir) - (x->dir < y->dir);
}

static int choose_bases(struct chooser *c)
{
	uint32_t n = c->dirs->n_states, dir, from, *group;
	struct grouped *by = malloc(n * sizeof(*by));

	group = malloc(n * sizeof(*group));
	if (!by || !group) {
		free(by);
		free(group);
		return -ENOMEM;
	}
	for (dir = 0; dir < n; dir++) {
		c->d->base[dir] = (uint16_t)dir;
		by[dir] = (struct grouped){c->dirs->states[dir].next, c->dirs->states[dir].next_out,
					   dir};
	}
	qsort(by, n, sizeof(*by), compare_grouped);
	for (from = dir = 0; dir < n; dir++) {
		group[dir - from] = by[dir].dir;
		if (dir + 1 < n && by[dir + 1].next == by[dir].next &&
		    by[dir + 1].out == by[dir].out)
			continue;
		if (dir > from)
			choose_base(c, group, dir - from + 1);
		from = dir + 1;
	}
	free(by);
	free(group);
	return 0;
}

static int choose(struct chooser *c)
{
	struct fa_columns columns;
	uint32_t symbol, dir;
	size_t n;
	int r;

	r = count_members(c);
	if (r == 0)
		r = fa_transpose(c->dirs, &columns);
	if (r < 0)
		return r;
	for (symbol = 0; symbol < c->dirs->n_symbols && r == 0; symbol++)
		r = choose_fallback(c, symbol, columns.cells + columns.start[symbol],
				    columns.start[symbol + 1] - columns.start[symbol]);
	fa_columns_done(&columns);
	if (r == 0)
		r = list_entries(c);
	if (r == 0)
		r = choose_bases(c);
	for (dir = 0; dir < c->dirs->n_states && r == 0; dir++)
		r = cells_beside(c, dir, c->d->base[dir], true, &n);
	for (symbol = 0; symbol < c->dirs->n_symbols; symbol++)
		c->d->fallback[symbol].kind |= HG_FALLBACK_ONLY;
	for (n = 0; n < c->d->n_cells; n++)
		c->d->fallback[c->d->cells[n].key & 0xffff].kind &= (uint16_t)~HG_FALLBACK_ONLY;
	return r;
}

int pack_dirs(const struct paths *paths, const uint32_t *row_number, struct pack_dirs *ret)
{
	const struct fa *dirs = paths->dirs;
	struct chooser c = {.paths = paths, .dirs = dirs, .row_number = row_number, .d = ret};
	int r;

	*ret = (struct pack_dirs){0};
	if (dirs->n_states > HG_DIRS_MAX || dirs->n_symbols > HG_SYMBOLS_MAX)
		return -E2BIG;
	ret->fallback = calloc(dirs->n_symbols, sizeof(*ret->fallback));
	ret->base = calloc(dirs->n_states, sizeof(*ret->base));
	c.start = calloc(dirs->n_states + 1, sizeof(*c.start));
	c.members = calloc(dirs->n_symbols, sizeof(*c.members));
	r = ret->fallback && ret->base && c.start && c.members ? choose(&c) : -ENOMEM;
	if (r == 0)
		r = pack_hash(ret);
	free(c.start);
	free(c.members);
	free(c.entries);
	free(c.count);
	fa_intern_done(&c.targets);
	if (r < 0)
		pack_dirs_done(ret);
	return r;
}

void pack_dirs_done(struct pack_dirs *d)
{
	free(d->fallback);
	free(d->base);
	free(d->cells);
	free(d->table);
	*d = (struct pack_dirs){0};
}
