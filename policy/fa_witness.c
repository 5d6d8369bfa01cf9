/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The cheapest word with a wanted output: Dijkstra's algorithm, a wanted transition the goal. */
#include <errno.h>
#include <string.h>

#include "fa.h"

struct step {
	uint64_t cost;
	uint32_t state;		/* n_states is the goal */
	uint32_t from, symbol;
};

struct search {
	const struct fa *fa;
	const struct fa_want *want;
	uint32_t *cheap;	/* symbols that occur, cheapest first */
	uint32_t n_cheap;
	struct step *heap;
	size_t n, cap;
	struct step *best;	/* for each state and the goal, the way it was reached */
	bool *reached;
};

static uint32_t cost_of(const struct search *s, uint32_t symbol)
{
	return s->want->cost ? s->want->cost[symbol] : 1;
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
	struct step step = { here->cost + cost_of(s, symbol), next, here->state, symbol };
	uint32_t o = out ? out : s->fa->states[next].out;

	if (s->want->want(s->want->ctx, o))
		step.state = s->fa->n_states;
	return s->reached[step.state] ? 0 : heap_push(s, step);
}

static bool covered(const struct fa *fa, const struct fa_state *st, uint32_t symbol)
{
	const struct fa_edge *e = fa->edges + st->first_edge;
	uint32_t lo = 0, hi = st->n_edges, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (e[mid].hi < symbol)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < st->n_edges && e[lo].lo <= symbol;
}

static int expand(struct search *s, const struct step *here)
{
	const struct fa_state *st = s->fa->states + here->state;
	uint32_t i, k, best;
	int r = 0;

	for (i = 0; i < st->n_edges && r == 0; i++) {
		const struct fa_edge *e = s->fa->edges + st->first_edge + i;

		best = UINT32_MAX;
		for (k = e->lo; k <= e->hi; k++)
			if (cost_of(s, k) && (best == UINT32_MAX || cost_of(s, k) < cost_of(s, best)))
				best = k;
		if (best != UINT32_MAX)
			r = relax(s, here, e->next, e->out, best);
	}
	for (i = 0; i < s->n_cheap && r == 0; i++)
		if (!covered(s->fa, st, s->cheap[i]))
			return relax(s, here, st->next, st->next_out, s->cheap[i]);
	return r;
}

struct priced {
	uint32_t cost, symbol;
};

static int compare_priced(const void *a, const void *b)
{
	const struct priced *x = a, *y = b;

	if (x->cost != y->cost)
		return x->cost < y->cost ? -1 : 1;
	return (x->symbol > y->symbol) - (x->symbol < y->symbol);
}

static int sort_symbols(struct search *s)
{
	struct priced *p = malloc(s->fa->n_symbols * sizeof(*p));
	uint32_t i, n = 0;

	s->cheap = malloc(s->fa->n_symbols * sizeof(*s->cheap));
	if (!p || !s->cheap) {
		free(p);
		return -ENOMEM;
	}
	for (i = 0; i < s->fa->n_symbols; i++)
		if (cost_of(s, i))
			p[n++] = (struct priced){ cost_of(s, i), i };
	qsort(p, n, sizeof(*p), compare_priced);
	for (i = 0; i < n; i++)
		s->cheap[i] = p[i].symbol;
	s->n_cheap = n;
	free(p);
	return 0;
}

static int run(struct search *s)
{
	struct step start = { .state = s->fa->start, .from = UINT32_MAX };
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
	struct search s = { .fa = fa, .want = want };
	int r;

	if (want->want(want->ctx, empty)) {
		*ret_word = calloc(1, sizeof(**ret_word));
		*ret_len = 0;
		return *ret_word ? 1 : -ENOMEM;
	}
	s.best = calloc(fa->n_states + 1, sizeof(*s.best));
	s.reached = calloc(fa->n_states + 1, sizeof(*s.reached));
	r = s.best && s.reached ? sort_symbols(&s) : -ENOMEM;
	if (r == 0)
		r = run(&s);
	if (r == 1)
		r = read_word(&s, ret_word, ret_len);
	free(s.cheap);
	free(s.heap);
	free(s.best);
	free(s.reached);
	return r;
}
