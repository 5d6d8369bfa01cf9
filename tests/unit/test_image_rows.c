/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Images with a changed row of a byte machine, or with what takes more than one field to make. */
#include "test_image.h"

/* Rows: the start rows of the root's lexer and of the endpoints. */
static uint32_t lexer_of(const struct image *im, uint32_t i)
{
	const struct hg_region *r = &image_head(im)->dirs;
	struct hg_dir dir;
	uint32_t n;

	memcpy(&dir, &image_chunks(im, &n)[r->first_chunk].unit[r->unit + 2 * i], sizeof(dir));
	return dir.lexer;
}

static struct hg_row row_at(const struct image *im, uint32_t state)
{
	uint32_t n;
	const struct hg_chunk *chunks = image_chunks(im, &n);
	struct hg_row row;

	memcpy(&row, chunks[HG_STATE_CHUNK(state)].unit + HG_STATE_UNIT(state), sizeof(row));
	return row;
}

/* Classes of the lexer in a chunk. */
static uint32_t n_classes(const struct hg_chunk *chunk)
{
	const uint8_t *of = (const uint8_t *)(chunk->unit + HG_LEXER_CLASSES);
	uint32_t max = 0, b;

	for (b = 0; b < 256; b++)
		max = of[b] > max ? of[b] : max;
	return max + 1;
}

enum kind { HUB, PLAIN, DELEGATES };

static bool is_kind(const struct image *im, uint32_t state, enum kind kind)
{
	if (state & HG_STATE_SINK)
		return false;
	if (kind == HUB || (state & HG_STATE_HUB))
		return kind == HUB && (state & HG_STATE_HUB);
	return kind == PLAIN || row_at(im, state).flags == HG_ROW_DELEGATES;
}

/* Where a class leads from a state: the row's default where it says nothing itself. */
static uint32_t next_of(const struct image *im, uint32_t state, uint32_t class)
{
	uint32_t n;
	const struct hg_chunk *c = image_chunks(im, &n) + HG_STATE_CHUNK(state);
	struct hg_row row = row_at(im, state);
	struct hg_edge edge;

	if (state & HG_STATE_HUB)
		return ((const uint32_t *)(c->unit + HG_STATE_UNIT(state) + 2))[class];
	memcpy(&edge, c->unit + row.base + class, sizeof(edge));
	return edge.row == HG_STATE_UNIT(state) ? edge.next : row.dflt;
}

/* A state of the lexer, at most three bytes behind a directory's start. */
static uint32_t lexer_find(const struct image *im, enum kind kind)
{
	uint32_t n, i, k, states[4];
	const struct hg_chunk *chunks = image_chunks(im, &n);
	uint64_t seed = 7;

	for (i = 0; i < 1000000; i++) {
		states[0] = lexer_of(im, i % image_head(im)->n_dirs % 1000);
		for (k = 0; k < 4; k++) {
			if (is_kind(im, states[k], kind))
				return states[k];
			if (k == 3 || (states[k] & HG_STATE_SINK))
				break;
			states[k + 1] = next_of(
				im, states[k],
				tap_random(&seed) % n_classes(chunks + HG_STATE_CHUNK(states[k])));
		}
	}
	abort();
}

static void test_rows(struct tap *t, const struct image *im)
{
	struct hg_head h = *image_head(im);
	struct hg_region lexer = {.shift = 31}, hub = {.shift = 31}, endpoint = {.shift = 31};
	struct {
		struct hg_region *lexer, *hub, *endpoint;
	} rows = {&lexer, &hub, &endpoint};
	uint32_t file_row = 0, plain = lexer_find(im, PLAIN), start = lexer_find(im, HUB);
	struct hg_out out;
	size_t i;

	/* A verdict row that speaks of what no endpoint has. */
	do
		image_row(im, ++file_row, &out);
	while (out.rule[HG_EXEC] == HG_RULE_NONE);
	lexer.first_chunk = HG_STATE_CHUNK(plain);
	lexer.unit = HG_STATE_UNIT(plain);
	hub.first_chunk = HG_STATE_CHUNK(start);
	hub.unit = HG_STATE_UNIT(start);
	endpoint.first_chunk = HG_STATE_CHUNK(h.endpoint);
	endpoint.unit = HG_STATE_UNIT(h.endpoint);
#define ROW(r, f, v)                                                                               \
	{                                                                                          \
#r " row, " #f " = " #v, rows.r, 0, 2, offsetof(struct hg_row, f),                 \
			sizeof(((struct hg_row *)0)->f), v                                         \
	}
	const struct change changes[] = {
		ROW(lexer, dflt, 0),
		ROW(lexer, dflt, 0xffffffff),
		ROW(lexer, dflt, HG_STATE(0, HG_FIRST_FREE_UNIT - 2)),
		ROW(lexer, dflt, start ^ HG_STATE_HUB),
		ROW(lexer, dflt, start | HG_STATE_SINK),
		ROW(lexer, dflt, start + HG_STATE(0, 1)),
		ROW(lexer, dflt, h.endpoint),
		ROW(hub, dflt, start),
		ROW(hub, base, 3),
		ROW(hub, flags, HG_ROW_DELEGATES),
		ROW(lexer, base, 16383),
		ROW(lexer, base, 0xffff),
		ROW(lexer, flags, 3),
		ROW(lexer, flags, 4),
		ROW(lexer, fallback, HG_FALLBACK_ONLY | HG_FALLBACK_VERDICT),
		ROW(lexer, fallback, 3),
		ROW(lexer, out, h.n_symbols),
		ROW(lexer, out, 0xffff),
		ROW(lexer, fallback, 3),
		ROW(lexer, next, 1),
		ROW(lexer, next_out, 0xffff),
		ROW(endpoint, dflt, 1),
		ROW(endpoint, dflt, start),
		ROW(endpoint, base, 16384),
		ROW(endpoint, flags, 0x8000),
		ROW(endpoint, out, h.n_outs),
		ROW(endpoint, next, 1),
		ROW(endpoint, fallback, 1),
		ROW(endpoint, next_out, 1),
		ROW(endpoint, out, file_row),
	};

	for (i = 0; i < sizeof(changes) / sizeof(*changes); i++)
		expect_refused(t, im, changes + i);
}

