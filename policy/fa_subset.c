/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The subset construction. The symbols that leave a set are swept as ranges, so a state costs its
 * distinct ranges, not its alphabet.
 */
#include <errno.h>
#include <string.h>

#include "fa_nfa.h"

/* Words of all sets together: what bounds memory when sets, not their number, grow. */
#define SET_WORDS_MAX (32u << 20)

struct event {
	uint32_t lo, hi, target;
};

struct set {
	uint32_t *nodes;
	size_t n, cap;
};

struct fa_builder {
	const struct fa_nfa *nfa;
	struct fa_subset sub;
	uint32_t n_done; /* states that have their transitions */
	struct fa *fa;
	struct fa_intern sets; /* number is the state; first word the Moore output */
	size_t *closure_start; /* for each node, n_nodes + 1 */
	uint32_t *closure;     /* nodes reached without reading, itself first */
	struct event *events;
	size_t n_events, cap_events;
	struct event *active;
	size_t n_active, cap_active;
	struct fa_edge *segments;
	size_t n_segments, cap_segments;
	struct set any, key;
};

static int compare_words(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int compare_events(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->lo != y->lo)
		return x->lo < y->lo ? -1 : 1;
	if (x->hi != y->hi)
		return x->hi < y->hi ? -1 : 1;
	return (x->target > y->target) - (x->target < y->target);
}

static size_t sort_unique(uint32_t *words, size_t n)
{
	size_t i, j;
	uint32_t w;

	if (n > 48) {
		qsort(words, n, sizeof(*words), compare_words);
	} else {
		for (i = 1; i < n; i++) {
			w = words[i];
			for (j = i; j && words[j - 1] > w; j--)
				words[j] = words[j - 1];
			words[j] = w;
		}
	}
	for (i = j = 0; i < n; i++)
		if (!j || words[j - 1] != words[i])
			words[j++] = words[i];
	return j;
}

static int set_push(struct set *s, uint32_t node)
{
	int r = fa_grow((void **)&s->nodes, &s->cap, s->n + 1, sizeof(*s->nodes));

	if (r < 0)
		return r;
	s->nodes[s->n++] = node;
	return 0;
}

/* Everything reached from `node` by FA_EPSILON alone, appended to out. */
static int close_node(const struct fa_nfa *nfa, uint32_t node, uint32_t *seen, struct set *out)
{
	size_t at = out->n;
	uint32_t e;
	int r;

	seen[node] = node + 1;
	r = set_push(out, node);
	for (; r == 0 && at < out->n; at++)
		for (e = nfa->first[out->nodes[at]]; e && r == 0; e = nfa->edges[e - 1].next) {
			const struct nfa_edge *edge = nfa->edges + e - 1;

			if (edge->label != FA_EPSILON || seen[edge->to] == node + 1)
				continue;
			seen[edge->to] = node + 1;
			r = set_push(out, edge->to);
		}
	return r;
}

static int close_all(struct fa_builder *b)
{
	uint32_t *seen = calloc(b->nfa->n_nodes, sizeof(*seen));
	struct set out = {0};
	uint32_t node;
	int r = 0;

	b->closure_start = calloc(b->nfa->n_nodes + 1, sizeof(*b->closure_start));
	if (!seen || !b->closure_start)
		r = -ENOMEM;
	for (node = 0; node < b->nfa->n_nodes && r == 0; node++) {
		b->closure_start[node] = out.n;
		r = close_node(b->nfa, node, seen, &out);
	}
	if (r == 0)
		b->closure_start[node] = out.n;
	b->closure = out.nodes;
	free(seen);
	return r;
}

static int add_closure(struct fa_builder *b, uint32_t node)
{
	size_t i;
	int r = 0;

	for (i = b->closure_start[node]; i < b->closure_start[node + 1] && r == 0; i++)
		r = set_push(&b->key, b->closure[i]);
	return r;
}

