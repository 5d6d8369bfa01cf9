/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Images with one field changed, of the head, the tables and the hash: refused. */
#include "test_image.h"

#define HEAD(f, v)                                                                                 \
	{                                                                                          \
#f " = " #v, NULL, 0, 0, offsetof(struct hg_head, f),                              \
			sizeof(((struct hg_head *)0)->f), v                                        \
	}
#define REGION(f, v)                                                                               \
	{                                                                                          \
#f " = " #v, NULL, 0, 0, offsetof(struct hg_head, f),                              \
			sizeof(((struct hg_region *)0)->first_chunk), v                            \
	}

static void test_head(struct tap *t, const struct image *im)
{
	const struct change changes[] = {
		HEAD(magic, 0),
		HEAD(n_chunks, 2),
		HEAD(n_chunks, 0),
		HEAD(n_argvs, 1),
		HEAD(n_argvs, 256),
		HEAD(hosts, 2),
		HEAD(n_dirs, 0),
		HEAD(n_dirs, 70000),
		HEAD(n_outs, 0),
		HEAD(n_outs, 70000),
		HEAD(n_symbols, 0),
		HEAD(n_symbols, 70000),
		HEAD(n_rules, 0),
		HEAD(n_rules, 70000),
		HEAD(hash_bits, 0),
		HEAD(hash_bits, 31),
		HEAD(hash_bits, 40),
		HEAD(agents, 2),
		HEAD(root_dir, 0xffff),
		HEAD(root_out, 0xffff),
		HEAD(endpoint, 0),
		HEAD(endpoint, 0xffffffff),
		HEAD(endpoint, 0x10060),
		HEAD(endpoint, 0x3fff),
		REGION(dirs.first_chunk, 1),
		REGION(dirs.unit, 0),
		REGION(dirs.unit, 16383),
		REGION(outs.first_chunk, 0xffff),
		REGION(outs.unit, 32),
		REGION(cells.unit, 0xffff),
		REGION(cells.first_chunk, 1),
		REGION(rules.unit, 1),
		REGION(rules.first_chunk, 9),
		REGION(uses.unit, 1),
		REGION(uses.first_chunk, 9),
		HEAD(dirs.shift, 32),
		HEAD(dirs.shift, 0),
		HEAD(outs.shift, 0),
		HEAD(cells.shift, 0),
		HEAD(rules.shift, 1),
		HEAD(uses.shift, 0),
		HEAD(cells.shift, 0xffffffff),
	};
	size_t i;

	for (i = 0; i < sizeof(changes) / sizeof(*changes); i++)
		expect_refused(t, im, changes + i);
}

#define ELEMENT(reg, type, i, n, f, v)                                                             \
	{                                                                                          \
#type " " #i ", " #f " = " #v, &h.reg, i, n, offsetof(struct type, f),             \
			sizeof(((struct type *)0)->f), v                                           \
	}

struct word_row {
	uint32_t row, zero;
};

static void test_tables(struct tap *t, const struct image *im)
{
	struct hg_head h = *image_head(im);
	uint32_t last = h.n_dirs - 1;
	const struct change changes[] = {
		ELEMENT(dirs, hg_dir, 0, 2, next, h.n_dirs),
		ELEMENT(dirs, hg_dir, 0, 2, next, 0xffff),
		ELEMENT(dirs, hg_dir, last, 2, out, h.n_outs),
		ELEMENT(dirs, hg_dir, 1, 2, base, 0xffff),
		ELEMENT(dirs, hg_dir, 1, 2, kin, 0xffff),
		ELEMENT(dirs, hg_dir, last, 2, kin, 0xfffe),
		ELEMENT(dirs, hg_dir, 0, 2, any_allow, 0x80),
		ELEMENT(dirs, hg_dir, 0, 2, any_allow, 0),
		ELEMENT(dirs, hg_dir, 0, 2, all_allow, 0x3f),
		ELEMENT(dirs, hg_dir, 0, 2, any_held, 0),
		ELEMENT(dirs, hg_dir, 0, 2, all_held, 0x3f),
		ELEMENT(dirs, hg_dir, 0, 2, lexer, 0),
		ELEMENT(dirs, hg_dir, last, 2, lexer, 0xffffffff),
		ELEMENT(dirs, hg_dir, 0, 2, lexer, h.endpoint),
		ELEMENT(outs, hg_out, 1, HG_OUT_UNITS, allow, 0xff),
		ELEMENT(outs, hg_out, 0, HG_OUT_UNITS, allow, 1),
		ELEMENT(outs, hg_out, 1, HG_OUT_UNITS, ask, 0x15),
		ELEMENT(outs, hg_out, 0, HG_OUT_UNITS, log, 1),
		ELEMENT(outs, hg_out, 1, HG_OUT_UNITS, argv, 1),
		ELEMENT(outs, hg_out, 1, HG_OUT_UNITS, rule[0], h.n_rules),
		ELEMENT(outs, hg_out, 1, HG_OUT_UNITS, rule[6], 0xfffe),
		ELEMENT(outs, hg_out, 1, HG_OUT_UNITS, zero[2], 1),
		ELEMENT(rules, hg_rule, 0, 1, verdict, 3),
		ELEMENT(rules, hg_rule, 0, 1, verdict, 0),
		ELEMENT(rules, hg_rule, 1, 1, options, 4),
		ELEMENT(rules, hg_rule, 1, 1, zero, 1),
		ELEMENT(rules, hg_rule, 1, 1, spare, 1),
		ELEMENT(uses, word_row, 0, 1, row, h.n_outs),
		ELEMENT(uses, word_row, HG_N_USES - 1, 1, row, 0xffff),
		ELEMENT(uses, word_row, 3, 1, zero, 1),
	};
	size_t i;

	for (i = 0; i < sizeof(changes) / sizeof(*changes); i++)
		expect_refused(t, im, changes + i);
}

/* The first cell in use, and the first that is free. */
static void test_cells(struct tap *t, const struct image *im)
{
	struct hg_head h = *image_head(im);
	struct bytes b = copy_of(im);
	uint32_t n = 1u << h.hash_bits, i, used = n, empty = n;

	for (i = n; i-- > 0;) {
		struct change c = {.region = &h.cells, .index = i, .units = 1};
		struct hg_cell cell;

		memcpy(&cell, field(&b, &c), sizeof(cell));
		*(cell.key == HG_CELL_FREE ? &empty : &used) = i;
	}
	free(b.chunks);
	if (!tap_ok(t, used < n && empty < n, "there are cells in use and free ones"))
		return;
	const struct change changes[] = {
		ELEMENT(cells, hg_cell, used, 1, next, h.n_dirs),
		ELEMENT(cells, hg_cell, used, 1, out, h.n_outs),
		ELEMENT(cells, hg_cell, used, 1, key, 0xfffe0000),
		ELEMENT(cells, hg_cell, used, 1, key, h.n_dirs << 16),
		ELEMENT(cells, hg_cell, used, 1, key, h.n_symbols),
		ELEMENT(cells, hg_cell, used, 1, key, HG_CELL_FREE),
		ELEMENT(cells, hg_cell, empty, 1, next, 1),
		ELEMENT(cells, hg_cell, empty, 1, out, 1),
	};

	for (i = 0; i < sizeof(changes) / sizeof(*changes); i++)
		expect_refused(t, im, changes + i);
}

int main(void)
{
	struct image *im = make_image(0);
	struct tap t = {0};

	test_head(&t, im);
	test_tables(&t, im);
	test_cells(&t, im);
	image_free(im);
	return tap_done(&t);
}
