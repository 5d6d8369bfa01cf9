/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Minimisation by refining classes of states (Moore's algorithm): two states stay together while
 * what they do, said in classes, is the same. A class of one state is not looked at again, so late
 * rounds cost only what is still undecided.
 */
#include <errno.h>
#include <string.h>

#include "fa.h"
#include "fa_intern.h"

struct refine {
	const struct fa *fa;
	uint32_t *class, *next_class; /* for each state */
	uint32_t *size;		      /* for each class */
	uint32_t n_classes;
	struct fa_intern sigs;
	uint32_t *sig_class; /* for each signature of this round */
	uint32_t *buf;
	size_t cap_buf, cap_sig_class;
};

/* What the state does, in classes. The default is what the one rest symbol does, so equal
 * behaviour is written equally. */
static int write_signature(struct refine *f, uint32_t state, size_t *ret_n)
{
	const struct fa_state *s = f->fa->states + state;
	const struct fa_edge *e = f->fa->edges + s->first_edge;
	uint32_t dflt = f->class[s->next], i, *w;
	size_t n = 3;
	int r;

	r = fa_grow((void **)&f->buf, &f->cap_buf, 3 + 4 * (size_t)s->n_edges, sizeof(*f->buf));
	if (r < 0)
		return r;
	f->buf[0] = f->class[state];
	f->buf[1] = dflt;
	f->buf[2] = s->next_out;
	for (i = 0; i < s->n_edges; i++) {
		if (f->class[e[i].next] == dflt && e[i].out == s->next_out)
			continue;
		w = f->buf + n;
		if (n > 3 && w[-3] + 1 == e[i].lo && w[-2] == f->class[e[i].next] &&
		    w[-1] == e[i].out) {
			w[-3] = e[i].hi;
			continue;
		}
		w[0] = e[i].lo;
		w[1] = e[i].hi;
		w[2] = f->class[e[i].next];
		w[3] = e[i].out;
		n += 4;
	}
	*ret_n = n;
	return 0;
}

static int classify(struct refine *f, uint32_t state, uint32_t *n_classes)
{
	uint32_t id;
	size_t n;
	int r;

	if (f->size[f->class[state]] == 1) {
		f->next_class[state] = (*n_classes)++;
		return 0;
	}
	r = write_signature(f, state, &n);
	if (r < 0)
		return r;
	r = fa_intern_add(&f->sigs, f->buf, n, &id);
	if (r < 0)
		return r;
	if (r == 1) {
		r = fa_grow((void **)&f->sig_class, &f->cap_sig_class, (size_t)id + 1,
			    sizeof(*f->sig_class));
		if (r < 0)
			return r;
		f->sig_class[id] = (*n_classes)++;
	}
	f->next_class[state] = f->sig_class[id];
	return 0;
}

/* One round. Returns 1 when classes were split, 0 when nothing changed. */
static int refine_round(struct refine *f)
{
	uint32_t n_classes = 0, state, *swap;
	int r;

	fa_intern_reset(&f->sigs);
	for (state = 0; state < f->fa->n_states; state++) {
		r = classify(f, state, &n_classes);
		if (r < 0)
			return r;
	}
	memset(f->size, 0, f->fa->n_states * sizeof(*f->size));
	for (state = 0; state < f->fa->n_states; state++)
		f->size[f->next_class[state]]++;
	swap = f->class;
	f->class = f->next_class;
	f->next_class = swap;
	if (n_classes == f->n_classes)
		return 0;
	f->n_classes = n_classes;
	return 1;
}

/* The first classes: states with equal outputs and tags. */
static int refine_start(struct refine *f)
{
	uint32_t state;
	int r;

	for (state = 0; state < f->fa->n_states; state++) {
		uint32_t words[2] = {f->fa->states[state].out, f->fa->states[state].tag};

		r = fa_intern_add(&f->sigs, words, 2, f->class + state);
		if (r < 0)
			return r;
		f->size[f->class[state]]++;
	}
	f->n_classes = (uint32_t)f->sigs.n;
	return 0;
}

/* Numbers the classes breadth-first from the roots: order[i] is a state of the i-th class, and
 * f->next_class maps a class to its number. */
static uint32_t number_classes(struct refine *f, uint32_t *roots, size_t n_roots, uint32_t *order)
{
	uint32_t n = 0, at, i, *number = f->next_class;

	memset(number, 0xff, f->fa->n_states * sizeof(*number));
	for (i = 0; i < n_roots; i++) {
		if (number[f->class[roots[i]]] == UINT32_MAX) {
			number[f->class[roots[i]]] = n;
			order[n++] = roots[i];
		}
		roots[i] = number[f->class[roots[i]]];
	}
	for (at = 0; at < n; at++) {
		const struct fa_state *s = f->fa->states + order[at];

		for (i = 0; i <= s->n_edges; i++) {
			uint32_t to = i ? f->fa->edges[s->first_edge + i - 1].next : s->next;

			if (number[f->class[to]] != UINT32_MAX)
				continue;
			number[f->class[to]] = n;
			order[n++] = to;
		}
	}
	return n;
}

static int write_minimal(struct refine *f, uint32_t *roots, size_t n_roots, struct fa **ret)
{
	uint32_t *order HG_CLEANUP(fa_free_words) = malloc(f->n_classes * sizeof(*order));
	struct fa *out HG_CLEANUP(fa_free) = NULL;
	uint32_t n, i, k, *number = f->next_class;
	int r;

	if (!order)
		return -ENOMEM;
	r = fa_new(f->fa->n_symbols, f->fa->rest, &out);
	if (r < 0)
		return r;
	n = number_classes(f, roots, n_roots, order);
	out->start = roots[0];
	out->start_out = f->fa->start_out;
	for (i = 0; i < n; i++) {
		const struct fa_state *s = f->fa->states + order[i];

		r = fa_add_state(out, s->out, number[f->class[s->next]], s->next_out);
		if (r == 0)
			out->states[i].tag = s->tag;
		for (k = 0; k < s->n_edges && r == 0; k++) {
			struct fa_edge e = f->fa->edges[s->first_edge + k];

			e.next = number[f->class[e.next]];
			r = fa_add_edge(out, &e);
		}
		if (r < 0)
			return r;
	}
	*ret = out;
	out = NULL;
	return 0;
}

static void refine_done(struct refine *f)
{
	free(f->class);
	free(f->next_class);
	free(f->size);
	free(f->sig_class);
	free(f->buf);
	fa_intern_done(&f->sigs);
}

static int refine(struct refine *f, const struct fa *fa)
{
	int r;

	*f = (struct refine){.fa = fa};
	f->class = malloc(fa->n_states * sizeof(*f->class));
	f->next_class = malloc(fa->n_states * sizeof(*f->next_class));
	f->size = calloc(fa->n_states, sizeof(*f->size));
	r = f->class && f->next_class && f->size ? refine_start(f) : -ENOMEM;
	if (r == 0)
		do
			r = refine_round(f);
		while (r == 1);
	return r;
}

int fa_minimise_from(const struct fa *fa, uint32_t *roots, size_t n_roots, struct fa **ret)
{
	struct refine f HG_CLEANUP(refine_done);
	int r;

	r = refine(&f, fa);
	return r < 0 ? r : write_minimal(&f, roots, n_roots, ret);
}

int fa_minimise(const struct fa *fa, struct fa **ret)
{
	uint32_t root = fa->start;

	return fa_minimise_from(fa, &root, 1, ret);
}

int fa_classes(const struct fa *fa, uint32_t *ret_class)
{
	struct refine f HG_CLEANUP(refine_done);
	uint32_t state, *lowest;
	int r;

	r = refine(&f, fa);
	if (r < 0)
		return r;
	lowest = f.next_class;
	memset(lowest, 0xff, fa->n_states * sizeof(*lowest));
	for (state = fa->n_states; state-- > 0;)
		lowest[f.class[state]] = state;
	for (state = 0; state < fa->n_states; state++)
		ret_class[state] = lowest[f.class[state]];
	return 0;
}
