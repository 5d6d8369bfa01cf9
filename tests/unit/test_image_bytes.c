/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Byte automata packed into chunks and read back with bpf/core/run.h: every state and byte of
 * random automata, among them ones whose states do nearly what their default state does.
 */
#include <stdlib.h>
#include <string.h>

#include "bpf/core/run.h"
#include "policy/pack.h"
#include "tap.h"

HG_INLINE const struct hg_chunk *hg_fetch(void *image, __u32 idx)
{
	struct pack_space *s = image;

	return idx < s->n ? s->chunks + idx : NULL;
}

/* Few bytes are told apart, defaults form chains, and a state copies much of its default's. */
static struct fa *random_fa(uint64_t *seed, uint32_t n_states, unsigned n_bytes)
{
	uint32_t *defaults = malloc(n_states * sizeof(*defaults)), i, q;
	uint32_t *to = malloc(n_states * 256 * sizeof(*to));
	struct fa *fa;

	for (q = 0; q < n_states; q++) {
		defaults[q] = q ? tap_random(seed) % (q < 20 ? q : 20) : 0;
		for (i = 0; i < 256; i++)
			to[q * 256 + i] = defaults[q];
		for (i = 0; i < n_bytes; i++) {
			uint32_t byte = 1 + i * 251 / n_bytes;

			if (tap_random(seed) % 2 && q)
				to[q * 256 + byte] = to[defaults[q] * 256 + byte];
			else if (tap_random(seed) % 3 == 0)
				to[q * 256 + byte] = tap_random(seed) % n_states;
		}
	}
	fa_new(256, 0, &fa);
	for (q = 0; q < n_states; q++) {
		fa_add_state(fa, q % 1000, to[q * 256], 0);
		for (i = 1; i < 256; i++) {
			struct fa_edge e = {i, i, to[q * 256 + i], 0};

			fa_add_edge(fa, &e);
		}
	}
	free(defaults);
	free(to);
	return fa;
}

/* Reads random words from a root in both, so that every row that can be reached will be. */
static unsigned compare(const struct fa *fa, struct pack_space *space, uint32_t classes,
			uint32_t root, uint32_t state, uint64_t *seed)
{
	struct hg_reader r = {.image = space};
	unsigned bad = 0, n, i;
	uint32_t at, left;
	uint8_t byte;
	bool sink;
	__u64 out;

	for (n = 0; n < 300; n++) {
		uint32_t q = root, none;

		at = state;
		for (i = 0; i < 40; i++) {
			do
				byte = tap_random(seed) % 2 ? 1 + tap_random(seed) % 12 * 251 / 12
							    : tap_random(seed);
			while (classes == HG_LEXER_CLASSES && (!byte || byte == '/'));
			left = 1;
			if (!hg_window(&r, classes, &at, &byte, &left, &sink))
				return bad + 1;
			q = fa_next(fa, q, byte, &none);
			bad += !hg_row_out(&r, at, &out) || (out & 0xffff) != fa->states[q].out;
		}
	}
	return bad;
}

static void test_random(struct tap *t, uint32_t n_states, unsigned n_bytes, unsigned tries)
{
	unsigned bad = 0, n, i;
	uint32_t chunks = 0;
	uint64_t seed = n_states;

	for (n = 0; n < tries; n++) {
		struct fa *fa = random_fa(&seed, n_states, n_bytes);
		uint32_t classes = n % 2 ? HG_LEXER_CLASSES : HG_ENDPOINT_CLASSES;
		struct pack_space space = {.max = HG_CHUNKS_MAX};
		uint16_t *out = malloc(n_states * sizeof(*out));
		struct pack_bytes bytes = {fa, classes, out, NULL};
		uint32_t *roots = malloc(n_states * sizeof(*roots));

		for (i = 0; i < n_states; i++) {
			out[i] = (uint16_t)fa->states[i].out;
			roots[i] = i;
		}
		pack_space_chunk(&space, HG_FIRST_FREE_UNIT);
		if (pack_bytes(&space, &bytes, roots, n_states) < 0)
			bad++;
		else
			for (i = 0; i < n_states; i += 1 + n_states / 40)
				bad += compare(fa, &space, classes, i, roots[i], &seed);
		chunks = space.n;
		pack_space_done(&space);
		fa_free(&fa);
		free(out);
		free(roots);
	}
	tap_ok(t, !bad, "%u automata of %u states over %u bytes, in %u chunks, read as they are",
	       tries, n_states, n_bytes, chunks);
}

static void test_hash(struct tap *t)
{
	struct pack_dirs d = {0};
	uint32_t i, at, mask, way, missing = 0;
	uint64_t seed = 41;

	for (i = 0; i < 20000; i++) {
		fa_grow((void **)&d.cells, &d.cap_cells, d.n_cells + 1, sizeof(*d.cells));
		d.cells[d.n_cells++] =
			(struct hg_cell){.key = i % 400 << 16 | i / 400, .next = tap_random(&seed)};
	}
	at = pack_hash(&d) == 0;
	tap_ok(t, at, "20,000 cells are hashed into %u", 1u << d.hash_bits);
	mask = (1u << d.hash_bits) - 1;
	for (i = 0; i < d.n_cells; i++) {
		at = hg_hash(d.cells[i].key, d.hash_bits);
		for (way = 0; way < HG_PROBES_MAX; way++, at = (at + 1) & mask)
			if (d.table[at].key == d.cells[i].key || d.table[at].key == HG_CELL_FREE)
				break;
		missing += way == HG_PROBES_MAX || d.table[at].key != d.cells[i].key ||
			   d.table[at].next != d.cells[i].next;
	}
	tap_ok(t, !missing, "each is found within %d probes", HG_PROBES_MAX);
	pack_dirs_done(&d);
}

int main(void)
{
	struct tap t = {0};

	test_random(&t, 1, 1, 2);
	test_random(&t, 5, 4, 20);
	test_random(&t, 60, 12, 20);
	test_random(&t, 3000, 12, 4);
	test_random(&t, 1500, 200, 2);
	test_hash(&t);
	return tap_done(&t);
}
