/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Verifying the byte automata of an image: follows every byte from every row that is reached. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image_verify.h"

struct walk {
	struct verifier *v;
	uint32_t classes;
	bool lexer;
	uint32_t *number; /* for each unit 1 + the number of the row that is there */
	uint8_t *mapped;  /* for each chunk: its class map has an owner */
	uint32_t *rows;	  /* where each is */
	size_t n, cap;
	struct fa *fa; /* what has been walked, one state for each row */
};

static struct hg_row row_at(const struct verifier *v, uint32_t state)
{
	uint32_t chunk = HG_STATE_CHUNK(state), unit = HG_STATE_UNIT(state);
	uint64_t words[2] = {image_unit(v, chunk, unit), image_unit(v, chunk, unit + 1)};
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

/* A symbol says the same in all its rows. */
static int check_symbol(struct walk *w, const struct hg_row *row, uint32_t state)
{
	uint16_t fallback = row->fallback & (uint16_t)~HG_FALLBACK_ONLY;
	bool only = row->fallback & HG_FALLBACK_ONLY;
	struct verified_symbol *s;

	if (row->out >= w->v->head->n_symbols)
		return image_bad(w->v, "a row's symbol", state);
	if (fallback > HG_FALLBACK_VERDICT || row->next >= w->v->head->n_dirs ||
	    row->next_out >= w->v->head->n_outs ||
	    (fallback != HG_FALLBACK_PLACE && row->next) ||
	    (fallback == HG_FALLBACK_NONE && row->next_out))
		return image_bad(w->v, "a symbol's fallback", state);
	s = w->v->symbol + row->out;
	if (only == s->exception)
		return image_bad(w->v, "a symbol's exceptions", row->out);
	if (s->seen &&
	    (s->fallback != fallback || s->next != row->next || s->out != row->next_out))
		return image_bad(w->v, "a symbol with two fallbacks", row->out);
	*s = (struct verified_symbol){fallback, row->next, row->next_out, true, s->exception};
	return 0;
}

/* An endpoint's verdict row speaks of the endpoint actions only, one of arguments of running. */
static int check_verdict(struct walk *w, const struct hg_row *row, uint32_t state)
{
	bool endpoint = w->classes == HG_ENDPOINT_CLASSES;
	struct hg_out out;
	unsigned a;

	if (row->out >= w->v->head->n_outs || row->fallback || row->next || row->next_out)
		return image_bad(w->v, "a row's verdict", state);
	out = image_out_at(w->v, row->out);
	for (a = 0; a < HG_N_PATH_ACTIONS; a++)
		if (out.rule[a] != HG_RULE_NONE && (endpoint ? a >= HG_N_EP_ACTIONS : a != HG_EXEC))
			return image_bad(w->v, "a verdict row of another machine", row->out);
	if (out.argv)
		return image_bad(w->v, "a verdict row that asks for arguments", row->out);
	return 0;
}

static int claim_map(struct walk *w, uint32_t chunk)
{
	if (w->mapped[chunk])
		return 0;
	w->mapped[chunk] = 1;
	return image_claim(w->v, chunk, w->classes, 256 / HG_UNIT);
}

/* The cells within a row's reach: they stay in the chunk, and its own are its own. */
static int check_cells(struct walk *w, const struct hg_row *row, uint32_t state)
{
	uint32_t chunk = HG_STATE_CHUNK(state), cl;
	bool used[256] = {false};
	struct hg_edge edge;
	unsigned b;
	int r = 0;

	for (b = 0; b < 256; b++)
		used[class_of(w, chunk, b)] = true;
	for (cl = 0; cl < 256 && r == 0; cl++) {
		if (!used[cl])
			continue;
		if (row->base + cl >= HG_CHUNK_UNITS)
			return image_bad(w->v, "a row's reach", state);
		edge = edge_at(w->v, chunk, row->base + cl);
		if (edge.row != HG_STATE_UNIT(state))
			continue;
		if (edge.zero)
			return image_bad(w->v, "a row's cell", row->base + cl);
		r = image_claim(w->v, chunk, row->base + cl, 1);
	}
	return r;
}

/* What follows a hub's row: a state for each class that a byte has. */
static int check_hub(struct walk *w, uint32_t state)
{
	uint32_t chunk = HG_STATE_CHUNK(state), max = 0;
	unsigned b;

	for (b = 0; b < 256; b++)
		if (class_of(w, chunk, b) > max)
			max = class_of(w, chunk, b);
	if (HG_STATE_UNIT(state) + 2 + max / 2 >= HG_CHUNK_UNITS)
		return image_bad(w->v, "a hub's reach", state);
	if (max % 2 == 0 && image_unit(w->v, chunk, HG_STATE_UNIT(state) + 2 + max / 2) >> 32)
		return image_bad(w->v, "behind a hub", state);
	return image_claim(w->v, chunk, HG_STATE_UNIT(state) + 2, max / 2 + 1);
}

static int check_row(struct walk *w, uint32_t state)
{
	uint32_t tags = state & (HG_STATE_SINK | HG_STATE_HUB);
	struct hg_row row;
	int r;

	r = image_claim(w->v, HG_STATE_CHUNK(state), HG_STATE_UNIT(state), 2);
	if (r == 0)
		r = claim_map(w, HG_STATE_CHUNK(state));
	if (r < 0)
		return r;
	row = row_at(w->v, state);
	if (row.flags > HG_ROW_DELEGATES || tags == (HG_STATE_SINK | HG_STATE_HUB) ||
	    (tags && (row.flags || row.dflt || row.base != 1)))
		return image_bad(w->v, "a row's flags", state);
	if (row.flags == HG_ROW_DELEGATES &&
	    (HG_STATE_CHUNK(row.dflt) != HG_STATE_CHUNK(state) || !(row.dflt & HG_STATE_HUB)))
		return image_bad(w->v, "a row leaves things to no hub of its chunk", state);
	if (!tags)
		r = check_cells(w, &row, state);
	else if (tags == HG_STATE_HUB)
		r = check_hub(w, state);
	if (r < 0)
		return r;
	return w->lexer ? check_symbol(w, &row, state) : check_verdict(w, &row, state);
}

/* A row that something leads to: checked once, then walked. Gives its number. */
static int visit(struct walk *w, uint32_t state, uint32_t *ret)
{
	uint32_t chunk = HG_STATE_CHUNK(state), unit = HG_STATE_UNIT(state), *number;
	int r;

	if (chunk >= w->v->n || unit < HG_FIRST_FREE_UNIT || unit % 2)
		return image_bad(w->v, "a state outside its chunk", state);
	number = w->number + (size_t)chunk * HG_CHUNK_UNITS + unit;
	if (!*number) {
		r = check_row(w, state);
		if (r == 0)
			r = fa_grow((void **)&w->rows, &w->cap, w->n + 1, sizeof(*w->rows));
		if (r < 0)
			return r;
		w->rows[w->n++] = state;
		*number = (uint32_t)w->n;
	}
	*ret = *number - 1;
	/* What is to be known beforehand is the same wherever it is said. */
	return w->rows[*ret] == state ? 0 : image_bad(w->v, "a state's kind", state);
}

static uint32_t hub_step(const struct walk *w, uint32_t state, uint32_t cl)
{
	uint32_t unit = HG_STATE_UNIT(state) + 2 + cl / 2;

	return (uint32_t)(image_unit(w->v, HG_STATE_CHUNK(state), unit) >> (cl % 2 * 32));
}

/* What a byte does in a row that has been checked, as its default has. */
static uint32_t step(const struct walk *w, uint32_t state, const struct hg_row *row, unsigned b)
{
	uint32_t chunk = HG_STATE_CHUNK(state), cl = class_of(w, chunk, b);
	struct hg_edge edge;

	if (state & HG_STATE_SINK)
		return state;
	if (state & HG_STATE_HUB)
		return hub_step(w, state, cl);
	edge = edge_at(w->v, chunk, row->base + cl);
	if (edge.row == HG_STATE_UNIT(state))
		return edge.next;
	if (row->flags == HG_ROW_DELEGATES)
		return hub_step(w, row->dflt, cl);
	return row->dflt;
}

/* Follows every byte of the i-th row, which makes it the i-th state of w->fa. */
static int walk_row(struct walk *w, size_t i)
{
	uint32_t state = w->rows[i], dflt, to[256];
	struct hg_row row = row_at(w->v, state);
	struct fa_edge e;
	unsigned b;
	int r = 0;

	/* The default is read even where no byte leads to it. */
	if (!(state & (HG_STATE_SINK | HG_STATE_HUB)))
		r = visit(w, row.dflt, &dflt);
	for (b = 0; b < 256 && r == 0; b++)
		r = visit(w, step(w, state, &row, b), to + b);
	if (r == 0)
		r = fa_add_state(w->fa, row.out, to[0], 0);
	for (b = 1; b < 256 && r == 0; b++) {
		e = (struct fa_edge){b, b, to[b], 0};
		r = fa_add_edge(w->fa, &e);
	}
	return r;
}

static void walk_done(struct walk *w)
{
	free(w->number);
	free(w->mapped);
	free(w->rows);
	fa_free(&w->fa);
}

static int walk_init(struct walk *w, struct verifier *v, uint32_t classes)
{
	*w = (struct walk){.v = v, .classes = classes, .lexer = classes == HG_LEXER_CLASSES};
	w->number = calloc((size_t)v->n * HG_CHUNK_UNITS, sizeof(*w->number));
	w->mapped = calloc(v->n, 1);
	if (!w->number || !w->mapped)
		return -ENOMEM;
	return fa_new(256, 0, &w->fa);
}

static int walk_all(struct walk *w)
{
	size_t i;
	int r = 0;

	for (i = 0; i < w->n && r == 0; i++)
		r = walk_row(w, i);
	return r;
}

static int verify_lexer(struct verifier *v)
{
	struct walk w HG_CLEANUP(walk_done) = {0};
	uint32_t i;
	int r;

	r = walk_init(&w, v, HG_LEXER_CLASSES);
	for (i = 0; i < v->head->n_dirs && r == 0; i++)
		r = visit(&w, image_dir_at(v, i).lexer, v->start + i);
	if (r == 0)
		r = walk_all(&w);
	if (r == 0) {
		v->lexer = w.fa;
		w.fa = NULL;
	}
	return r;
}

static int verify_endpoint(struct verifier *v)
{
	struct walk w HG_CLEANUP(walk_done) = {0};
	uint32_t start;
	int r;

	r = walk_init(&w, v, HG_ENDPOINT_CLASSES);
	if (r == 0)
		r = visit(&w, v->head->endpoint, &start);
	return r < 0 ? r : walk_all(&w);
}

static int verify_argvs(struct verifier *v)
{
	struct walk w HG_CLEANUP(walk_done) = {0};
	uint32_t i, start;
	int r;

	r = walk_init(&w, v, HG_ARGV_CLASSES);
	for (i = 0; i < v->head->n_argvs && r == 0; i++) {
		if (image_argv_at(v, i) > UINT32_MAX)
			return image_bad(v, "a start", i);
		r = visit(&w, (uint32_t)image_argv_at(v, i), &start);
	}
	return r < 0 ? r : walk_all(&w);
}

int image_verify_bytes(struct verifier *v)
{
	int r = verify_lexer(v);

	if (r == 0)
		r = verify_endpoint(v);
	return r < 0 ? r : verify_argvs(v);
}
