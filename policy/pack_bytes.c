/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A byte automaton as rows and displaced cells (a comb). Rows lie at even units, bases are odd: so
 * a row's own words, read as if they were a cell, never name another row as their owner.
 *
 * States are placed depth-first, so that a literal's chain is together in memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pack.h"

struct comb {
	struct pack_space *space;
	const struct pack_bytes *in;
	uint8_t class[256];
	uint32_t n_classes;
	uint32_t chunk;
	bool *used;		/* units of the chunk at hand */
	uint32_t low;		/* the area of rows and cells begins here */
	uint32_t row_hint, cell_hint;
	uint32_t *row;		/* for each state: chunk << 16 | unit */
	uint32_t *dflt;		/* for each state: target of its default */
	uint32_t *target;	/* for each class, of the state at hand */
};

/* Splits classes by where a state leads: of[b] says where byte b goes. */
static void split_classes(struct comb *c, const uint16_t of[256], unsigned n_of, uint8_t *map)
{
	uint32_t n = 0;
	unsigned b;

	memset(map, 0, (size_t)c->n_classes * n_of);
	for (b = 0; b < 256; b++) {
		uint8_t *m = map + (size_t)c->class[b] * n_of + of[b];

		if (!*m)
			*m = (uint8_t)++n; /* 256 classes wrap to 0 at the very last byte only */
		c->class[b] = (uint8_t)(*m - 1);
	}
	c->n_classes = n;
}

/* Bytes that lead alike from every state. NUL and '/' are in no component: the lexer may treat
 * them as it likes. */
static int find_classes(struct comb *c)
{
	const struct fa *fa = c->in->fa;
	uint8_t *map = malloc(256 * 257);
	uint16_t of[256];
	uint32_t s, i, b;

	if (!map)
		return -ENOMEM;
	memset(c->class, 0, sizeof(c->class));
	c->n_classes = 1;
	for (s = 0; s < fa->n_states && c->n_classes < 256; s++) {
		const struct fa_state *st = fa->states + s;

		if (!st->n_edges)
			continue;
		memset(of, 0, sizeof(of));
		for (i = 0; i < st->n_edges; i++) {
			const struct fa_edge *e = fa->edges + st->first_edge + i;
			uint32_t k;

			/* Equal targets are one, wherever they are first. */
			for (k = 0; fa->edges[st->first_edge + k].next != e->next;)
				k++;
			for (b = e->lo; b <= e->hi; b++)
				of[b] = (uint16_t)(k + 1);
		}
		if (c->in->classes == HG_LEXER_CLASSES)
			of[0] = of['/'] = of[1];
		split_classes(c, of, st->n_edges + 1, map);
	}
	free(map);
	return 0;
}

/* The target of most classes. */
static uint32_t commonest_target(const struct comb *c)
{
	bool done[256] = { false };
	uint32_t cl, k, best = 0, best_n = 0, n;

	for (cl = 0; cl < c->n_classes; cl++) {
		if (done[cl])
			continue;
		for (k = cl, n = 0; k < c->n_classes; k++)
			if (c->target[k] == c->target[cl]) {
				done[k] = true;
				n++;
			}
		if (n > best_n) {
			best_n = n;
			best = c->target[cl];
		}
	}
	return best;
}

/* Where each class leads from a state; returns the row's default. */
static uint32_t fill_targets(struct comb *c, uint32_t state)
{
	const struct fa_state *s = c->in->fa->states + state;
	bool lexer = c->in->classes == HG_LEXER_CLASSES;
	uint32_t cl, i, b, n = 0;

	for (cl = 0; cl < c->n_classes; cl++)
		c->target[cl] = s->next;
	for (i = 0; i < s->n_edges; i++) {
		const struct fa_edge *e = c->in->fa->edges + s->first_edge + i;

		for (b = e->lo; b <= e->hi; b++) {
			if (lexer && (b == 0 || b == '/'))
				continue;
			n += c->target[c->class[b]] == s->next;
			c->target[c->class[b]] = e->next;
		}
	}
	return 2 * n <= c->n_classes ? s->next : commonest_target(c);
}

static int next_chunk(struct comb *c)
{
	int r;

	c->chunk++;
	if (c->chunk == c->space->n) {
		r = pack_space_chunk(c->space, HG_FIRST_FREE_UNIT);
		if (r < 0)
			return r;
	}
	memset(c->used, 0, HG_CHUNK_UNITS);
	/* A chunk with rows keeps the units of the class maps; others may be begun by a region. */
	if (c->space->filled[c->chunk] < HG_FIRST_FREE_UNIT)
		return -EINVAL;
	c->low = c->row_hint = c->cell_hint = c->space->filled[c->chunk];
	return 0;
}

static bool base_fits(const struct comb *c, uint32_t base, uint32_t dflt)
{
	uint32_t cl;

	for (cl = 0; cl < c->n_classes; cl++)
		if (c->target[cl] != dflt && c->used[base + cl])
			return false;
	return true;
}

