/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A byte automaton as rows and displaced cells (a comb). Rows lie at even units, bases are odd: so
 * a row's own words, read as if they were a cell, never name another row as their owner.
 *
 * Most states of a lexer do what their default state does, but for the one byte by which their literal
 * goes on: they leave the rest to it. Such a state must be in the same chunk; where it is not, it
 * gets a copy. It is a hub, as is every state whose cells would take more room than saying for
 * each class where it leads: names that no rule speaks of stay in hubs.
 *
 * Hubs are placed first, then the rest depth-first, so that a literal's chain is together in memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pack.h"

/* Saved cells from which on a state is worth being left to. */
#define BASE_GAIN_MIN 4

struct placement {
	uint32_t state, row; /* row: HG_STATE(chunk, unit) */
};

struct comb {
	struct pack_space *space;
	const struct pack_bytes *in;
	struct pack_classes classes;
	uint32_t chunk;
	bool *used;   /* units of the chunk at hand */
	uint32_t low; /* the area of rows and cells begins here */
	uint32_t row_hint, cell_hint;
	struct placement *placed;
	size_t n_placed, cap_placed;
	/* For each state: */
	uint32_t *row;	/* its first place */
	uint32_t *here; /* its last place */
	uint32_t *dflt; /* where most classes lead */
	bool *hub;	/* says itself where each class leads; others are left to it */
	bool *sink;
	bool *leaves;	/* it leaves to its default what it does like that */
	/* Of the state at hand: */
	uint32_t target[256]; /* for each class */
	uint8_t need[256];    /* classes that take a cell */
	uint32_t n_need;
};

/* The target of most classes. */
static uint32_t commonest_target(const uint32_t *target, uint32_t n_classes)
{
	bool done[256] = {false};
	uint32_t cl, k, best = 0, best_n = 0, n;

	for (cl = 0; cl < n_classes; cl++) {
		if (done[cl])
			continue;
		for (k = cl, n = 0; k < n_classes; k++)
			if (target[k] == target[cl]) {
				done[k] = true;
				n++;
			}
		if (n > best_n) {
			best_n = n;
			best = target[cl];
		}
	}
	return best;
}

/* Where each class leads from a state; returns what most do. */
static uint32_t fill_targets(const struct comb *c, uint32_t state, uint32_t target[256])
{
	const struct fa_state *s = c->in->fa->states + state;
	bool lexer = c->in->classes == HG_LEXER_CLASSES;
	uint32_t cl, i, b, n = 0;

	for (cl = 0; cl < c->classes.n; cl++)
		target[cl] = s->next;
	for (i = 0; i < s->n_edges; i++) {
		const struct fa_edge *e = c->in->fa->edges + s->first_edge + i;

		for (b = e->lo; b <= e->hi; b++) {
			if (lexer && (b == 0 || b == '/'))
				continue;
			n += target[c->classes.of[b]] == s->next;
			target[c->classes.of[b]] = e->next;
		}
	}
	return 2 * n <= c->classes.n ? s->next : commonest_target(target, c->classes.n);
}

/* Classes that take a cell of their own, when the rest is left to the default (leave), or goes to
 * it. `there` is what the default state does. */
static uint32_t list_needs(const struct comb *c, uint32_t state, const uint32_t *target,
			   const uint32_t *there, uint8_t need[256])
{
	uint32_t cl, n = 0;

	for (cl = 0; cl < c->classes.n; cl++)
		if (target[cl] != (there ? there[cl] : c->dflt[state]))
			need[n++] = (uint8_t)cl;
	return n;
}

