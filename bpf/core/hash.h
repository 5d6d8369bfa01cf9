/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Fibonacci hashing: the top bits of a product with a power of two / golden ratio. What fills a table and
 * what looks into it, on either side, share these. */
#ifndef HG_HASH_H
#define HG_HASH_H

#include "types.h"

/* `bits`: of the result, 0 to 31. */
HG_INLINE __u32 hg_hash(__u32 key, __u32 bits)
{
	return bits ? (key * 0x9e3779b1u) >> (32 - bits) : 0;
}

/* The same of 64 bits, before its top bits are taken. */
HG_INLINE __u64 hg_spread(__u64 key)
{
	return key * 0x9e3779b97f4a7c15ull;
}

#endif
