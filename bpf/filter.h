/* SPDX-License-Identifier: GPL-2.0-only */
/* Bits that say for nearly all keys that a map has nothing of them, without looking into it. */
#ifndef HG_FILTER_H
#define HG_FILTER_H

#include "core/types.h"

/* The word that has bit `bit` of the 1 << `bits` at `words`; the mask is for the verifier. */
HG_INLINE __u64 *filter_word(__u64 *words, __u64 bit, __u32 bits)
{
	asm("" : "+r"(bit));
	return words + (bit >> 6 & ((1u << (bits - 6)) - 1));
}

#endif
