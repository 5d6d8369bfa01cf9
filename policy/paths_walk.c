/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which symbols components have, from a start of the lexer: walks it over the bytes of names. */
#include <errno.h>
#include <string.h>

#include "paths.h"

/* What has been read: "", "." and ".." are no components, all else is one. */
enum read { READ_NOTHING, READ_DOT, READ_DOT_DOT, READ_NAME, N_READ };

static int visit(struct paths_walk *w, uint32_t state, enum read read)
{
	size_t at = (size_t)state * N_READ + read;
	int r;

	r = fa_grow((void **)&w->seen, &w->cap_seen, at + 1, sizeof(*w->seen));
	if (r < 0)
		return r;
	if (at >= w->n_seen) {
		memset(w->seen + w->n_seen, 0, (w->cap_seen - w->n_seen) * sizeof(*w->seen));
		w->n_seen = w->cap_seen;
	}
	if (w->seen[at] == w->now)
		return 0;
	w->seen[at] = w->now;
	r = fa_grow((void **)&w->todo, &w->cap_todo, w->n_todo + 1, sizeof(*w->todo));
	if (r == 0)
		w->todo[w->n_todo++] = (uint32_t)at;
	return r;
}

/* Whether a component can go on with some byte of lo..hi; dots: other than '.'. */
static bool goes_on(uint32_t lo, uint32_t hi, bool dots)
{
	uint32_t b;

	for (b = lo; b <= hi; b++)
		if (b != 0 && b != '/' && !(dots && b == '.'))
			return true;
	return false;
}

static bool default_goes_on(const struct fa *fa, const struct fa_state *s, bool dots)
{
	uint32_t at = 0, i;

	for (i = 0; i < s->n_edges; i++) {
		const struct fa_edge *e = fa->edges + s->first_edge + i;

		if (at < e->lo && goes_on(at, e->lo - 1, dots))
			return true;
		at = e->hi + 1;
	}
	return at < 256 && goes_on(at, 255, dots);
}

static int expand(struct paths_walk *w, const struct fa *fa, uint32_t state, enum read read)
{
	const struct fa_state *s = fa->states + state;
	bool dots = read <= READ_DOT;
	uint32_t i, next, out;
	int r = 0;

	if (dots) {
		next = fa_next(fa, state, '.', &out);
		r = visit(w, next, (enum read)(read + 1));
	}
	for (i = 0; i < s->n_edges && r == 0; i++)
		if (goes_on(fa->edges[s->first_edge + i].lo, fa->edges[s->first_edge + i].hi, dots))
			r = visit(w, fa->edges[s->first_edge + i].next, READ_NAME);
	if (r == 0 && default_goes_on(fa, s, dots))
		r = visit(w, s->next, READ_NAME);
	return r;
}

static int compare_words(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int take_found(struct paths_walk *w, uint32_t **ret, size_t *ret_n)
{
	size_t i, k = 0;

	if (w->n_found)
		qsort(w->found, w->n_found, sizeof(*w->found), compare_words);
	for (i = 0; i < w->n_found; i++)
		if (!k || w->found[k - 1] != w->found[i])
			w->found[k++] = w->found[i];
	*ret = malloc((k + 1) * sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	if (k)
		memcpy(*ret, w->found, k * sizeof(**ret));
	*ret_n = k;
	return 0;
}

int paths_walk(struct paths_walk *w, const struct fa *lexer, uint32_t start, uint32_t **ret_symbols,
	       size_t *ret_n)
{
	int r;

	w->now++;
	w->n_todo = w->n_found = 0;
	r = visit(w, start, READ_NOTHING);
	while (w->n_todo && r == 0) {
		uint32_t at = w->todo[--w->n_todo], state = at / N_READ;

		if (at % N_READ == READ_NAME) {
			r = fa_grow((void **)&w->found, &w->cap_found, w->n_found + 1,
				    sizeof(*w->found));
			if (r < 0)
				return r;
			w->found[w->n_found++] = lexer->states[state].out;
		}
		r = expand(w, lexer, state, (enum read)(at % N_READ));
	}
	return r < 0 ? r : take_found(w, ret_symbols, ret_n);
}

void paths_walk_done(struct paths_walk *w)
{
	free(w->seen);
	free(w->todo);
	free(w->found);
	*w = (struct paths_walk){0};
}
