/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The layout of an image. A small policy is one chunk: tables first, then the byte automata, whose
 * rows may reach past their end. Otherwise chunk 0 has the byte automata, and before them the two
 * tables that every decision reads, unless these are long; the rest takes what is left and chunks
 * of its own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "pack.h"

struct packer {
	const struct pack_input *in;
	struct pack_space space;
	uint32_t *row_number; /* rows of the automata to rows of the image */
	uint32_t *rows;	      /* and back */
	uint32_t n_rows;
	struct pack_dirs dirs;
	uint32_t *lexer; /* for each context its start, in the image */
	uint32_t argv[HG_ARGVS_MAX];
	struct hg_head head;
};

static void number_row(struct packer *p, uint32_t row)
{
	if (p->row_number[row] != UINT32_MAX)
		return;
	p->row_number[row] = p->n_rows;
	p->rows[p->n_rows++] = row;
}

/* Rows that something still leads to, in the order of the machines. */
static int number_rows(struct packer *p)
{
	const struct fa *dirs = p->in->paths->dirs, *ep = p->in->endpoint, *argv = p->in->argv;
	size_t n = p->in->rows->rows.n, i;

	p->row_number = malloc(n * sizeof(*p->row_number));
	p->rows = malloc(n * sizeof(*p->rows));
	if (!p->row_number || !p->rows)
		return -ENOMEM;
	memset(p->row_number, 0xff, n * sizeof(*p->row_number));
	number_row(p, PACK_ROW_NONE);
	number_row(p, dirs->start_out);
	for (i = 0; i < dirs->n_states; i++)
		number_row(p, dirs->states[i].next_out);
	for (i = 0; i < dirs->n_edges; i++)
		number_row(p, dirs->edges[i].out);
	for (i = 0; i < ep->n_states; i++)
		number_row(p, ep->states[i].out);
	for (i = 0; i < HG_N_USES; i++)
		number_row(p, p->in->uses[i]);
	for (i = 0; argv && i < argv->n_states; i++)
		number_row(p, argv->states[i].out);
	return p->n_rows > HG_OUTS_MAX ? -E2BIG : 0;
}

static int pack_lexer(struct packer *p)
{
	const struct fa *fa = p->in->paths->lexer;
	uint16_t *out = malloc(fa->n_states * sizeof(*out));
	struct pack_bytes bytes = {fa, HG_LEXER_CLASSES, out, p->dirs.fallback};
	uint32_t i;
	int r;

	if (!out)
		return -ENOMEM;
	for (i = 0; i < fa->n_states; i++)
		out[i] = (uint16_t)fa->states[i].out;
	memcpy(p->lexer, p->in->paths->start, p->in->paths->n_contexts * sizeof(*p->lexer));
	r = pack_bytes(&p->space, &bytes, p->lexer, p->in->paths->n_contexts);
	free(out);
	return r;
}

/* A machine whose outputs are verdict rows. */
static int pack_verdicts(struct packer *p, const struct fa *fa, uint32_t classes, uint32_t *roots,
			 size_t n_roots)
{
	uint16_t *out = malloc(fa->n_states * sizeof(*out));
	struct pack_bytes bytes = {fa, classes, out, NULL};
	uint32_t i;
	int r;

	if (!out)
		return -ENOMEM;
	for (i = 0; i < fa->n_states; i++)
		out[i] = (uint16_t)p->row_number[fa->states[i].out];
	r = pack_bytes(&p->space, &bytes, roots, n_roots);
	free(out);
	return r;
}

static int pack_endpoint(struct packer *p)
{
	p->head.hosts = p->in->hosts;
	p->head.agents = p->in->agents;
	p->head.endpoint = p->in->endpoint->start;
	return pack_verdicts(p, p->in->endpoint, HG_ENDPOINT_CLASSES, &p->head.endpoint, 1);
}

static int pack_argv(struct packer *p)
{
	if (!p->in->argv)
		return 0;
	memcpy(p->argv, p->in->argv_starts, p->in->n_argvs * sizeof(*p->argv));
	return pack_verdicts(p, p->in->argv, HG_ARGV_CLASSES, p->argv, p->in->n_argvs);
}

static void put(struct packer *p, const struct hg_region *region, uint32_t i, const void *element,
		uint32_t units)
{
	memcpy(pack_space_at(&p->space, region, i, units), element, units * HG_UNIT);
}

