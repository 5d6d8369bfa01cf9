/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Two automata run at once, and the question whether they differ. */
#include <errno.h>
#include <string.h>

#include "fa.h"
#include "fa_intern.h"

struct product {
	const struct fa *a, *b;
	const struct fa_pair *pair;
	struct fa_intern states; /* (state of a, state of b) */
	struct fa *out;
};

static int pair_state(struct product *p, uint32_t a, uint32_t b, uint32_t *ret)
{
	uint32_t words[2] = {a, b};
	int r;

	r = fa_intern_add(&p->states, words, 2, ret);
	if (r == 1 && p->pair->max_states && *ret >= p->pair->max_states)
		return -E2BIG;
	return r < 0 ? r : 0;
}

static int pair_out(struct product *p, uint32_t out_a, uint32_t out_b, uint32_t *ret)
{
	return p->pair->output(p->pair->ctx, out_a, out_b, ret);
}

/* The part of a state's transitions that starts at symbol `at`: where it leads, where it ends. */
struct cursor {
	const struct fa_edge *edge, *end;
	struct fa_edge dflt;
};

static struct cursor cursor_at(const struct fa *fa, uint32_t state)
{
	const struct fa_state *s = fa->states + state;
	const struct fa_edge *e = fa->edges + s->first_edge;

	return (struct cursor){e, e + s->n_edges, {.next = s->next, .out = s->next_out}};
}

static struct fa_edge cursor_part(struct cursor *c, uint32_t at, uint32_t n_symbols)
{
	struct fa_edge part;

	while (c->edge < c->end && c->edge->hi < at)
		c->edge++;
	if (c->edge < c->end && c->edge->lo <= at)
		return *c->edge;
	part = c->dflt;
	part.hi = c->edge < c->end ? c->edge->lo - 1 : n_symbols - 1;
	return part;
}

/* The pair of what both do; mealy outputs only where a transition has one. */
static int join(struct product *p, const struct fa_edge *a, const struct fa_edge *b, bool mealy,
		struct fa_edge *ret)
{
	int r = pair_state(p, a->next, b->next, &ret->next);

	ret->out = 0;
	return r == 0 && mealy ? pair_out(p, a->out, b->out, &ret->out) : r;
}

static int product_state(struct product *p, uint32_t a, uint32_t b, bool mealy)
{
	struct cursor ca = cursor_at(p->a, a), cb = cursor_at(p->b, b);
	uint32_t at = 0, out = 0;
	struct fa_edge e;
	int r;

	r = join(p, &ca.dflt, &cb.dflt, mealy, &e);
	if (r == 0 && !mealy)
		r = pair_out(p, p->a->states[a].out, p->b->states[b].out, &out);
	if (r == 0)
		r = fa_add_state(p->out, out, e.next, e.out);
	while (at < p->a->n_symbols && r == 0) {
		struct fa_edge pa = cursor_part(&ca, at, p->a->n_symbols);
		struct fa_edge pb = cursor_part(&cb, at, p->a->n_symbols);

		r = join(p, &pa, &pb, mealy, &e);
		e.lo = at;
		e.hi = pa.hi < pb.hi ? pa.hi : pb.hi;
		at = e.hi + 1;
		if (r == 0)
			r = fa_add_edge(p->out, &e);
	}
	return r;
}

static bool is_mealy(const struct fa *fa)
{
	uint32_t i;

	for (i = 0; i < fa->n_states; i++)
		if (fa->states[i].out)
			return false;
	return true;
}

int fa_product(const struct fa *a, const struct fa *b, const struct fa_pair *pair, struct fa **ret)
{
	struct product p = {.a = a, .b = b, .pair = pair};
	/* A machine without any output is either kind. */
	bool mealy = is_mealy(a) && is_mealy(b);
	uint32_t state;
	int r;

	if (a->n_symbols != b->n_symbols || a->rest != b->rest)
		return -EINVAL;
	r = fa_new(a->n_symbols, a->rest, &p.out);
	if (r == 0)
		r = pair_state(&p, a->start, b->start, &p.out->start);
	if (r == 0 && mealy)
		r = pair_out(&p, a->start_out, b->start_out, &p.out->start_out);
	for (state = 0; r == 0 && state < p.states.n; state++) {
		size_t n;
		const uint32_t *of = fa_intern_get(&p.states, state, &n);

		r = product_state(&p, of[0], of[1], mealy);
	}
	fa_intern_done(&p.states);
	if (r < 0) {
		fa_free(&p.out);
		return r;
	}
	*ret = p.out;
	return 0;
}

static int differ(void *ctx, uint32_t out_a, uint32_t out_b, uint32_t *ret_out)
{
	(void)ctx;
	*ret_out = out_a != out_b;
	return 0;
}

static bool is_set(void *ctx, uint32_t out)
{
	(void)ctx;
	return out != 0;
}

int fa_equivalent(const struct fa *a, const struct fa *b, uint32_t **ret_word, size_t *ret_len)
{
	struct fa *both HG_CLEANUP(fa_free) = NULL;
	struct fa_pair pair = {.output = differ};
	struct fa_want want = {.want = is_set};
	int r;

	r = fa_product(a, b, &pair, &both);
	if (r < 0)
		return r;
	r = fa_witness(both, &want, ret_word, ret_len);
	return r < 0 ? r : !r;
}
