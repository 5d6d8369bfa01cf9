/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Images as bytes: what is taken is safe to read, field by field; and what reading gives when a
 * path is not one.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "policy/image.h"
#include "policy/ruleset.h"
#include "tap.h"

static void add(struct ruleset *rs, enum hg_verdict verdict, uint8_t options, const char *pattern)
{
	uint16_t rule;

	ruleset_add(rs, verdict, options, &rule);
	ruleset_path(rs, rule, 1 + rule * 7 % 63, pattern, strlen(pattern), NULL);
}

/* A little of everything: fallbacks, bases, exceptions, several contexts, endpoints. n_more names
 * make it as large as is wanted. */
static struct image *make_image(unsigned n_more)
{
	struct ruleset_endpoint ep = {.family = 4,
				      .address = {10},
				      .prefix_len = 8,
				      .port_low = 80,
				      .port_high = 8080,
				      .tcp = true};
	struct image *im = NULL;
	struct ruleset *rs;
	char text[64];
	uint16_t rule;
	unsigned i;

	ruleset_new(&rs);
	add(rs, HG_ALLOW, 0, "/**");
	add(rs, HG_ALLOW, HG_OPT_LOG, "/srv/w/**");
	add(rs, HG_ASK, 0, "/srv/w/.git/**");
	add(rs, HG_DENY, HG_OPT_QUIET, "/etc/{shadow,sudoers}*");
	add(rs, HG_DENY, 0, "/home/*/*.kdbx");
	for (i = 0; i < n_more; i++) {
		sprintf(text, "/data/%u/file-%u", i % 50, i * 7919);
		add(rs, (enum hg_verdict)(i % 3), 0, text);
	}
	add(rs, HG_DENY, 0, "**/.ssh/**");
	add(rs, HG_DENY, 0, "**/.git/hooks/**");
	add(rs, HG_DENY, 0, "**/*.pem");
	add(rs, HG_DENY, 0, "**/.env");
	ruleset_add(rs, HG_ALLOW, 0, &rule);
	ruleset_endpoint(rs, rule, HG_BIT(HG_CONNECT), &ep, NULL);
	ruleset_use(rs, rule, HG_USE_ANONYMOUS_EXEC);
	ruleset_use(rs, rule, HG_USE_CAP + 25);
	ruleset_compile(rs, NULL, &im, NULL);
	ruleset_free(rs);
	return im;
}

struct bytes {
	struct hg_chunk *chunks;
	uint32_t n;
	const struct hg_head *head;
};

static struct bytes copy_of(const struct image *im)
{
	struct bytes b;
	const struct hg_chunk *chunks = image_chunks(im, &b.n);

	b.chunks = malloc(b.n * sizeof(*b.chunks));
	memcpy(b.chunks, chunks, b.n * sizeof(*b.chunks));
	b.head = (const struct hg_head *)b.chunks;
	return b;
}

/* So that the change itself is judged, not the hash. */
static void sign(struct bytes *b)
{
	((struct hg_head *)b->chunks)->uid = image_uid(b->chunks, b->n);
}

static int take(const struct bytes *b, struct image **ret, struct ruleset_error *error)
{
	*ret = NULL;
	return image_from_bytes(b->chunks, b->n, ret, error);
}

static const char *const paths[] = {
	"/",
	"/srv",
	"/srv/w",
	"/srv/w/a/b",
	"/srv/w/.git/hooks/x",
	"/home/u/.ssh/id",
	"/etc/shadow-",
	"/x.pem",
	"/a/.env",
	"/data/7/file-7919",
	"/home/u/x.kdbx",
	"/a/b/c/d/e/f/g/h/i/j/k/l",
	"/srv/w/.git",
	"/\xff\n",
	"/data/49",
};

/* Everything that reading gives lies where it should. */
static bool reads_safely(const struct image *im)
{
	const struct hg_head *h = image_head(im);
	struct hg_endpoint ep = {0};
	struct hg_out out;
	uint16_t dir, row;
	unsigned i, a;

	for (i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		size_t len = strlen(paths[i]);

		if (image_path_at(im, paths[i], len, &dir, &row) < 0 || dir >= h->n_dirs ||
		    row >= h->n_outs || image_path(im, paths[i], len, &out) < 0)
			return false;
		for (a = 0; a < HG_N_PATH_ACTIONS; a++)
			if (out.rule[a] != HG_RULE_NONE && out.rule[a] >= h->n_rules)
				return false;
	}
	for (i = 0; i < 300; i++) {
		const uint8_t addr[4] = {i % 2 ? 10 : i, i, i / 2, 255 - i};

		hg_endpoint_v4(&ep, addr, i % 3 ? HG_TCP : HG_UDP, i * 211, true);
		if (image_endpoint(im, &ep, &out) < 0)
			return false;
	}
	return true;
}

/* Of the words, the two that make_image() names and no other. */
static bool uses_kept(const struct image *im)
{
	struct hg_out out;
	unsigned use;

	for (use = 0; use < HG_N_USES; use++) {
		bool named = use == HG_USE_ANONYMOUS_EXEC || use == HG_USE_CAP + 25;

		if (image_use(im, use, &out) || out.allow != (named ? HG_BIT(HG_USE) : 0) ||
		    (out.rule[HG_USE] == HG_RULE_NONE) == named)
			return false;
	}
	return image_use(im, HG_N_USES, &out) < 0;
}