/* Makes b->key (word 0 reserved, then nodes in any order) a state: its number and output. */
static int intern_key(struct fa_builder *b, uint32_t *ret_state, uint32_t *ret_out)
{
	const struct fa_subset *sub = &b->sub;
	uint32_t *nodes = b->key.nodes + 1;
	size_t n = sort_unique(nodes, b->key.n - 1), i;
	uint32_t out;
	int r;

	r = sub->output(sub->ctx, nodes, n, &out);
	if (r < 0)
		return r;
	if (sub->reduce)
		n = sub->reduce(sub->ctx, nodes, n);
	b->key.nodes[0] = sub->mealy ? 0 : out;
	*ret_out = sub->mealy ? out : 0;
	r = fa_intern_add(&b->sets, b->key.nodes, n + 1, ret_state);
	if (r <= 0)
		return r;
	if (sub->presence)
		for (i = 0; i < n; i++)
			sub->presence[nodes[i]]++;
	if (*ret_state >= sub->max_states || b->sets.n_words > SET_WORDS_MAX)
		return -E2BIG;
	return 0;
}

static void key_start(struct fa_builder *b)
{
	b->key.n = 1;
	b->key.nodes[0] = 0;
}

static int gather_edge(struct fa_builder *b, const struct nfa_edge *e)
{
	const struct nfa_label *l = b->nfa->labels + e->label;
	size_t i;
	int r;

	if (e->label == FA_EPSILON)
		return 0;
	if (e->label == FA_ANY)
		return set_push(&b->any, e->to);
	r = fa_grow((void **)&b->events, &b->cap_events, b->n_events + l->n, sizeof(*b->events));
	if (r < 0)
		return r;
	for (i = 0; i < l->n; i++)
		b->events[b->n_events++] = (struct event){l->ranges[i].lo, l->ranges[i].hi, e->to};
	return 0;
}

/* Splits what leaves a state into b->any (on every symbol) and b->events (on ranges). */
static int gather(struct fa_builder *b, uint32_t state)
{
	const uint32_t *nodes;
	size_t n, i;
	uint32_t e;
	int r = 0;

	b->any.n = 0;
	b->n_events = 0;
	nodes = fa_intern_get(&b->sets, state, &n);
	for (i = 1; i < n; i++)
		for (e = b->nfa->first[nodes[i]]; e && r == 0; e = b->nfa->edges[e - 1].next)
			r = gather_edge(b, b->nfa->edges + e - 1);
	if (b->n_events)
		qsort(b->events, b->n_events, sizeof(*b->events), compare_events);
	return r;
}

/* Symbols lo..hi lead to b->any and b->active. */
static int add_segment(struct fa_builder *b, uint32_t lo, uint32_t hi)
{
	struct fa_edge *s;
	size_t i;
	int r = 0;

	key_start(b);
	for (i = 0; i < b->any.n && r == 0; i++)
		r = add_closure(b, b->any.nodes[i]);
	for (i = 0; i < b->n_active && r == 0; i++)
		r = add_closure(b, b->active[i].target);
	if (r < 0)
		return r;
	r = fa_grow((void **)&b->segments, &b->cap_segments, b->n_segments + 1,
		    sizeof(*b->segments));
	if (r < 0)
		return r;
	s = b->segments + b->n_segments++;
	s->lo = lo;
	s->hi = hi;
	return intern_key(b, &s->next, &s->out);
}

static void drop_passed(struct fa_builder *b, uint32_t at)
{
	size_t i, n = 0;

	for (i = 0; i < b->n_active; i++)
		if (b->active[i].hi >= at)
			b->active[n++] = b->active[i];
	b->n_active = n;
}

/* Sweeps the events over the alphabet; every symbol falls into one of b->segments, or into a gap
 * between them, where b->any alone leads. */
static int sweep(struct fa_builder *b)
{
	uint32_t at = 0, end;
	size_t i = 0, k;
	int r;

	b->n_active = 0;
	b->n_segments = 0;
	while (i < b->n_events || b->n_active) {
		if (!b->n_active)
			at = b->events[i].lo;
		for (; i < b->n_events && b->events[i].lo == at; i++) {
			r = fa_grow((void **)&b->active, &b->cap_active, b->n_active + 1,
				    sizeof(*b->active));
			if (r < 0)
				return r;
			b->active[b->n_active++] = b->events[i];
		}
		end = i < b->n_events ? b->events[i].lo - 1 : UINT32_MAX;
		for (k = 0; k < b->n_active; k++)
			if (b->active[k].hi < end)
				end = b->active[k].hi;
		r = add_segment(b, at, end);
		if (r < 0)
			return r;
		at = end + 1;
		drop_passed(b, at);
	}
	return 0;
}

