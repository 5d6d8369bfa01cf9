/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Interned word sequences: one arena, and a hash table with linear probing at half load. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fa.h"
#include "fa_intern.h"

static uint32_t hash_words(const uint32_t *words, size_t n)
{
	uint64_t h = 0x9e3779b97f4a7c15ull ^ n;
	size_t i;

	for (i = 0; i < n; i++) {
		h = (h ^ words[i]) * 0xff51afd7ed558ccdull;
		h ^= h >> 32;
	}
	h *= 0xc4ceb9fe1a85ec53ull;
	return (uint32_t)(h >> 32);
}

static size_t find_slot(const struct fa_intern *in, const uint32_t *words, size_t n, uint32_t hash)
{
	size_t at = hash & (in->n_slots - 1);
	uint32_t id;

	for (; in->slots[at]; at = (at + 1) & (in->n_slots - 1)) {
		id = in->slots[at] - 1;
		if (in->hash[id] != hash || in->start[id + 1] - in->start[id] != n)
			continue;
		if (!n || !memcmp(in->words + in->start[id], words, n * sizeof(*words)))
			break;
	}
	return at;
}

static int grow_slots(struct fa_intern *in)
{
	size_t n_slots = in->n_slots ? in->n_slots * 2 : 64, at;
	uint32_t *slots = calloc(n_slots, sizeof(*slots));
	size_t id;

	if (!slots)
		return -ENOMEM;
	for (id = 0; id < in->n; id++) {
		at = in->hash[id] & (n_slots - 1);
		while (slots[at])
			at = (at + 1) & (n_slots - 1);
		slots[at] = (uint32_t)id + 1;
	}
	free(in->slots);
	in->slots = slots;
	in->n_slots = n_slots;
	return 0;
}

static int make_room(struct fa_intern *in, size_t n)
{
	size_t cap_start = in->cap, cap_hash = in->cap;
	int r;

	if (2 * (in->n + 1) > in->n_slots) {
		r = grow_slots(in);
		if (r < 0)
			return r;
	}
	if (in->n == UINT32_MAX - 1)
		return -ENOMEM;
	/* One more, so that there is a place to point to when all sequences are empty. */
	r = fa_grow((void **)&in->words, &in->cap_words, in->n_words + n + 1, sizeof(*in->words));
	if (r < 0)
		return r;
	r = fa_grow((void **)&in->start, &cap_start, in->n + 2, sizeof(*in->start));
	if (r < 0)
		return r;
	r = fa_grow((void **)&in->hash, &cap_hash, in->n + 2, sizeof(*in->hash));
	if (r < 0)
		return r;
	in->cap = cap_hash;
	return 0;
}

int fa_intern_add(struct fa_intern *in, const uint32_t *words, size_t n, uint32_t *ret_id)
{
	uint32_t hash = hash_words(words, n);
	size_t at;
	int r;

	if (in->n_slots) {
		at = find_slot(in, words, n, hash);
		if (in->slots[at]) {
			*ret_id = in->slots[at] - 1;
			return 0;
		}
	}
	r = make_room(in, n);
	if (r < 0)
		return r;
	at = find_slot(in, words, n, hash);
	if (n)
		memcpy(in->words + in->n_words, words, n * sizeof(*words));
	in->start[in->n] = in->n_words;
	in->n_words += n;
	in->start[in->n + 1] = in->n_words;
	in->hash[in->n] = hash;
	*ret_id = (uint32_t)in->n++;
	in->slots[at] = *ret_id + 1;
	return 1;
}

int fa_intern_find(const struct fa_intern *in, const uint32_t *words, size_t n, uint32_t *ret_id)
{
	size_t at;

	if (!in->n_slots)
		return 0;
	at = find_slot(in, words, n, hash_words(words, n));
	if (!in->slots[at])
		return 0;
	*ret_id = in->slots[at] - 1;
	return 1;
}

const uint32_t *fa_intern_get(const struct fa_intern *in, uint32_t id, size_t *ret_n)
{
	*ret_n = in->start[id + 1] - in->start[id];
	return in->words + in->start[id];
}

void fa_intern_reset(struct fa_intern *in)
{
	if (in->slots)
		memset(in->slots, 0, in->n_slots * sizeof(*in->slots));
	in->n = 0;
	in->n_words = 0;
}

void fa_intern_done(struct fa_intern *in)
{
	free(in->words);
	free(in->start);
	free(in->hash);
	free(in->slots);
	memset(in, 0, sizeof(*in));
}
