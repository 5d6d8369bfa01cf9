/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The shortest component that has a symbol: a breadth-first walk of the lexer over the bytes that
 * components are made of. "", "." and ".." are not components.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "paths.h"

/* What has been read so far. */
enum read { READ_NOTHING, READ_DOT, READ_DOT_DOT, READ_NAME, N_READ };

struct place {
	uint32_t state, parent;
	uint8_t read, byte;
	uint16_t depth;
};

struct paths_words {
	const struct fa *fa;
	struct place *places;
	size_t n, cap;
	uint8_t *seen;	 /* for each state and enum read */
	uint32_t *first; /* for each symbol, 1 + its first place; 0 for none */
};

/* Readable bytes first: a witness is for people. Returns -1 at the end; some come twice. */
static int nth_byte(unsigned i)
{
	static const char nice[] = "abcdefghijklmnopqrstuvwxyz0123456789"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ_-.+ ";

	if (i < sizeof(nice) - 1)
		return (uint8_t)nice[i];
	i -= sizeof(nice) - 2;
	if (i == '/')
		return 'a';
	return i < 256 ? (int)i : -1;
}

static int visit(struct paths_words *w, uint32_t state, enum read read, uint32_t parent, int byte)
{
	int r;

	if (w->seen[(size_t)state * N_READ + read])
		return 0;
	w->seen[(size_t)state * N_READ + read] = 1;
	r = fa_grow((void **)&w->places, &w->cap, w->n + 1, sizeof(*w->places));
	if (r < 0)
		return r;
	w->places[w->n] = (struct place){
		.state = state,
		.parent = parent,
		.read = read,
		.byte = (uint8_t)byte,
		.depth = w->n ? (uint16_t)(w->places[parent].depth + 1) : 0,
	};
	w->n++;
	return 0;
}

static bool covered(const struct fa *fa, const struct fa_state *s, uint32_t byte)
{
	uint32_t i;

	for (i = 0; i < s->n_edges; i++)
		if (fa->edges[s->first_edge + i].lo <= byte &&
		    byte <= fa->edges[s->first_edge + i].hi)
			return true;
	return false;
}

/* From a place where '.' is a byte like others: one byte for each edge and the default. */
static int expand_edges(struct paths_words *w, uint32_t at)
{
	const struct fa_state *s = w->fa->states + w->places[at].state;
	uint32_t k;
	unsigned i;
	int b, r = 0;

	for (k = 0; k < s->n_edges && r == 0; k++) {
		const struct fa_edge *e = w->fa->edges + s->first_edge + k;

		for (i = 0; (b = nth_byte(i)) >= 0; i++)
			if (e->lo <= (uint32_t)b && (uint32_t)b <= e->hi)
				break;
		if (b >= 0)
			r = visit(w, e->next, READ_NAME, at, b);
	}
	for (i = 0; r == 0 && (b = nth_byte(i)) >= 0; i++)
		if (!covered(w->fa, s, (uint32_t)b))
			return visit(w, s->next, READ_NAME, at, b);
	return r;
}

static int expand_dots(struct paths_words *w, uint32_t at)
{
	struct place p = w->places[at];
	uint32_t next, out;
	enum read read;
	unsigned i;
	int b, r = 0;

	for (i = 0; r == 0 && (b = nth_byte(i)) >= 0; i++) {
		next = fa_next(w->fa, p.state, (uint32_t)b, &out);
		read = b == '.' ? (enum read)(p.read + 1) : READ_NAME;
		r = visit(w, next, read, at, b);
	}
	return r;
}

static int walk(struct paths_words *w, uint32_t start)
{
	uint32_t at;
	int r;

	r = visit(w, start, READ_NOTHING, 0, 0);
	for (at = 0; at < w->n && r == 0; at++) {
		if (w->places[at].depth == HG_NAME_MAX)
			break;
		if (w->places[at].read <= READ_DOT)
			r = expand_dots(w, at);
		else
			r = expand_edges(w, at);
	}
	return r;
}

static void note_symbols(struct paths_words *w)
{
	uint32_t at, symbol;

	for (at = 0; at < w->n; at++) {
		symbol = w->fa->states[w->places[at].state].out;
		if (w->places[at].read != READ_NAME || w->first[symbol])
			continue;
		w->first[symbol] = at + 1;
	}
}

int paths_words_new(const struct fa *lexer, uint32_t start, uint32_t n_symbols,
		    struct paths_words **ret)
{
	struct paths_words *w HG_CLEANUP(paths_words_free) = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	w->fa = lexer;
	w->seen = calloc((size_t)lexer->n_states * N_READ, 1);
	w->first = calloc(n_symbols, sizeof(*w->first));
	if (!w->seen || !w->first)
		return -ENOMEM;
	r = walk(w, start);
	if (r < 0)
		return r;
	note_symbols(w);
	*ret = w;
	w = NULL;
	return 0;
}

void paths_words_free(struct paths_words **words)
{
	struct paths_words *w = *words;

	if (!w)
		return;
	free(w->places);
	free(w->seen);
	free(w->first);
	free(w);
	*words = NULL;
}

uint32_t paths_words_cost(const struct paths_words *words, uint32_t symbol)
{
	return words->first[symbol] ? words->places[words->first[symbol] - 1].depth + 1u : 0;
}

size_t paths_words_get(const struct paths_words *words, uint32_t symbol, char word[HG_NAME_MAX])
{
	uint32_t at = words->first[symbol];
	size_t len, i;

	if (!at)
		return 0;
	at--;
	len = words->places[at].depth;
	for (i = len; i-- > 0; at = words->places[at].parent)
		word[i] = (char)words->places[at].byte;
	return len;
}
