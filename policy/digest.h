/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A short digest (FNV-1a, 64 bits) of what nobody confined can choose: to see that something has
 * changed, not against collisions made on purpose. */
#ifndef HG_DIGEST_H
#define HG_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define DIGEST_START 0xcbf29ce484222325ull

static inline uint64_t digest_add(uint64_t digest, const void *bytes, size_t len)
{
	const unsigned char *b = bytes;

	for (size_t i = 0; i < len; i++)
		digest = (digest ^ b[i]) * 0x100000001b3ull;
	/* Where one text ends and the next begins. */
	return (digest ^ 0x100) * 0x100000001b3ull;
}

#endif
