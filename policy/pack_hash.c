/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Cells to a hash table in which each is found within HG_PROBES_MAX probes. */
#include <errno.h>
#include <stdlib.h>

#include "../bpf/core/hash.h"
#include "pack.h"

/* Robin Hood: whoever is further from home takes the cell, which keeps the longest way short. */
static bool insert(struct hg_cell *table, uint32_t bits, struct hg_cell cell)
{
	uint32_t mask = (1u << bits) - 1, at = hg_hash(cell.key, bits), way, other;
	struct hg_cell swap;

	for (way = 0; way < HG_PROBES_MAX && way <= mask; way++, at = (at + 1) & mask) {
		if (table[at].key == HG_CELL_FREE) {
			table[at] = cell;
			return true;
		}
		other = (at - hg_hash(table[at].key, bits)) & mask;
		if (other < way) {
			swap = table[at];
			table[at] = cell;
			cell = swap;
			way = other;
		}
	}
	return false;
}

static bool insert_all(const struct pack_dirs *d, struct hg_cell *table, uint32_t bits)
{
	size_t i;

	for (i = 0; i < (size_t)1 << bits; i++)
		table[i] = (struct hg_cell){.key = HG_CELL_FREE};
	for (i = 0; i < d->n_cells; i++)
		if (!insert(table, bits, d->cells[i]))
			return false;
	return true;
}

/* The smallest power of two at most 3/4 full in which nothing is further than the probes reach. */
int pack_hash(struct pack_dirs *d)
{
	const size_t max = (size_t)HG_CHUNKS_MAX * HG_CHUNK_UNITS;
	uint32_t bits = 0;

	while (((size_t)1 << bits) * 3 < d->n_cells * 4)
		bits++;
	for (; (size_t)1 << bits <= max; bits++) {
		struct hg_cell *table = realloc(d->table, sizeof(*table) << bits);

		if (!table)
			return -ENOMEM;
		d->table = table;
		if (insert_all(d, table, bits)) {
			d->hash_bits = bits;
			return 0;
		}
	}
	return -E2BIG;
}