static void expect_message(struct tap *t, struct bytes *b, const char *says)
{
	struct ruleset_error error = {0};
	struct image *again;
	int r;

	sign(b);
	r = take(b, &again, &error);
	tap_ok(t, r == -EBADMSG && strstr(error.message, says), "refused: %s (%s)", says,
	       error.message);
	image_free(again);
	free(b->chunks);
}

/* What takes more than one field to make. */
static void test_crafted(struct tap *t, const struct image *im, const struct image *large)
{
	const struct hg_region *cells = &image_head(im)->cells;
	uint32_t n = 1u << image_head(im)->hash_bits, i, k, state = lexer_find(im, PLAIN);
	struct hg_cell cell, other;
	struct hg_edge edge;
	struct hg_row row;
	struct bytes b;
	uint64_t *unit;

	/* A cell where looking for its key does not lead. */
	b = copy_of(im);
	unit = (uint64_t *)b.chunks[0].unit + cells->unit;
	for (i = 0; memcpy(&cell, unit + i, 8), cell.key == HG_CELL_FREE;)
		i++;
	for (k = 0; k < n; k++) {
		memcpy(&other, unit + (i + n / 2 + k) % n, 8);
		if (other.key == HG_CELL_FREE)
			break;
	}
	memcpy(unit + (i + n / 2 + k) % n, &cell, 8);
	memcpy(unit + i, &other, 8);
	expect_message(t, &b, "cannot be found");

	/* The same key twice: the second is never read. */
	b = copy_of(im);
	unit = (uint64_t *)b.chunks[0].unit + cells->unit;
	for (k = i; memcpy(&other, unit + k % n, 8), other.key != HG_CELL_FREE;)
		k++;
	memcpy(unit + k % n, &cell, 8);
	expect_message(t, &b, "cannot be found");

	b = copy_of(im);
	((uint64_t *)b.chunks[0].unit)[HG_CHUNK_UNITS - 1] = 1;
	expect_message(t, &b, "unused room");

	b = copy_of(im);
	unit = (uint64_t *)b.chunks[HG_STATE_CHUNK(state)].unit;
	memcpy(&row, unit + HG_STATE_UNIT(state), sizeof(row));
	for (i = row.base; memcpy(&edge, unit + i, 8), edge.row != HG_STATE_UNIT(state);)
		i++;
	edge.zero = 1;
	memcpy(unit + i, &edge, 8);
	expect_message(t, &b, "a row's cell");

	/* Leaving things to a hub that is elsewhere, or to what is none. */
	b = copy_of(large);
	state = lexer_find(large, DELEGATES);
	unit = (uint64_t *)b.chunks[HG_STATE_CHUNK(state)].unit + HG_STATE_UNIT(state);
	memcpy(&row, unit, sizeof(row));
	row.dflt ^= 1;
	memcpy(unit, &row, sizeof(row));
	expect_message(t, &b, "no hub of its chunk");

	b = copy_of(large);
	state = lexer_find(large, DELEGATES);
	unit = (uint64_t *)b.chunks[HG_STATE_CHUNK(state)].unit + HG_STATE_UNIT(state);
	memcpy(&row, unit, sizeof(row));
	row.dflt = state;
	memcpy(unit, &row, sizeof(row));
	expect_message(t, &b, "no hub of its chunk");
}

int main(void)
{
	struct image *im = make_image(0), *large = make_image(3000);
	struct tap t = {0};

	test_rows(&t, large);
	test_crafted(&t, im, large);
	image_free(im);
	image_free(large);
	return tap_done(&t);
}