static void test_round_trip(struct tap *t)
{
	struct image *im = make_image(0), *large = make_image(4000), *again;
	struct ruleset_error error = {0};
	struct bytes b = copy_of(im), c = copy_of(large);

	tap_ok(t, b.n == 1, "a small policy is one chunk");
	tap_ok(t, c.n > 1, "a large one is %u", c.n);
	tap_ok(t, take(&b, &again, &error) == 0 && reads_safely(again), "its bytes are taken");
	image_free(again);
	tap_ok(t, take(&c, &again, &error) == 0 && reads_safely(again),
	       "so are those of the large one");
	image_free(again);
	tap_ok(t, uses_kept(im), "the words of `use` are kept");
	tap_ok(t, image_head(im)->uid && image_head(im)->uid != image_head(large)->uid,
	       "different policies have different identities");
	b.n = 0;
	tap_ok(t, take(&b, &again, &error) == -EBADMSG, "no chunk is no image");
	b.n = HG_CHUNKS_MAX + 1;
	tap_ok(t, take(&b, &again, &error) == -EBADMSG, "too many chunks are none");
	c.n--;
	tap_ok(t, take(&c, &again, &error) == -EBADMSG,
	       "with the last chunk missing it is refused");
	free(b.chunks);
	free(c.chunks);
	image_free(im);
	image_free(large);
}

struct change {
	const char *what;
	struct hg_region *region;      /* of the element, or NULL: the head */
	uint32_t index, units, offset; /* element, its size, byte in it */
	uint8_t size;		       /* of the field, in bytes */
	uint64_t value;
};

static void *field(struct bytes *b, const struct change *c)
{
	const struct hg_region *r = c->region;
	uint8_t *at = (uint8_t *)b->chunks;

	if (r)
		at = (uint8_t *)(b->chunks[r->first_chunk + (c->index >> r->shift)].unit + r->unit +
				 (c->index & ((1u << r->shift) - 1)) * c->units);
	return at + c->offset;
}

static void expect_refused(struct tap *t, const struct image *im, const struct change *c)
{
	struct ruleset_error error = {0};
	struct bytes b = copy_of(im);
	struct image *again;
	struct change local = *c;
	uint64_t old = 0;
	int r;

	memcpy(&old, field(&b, &local), c->size);
	memcpy(field(&b, &local), &c->value, c->size);
	sign(&b);
	r = take(&b, &again, &error);
	tap_ok(t, old != c->value && r == -EBADMSG && error.message[0], "%s: refused (%s)", c->what,
	       error.message);
	image_free(again);
	free(b.chunks);
}

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
		HEAD(zero1, 1),
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

/* Any byte changed, with the hash made right again: refused, or still safe. And with the hash left
 * alone: refused. */
static void test_any_byte(struct tap *t, const struct image *im, unsigned tries)
{
	unsigned unsafe = 0, unsigned_taken = 0, taken = 0, i;
	uint64_t seed = 31;
	struct image *again;

	for (i = 0; i < tries; i++) {
		struct bytes b = copy_of(im);
		uint8_t *bytes = (uint8_t *)b.chunks;
		size_t at = tap_random(&seed) % (b.n * sizeof(*b.chunks));

		/* Mostly where something is. */
		while (!bytes[at] && tap_random(&seed) % 64)
			at = tap_random(&seed) % (b.n * sizeof(*b.chunks));
		bytes[at] ^= 1u << tap_random(&seed) % 8;
		unsigned_taken += take(&b, &again, NULL) == 0;
		image_free(again);
		sign(&b);
		if (take(&b, &again, NULL) == 0) {
			taken++;
			unsafe += !reads_safely(again);
		}
		image_free(again);
		free(b.chunks);
	}
	tap_ok(t, !unsigned_taken, "a changed bit is noticed by the hash, %u times", tries);
	tap_ok(t, !unsafe, "with the hash made right it is refused or safe (%u of %u taken)", taken,
	       tries);
}

static void test_reading(struct tap *t, const struct image *im)
{
	static const char *const wrong[] = {"", "a", "//", "/a/", "/a//b", "/.", "/a/..", "/a/./b"};
	struct hg_endpoint ep = {.len = HG_ENDPOINT_MAX + 1};
	struct hg_out out;
	char name[300];
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		tap_ok(t, image_path(im, wrong[i], strlen(wrong[i]), &out) == -EINVAL,
		       "\"%s\" is no path", wrong[i]);
	tap_ok(t, image_path(im, "/a\0b", 4, &out) == -EINVAL, "nor is one with NUL");
	memset(name, 'x', sizeof(name));
	name[0] = '/';
	tap_ok(t, image_path(im, name, 256, &out) == 0, "a name of 255 bytes is read");
	tap_ok(t, image_path(im, name, 257, &out) == -ENAMETOOLONG, "a longer one is refused");
	tap_ok(t, image_endpoint(im, &ep, &out) == -EINVAL,
	       "an endpoint that is too long is refused");
	/* As many bytes as a window, one less, one more; the verdict hangs on the last. */
	for (i = HG_WINDOW - 2; i < HG_WINDOW + 3; i++) {
		struct hg_out with, without;

		memcpy(name + i - 3, ".pem", 4);
		image_path(im, name, i + 1, &with);
		image_path(im, name, i, &without);
		tap_ok(t, memcmp(&with, &without, sizeof(with)), "the last byte of %zu counts", i);
		memset(name + 1, 'x', sizeof(name) - 1);
	}
}

int main(void)
{
	struct image *im = make_image(0), *large = make_image(3000);
	struct tap t = {0};

	test_round_trip(&t);
	test_head(&t, im);
	test_tables(&t, im);
	test_cells(&t, im);
	test_rows(&t, large);
	test_crafted(&t, im, large);
	test_any_byte(&t, im, 700);
	test_any_byte(&t, large, 60);
	test_reading(&t, im);
	image_free(im);
	image_free(large);
	return tap_done(&t);
}