/* Which states leave things to which. A state that others are left to leaves nothing itself. */
static int choose_hubs(struct comb *c)
{
	uint32_t n = c->in->fa->n_states, q, target[256], there[256], n_need;
	int32_t *gain = calloc(n, sizeof(*gain)), *total = calloc(n, sizeof(*total));
	uint8_t need[256];

	if (!gain || !total) {
		free(gain);
		free(total);
		return -ENOMEM;
	}
	for (q = 0; q < n; q++)
		c->dflt[q] = fill_targets(c, q, target);
	for (q = 0; q < n; q++) {
		fill_targets(c, q, target);
		n_need = list_needs(c, q, target, NULL, need);
		c->hub[q] = 2 * n_need > c->classes.n;
		c->sink[q] = c->dflt[q] == q && !n_need;
		if (c->dflt[q] == q)
			continue;
		fill_targets(c, c->dflt[q], there);
		gain[q] = (int32_t)n_need - (int32_t)list_needs(c, q, target, there, need);
		if (gain[q] > 0)
			total[c->dflt[q]] += gain[q];
	}
	/* total: whether others are left to it */
	for (q = 0; q < n; q++)
		total[q] = !c->sink[q] && total[q] >= BASE_GAIN_MIN && total[q] > gain[q];
	for (q = 0; q < n; q++) {
		c->leaves[q] = !total[q] && gain[q] > 0 && total[c->dflt[q]];
		c->hub[q] = total[q] || (c->hub[q] && !c->leaves[q]);
	}
	free(gain);
	free(total);
	return 0;
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

static bool base_fits(const struct comb *c, uint32_t base)
{
	uint32_t i;

	for (i = 0; i < c->n_need; i++)
		if (c->used[base + c->need[i]])
			return false;
	return true;
}

/* Units for a row and its cells. Returns 1, or 0 when the chunk at hand is full. */
static int find_place(struct comb *c, uint32_t *ret_row, uint32_t *ret_base)
{
	uint32_t row = (c->row_hint + 1) & ~1u, base;
	uint32_t from = c->cell_hint > c->low + c->classes.n ? c->cell_hint - c->classes.n : c->low;

	while (row + 1 < HG_CHUNK_UNITS && (c->used[row] || c->used[row + 1]))
		row += 2;
	if (row + 1 >= HG_CHUNK_UNITS)
		return 0;
	c->used[row] = c->used[row + 1] = true;
	for (base = from | 1; base + c->classes.n <= HG_CHUNK_UNITS; base += 2)
		if (base_fits(c, base))
			break;
	if (base + c->classes.n > HG_CHUNK_UNITS) {
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

/* Units behind a hub's row. */
static uint32_t hub_units(const struct comb *c)
{
	return (c->classes.n + 1) / 2;
}

/* Units for a hub, one after another. Returns 1, or 0 when the chunk at hand is full. */
static int find_hub(struct comb *c, uint32_t *ret_row)
{
	uint32_t n = 2 + hub_units(c), row, i;

	for (row = (c->low + 1) & ~1u; row + n <= HG_CHUNK_UNITS; row += i + (i & 1) + 2) {
		for (i = 0; i < n && !c->used[row + i]; i++)
			;
		if (i == n)
			break;
		i &= ~1u;
	}
	if (row + n > HG_CHUNK_UNITS)
		return 0;
	memset(c->used + row, 1, n * sizeof(*c->used));
	*ret_row = row;
	return 1;
}

static void fill_to(struct comb *c, uint32_t unit)
{
	if (unit > c->space->filled[c->chunk])
		c->space->filled[c->chunk] = unit;
}

/* The cells of a row that is no hub; what they lead to follows when every state has its row. */
static void put_cells(struct comb *c, uint32_t row, uint32_t base)
{
	uint64_t *unit = (uint64_t *)c->space->chunks[c->chunk].unit;
	struct hg_edge *cell;
	uint32_t i;

	for (i = 0; i < c->n_need; i++) {
		c->used[base + c->need[i]] = true;
		cell = (struct hg_edge *)(unit + base + c->need[i]);
		cell->next = c->target[c->need[i]]; /* a state as yet */
		cell->row = (uint16_t)row;
	}
	/* The whole reach of the row: what another table put there could look like its cells. */
	fill_to(c, base + c->classes.n);
	fill_to(c, row + 2);
}

/* A row in the chunk at hand. Returns 1, or 0 when the chunk is full. */
static int place_row(struct comb *c, uint32_t state)
{
	uint32_t row, base = 1, there[256];
	int r;

	fill_targets(c, state, c->target);
	if (c->leaves[state])
		fill_targets(c, c->dflt[state], there);
	c->n_need = list_needs(c, state, c->target, c->leaves[state] ? there : NULL, c->need);
	if (!(c->hub[state] ? find_hub(c, &row) : find_place(c, &row, &base)))
		return 0;
	r = fa_grow((void **)&c->placed, &c->cap_placed, c->n_placed + 1, sizeof(*c->placed));
	if (r < 0)
		return r;
	c->here[state] = HG_STATE(c->chunk, row);
	if (!c->row[state])
		c->row[state] = c->here[state];
	c->placed[c->n_placed++] = (struct placement){state, c->here[state]};
	if (c->hub[state]) {
		fill_to(c, row + 2 + hub_units(c));
		return 1;
	}
	((struct hg_row *)(c->space->chunks[c->chunk].unit + row))->base = (uint16_t)base;
	put_cells(c, row, base);
	return 1;
}

static bool is_here(const struct comb *c, uint32_t state)
{
	return c->here[state] && HG_STATE_CHUNK(c->here[state]) == c->chunk;
}

/* Places a state, and in the same chunk the one that it leaves things to. */
static int place(struct comb *c, uint32_t state)
{
	int r;

	for (;;) {
		r = 1;
		if (c->leaves[state] && !is_here(c, c->dflt[state]))
			r = place_row(c, c->dflt[state]);
		if (r == 1)
			r = place_row(c, state);
		if (r != 0)
			return r < 0 ? r : 0;
		r = next_chunk(c);
		if (r < 0)
			return r;
	}
}

/* The states that are reached, depth-first from each root in turn, into order; how many. */
static uint32_t list_states(const struct fa *fa, const uint32_t *roots, size_t n_roots,
			    uint32_t *stack, bool *seen, uint32_t *order)
{
	uint32_t n_order = 0, state, i;
	size_t n = 0;

	while (n_roots)
		stack[n++] = roots[--n_roots];
	while (n) {
		state = stack[--n];
		if (seen[state])
			continue;
		seen[state] = true;
		order[n_order++] = state;
		stack[n++] = fa->states[state].next;
		for (i = fa->states[state].n_edges; i-- > 0;)
			stack[n++] = fa->edges[fa->states[state].first_edge + i].next;
	}
	return n_order;
}

static int place_listed(struct comb *c, const uint32_t *order, uint32_t n)
{
	uint32_t n_hubs = 0, i;
	int r = 0;

	for (i = 0; i < n; i++)
		n_hubs += c->hub[order[i]];
	/* Where there are so many that they would be far from what is left to them, as they come. */
	for (i = 0; i < n && r == 0 && n_hubs * hub_units(c) < HG_CHUNK_UNITS / 2; i++)
		if (c->hub[order[i]])
			r = place(c, order[i]);
	/* A hub may have a row already because something was left to it. */
	for (i = 0; i < n && r == 0; i++)
		if (!c->row[order[i]])
			r = place(c, order[i]);
	return r;
}

static int place_all(struct comb *c, const uint32_t *roots, size_t n_roots)
{
	const struct fa *fa = c->in->fa;
	uint32_t *stack = malloc((fa->n_edges + fa->n_states + n_roots) * sizeof(*stack));
	uint32_t *order = malloc((fa->n_states + 1) * sizeof(*order));
	bool *seen = calloc(fa->n_states, sizeof(*seen));
	int r = -ENOMEM;

	if (stack && order && seen)
		r = place_listed(c, order, list_states(fa, roots, n_roots, stack, seen, order));
	free(stack);
	free(order);
	free(seen);
	return r;
}

static uint32_t tagged(const struct comb *c, uint32_t state, uint32_t at)
{
	return at | (c->sink[state] ? HG_STATE_SINK : c->hub[state] ? HG_STATE_HUB : 0);
}

/* The place of a state as seen from a chunk: its copy there, if there is one. */
static uint32_t seen_from(const struct comb *c, uint32_t chunk, uint32_t state)
{
	bool here = c->here[state] && HG_STATE_CHUNK(c->here[state]) == chunk;

	return tagged(c, state, here ? c->here[state] : c->row[state]);
}

static void finish_hub(struct comb *c, uint32_t state, uint32_t chunk, struct hg_row *row)
{
	uint32_t *to = (uint32_t *)(row + 1), cl;

	fill_targets(c, state, c->target);
	for (cl = 0; cl < c->classes.n; cl++)
		to[cl] = seen_from(c, chunk, c->target[cl]);
}

static void finish_cells(struct comb *c, uint32_t state, uint32_t at, struct hg_row *row)
{
	uint32_t chunk = HG_STATE_CHUNK(at), cl;

	for (cl = 0; cl < c->classes.n; cl++) {
		struct hg_edge *cell =
			(struct hg_edge *)(c->space->chunks[chunk].unit + row->base + cl);

		if (cell->row == HG_STATE_UNIT(at))
			cell->next = seen_from(c, chunk, cell->next);
	}
	row->dflt = seen_from(c, chunk, c->dflt[state]);
	row->flags = c->leaves[state] ? HG_ROW_DELEGATES : 0;
}

static void finish_row(struct comb *c, uint32_t state, uint32_t at)
{
	struct hg_chunk *to = c->space->chunks + HG_STATE_CHUNK(at);
	struct hg_row *row = (struct hg_row *)(to->unit + HG_STATE_UNIT(at));

	if (c->hub[state])
		finish_hub(c, state, HG_STATE_CHUNK(at), row);
	else if (!c->sink[state])
		finish_cells(c, state, at, row);
	if (c->hub[state] || c->sink[state])
		row->base = 1;
	row->out = c->in->out[state];
	if (c->in->fallback) {
		row->next = c->in->fallback[row->out].next;
		row->fallback = c->in->fallback[row->out].kind;
		row->next_out = c->in->fallback[row->out].out;
	}
}

/* Which class a byte has, for the rows of a chunk. */
static void put_map(const struct comb *c, uint32_t chunk)
{
	memcpy((uint8_t *)(c->space->chunks + chunk) + c->in->classes * HG_UNIT, c->classes.of,
	       sizeof(c->classes.of));
}

/* Rows were placed chunk after chunk. */
static void finish_rows(struct comb *c)
{
	size_t from, i, end;

	for (from = 0; from < c->n_placed; from = end) {
		for (end = from; end < c->n_placed; end++) {
			if (HG_STATE_CHUNK(c->placed[end].row) !=
			    HG_STATE_CHUNK(c->placed[from].row))
				break;
			c->here[c->placed[end].state] = c->placed[end].row;
		}
		for (i = from; i < end; i++)
			finish_row(c, c->placed[i].state, c->placed[i].row);
	}
}

struct sweep {
	uint8_t *seen; /* for each unit of each chunk: a row that something leads to */
	uint32_t *todo;
	size_t n;
};

static void sweep_push(struct sweep *s, uint32_t state)
{
	uint8_t *seen = s->seen + (size_t)HG_STATE_CHUNK(state) * HG_CHUNK_UNITS +
			HG_STATE_UNIT(state);

	if (!*seen)
		s->todo[s->n++] = state;
	*seen = 1;
}

static void sweep_row(const struct comb *c, struct sweep *s, uint32_t state)
{
	uint64_t *unit = (uint64_t *)c->space->chunks[HG_STATE_CHUNK(state)].unit;
	const struct hg_row *row = (const struct hg_row *)(unit + HG_STATE_UNIT(state));
	const uint32_t *to = (const uint32_t *)(row + 1);
	uint32_t cl;

	if (state & HG_STATE_SINK)
		return;
	for (cl = 0; cl < c->classes.n; cl++) {
		const struct hg_edge *cell = (const struct hg_edge *)(unit + row->base + cl);

		if (state & HG_STATE_HUB)
			sweep_push(s, to[cl]);
		else if (cell->row == HG_STATE_UNIT(state))
			sweep_push(s, cell->next);
	}
	if (!(state & HG_STATE_HUB))
		sweep_push(s, row->dflt);
}

/* A row that nothing leads to: a hub's first place where all that is left to it has a copy nearer, or a
 * copy that was made before the chunk was full. */
static void drop_row(const struct comb *c, const struct placement *p)
{
	uint64_t *unit = (uint64_t *)c->space->chunks[HG_STATE_CHUNK(p->row)].unit;
	uint32_t at = HG_STATE_UNIT(p->row), n = c->hub[p->state] ? hub_units(c) : 0, cl;
	const struct hg_row row = *(const struct hg_row *)(unit + at);

	for (cl = 0; !n && cl < c->classes.n; cl++)
		if (((const struct hg_edge *)(unit + row.base + cl))->row == at)
			unit[row.base + cl] = 0;
	memset(unit + at, 0, (2 + n) * sizeof(*unit));
}

/* A chunk has the classes' map where a row is left that is reached. */
static int drop_unreached(const struct comb *c, const uint32_t *roots, size_t n_roots)
{
	struct sweep s = {.seen = calloc(c->space->n, HG_CHUNK_UNITS),
			  .todo = malloc((c->n_placed + 1) * sizeof(*s.todo))};
	int r = s.seen && s.todo ? 0 : -ENOMEM;
	size_t i;

	for (i = 0; i < n_roots && r == 0; i++)
		sweep_push(&s, roots[i]);
	while (s.n)
		sweep_row(c, &s, s.todo[--s.n]);
	for (i = 0; i < c->n_placed && r == 0; i++) {
		uint32_t at = c->placed[i].row;

		if (s.seen[(size_t)HG_STATE_CHUNK(at) * HG_CHUNK_UNITS + HG_STATE_UNIT(at)])
			put_map(c, HG_STATE_CHUNK(at));
		else
			drop_row(c, &c->placed[i]);
	}
	free(s.seen);
	free(s.todo);
	return r;
}

static int comb_init(struct comb *c)
{
	uint32_t n = c->in->fa->n_states;
	int r;

	c->used = calloc(HG_CHUNK_UNITS, sizeof(*c->used));
	c->row = calloc(n, sizeof(*c->row));
	c->here = calloc(n, sizeof(*c->here));
	c->dflt = calloc(n, sizeof(*c->dflt));
	c->hub = calloc(n, sizeof(*c->hub));
	c->sink = calloc(n, sizeof(*c->sink));
	c->leaves = calloc(n, sizeof(*c->leaves));
	if (!c->used || !c->row || !c->here || !c->dflt || !c->hub || !c->sink ||
	    !c->leaves)
		return -ENOMEM;
	c->low = c->row_hint = c->cell_hint = c->space->filled[0];
	r = pack_classes(c->in->fa, c->in->classes == HG_LEXER_CLASSES, &c->classes);
	return r < 0 ? r : choose_hubs(c);
}

static void comb_done(struct comb *c)
{
	free(c->used);
	free(c->row);
	free(c->here);
	free(c->dflt);
	free(c->hub);
	free(c->sink);
	free(c->leaves);
	free(c->placed);
}

int pack_bytes(struct pack_space *s, const struct pack_bytes *in, uint32_t *roots, size_t n_roots)
{
	struct comb c HG_CLEANUP(comb_done) = {.space = s, .in = in};
	size_t i;
	int r;

	r = comb_init(&c);
	if (r == 0)
		r = place_all(&c, roots, n_roots);
	if (r < 0)
		return r;
	finish_rows(&c);
	for (i = 0; i < n_roots; i++)
		roots[i] = tagged(&c, roots[i], c.row[roots[i]]);
	return drop_unreached(&c, roots, n_roots);
}
