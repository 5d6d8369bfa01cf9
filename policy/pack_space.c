/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Room in the chunks of an image: each is filled from its beginning. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pack.h"

int pack_space_chunk(struct pack_space *s, uint32_t first_unit)
{
	struct hg_chunk *chunks;
	uint32_t *filled;

	if (s->n == s->max)
		return -E2BIG;
	chunks = realloc(s->chunks, (s->n + 1) * sizeof(*chunks));
	if (!chunks)
		return -ENOMEM;
	s->chunks = chunks;
	filled = realloc(s->filled, (s->n + 1) * sizeof(*filled));
	if (!filled)
		return -ENOMEM;
	s->filled = filled;
	memset(s->chunks + s->n, 0, sizeof(*s->chunks));
	s->filled[s->n++] = first_unit;
	return 0;
}

/* An array that takes more than a chunk: whole chunks, so that the index splits by a shift. */
static int region_chunks(struct pack_space *s, uint32_t n, uint32_t units, struct hg_region *ret)
{
	uint32_t per_chunk = 1u << (31 - __builtin_clz(HG_CHUNK_UNITS / units)), i, left;
	int r;

	ret->first_chunk = (uint16_t)s->n;
	ret->unit = 0;
	ret->shift = (uint32_t)__builtin_ctz(per_chunk);
	for (i = 0; i < n; i += per_chunk) {
		left = n - i < per_chunk ? n - i : per_chunk;
		r = pack_space_chunk(s, left * units);
		if (r < 0)
			return r;
	}
	return 0;
}

int pack_space_region(struct pack_space *s, uint32_t n, uint32_t units, struct hg_region *ret)
{
	uint64_t need = (uint64_t)n * units;
	uint32_t chunk;
	int r;

	if (need > HG_CHUNK_UNITS)
		return region_chunks(s, n, units, ret);
	for (chunk = 0; chunk < s->n; chunk++)
		if (s->filled[chunk] + need <= HG_CHUNK_UNITS)
			break;
	if (chunk == s->n) {
		r = pack_space_chunk(s, 0);
		if (r < 0)
			return r;
	}
	/* In one chunk: a shift that no index reaches. */
	*ret = (struct hg_region){(uint16_t)chunk, (uint16_t)s->filled[chunk], 31};
	s->filled[chunk] += (uint32_t)need;
	return 0;
}

uint64_t *pack_space_at(struct pack_space *s, const struct hg_region *region, uint32_t i,
			uint32_t units)
{
	struct hg_chunk *c = s->chunks + region->first_chunk + (i >> region->shift);

	return (uint64_t *)c->unit + region->unit + (i & ((1u << region->shift) - 1)) * units;
}

void pack_space_done(struct pack_space *s)
{
	free(s->chunks);
	free(s->filled);
	*s = (struct pack_space){0};
}
