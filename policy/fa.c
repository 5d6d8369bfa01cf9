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
		.out = out, .next = next, .next_out = next_out, .first_edge = fa->n_edges,
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

uint32_t fa_next(const struct fa *fa, uint32_t state, uint32_t symbol, uint32_t *ret_out)
{
	const struct fa_state *s = fa->states + state;
	const struct fa_edge *e = fa->edges + s->first_edge;
	size_t lo = 0, hi = s->n_edges, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (e[mid].hi < symbol)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < s->n_edges && e[lo].lo <= symbol) {
		*ret_out = e[lo].out;
		return e[lo].next;
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

static uint32_t count_real(const struct fa *fa, const uint8_t *real)
{
	uint32_t i, n = 0;

	if (!real)
		return fa->n_symbols;
	for (i = 0; i < fa->n_symbols; i++)
		n += real[i] != 0;
	return n;
}

static uint32_t real_in(const struct fa_edge *e, const uint8_t *real)
{
	uint32_t i, n = 0;

	if (!real)
		return e->hi - e->lo + 1;
	for (i = e->lo; i <= e->hi; i++)
		n += real[i] != 0;
	return n;
}

bool fa_default_occurs(const struct fa *fa, const struct fa_state *state, const uint8_t *real,
		       uint32_t n_real)
{
	uint32_t i, n = 0;

	for (i = 0; i < state->n_edges; i++)
		n += real_in(fa->edges + state->first_edge + i, real);
	return n < n_real;
}

struct below {
	const struct fa *fa;
	const struct fa_below *ops;
	const uint8_t *defaults;	/* for each state, whether its default occurs */
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

	if (b->defaults[state])
		below_join(b, s->next, s->next_out, &any, &all);
	for (i = 0; i < s->n_edges; i++)
		if (real_in(e + i, b->ops->real))
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
	uint32_t n_real = count_real(fa, below->real), i;
	uint8_t *defaults = calloc(fa->n_states, 1);
	struct below b = { fa, below, defaults, ret_any, ret_all };
	bool more = true;

	if (!defaults)
		return -ENOMEM;
	for (i = 0; i < fa->n_states; i++) {
		defaults[i] = fa_default_occurs(fa, fa->states + i, below->real, n_real);
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
	free(defaults);
	return 0;
}
