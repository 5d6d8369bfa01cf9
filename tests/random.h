/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Numbers that can be drawn again. */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdint.h>

static uint64_t random_state;

static uint32_t rnd(uint32_t below)
{
	/* xorshift64*, by Vigna; the seed is printed, so a failure can be repeated. */
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (uint32_t)((random_state * 0x2545f4914f6cdd1dull) >> 33) % below;
}

#endif
