/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The cheapest word with a wanted output: Dijkstra's algorithm, a wanted transition the goal. */
#include <errno.h>
#include <string.h>

#include "fa.h"

struct step {
	uint64_t cost;
	uint32_t state; /* n_states is the goal */
	uint32_t from, symbol;
};

struct search {
	const struct fa *fa;
	const struct fa_want *want;
	struct step *heap;
	size_t n, cap;
	struct step *best; /* for each state and the goal, the way it was reached */
	bool *reached;
};

static uint32_t cost_of(const struct search *s, uint32_t state, uint32_t symbol)
{
	return s->want->cost ? s->want->cost(s->want->ctx, state, symbol) : 1;
}

static bool before(const struct step *a, const struct step *b)
{
	return a->cost != b->cost ? a->cost < b->cost : a->state < b->state;
}

static int heap_push(struct search *s, struct step step)
{
	size_t at = s->n, up;
	int r;

	r = fa_grow((void **)&s->heap, &s->cap, s->n + 1, sizeof(step));
	if (r < 0)
		return r;
	for (s->n++; at; at = up) {
		up = (at - 1) / 2;
		if (!before(&step, s->heap + up))
			break;
		s->heap[at] = s->heap[up];
	}
	s->heap[at] = step;
	return 0;
}

static struct step heap_pop(struct search *s)
{
	struct step top = s->heap[0], last = s->heap[--s->n];
	size_t at = 0, down;

	for (;; at = down) {
		down = 2 * at + 1;
		if (down >= s->n)
			break;
		if (down + 1 < s->n && before(s->heap + down + 1, s->heap + down))
			down++;
		if (!before(s->heap + down, &last))
			break;
		s->heap[at] = s->heap[down];
	}
	if (s->n)
		s->heap[at] = last;
	return top;
}

static int relax(struct search *s, const struct step *here, uint32_t next, uint32_t out,
		 uint32_t symbol)
{
	uint64_t cost = here->cost + cost_of(s, here->state, symbol);
	struct step step = {cost, next, here->state, symbol};
	uint32_t o = out ? out : s->fa->states[next].out;

	if (s->want->want(s->want->ctx, o))
		step.state = s->fa->n_states;
	return s->reached[step.state] ? 0 : heap_push(s, step);
}

/* The cheapest symbol that takes the default. */
static uint32_t other_symbol(const struct search *s, uint32_t state)
{
	uint32_t symbol;

	if (s->want->other)
		return s->want->other(s->want->ctx, state);
	for (symbol = 0; symbol < s->fa->n_symbols; symbol++)
		if (!fa_has_edge(s->fa, s->fa->states + state, symbol))
			return symbol;
	return UINT32_MAX;
}

static int expand(struct search *s, const struct step *here)
{
	const struct fa_state *st = s->fa->states + here->state;
	uint32_t i, k, best, cost, best_cost;
	int r = 0;

	for (i = 0; i < st->n_edges && r == 0; i++) {
		const struct fa_edge *e = s->fa->edges + st->first_edge + i;

		best = UINT32_MAX;
		best_cost = UINT32_MAX;
		for (k = e->lo; k <= e->hi; k++) {
			cost = cost_of(s, here->state, k);
			if (cost && cost < best_cost) {
				best = k;
				best_cost = cost;
			}
		}
		if (best != UINT32_MAX)
			r = relax(s, here, e->next, e->out, best);
	}
	best = r == 0 ? other_symbol(s, here->state) : UINT32_MAX;
	return best == UINT32_MAX ? r : relax(s, here, st->next, st->next_out, best);
}

static int run(struct search *s)
{
	struct step start = {.state = s->fa->start, .from = UINT32_MAX};
	struct step here;
	int r;

	r = heap_push(s, start);
	while (s->n && r == 0) {
		here = heap_pop(s);
		if (s->reached[here.state])
			continue;
		s->reached[here.state] = true;
		s->best[here.state] = here;
		if (here.state == s->fa->n_states)
			return 1;
		r = expand(s, &here);
	}
	return r;
}

static int read_word(const struct search *s, uint32_t **ret_word, size_t *ret_len)
{
	uint32_t at, *word;
	size_t n = 0;

	for (at = s->fa->n_states; s->best[at].from != UINT32_MAX; at = s->best[at].from)
		n++;
	word = malloc((n + 1) * sizeof(*word));
	if (!word)
		return -ENOMEM;
	*ret_len = n;
	for (at = s->fa->n_states; s->best[at].from != UINT32_MAX; at = s->best[at].from)
		word[--n] = s->best[at].symbol;
	*ret_word = word;
	return 1;
}

int fa_witness(const struct fa *fa, const struct fa_want *want, uint32_t **ret_word,
	       size_t *ret_len)
{
	uint32_t empty = fa->start_out ? fa->start_out : fa->states[fa->start].out;
	struct search s = {.fa = fa, .want = want};
	int r;

	if (want->want(want->ctx, empty)) {
		*ret_word = calloc(1, sizeof(**ret_word));
		*ret_len = 0;
		return *ret_word ? 1 : -ENOMEM;
	}
	s.best = calloc(fa->n_states + 1, sizeof(*s.best));
	s.reached = calloc(fa->n_states + 1, sizeof(*s.reached));
	r = s.best && s.reached ? run(&s) : -ENOMEM;
	if (r == 1)
		r = read_word(&s, ret_word, ret_len);
	free(s.heap);
	free(s.best);
	free(s.reached);
	return r;
}
