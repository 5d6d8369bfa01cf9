/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Verifying the byte automata of an image: follows every transition from the start states. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fa.h"
#include "image_verify.h"

/* What has been read before a row: ".", ".." and "" are no components, all else is one. */
enum read { READ_NOTHING, READ_DOT, READ_DOT_DOT, READ_NAME, N_READ };

struct walk {
	struct verifier *v;
	uint32_t classes;
	bool lexer;
	uint8_t *seen;		/* for each unit: bits of enum read; one machine at a time */
	uint8_t *mapped;	/* for each chunk: its class map has an owner */
	uint32_t *todo;		/* state, read */
	size_t n, cap;
};

static struct hg_row row_at(const struct verifier *v, uint32_t state)
{
	uint64_t words[2] = { image_unit(v, state >> 16, state & 0xffff),
			      image_unit(v, state >> 16, (state & 0xffff) + 1) };
	struct hg_row row;

	memcpy(&row, words, sizeof(row));
	return row;
}

static struct hg_edge edge_at(const struct verifier *v, uint32_t chunk, uint32_t unit)
{
	uint64_t word = image_unit(v, chunk, unit);
	struct hg_edge edge;

	memcpy(&edge, &word, sizeof(edge));
	return edge;
}

static uint8_t class_of(const struct walk *w, uint32_t chunk, unsigned byte)
{
	return ((const uint8_t *)(w->v->chunks + chunk))[w->classes * HG_UNIT + byte];
}

static int note_symbol(struct walk *w, const struct hg_row *row, uint32_t state)
{
	struct verified_symbol *s;

	if (row->out >= w->v->head->n_symbols)
		return image_bad(w->v, "a row's symbol", state);
	if (row->fallback > HG_FALLBACK_VERDICT || row->next >= w->v->head->n_dirs ||
	    row->next_out >= w->v->head->n_outs ||
	    (row->fallback != HG_FALLBACK_PLACE && row->next) ||
	    (row->fallback == HG_FALLBACK_NONE && row->next_out))
		return image_bad(w->v, "a symbol's fallback", state);
	s = w->v->symbol + row->out;
	if (s->seen && (s->fallback != row->fallback || s->next != row->next ||
			s->out != row->next_out))
		return image_bad(w->v, "a symbol with two fallbacks", row->out);
	s->seen = true;
	s->fallback = row->fallback;
	s->next = row->next;
	s->out = row->next_out;
	return 0;
}

/* An endpoint's verdict row speaks of the endpoint actions only. */
static int check_endpoint_row(struct walk *w, const struct hg_row *row, uint32_t state)
{
	struct hg_out out;
	unsigned a;

	if (row->out >= w->v->head->n_outs || row->fallback || row->next || row->next_out)
		return image_bad(w->v, "a row's verdict", state);
	out = image_out_at(w->v, row->out);
	for (a = HG_N_EP_ACTIONS; a < HG_N_PATH_ACTIONS; a++)
		if (out.rule[a] != HG_RULE_NONE)
			return image_bad(w->v, "an endpoint's verdict row", row->out);
	return 0;
}

/* The row itself, and the cells it owns. */
static int check_row(struct walk *w, uint32_t state)
{
	struct hg_row row = row_at(w->v, state);
	uint32_t chunk = state >> 16, unit = state & 0xffff, cl;
	bool used[256] = { false };
	unsigned b;
	int r;

	r = image_claim(w->v, chunk, unit, 2);
	if (r < 0)
		return r;
	if (!w->mapped[chunk]) {
		w->mapped[chunk] = 1;
		r = image_claim(w->v, chunk, w->classes, 256 / HG_UNIT);
		if (r < 0)
			return r;
	}
	if (row.flags & ~HG_ROW_SINK)
		return image_bad(w->v, "a row's flags", state);
	for (b = 0; b < 256; b++)
		used[class_of(w, chunk, b)] = true;
	for (cl = 0; cl < 256; cl++) {
		struct hg_edge edge;

		if (!used[cl])
			continue;
		if (row.base + cl >= HG_CHUNK_UNITS)
			return image_bad(w->v, "a row's reach", state);
		edge = edge_at(w->v, chunk, row.base + cl);
		if (edge.row != unit)
			continue;
		if (edge.zero)
			return image_bad(w->v, "a row's cell", row.base + cl);
		r = image_claim(w->v, chunk, row.base + cl, 1);
		if (r < 0)
			return r;
	}
	return w->lexer ? note_symbol(w, &row, state) : check_endpoint_row(w, &row, state);
}

