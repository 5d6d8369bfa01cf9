/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Argument rules in the directory machine.
 *
 * The directory machine tells of each place and action the last rule that matches; of argument rules
 * every one that matches must be known. So rules are grouped by the programs they speak of (most
 * speak of the same few), and each group is an action of its own in a trie of its own: that its last
 * rule matches says that all of the group do. What a place's groups say together is a set.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ruleset_inner.h"

/* The patterns of a rule, one after another, as words. */
static int programs_of(const struct ruleset *rs, uint16_t rule, uint32_t **words, size_t *n,
		       size_t *cap)
{
	size_t i, k;
	int r;

	for (i = 0, *n = 0; i < rs->n_patterns; i++) {
		const struct ruleset_pattern *p = rs->patterns + i;

		if (p->rule != rule)
			continue;
		r = fa_grow((void **)words, cap, *n + p->len + 1, sizeof(**words));
		if (r < 0)
			return r;
		for (k = 0; k < p->len; k++)
			(*words)[(*n)++] = (uint8_t)p->text[k];
		(*words)[(*n)++] = 256;
	}
	return 0;
}

int argv_groups_init(struct argv_groups *g, const struct ruleset *rs,
		     struct ruleset_error *ret_error)
{
	const unsigned max = (PATHS_TRIES_MAX - 1) * HG_N_PATH_ACTIONS;
	uint32_t *words HG_CLEANUP(fa_free_words) = NULL;
	size_t i, n, cap = 0;
	int r = 0;

	*g = (struct argv_groups){.rs = rs};
	g->group = malloc((rs->n_rules + 1) * sizeof(*g->group));
	if (!g->group)
		return -ENOMEM;
	memset(g->group, 0xff, rs->n_rules * sizeof(*g->group));
	for (i = 0; i < rs->n_argvs && r >= 0; i++) {
		uint16_t rule = rs->argvs[i].rule;

		r = programs_of(rs, rule, &words, &n, &cap);
		if (r == 0)
			r = fa_intern_add(&g->programs, words, n, g->group + rule);
		if (r >= 0 && g->programs.n > max) {
			r = ruleset_fail(ret_error, -E2BIG, 0,
					 "rules with argv speak of more than %u different lists of "
					 "programs; give rules the same lists",
					 max);
			if (ret_error) {
				ret_error->blamed[0] = rule;
				ret_error->n_blamed = 1;
			}
		}
	}
	return r < 0 ? r : 0;
}

void argv_groups_done(struct argv_groups *g)
{
	fa_intern_done(&g->programs);
	fa_intern_done(&g->sets);
	free(g->group);
}

unsigned argv_groups_tries(const struct argv_groups *g)
{
	return 1 + (unsigned)((g->programs.n + HG_N_PATH_ACTIONS - 1) / HG_N_PATH_ACTIONS);
}

uint8_t argv_groups_actions(const struct ruleset_pick *pick, const struct ruleset_pattern *p)
{
	const struct argv_groups *g = pick->ctx;
	uint32_t group = g->group[p->rule];

	if (group == UINT32_MAX)
		return pick->trie ? 0 : p->actions;
	return pick->trie == 1 + group / HG_N_PATH_ACTIONS ? HG_BIT(group % HG_N_PATH_ACTIONS) : 0;
}

/* The set of a place; gives how many words it has: 1 where no argument rule can decide. */
static size_t fill_set(const struct argv_groups *g, const uint32_t last[][HG_N_PATH_ACTIONS],
		       uint32_t *set)
{
	const struct ruleset *rs = g->rs;
	uint32_t group;
	size_t i, n = 1;

	set[0] = last[0][HG_EXEC];
	/* Rules are added in order, and with them their argument patterns. */
	for (i = 0; i < rs->n_argvs; i++) {
		uint32_t rule = rs->argvs[i].rule;

		group = g->group[rule];
		if (!last[1 + group / HG_N_PATH_ACTIONS][group % HG_N_PATH_ACTIONS] ||
		    rule + 1 <= set[0])
			continue;
		set[n++] = rule + 1;
		if (argv_pattern_is_all(&rs->argvs[i].pattern)) {
			/* It speaks of every run, as a plain rule does. */
			set[0] = rule + 1;
			n = 1;
		}
	}
	return n;
}

int argv_groups_row(struct argv_groups *g, struct pack_rows *rows,
		    const uint32_t last[][HG_N_PATH_ACTIONS], uint32_t *ret_out)
{
	uint32_t mine[HG_N_PATH_ACTIONS], id;
	uint32_t *set HG_CLEANUP(fa_free_words) = NULL;
	size_t n;
	int r;

	if (!g->rs->n_argvs)
		return pack_rows_add(rows, last[0], ret_out);
	set = malloc((g->rs->n_argvs + 1) * sizeof(*set));
	if (!set)
		return -ENOMEM;
	n = fill_set(g, last, set);
	memcpy(mine, last[0], sizeof(mine));
	mine[HG_EXEC] = argvs_any(rows->rules, set, n);
	if (n == 1)
		return pack_rows_add(rows, mine, ret_out);
	r = fa_intern_add(&g->sets, set, n, &id);
	if (r < 0)
		return r;
	if (id >= ARGVS_SETS_MAX)
		return -E2BIG;
	return pack_rows_add_argv(rows, mine, (uint8_t)(id + 1), ret_out);
}

/* The names of all rules: the last components of their paths, and what was written. */
static int add_names(struct argvs *argvs, const struct ruleset *rs, uint16_t rule,
		     const struct glob *glob)
{
	size_t i;
	int r = 0;

	if (!ruleset_argv_of(rs, rule))
		return 0;
	for (i = 0; i < glob->n_alternatives && r == 0; i++) {
		struct argv_name name = argv_name_of(glob, i);

		r = argvs_name(argvs, rule, &name);
	}
	return r;
}

struct globs {
	struct glob **items;
	size_t n;
};

static void globs_done(struct globs *g)
{
	size_t i;

	for (i = 0; i < g->n; i++)
		glob_free(g->items + i);
	free(g->items);
}

int argv_groups_compile(struct argv_groups *g, struct pack_rows *rows,
			const struct paths_limits *limits, struct fa **ret, uint32_t *ret_starts,
			struct ruleset_error *ret_error)
{
	struct argvs *argvs HG_CLEANUP(argvs_free) = NULL;
	struct globs globs HG_CLEANUP(globs_done) = {};
	const struct ruleset *rs = g->rs;
	size_t i;
	int r;

	*ret = NULL;
	if (!g->sets.n)
		return 0;
	globs.items = calloc(rs->n_patterns + 1, sizeof(*globs.items));
	r = globs.items ? argvs_new(&argvs) : -ENOMEM;
	for (i = 0; i < rs->n_argvs && r == 0; i++)
		r = argvs_rule(argvs, rs->argvs[i].rule, &rs->argvs[i].pattern);
	for (i = 0; i < rs->n_patterns && r == 0; i++) {
		const struct ruleset_pattern *p = rs->patterns + i;

		if (!ruleset_argv_of(rs, p->rule))
			continue;
		r = glob_parse(globs.items + globs.n, p->text, p->len, NULL);
		if (r == 0)
			r = add_names(argvs, rs, p->rule, globs.items[globs.n++]);
	}
	for (i = 0; i < rs->n_argv_names && r == 0; i++)
		r = add_names(argvs, rs, rs->argv_names[i].rule, rs->argv_names[i].glob);
	if (r == 0)
		r = argvs_compile(argvs, &g->sets, rows, limits, ret, ret_starts, ret_error);
	return r;
}
