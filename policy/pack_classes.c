/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Bytes that no state of an automaton tells apart, as one class. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pack.h"

/* Splits classes by where a state leads: of[b] says where byte b goes. */
static void split_classes(struct pack_classes *c, const uint16_t of[256], unsigned n_of,
			  uint8_t *map)
{
	uint32_t n = 0;
	unsigned b;

	memset(map, 0, (size_t)c->n * n_of);
	for (b = 0; b < 256; b++) {
		uint8_t *m = map + (size_t)c->of[b] * n_of + of[b];

		if (!*m)
			*m = (uint8_t)++n; /* 256 classes wrap to 0 at the very last byte only */
		c->of[b] = (uint8_t)(*m - 1);
	}
	c->n = n;
}

/* Bytes that lead alike from every state. NUL and '/' are in no component: the lexer may treat
 * them as it likes. */
int pack_classes(const struct fa *fa, bool lexer, struct pack_classes *c)
{
	uint8_t *map = malloc(256 * 257);
	uint16_t of[256];
	uint32_t s, i, b;

	if (!map)
		return -ENOMEM;
	memset(c->of, 0, sizeof(c->of));
	c->n = 1;
	for (s = 0; s < fa->n_states && c->n < 256; s++) {
		const struct fa_state *st = fa->states + s;

		if (!st->n_edges)
			continue;
		memset(of, 0, sizeof(of));
		for (i = 0; i < st->n_edges; i++) {
			const struct fa_edge *e = fa->edges + st->first_edge + i;
			uint32_t k;

			/* Equal targets are one, wherever they are first. */
			for (k = 0; fa->edges[st->first_edge + k].next != e->next;)
				k++;
			for (b = e->lo; b <= e->hi; b++)
				of[b] = (uint16_t)(k + 1);
		}
		if (lexer)
			of[0] = of['/'] = of[1];
		split_classes(c, of, st->n_edges + 1, map);
	}
	free(map);
	return 0;
}