/* A state that something leads to: checks it once, and walks it once for each enum read. */
static int visit(struct walk *w, uint32_t state, enum read read)
{
	size_t at = (size_t)(state >> 16) * HG_CHUNK_UNITS + (state & 0xffff);
	int r;

	if (state >> 16 >= w->v->n || (state & 0xffff) < HG_FIRST_FREE_UNIT ||
	    (state & 0xffff) + 1 >= HG_CHUNK_UNITS)
		return image_bad(w->v, "a state outside its chunk", state);
	if (w->seen[at] & 1u << read)
		return 0;
	if (!w->seen[at]) {
		r = check_row(w, state);
		if (r < 0)
			return r;
	}
	w->seen[at] |= 1u << read;
	r = fa_grow((void **)&w->todo, &w->cap, w->n + 2, sizeof(*w->todo));
	if (r < 0)
		return r;
	w->todo[w->n++] = state;
	w->todo[w->n++] = read;
	return 0;
}

static enum read read_byte(enum read read, unsigned byte)
{
	if (byte == '.' && read == READ_NOTHING)
		return READ_DOT;
	if (byte == '.' && read == READ_DOT)
		return READ_DOT_DOT;
	return READ_NAME;
}

static int walk_state(struct walk *w, uint32_t state, enum read read)
{
	struct hg_row row = row_at(w->v, state);
	uint32_t chunk = state >> 16, next;
	unsigned b;
	int r;

	if (w->lexer && read == READ_NAME)
		w->v->symbol[row.out].real = true;
	for (b = 0; b < 256; b++) {
		struct hg_edge edge = edge_at(w->v, chunk, row.base + class_of(w, chunk, b));

		next = edge.row == (state & 0xffff) ? edge.next : row.dflt;
		if ((row.flags & HG_ROW_SINK) && next != state)
			return image_bad(w->v, "a sink that leads on", state);
		/* These are in no component, so what they lead to need not be a name's place;
		 * but it must be a place. */
		if (w->lexer && (b == 0 || b == '/'))
			r = visit(w, next, read == READ_NOTHING ? READ_DOT_DOT : read);
		else
			r = visit(w, next, w->lexer ? read_byte(read, b) : READ_NAME);
		if (r < 0)
			return r;
	}
	return 0;
}

static int walk_machine(struct verifier *v, uint32_t classes, uint32_t start)
{
	struct walk w = { .v = v, .classes = classes, .lexer = classes == HG_LEXER_CLASSES };
	enum read read;
	int r;

	w.seen = calloc((size_t)v->n * HG_CHUNK_UNITS, 1);
	w.mapped = calloc(v->n, 1);
	r = w.seen && w.mapped ? visit(&w, start, READ_NOTHING) : -ENOMEM;
	while (w.n && r == 0) {
		read = w.todo[--w.n];
		r = walk_state(&w, w.todo[--w.n], read);
	}
	free(w.seen);
	free(w.mapped);
	free(w.todo);
	return r;
}

int image_verify_bytes(struct verifier *v)
{
	int r;

	r = walk_machine(v, HG_LEXER_CLASSES, v->head->lexer);
	if (r == 0)
		r = walk_machine(v, HG_ENDPOINT_CLASSES, v->head->endpoint);
	return r;
}