static void fill_tables(struct packer *p)
{
	const struct paths *paths = p->in->paths;
	const struct pack_rows *rows = p->in->rows;
	uint32_t i;

	for (i = 0; i < p->head.n_dirs; i++) {
		const struct fa_state *s = paths->dirs->states + i;
		struct hg_dir dir = {
			.next = (uint16_t)s->next,
			.out = (uint16_t)p->row_number[s->next_out],
			.any_allow = paths->any[i] & HG_ALL_PATH_ACTIONS,
			.all_allow = paths->all[i] & HG_ALL_PATH_ACTIONS,
			.any_held = paths->any[i] >> 8 & HG_ALL_PATH_ACTIONS,
			.all_held = paths->all[i] >> 8 & HG_ALL_PATH_ACTIONS,
			.base = p->dirs.base[i],
			.kin = (uint16_t)paths->kin[i],
			.lexer = p->lexer[s->tag],
		};

		put(p, &p->head.dirs, i, &dir, 2);
	}
	for (i = 0; i < p->head.n_outs; i++) {
		struct hg_out out = pack_rows_get(rows, p->rows[i]);

		put(p, &p->head.outs, i, &out, HG_OUT_UNITS);
	}
	for (i = 0; i < p->head.n_rules; i++)
		put(p, &p->head.rules, i, rows->rules + i, 1);
	for (i = 0; i < HG_N_USES; i++) {
		uint64_t row = p->row_number[p->in->uses[i]];

		put(p, &p->head.uses, i, &row, 1);
	}
	for (i = 0; i < p->head.n_argvs; i++) {
		uint64_t start = p->argv[i];

		put(p, &p->head.argvs, i, &start, 1);
	}
	for (i = 0; i < 1u << p->head.hash_bits; i++)
		put(p, &p->head.cells, i, p->dirs.table + i, 1);
}

/* Directory states and verdict rows. */
static int reserve_hot(struct packer *p)
{
	int r = pack_space_region(&p->space, p->head.n_dirs, 2, &p->head.dirs);

	return r < 0 ? r : pack_space_region(&p->space, p->head.n_outs, HG_OUT_UNITS, &p->head.outs);
}

static int reserve_cold(struct packer *p)
{
	int r = pack_space_region(&p->space, 1u << p->head.hash_bits, 1, &p->head.cells);

	if (r == 0)
		r = pack_space_region(&p->space, p->head.n_rules, 1, &p->head.rules);
	if (r == 0)
		r = pack_space_region(&p->space, HG_N_USES, 1, &p->head.uses);
	return r < 0 ? r : pack_space_region(&p->space, p->head.n_argvs, 1, &p->head.argvs);
}

static int lay_out(struct packer *p, bool single)
{
	bool near = single || 2 * (p->head.n_dirs + p->head.n_outs) <= HG_CHUNK_UNITS / 4;
	int r;

	pack_space_done(&p->space);
	p->space.max = single ? 1 : p->in->max_chunks;
	r = pack_space_chunk(&p->space, HG_FIRST_FREE_UNIT);
	if (r == 0 && near)
		r = reserve_hot(p);
	if (r == 0 && single)
		r = reserve_cold(p);
	if (r == 0)
		r = pack_lexer(p);
	if (r == 0)
		r = pack_endpoint(p);
	if (r == 0)
		r = pack_argv(p);
	if (r == 0 && !near)
		r = reserve_hot(p);
	if (r == 0 && !single)
		r = reserve_cold(p);
	if (r == 0)
		fill_tables(p);
	return r;
}

static void fill_head(struct packer *p)
{
	p->head.magic = HG_MAGIC;
	p->head.n_dirs = p->in->paths->dirs->n_states;
	p->head.n_outs = p->n_rows;
	p->head.n_symbols = p->in->paths->n_symbols;
	p->head.n_rules = (uint32_t)p->in->rows->n_rules;
	p->head.hash_bits = p->dirs.hash_bits;
	p->head.n_argvs = p->in->n_argvs;
	p->head.root_dir = (uint16_t)p->in->paths->dirs->start;
	p->head.root_out = (uint16_t)p->row_number[p->in->paths->dirs->start_out];
}

static int too_big(const struct packer *p, struct ruleset_error *error)
{
	return ruleset_fail(error, -E2BIG, 0,
			    "the policy does not fit: %u directory states, %u name symbols, %zu "
			    "verdict rows (at most %u each), %u chunks at most; rules that give "
			    "each directory its own exceptions cost most",
			    p->in->paths->dirs->n_states, p->in->paths->n_symbols,
			    p->in->rows->rows.n, HG_OUTS_MAX, p->in->max_chunks);
}

int pack_image(const struct pack_input *in, struct hg_chunk **ret, uint32_t *ret_n,
	       struct ruleset_error *ret_error)
{
	struct packer p = {.in = in};
	int r;

	p.lexer = malloc((in->paths->n_contexts + 1) * sizeof(*p.lexer));
	r = p.lexer ? number_rows(&p) : -ENOMEM;
	if (r == 0)
		r = pack_dirs(in->paths, p.row_number, &p.dirs);
	if (r == 0) {
		fill_head(&p);
		r = lay_out(&p, true);
		if (r == -E2BIG)
			r = lay_out(&p, false);
	}
	if (r == 0) {
		p.head.n_chunks = p.space.n;
		memcpy(p.space.chunks, &p.head, sizeof(p.head));
		p.head.uid = image_uid(p.space.chunks, p.space.n);
		memcpy(p.space.chunks, &p.head, sizeof(p.head));
		*ret = p.space.chunks;
		*ret_n = p.space.n;
		p.space.chunks = NULL;
	} else if (r == -E2BIG) {
		r = too_big(&p, ret_error);
	}
	pack_space_done(&p.space);
	pack_dirs_done(&p.dirs);
	free(p.row_number);
	free(p.rows);
	free(p.lexer);
	return r;
}
