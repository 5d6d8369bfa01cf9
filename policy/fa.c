/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Deterministic automata: building, running, and what holds below each state. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fa.h"

int fa_grow(void **array, size_t *cap, size_t n, size_t elem)
{
	size_t want = *cap;
	void *p;

	if (n <= want)
		return 0;
	want = want ? want : 16;
	while (want < n)
		want += want / 2 + 8;
	if (want > SIZE_MAX / elem)
		return -ENOMEM;
	p = realloc(*array, want * elem);
	if (!p)
		return -ENOMEM;
	*array = p;
	*cap = want;
	return 0;
}

int fa_new(uint32_t n_symbols, uint32_t rest, struct fa **ret)
{
	struct fa *fa;

	if (!n_symbols || rest >= n_symbols)
		return -EINVAL;
	fa = calloc(1, sizeof(*fa));
	if (!fa)
		return -ENOMEM;
	fa->n_symbols = n_symbols;
	fa->rest = rest;
	/* So that "edges of a state" is a pointer also where none has any. */
	if (fa_grow((void **)&fa->edges, &fa->cap_edges, 1, sizeof(*fa->edges)) < 0) {
		fa_free(&fa);
		return -ENOMEM;
	}
	*ret = fa;
	return 0;
}

void fa_free(struct fa **fa)
{
	if (!*fa)
		return;
	free((*fa)->states);
	free((*fa)->edges);
	free(*fa);
	*fa = NULL;
}

int fa_add_state(struct fa *fa, uint32_t out, uint32_t next, uint32_t next_out)
{
	struct fa_state *s;
	int r;

	r = fa_grow((void **)&fa->states, &fa->cap_states, fa->n_states + 1, sizeof(*s));
	if (r < 0)
		return r;
	s = fa->states + fa->n_states++;
	*s = (struct fa_state){
		.out = out,
		.next = next,
		.next_out = next_out,
		.first_edge = fa->n_edges,
	};
	return 0;
}

int fa_add_edge(struct fa *fa, const struct fa_edge *edge)
{
	struct fa_state *s = fa->states + fa->n_states - 1;
	struct fa_edge *last;
	int r;

	if (edge->next == s->next && edge->out == s->next_out)
		return 0;
	if (s->n_edges) {
		last = fa->edges + fa->n_edges - 1;
		if (last->hi + 1 == edge->lo && last->next == edge->next &&
		    last->out == edge->out) {
			last->hi = edge->hi;
			return 0;
		}
	}
	r = fa_grow((void **)&fa->edges, &fa->cap_edges, fa->n_edges + 1, sizeof(*edge));
	if (r < 0)
		return r;
	fa->edges[fa->n_edges++] = *edge;
	s->n_edges++;
	return 0;
}

/* The first edge that does not end before the symbol. */
static uint32_t find_edge(const struct fa *fa, const struct fa_state *s, uint32_t symbol)
{
	const struct fa_edge *e = fa->edges + s->first_edge;
	uint32_t lo = 0, hi = s->n_edges, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (e[mid].hi < symbol)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool fa_has_edge(const struct fa *fa, const struct fa_state *s, uint32_t symbol)
{
	uint32_t i = find_edge(fa, s, symbol);

	return i < s->n_edges && fa->edges[s->first_edge + i].lo <= symbol;
}

uint32_t fa_next(const struct fa *fa, uint32_t state, uint32_t symbol, uint32_t *ret_out)
{
	const struct fa_state *s = fa->states + state;
	const struct fa_edge *e = fa->edges + s->first_edge + find_edge(fa, s, symbol);

	if (e < fa->edges + s->first_edge + s->n_edges && e->lo <= symbol) {
		*ret_out = e->out;
		return e->next;
	}
	*ret_out = s->next_out;
	return s->next;
}

uint32_t fa_run(const struct fa *fa, const uint32_t *word, size_t len, uint32_t *ret_out)
{
	uint32_t state = fa->start, out = fa->start_out;
	size_t i;

	for (i = 0; i < len; i++)
		state = fa_next(fa, state, word[i], &out);
	*ret_out = out ? out : fa->states[state].out;
	return state;
}

uint32_t fa_run_bytes(const struct fa *fa, const void *bytes, size_t len, uint32_t *ret_out)
{
	const uint8_t *b = bytes;
	uint32_t state = fa->start, out = fa->start_out;
	size_t i;

	for (i = 0; i < len; i++)
		state = fa_next(fa, state, b[i], &out);
	*ret_out = out ? out : fa->states[state].out;
	return state;
}

bool fa_default_occurs(const struct fa *fa, const struct fa_state *state)
{
	uint32_t i, n = 0;

	for (i = 0; i < state->n_edges; i++)
		n += fa->edges[state->first_edge + i].hi - fa->edges[state->first_edge + i].lo + 1;
	return n < fa->n_symbols;
}

struct below {
	const struct fa *fa;
	const struct fa_below *ops;
	uint32_t *any, *all;
};

static void below_join(struct below *b, uint32_t next, uint32_t out, uint32_t *any, uint32_t *all)
{
	/* One of the two is always 0: the machine is Moore or Mealy. */
	uint32_t o = out ? out : b->fa->states[next].out;
	uint32_t bits = b->ops->bits(b->ops->ctx, o);

	*any |= bits | b->any[next];
	*all &= bits & b->all[next];
}

static bool below_step(struct below *b, uint32_t state)
{
	const struct fa_state *s = b->fa->states + state;
	const struct fa_edge *e = b->fa->edges + s->first_edge;
	uint32_t any = b->any[state], all = b->all[state], i;

	if (fa_default_occurs(b->fa, s))
		below_join(b, s->next, s->next_out, &any, &all);
	for (i = 0; i < s->n_edges; i++)
		below_join(b, e[i].next, e[i].out, &any, &all);
	if (any == b->any[state] && all == b->all[state])
		return false;
	b->any[state] = any;
	b->all[state] = all;
	return true;
}

int fa_below(const struct fa *fa, const struct fa_below *below, uint32_t *ret_any,
	     uint32_t *ret_all)
{
	struct below b = {fa, below, ret_any, ret_all};
	bool more = true;
	uint32_t i;

	for (i = 0; i < fa->n_states; i++) {
		/* Least fixpoint for "some", greatest for "every". */
		ret_any[i] = 0;
		ret_all[i] = UINT32_MAX;
	}
	/* States are numbered away from the start, so backwards a round does most of the work. */
	while (more) {
		more = false;
		for (i = fa->n_states; i-- > 0;)
			more |= below_step(&b, i);
	}
	return 0;
}
