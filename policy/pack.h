/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From automata to the image of bpf/core/table.h. */
#ifndef HG_PACK_H
#define HG_PACK_H

#include "fa.h"
#include "pack_rows.h"
#include "paths.h"

struct pack_input {
	const struct paths *paths;
	const struct fa *endpoint;
	const struct fa *argv;	     /* NULL: no arguments are asked */
	const uint32_t *argv_starts; /* of argv */
	uint32_t n_argvs;
	const struct pack_rows *rows; /* and with them the rules */
	const uint32_t *uses;	      /* the row of each word, HG_N_USES */
	uint32_t hosts;		      /* HG_HOSTS_* */
	bool agents;		      /* some rule is about other agents' listeners */
	uint32_t max_chunks;
};

/* Chunks on the heap, uid filled in. -E2BIG when max_chunks do not do. */
int pack_image(const struct pack_input *in, struct hg_chunk **ret, uint32_t *ret_n,
	       struct ruleset_error *ret_error);

/* ---- room in chunks (pack_space.c) ---- */
struct pack_space {
	struct hg_chunk *chunks;
	uint32_t *filled; /* for each chunk: units from here on are free */
	uint32_t n, max;
};
int pack_space_chunk(struct pack_space *s, uint32_t first_unit);
/* Room for n elements of `units` units, found by hg_region_seek(). */
int pack_space_region(struct pack_space *s, uint32_t n, uint32_t units, struct hg_region *ret);
uint64_t *pack_space_at(struct pack_space *s, const struct hg_region *region, uint32_t i,
			uint32_t units);
void pack_space_done(struct pack_space *s);

/* Where a symbol leads from directories without a cell for it. */
struct pack_fallback {
	uint16_t kind; /* HG_FALLBACK_*, HG_FALLBACK_ONLY when there is no cell for it */
	uint16_t next, out;
};

/* ---- byte automata (pack_classes.c, pack_bytes.c) ---- */
struct pack_classes {
	uint8_t of[256]; /* for each byte */
	uint32_t n;
};
/* Bytes of a class lead alike from every state. lexer: NUL and '/' are never read. */
int pack_classes(const struct fa *fa, bool lexer, struct pack_classes *ret);
struct pack_bytes {
	const struct fa *fa;
	uint32_t classes;		      /* HG_LEXER_CLASSES, HG_ENDPOINT_CLASSES, ... */
	const uint16_t *out;		      /* for each state */
	const struct pack_fallback *fallback; /* for each out, or NULL */
};
/* Rows and cells from chunk 0 on, in as many chunks as it takes. Replaces the roots, from which all
 * else is reached, by the states of the image. */
int pack_bytes(struct pack_space *s, const struct pack_bytes *in, uint32_t *roots, size_t n_roots);

/* ---- directories (pack_dirs.c) ---- */
struct pack_dirs {
	struct pack_fallback *fallback; /* for each symbol */
	uint16_t *base;			/* for each directory state */
	struct hg_cell *cells;
	size_t n_cells, cap_cells;
	struct hg_cell *table; /* the cells hashed: 1 << hash_bits */
	uint32_t hash_bits;
};
/* row_number maps rows of the automata to rows of the image. */
int pack_dirs(const struct paths *paths, const uint32_t *row_number, struct pack_dirs *ret);
/* Fills table and hash_bits from cells (pack_hash.c). */
int pack_hash(struct pack_dirs *d);
void pack_dirs_done(struct pack_dirs *d);

#endif
