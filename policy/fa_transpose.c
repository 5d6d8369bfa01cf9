/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An automaton by symbols instead of by states. */
#include <errno.h>
#include <string.h>

#include "fa.h"

void fa_columns_done(struct fa_columns *columns)
{
	free(columns->start);
	free(columns->cells);
	*columns = (struct fa_columns){0};
}

/* start[s + 1] becomes the number of cells of symbol s. */
static int count_cells(const struct fa *fa, size_t *start)
{
	size_t total = 0, i;
	uint32_t s;

	for (i = 0; i < fa->n_edges; i++) {
		total += (size_t)fa->edges[i].hi - fa->edges[i].lo + 1;
		if (total > FA_COLUMN_CELLS_MAX)
			return -E2BIG;
		for (s = fa->edges[i].lo; s <= fa->edges[i].hi; s++)
			start[s + 1]++;
	}
	return 0;
}

static void write_cells(const struct fa *fa, struct fa_column_cell *cells, size_t *at)
{
	uint32_t state, i, s;

	for (state = 0; state < fa->n_states; state++)
		for (i = 0; i < fa->states[state].n_edges; i++) {
			const struct fa_edge *e = fa->edges + fa->states[state].first_edge + i;

			for (s = e->lo; s <= e->hi; s++)
				cells[at[s]++] = (struct fa_column_cell){state, e->next, e->out};
		}
}

int fa_transpose(const struct fa *fa, struct fa_columns *ret)
{
	size_t n = fa->n_symbols, *at = calloc(n + 1, sizeof(*at));
	uint32_t s;
	int r;

	*ret = (struct fa_columns){.start = calloc(n + 1, sizeof(*ret->start))};
	r = at && ret->start ? count_cells(fa, ret->start) : -ENOMEM;
	if (r == 0) {
		for (s = 0; s < n; s++) {
			ret->start[s + 1] += ret->start[s];
			at[s] = ret->start[s];
		}
		ret->cells = malloc((ret->start[n] + 1) * sizeof(*ret->cells));
		r = ret->cells ? 0 : -ENOMEM;
	}
	if (r == 0)
		write_cells(fa, ret->cells, at);
	else
		fa_columns_done(ret);
	free(at);
	return r;
}
