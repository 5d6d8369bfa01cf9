/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Verdict rows, each kept once. */
#include <string.h>

#include "pack_rows.h"

int pack_rows_init(struct pack_rows *rows, const struct hg_rule *rules, size_t n_rules)
{
	uint32_t none[HG_N_PATH_ACTIONS] = {0}, id;
	int r;

	*rows = (struct pack_rows){.rules = rules, .n_rules = n_rules};
	r = pack_rows_add(rows, none, &id);
	return r;
}

void pack_rows_done(struct pack_rows *rows)
{
	fa_intern_done(&rows->rows);
}

int pack_rows_add(struct pack_rows *rows, const uint32_t last[HG_N_PATH_ACTIONS], uint32_t *ret_row)
{
	return pack_rows_add_argv(rows, last, 0, ret_row);
}

int pack_rows_add_argv(struct pack_rows *rows, const uint32_t last[HG_N_PATH_ACTIONS],
		       uint8_t argv, uint32_t *ret_row)
{
	uint32_t words[sizeof(struct hg_out) / sizeof(uint32_t)];
	struct hg_out out = {.argv = argv};
	unsigned a;
	int r;

	for (a = 0; a < HG_N_PATH_ACTIONS; a++) {
		const struct hg_rule *rule;

		out.rule[a] = HG_RULE_NONE;
		if (!last[a])
			continue;
		out.rule[a] = (uint16_t)(last[a] - 1);
		rule = rows->rules + out.rule[a];
		if (rule->verdict == HG_ALLOW)
			out.allow |= HG_BIT(a);
		else if (rule->verdict == HG_ASK)
			out.ask |= HG_BIT(a);
		if (rule->verdict == HG_ALLOW && (rule->options & HG_OPT_LOG))
			out.log |= HG_BIT(a);
	}
	memcpy(words, &out, sizeof(out));
	r = fa_intern_add(&rows->rows, words, sizeof(words) / sizeof(*words), ret_row);
	return r < 0 ? r : 0;
}

struct hg_out pack_rows_get(const struct pack_rows *rows, uint32_t row)
{
	struct hg_out out;
	size_t n;

	memcpy(&out, fa_intern_get(&rows->rows, row, &n), sizeof(out));
	return out;
}