static int emit_gap(struct fa_builder *b, uint32_t lo, uint32_t end, const struct fa_edge *gap)
{
	struct fa_edge e = {lo, end - 1, gap->next, gap->out};

	return lo < end ? fa_add_edge(b->fa, &e) : 0;
}

/* Writes the state: what the rest symbol does is its default, all else its edges. */
static int emit(struct fa_builder *b, uint32_t out)
{
	uint32_t rest = b->sub.rest, at = 0;
	struct fa_edge gap = {0}, dflt;
	size_t i;
	int r;

	key_start(b);
	b->n_active = 0;
	r = 0;
	for (i = 0; i < b->any.n && r == 0; i++)
		r = add_closure(b, b->any.nodes[i]);
	if (r == 0)
		r = intern_key(b, &gap.next, &gap.out);
	if (r < 0)
		return r;
	dflt = gap;
	for (i = 0; i < b->n_segments; i++)
		if (b->segments[i].lo <= rest && rest <= b->segments[i].hi)
			dflt = b->segments[i];
	r = fa_add_state(b->fa, out, dflt.next, dflt.out);
	for (i = 0; i < b->n_segments && r == 0; i++) {
		r = emit_gap(b, at, b->segments[i].lo, &gap);
		if (r == 0)
			r = fa_add_edge(b->fa, b->segments + i);
		at = b->segments[i].hi + 1;
	}
	return r == 0 ? emit_gap(b, at, b->sub.n_symbols, &gap) : r;
}

/* Every state that has no transitions yet gets them, and so on. */
static int complete(struct fa_builder *b)
{
	size_t n;
	int r = 0;

	for (; r == 0 && b->n_done < b->sets.n; b->n_done++) {
		r = gather(b, b->n_done);
		if (r == 0)
			r = sweep(b);
		if (r == 0)
			r = emit(b, fa_intern_get(&b->sets, b->n_done, &n)[0]);
		if (r == 0 && b->fa->n_edges > b->sub.max_edges)
			r = -E2BIG;
	}
	return r;
}

int fa_builder_new(const struct fa_nfa *nfa, const struct fa_subset *sub, struct fa_builder **ret)
{
	struct fa_builder *b HG_CLEANUP(fa_builder_free) = calloc(1, sizeof(*b));
	int r;

	if (!b)
		return -ENOMEM;
	b->nfa = nfa;
	b->sub = *sub;
	r = fa_new(sub->n_symbols, sub->rest, &b->fa);
	if (r == 0)
		r = close_all(b);
	if (r == 0)
		r = set_push(&b->key, 0);
	if (r < 0)
		return r;
	*ret = b;
	b = NULL;
	return 0;
}

void fa_builder_free(struct fa_builder **builder)
{
	struct fa_builder *b = *builder;

	if (!b)
		return;
	fa_free(&b->fa);
	free(b->closure_start);
	free(b->closure);
	free(b->events);
	free(b->active);
	free(b->segments);
	free(b->any.nodes);
	free(b->key.nodes);
	fa_intern_done(&b->sets);
	free(b);
	*builder = NULL;
}

int fa_builder_start(struct fa_builder *b, const uint32_t *nodes, size_t n, uint32_t *ret_state,
		     uint32_t *ret_out)
{
	size_t i;
	int r = 0;

	key_start(b);
	for (i = 0; i < n && r == 0; i++)
		r = nodes[i] < b->nfa->n_nodes ? add_closure(b, nodes[i]) : -EINVAL;
	if (r == 0)
		r = intern_key(b, ret_state, ret_out);
	return r < 0 ? r : complete(b);
}

struct fa *fa_builder_fa(struct fa_builder *b)
{
	return b->fa;
}

int fa_determinise(const struct fa_nfa *nfa, uint32_t start, const struct fa_subset *sub,
		   struct fa **ret)
{
	struct fa_builder *b HG_CLEANUP(fa_builder_free) = NULL;
	int r;

	r = fa_builder_new(nfa, sub, &b);
	if (r < 0)
		return r;
	r = fa_builder_start(b, &start, 1, &b->fa->start, &b->fa->start_out);
	if (r < 0)
		return r;
	*ret = b->fa;
	b->fa = NULL;
	return 0;
}
