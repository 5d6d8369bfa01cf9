/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sequences of words, each kept once and numbered in the order of first appearance, so that equal
 * sequences have equal numbers whatever the hash does.
 */
#ifndef HG_FA_INTERN_H
#define HG_FA_INTERN_H

#include <stddef.h>
#include <stdint.h>

struct fa_intern {
	uint32_t *words;
	size_t n_words, cap_words;
	size_t *start;	/* n + 1 offsets into words */
	uint32_t *hash; /* of each sequence, so that growing reads no words */
	size_t n, cap;
	uint32_t *slots; /* id + 1; 0 is free */
	size_t n_slots;
};

/* Gives the number of words[0..n). Returns 1 when it is new, 0 when it was there, -ENOMEM. */
int fa_intern_add(struct fa_intern *in, const uint32_t *words, size_t n, uint32_t *ret_id);
/* Returns 1 and the number when words[0..n) is there, 0 when not. */
int fa_intern_find(const struct fa_intern *in, const uint32_t *words, size_t n, uint32_t *ret_id);
/* The sequence with this number; valid until the next fa_intern_add(). */
const uint32_t *fa_intern_get(const struct fa_intern *in, uint32_t id, size_t *ret_n);
/* Forgets the sequences, keeps the memory. */
void fa_intern_reset(struct fa_intern *in);
/* Frees what it holds and leaves it empty and usable. */
void fa_intern_done(struct fa_intern *in);

#endif
