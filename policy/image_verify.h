/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The parts of image verification; for image_verify*.c only. */
#ifndef HG_IMAGE_VERIFY_H
#define HG_IMAGE_VERIFY_H

#include "fa.h"
#include "glob.h"
#include "image.h"

/* What the lexer's rows say of a symbol. */
struct verified_symbol {
	uint16_t fallback; /* HG_FALLBACK_* */
	uint16_t next, out;
	bool seen;      /* some row has it */
	bool exception; /* there is a cell for it: filled before */
};

struct verifier {
	const struct hg_chunk *chunks;
	uint32_t n;
	const struct hg_head *head;
	uint8_t *owned;			/* for each unit, by how many */
	struct verified_symbol *symbol; /* filled by image_verify_bytes() */
	struct fa *lexer;		/* as read from the image, with one state for each row */
	uint32_t *start;		/* for each directory state, of that */
	struct ruleset_error *error;
};

int image_bad(struct verifier *v, const char *what, uint64_t where);
int image_claim(struct verifier *v, uint32_t chunk, uint32_t unit, uint32_t n);
uint64_t image_unit(const struct verifier *v, uint32_t chunk, uint32_t unit);
struct hg_out image_out_at(const struct verifier *v, uint32_t i);
struct hg_dir image_dir_at(const struct verifier *v, uint32_t i);
uint64_t image_argv_at(const struct verifier *v, uint32_t i);
struct hg_cell image_cell_at(const struct verifier *v, uint32_t i);

/* The byte automata: every row and cell that can be reached. */
int image_verify_bytes(struct verifier *v);
/* The bits of each directory state: exactly what is below it. */
int image_verify_below(struct verifier *v);

#endif
