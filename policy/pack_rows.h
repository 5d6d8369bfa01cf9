/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Verdict rows: from "the last rule that matched, for each action" to numbered struct hg_out. */
#ifndef HG_PACK_ROWS_H
#define HG_PACK_ROWS_H

#include "fa_intern.h"
#include "ruleset.h"

struct pack_rows {
	struct fa_intern rows;	     /* a row's number is its place here */
	const struct hg_rule *rules; /* borrowed */
	size_t n_rules;
};

/* Row 0 is "nothing matched": everything denied. */
#define PACK_ROW_NONE 0u

int pack_rows_init(struct pack_rows *rows, const struct hg_rule *rules, size_t n_rules);
void pack_rows_done(struct pack_rows *rows);
/* last[action]: 1 + index of the deciding rule, 0 where none matched. */
int pack_rows_add(struct pack_rows *rows, const uint32_t last[HG_N_PATH_ACTIONS],
		  uint32_t *ret_row);
int pack_rows_add_argv(struct pack_rows *rows, const uint32_t last[HG_N_PATH_ACTIONS],
		       uint8_t argv, uint32_t *ret_row);
struct hg_out pack_rows_get(const struct pack_rows *rows, uint32_t row);

#endif