/* Units for a row and its cells. Returns 1, or 0 when the chunk at hand is full. */
static int find_place(struct comb *c, uint32_t dflt, uint32_t *ret_row, uint32_t *ret_base)
{
	uint32_t row = (c->row_hint + 1) & ~1u, base;
	uint32_t from = c->cell_hint > c->low + c->n_classes ? c->cell_hint - c->n_classes : c->low;

	while (row + 1 < HG_CHUNK_UNITS && (c->used[row] || c->used[row + 1]))
		row += 2;
	if (row + 1 >= HG_CHUNK_UNITS)
		return 0;
	c->used[row] = c->used[row + 1] = true;
	for (base = from | 1; base + c->n_classes <= HG_CHUNK_UNITS; base += 2)
		if (base_fits(c, base, dflt))
			break;
	if (base + c->n_classes > HG_CHUNK_UNITS) {
		c->used[row] = c->used[row + 1] = false;
		return 0;
	}
	c->row_hint = row + 2;
	/* What is free far behind is too scattered to look at again for each row. */
	while (c->cell_hint < HG_CHUNK_UNITS && c->used[c->cell_hint])
		c->cell_hint++;
	if (base > c->cell_hint + 1024)
		c->cell_hint = base - 1024;
	*ret_row = row;
	*ret_base = base;
	return 1;
}

/* Gives a state its row and cells; their contents follow when every state has its row. */
static int place(struct comb *c, uint32_t state)
{
	uint32_t dflt = fill_targets(c, state), row, base, cl;
	struct hg_row *to;
	struct hg_edge *cell;
	int r;

	while (!find_place(c, dflt, &row, &base)) {
		r = next_chunk(c);
		if (r < 0)
			return r;
	}
	c->row[state] = c->chunk << 16 | row;
	c->dflt[state] = dflt;
	to = (struct hg_row *)(c->space->chunks[c->chunk].unit + row);
	to->base = (uint16_t)base;
	for (cl = 0; cl < c->n_classes; cl++) {
		if (c->target[cl] == dflt)
			continue;
		c->used[base + cl] = true;
		cell = (struct hg_edge *)(c->space->chunks[c->chunk].unit + base + cl);
		cell->next = c->target[cl]; /* a state as yet */
		cell->row = (uint16_t)row;
	}
	/* The whole reach of the row: what another table put there could look like its cells. */
	if (base + c->n_classes > c->space->filled[c->chunk])
		c->space->filled[c->chunk] = base + c->n_classes;
	if (row + 2 > c->space->filled[c->chunk])
		c->space->filled[c->chunk] = row + 2;
	return 0;
}

/* Places every state, depth-first from the start. */
static int place_all(struct comb *c)
{
	const struct fa *fa = c->in->fa;
	uint32_t *stack HG_CLEANUP(fa_free_words) = malloc((fa->n_edges + fa->n_states + 1) *
							  sizeof(*stack));
	size_t n = 0;
	int r = 0;

	if (!stack)
		return -ENOMEM;
	stack[n++] = fa->start;
	while (n && r == 0) {
		uint32_t state = stack[--n], i;
		const struct fa_state *s = fa->states + state;

		if (c->row[state])
			continue;
		r = place(c, state);
		stack[n++] = s->next;
		for (i = s->n_edges; i-- > 0;)
			stack[n++] = fa->edges[s->first_edge + i].next;
	}
	return r;
}

static void finish_row(struct comb *c, uint32_t state)
{
	struct hg_chunk *chunk = c->space->chunks + (c->row[state] >> 16);
	uint32_t unit = c->row[state] & 0xffff, cl;
	struct hg_row *row = (struct hg_row *)(chunk->unit + unit);
	bool sink = c->dflt[state] == state;

	for (cl = 0; cl < c->n_classes; cl++) {
		struct hg_edge *cell = (struct hg_edge *)(chunk->unit + row->base + cl);

		if (cell->row != unit)
			continue;
		cell->next = c->row[cell->next];
		sink = false;
	}
	row->dflt = c->row[c->dflt[state]];
	row->flags = sink ? HG_ROW_SINK : 0;
	row->out = c->in->out[state];
	if (c->in->fallback) {
		row->next = c->in->fallback[row->out].next;
		row->fallback = c->in->fallback[row->out].kind;
		row->next_out = c->in->fallback[row->out].out;
	}
	memcpy((uint8_t *)chunk + c->in->classes * HG_UNIT, c->class, sizeof(c->class));
}

int pack_bytes(struct pack_space *s, const struct pack_bytes *in, uint32_t *ret_start)
{
	struct comb c = { .space = s, .in = in };
	uint32_t state;
	int r;

	c.used = calloc(HG_CHUNK_UNITS, sizeof(*c.used));
	c.row = calloc(in->fa->n_states, sizeof(*c.row));
	c.dflt = calloc(in->fa->n_states, sizeof(*c.dflt));
	c.target = calloc(256, sizeof(*c.target));
	r = c.used && c.row && c.dflt && c.target ? find_classes(&c) : -ENOMEM;
	c.low = c.row_hint = c.cell_hint = s->filled[0];
	if (r == 0)
		r = place_all(&c);
	for (state = 0; state < in->fa->n_states && r == 0; state++)
		finish_row(&c, state);
	if (r == 0)
		*ret_start = c.row[in->fa->start];
	free(c.used);
	free(c.row);
	free(c.dflt);
	free(c.target);
	return r;
}
