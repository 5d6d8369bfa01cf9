/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Argument rules to an automaton. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "argvs.h"

enum node_kind {
	NODE_INNER,
	NODE_END,    /* accepts if the command line ends here */
	NODE_ALL,    /* accepts whatever follows: loops */
	NODE_NAME,   /* in a name that a rule has */
	NODE_NAMED,  /* behind such a name: loops */
	NODE_ANY,    /* the rule for other names: loops */
	NODE_SKIP,   /* in argv[0], for the rules behind it */
};

struct node {
	uint8_t kind;
	uint32_t rule; /* as 1 + index; 0: none */
};

struct argvs {
	struct fa_nfa *nfa;
	struct node *nodes;
	size_t n_nodes, cap_nodes;
	uint32_t byte[256], nul, one, in_path; /* labels; 0 where not made yet */
	struct {
		uint16_t rule;
		uint32_t start;
	} *rules;
	size_t n_rules, cap_rules;
	struct {
		uint16_t rule;
		struct argv_name name;
	} *names;
	size_t n_names, cap_names;
	struct pack_rows *rows; /* while compiling */
};

int argvs_new(struct argvs **ret)
{
	struct argvs *a HG_CLEANUP(argvs_free) = calloc(1, sizeof(*a));
	int r = a ? fa_nfa_new(&a->nfa) : -ENOMEM;

	if (r == 0)
		r = fa_nfa_label(a->nfa, &a->nul);
	if (r == 0)
		r = fa_nfa_label_add(a->nfa, a->nul, (struct fa_range){0, 0});
	if (r == 0)
		r = fa_nfa_label(a->nfa, &a->one);
	if (r == 0)
		r = fa_nfa_label_add(a->nfa, a->one, (struct fa_range){1, 255});
	if (r == 0)
		r = fa_nfa_label(a->nfa, &a->in_path);
	if (r == 0)
		r = fa_nfa_label_add(a->nfa, a->in_path, (struct fa_range){1, '/' - 1});
	if (r == 0)
		r = fa_nfa_label_add(a->nfa, a->in_path, (struct fa_range){'/' + 1, 255});
	if (r < 0)
		return r;
	*ret = a;
	a = NULL;
	return 0;
}

void argvs_free(struct argvs **argvs)
{
	struct argvs *a = *argvs;

	if (!a)
		return;
	fa_nfa_free(&a->nfa);
	free(a->nodes);
	free(a->rules);
	free(a->names);
	free(a);
	*argvs = NULL;
}

/* ---- pieces ---- */

static int make(struct argvs *a, enum node_kind kind, uint32_t rule, uint32_t *ret)
{
	int r = fa_nfa_node(a->nfa, ret);

	if (r == 0)
		r = fa_grow((void **)&a->nodes, &a->cap_nodes, (size_t)*ret + 1, sizeof(*a->nodes));
	if (r < 0)
		return r;
	a->n_nodes = (size_t)*ret + 1;
	a->nodes[*ret] = (struct node){(uint8_t)kind, rule};
	return 0;
}

/* A node that loops over a label. */
static int make_loop(struct argvs *a, enum node_kind kind, uint32_t rule, uint32_t label,
		     uint32_t *ret)
{
	int r = make(a, kind, rule, ret);

	return r < 0 ? r : fa_nfa_edge(a->nfa, *ret, label, *ret);
}

/* Over a label to a new node like the one at hand. */
static int step(struct argvs *a, uint32_t *at, uint32_t label)
{
	struct node like = a->nodes[*at];
	uint32_t to;
	int r = make(a, like.kind, like.rule, &to);

	if (r == 0)
		r = fa_nfa_edge(a->nfa, *at, label, to);
	*at = to;
	return r;
}

static int step_byte(struct argvs *a, uint32_t *at, uint8_t byte)
{
	int r = 0;

	if (!a->byte[byte]) {
		r = fa_nfa_label(a->nfa, a->byte + byte);
		if (r == 0)
			r = fa_nfa_label_add(a->nfa, a->byte[byte], (struct fa_range){byte, byte});
	}
	return r < 0 ? r : step(a, at, a->byte[byte]);
}

static int step_set(struct argvs *a, uint32_t *at, const struct glob_set *set)
{
	uint32_t label, b, end;
	int r = fa_nfa_label(a->nfa, &label);

	for (b = 0; b < 256 && r == 0; b = end + 1) {
		for (end = b; end < 255 && glob_set_has(set, (uint8_t)b) &&
			      glob_set_has(set, (uint8_t)(end + 1));)
			end++;
		if (glob_set_has(set, (uint8_t)b))
			r = fa_nfa_label_add(a->nfa, label, (struct fa_range){b, end});
	}
	return r < 0 ? r : step(a, at, label);
}

static int step_star(struct argvs *a, uint32_t *at, uint32_t label)
{
	int r = step(a, at, FA_EPSILON);

	return r < 0 ? r : fa_nfa_edge(a->nfa, *at, label, *at);
}

/* Any number of whole arguments. */
static int step_any(struct argvs *a, uint32_t *at)
{
	uint32_t between, within;
	int r = step(a, at, FA_EPSILON);

	between = within = *at;
	if (r == 0)
		r = step(a, &within, a->one);
	if (r == 0)
		r = fa_nfa_edge(a->nfa, within, a->one, within);
	if (r == 0)
		r = fa_nfa_edge(a->nfa, within, a->nul, between);
	return r < 0 ? r : fa_nfa_edge(a->nfa, between, a->nul, between);
}

/* Tokens from *i up to the end, or up to the comma or brace that ends an alternative. */
static int walk(struct argvs *a, const struct argv_pattern *p, size_t *i, uint32_t *at)
{
	uint32_t from, join, end;
	int r = 0;

	for (; *i < p->n && r == 0; ++*i) {
		const struct argv_token *t = p->tokens + *i;

		switch (t->kind) {
		case ARGV_BYTE:
			r = step_byte(a, at, t->byte);
			break;
		case ARGV_ONE:
			r = step(a, at, a->one);
			break;
		case ARGV_STAR:
			r = step_star(a, at, a->one);
			break;
		case ARGV_SET:
			r = step_set(a, at, p->sets + t->set);
			break;
		case ARGV_END:
			r = step(a, at, a->nul);
			break;
		case ARGV_ANY:
			r = step_any(a, at);
			break;
		case ARGV_OPEN:
			from = *at;
			r = make(a, NODE_INNER, a->nodes[from].rule, &join);
			do {
				++*i;
				end = from;
				/* Not to be shared: a loop in one alternative is no other's. */
				if (r == 0)
					r = step(a, &end, FA_EPSILON);
				if (r == 0)
					r = walk(a, p, i, &end);
				if (r == 0)
					r = fa_nfa_edge(a->nfa, end, FA_EPSILON, join);
			} while (r == 0 && p->tokens[*i].kind == ARGV_COMMA);
			*at = join;
			break;
		default: /* the end of this alternative */
			return 0;
		}
	}
	return r;
}

int argvs_rule(struct argvs *a, uint16_t rule, const struct argv_pattern *pattern)
{
	struct argv_pattern p = *pattern;
	uint32_t start, at, all;
	size_t i = 0;
	int r;

	r = fa_grow((void **)&a->rules, &a->cap_rules, a->n_rules + 1, sizeof(*a->rules));
	if (r == 0)
		r = make(a, NODE_INNER, rule + 1u, &start);
	if (r < 0)
		return r;
	at = start;
	/* What ends in any arguments has decided when they begin. */
	while (p.n && p.tokens[p.n - 1].kind == ARGV_ANY)
		p.n--;
	r = walk(a, &p, &i, &at);
	if (r == 0 && p.n == pattern->n) {
		a->nodes[at].kind = NODE_END;
	} else if (r == 0) {
		r = make_loop(a, NODE_ALL, rule + 1u, FA_ANY, &all);
		if (r == 0)
			r = fa_nfa_edge(a->nfa, at, FA_EPSILON, all);
	}
	a->rules[a->n_rules].rule = rule;
	a->rules[a->n_rules++].start = start;
	return r;
}

int argvs_name(struct argvs *a, uint16_t rule, const struct argv_name *name)
{
	int r = fa_grow((void **)&a->names, &a->cap_names, a->n_names + 1, sizeof(*a->names));

	if (r < 0)
		return r;
	a->names[a->n_names].rule = rule;
	a->names[a->n_names++].name = *name;
	return 0;
}

/* ---- sets ---- */

uint32_t argvs_any(const struct hg_rule *rules, const uint32_t *set, size_t n)
{
	size_t i;

	for (i = n; i-- > 0;)
		if (set[i] && rules[set[i] - 1].verdict != HG_ALLOW)
			return set[i];
	/* All allow, or nothing says what the rules do not. */
	return set[0];
}

static int add_name(struct argvs *a, uint32_t from, uint32_t named, const struct argv_name *name)
{
	uint32_t at = from;
	size_t i;
	int r = step(a, &at, FA_EPSILON);

	for (i = 0; i < name->n && r == 0; i++) {
		const struct glob_token *t = name->tokens + i;

		if (t->kind == GLOB_BYTE)
			r = step_byte(a, &at, t->byte);
		else if (t->kind == GLOB_SET)
			r = step_set(a, &at, name->glob->sets + t->set);
		else if (t->kind == GLOB_ONE)
			r = step(a, &at, a->in_path);
		else
			r = step_star(a, &at, a->in_path);
	}
	return r < 0 ? r : fa_nfa_edge(a->nfa, at, a->nul, named);
}

static bool set_has(const uint32_t *set, size_t n, uint16_t rule)
{
	size_t i;

	for (i = 1; i < n; i++)
		if (set[i] == rule + 1u)
			return true;
	return false;
}

/* argv[0]: directories, a login shell's '-', and a name of the set. */
static int add_names(struct argvs *a, uint32_t start, const uint32_t *set, size_t n)
{
	uint32_t named, path, name, login;
	size_t i;
	int r = make_loop(a, NODE_NAMED, 0, FA_ANY, &named);

	if (r == 0)
		r = make_loop(a, NODE_NAME, 0, a->one, &path);
	if (r == 0)
		r = fa_nfa_edge(a->nfa, start, FA_EPSILON, path);
	if (r == 0)
		r = make(a, NODE_NAME, 0, &name);
	if (r == 0)
		r = fa_nfa_edge(a->nfa, start, FA_EPSILON, name);
	login = path;
	if (r == 0)
		r = step_byte(a, &login, '/');
	if (r == 0)
		r = fa_nfa_edge(a->nfa, login, FA_EPSILON, name);
	login = name;
	if (r == 0)
		r = step_byte(a, &login, '-');
	for (i = 0; i < a->n_names && r == 0; i++) {
		if (!set_has(set, n, a->names[i].rule))
			continue;
		r = add_name(a, name, named, &a->names[i].name);
		if (r == 0)
			r = add_name(a, login, named, &a->names[i].name);
	}
	return r;
}

static int add_set(struct argvs *a, const uint32_t *set, size_t n, uint32_t *ret_start)
{
	uint32_t start, at;
	size_t i;
	int r = make(a, NODE_INNER, UINT32_MAX, &start);

	if (r == 0)
		r = make_loop(a, NODE_ANY, argvs_any(a->rows->rules, set, n), FA_ANY, &at);
	if (r == 0)
		r = fa_nfa_edge(a->nfa, start, FA_EPSILON, at);
	if (r == 0 && set[0]) {
		r = make_loop(a, NODE_ALL, set[0], FA_ANY, &at);
		if (r == 0)
			r = fa_nfa_edge(a->nfa, start, FA_EPSILON, at);
	}
	if (r == 0)
		r = add_names(a, start, set, n);
	if (r == 0)
		r = make_loop(a, NODE_SKIP, 0, a->one, &at);
	if (r == 0)
		r = fa_nfa_edge(a->nfa, start, FA_EPSILON, at);
	for (i = 0; i < a->n_rules && r == 0; i++)
		if (set_has(set, n, a->rules[i].rule))
			r = fa_nfa_edge(a->nfa, at, a->nul, a->rules[i].start);
	*ret_start = start;
	return r;
}

/* ---- to a deterministic machine ---- */

static int row_of(void *ctx, const uint32_t *nodes, size_t n, uint32_t *ret_out)
{
	uint32_t last[HG_N_PATH_ACTIONS] = {0}, any = 0, best = 0;
	struct argvs *a = ctx;
	bool named = false;
	size_t i;

	for (i = 0; i < n; i++) {
		const struct node *node = a->nodes + nodes[i];

		named |= node->kind == NODE_NAMED;
		if (node->kind == NODE_ANY)
			any = node->rule;
		if ((node->kind == NODE_END || node->kind == NODE_ALL) && best < node->rule)
			best = node->rule;
	}
	last[HG_EXEC] = named ? best : any;
	return pack_rows_add(a->rows, last, ret_out);
}

/* What cannot decide any more: behind a name, the rules before one that speaks for the rest; behind
 * none that is known, all rules. */
static size_t reduce(void *ctx, uint32_t *nodes, size_t n)
{
	struct argvs *a = ctx;
	bool naming = false, named = false;
	uint32_t floor = 0;
	size_t i, k = 0;

	for (i = 0; i < n; i++) {
		const struct node *node = a->nodes + nodes[i];

		naming |= node->kind == NODE_NAME || node->kind == NODE_SKIP;
		named |= node->kind == NODE_NAMED;
		if (node->kind == NODE_ALL && floor < node->rule)
			floor = node->rule;
	}
	for (i = 0; i < n; i++) {
		const struct node *node = a->nodes + nodes[i];
		bool keep = naming || node->kind == NODE_ANY;

		if (named)
			keep = node->kind == NODE_NAMED || node->rule > floor ||
			       (node->kind == NODE_ALL && node->rule == floor);
		if (named && node->kind == NODE_ANY)
			keep = false;
		if (keep)
			nodes[k++] = nodes[i];
	}
	return k;
}

static int blame(const struct argvs *a, const uint64_t *presence, size_t n_rules,
		 struct ruleset_error *error)
{
	uint64_t *weight = calloc(n_rules + 1, sizeof(*weight));
	size_t i;

	if (!weight)
		return -ENOMEM;
	for (i = 0; i < a->n_nodes; i++)
		if (a->nodes[i].rule && a->nodes[i].rule <= n_rules)
			weight[a->nodes[i].rule - 1] += presence[i];
	paths_blame(error, weight, n_rules,
		    "argument patterns multiply each other; fewer `**` in mid-pattern");
	free(weight);
	return -E2BIG;
}

int argvs_compile(struct argvs *a, const struct fa_intern *sets, struct pack_rows *rows,
		  const struct paths_limits *limits, struct fa **ret, uint32_t *ret_starts,
		  struct ruleset_error *ret_error)
{
	struct fa_builder *builder HG_CLEANUP(fa_builder_free) = NULL;
	struct fa_subset sub = {
		.ctx = a,
		.output = row_of,
		.reduce = reduce,
		.n_symbols = 256,
		.rest = 0xfe,
		.max_states = limits->max_states,
		.max_edges = limits->max_edges,
	};
	uint32_t *starts HG_CLEANUP(fa_free_words) = calloc(sets->n + 1, sizeof(*starts));
	uint32_t i, out;
	size_t n;
	int r = starts ? 0 : -ENOMEM;

	a->rows = rows;
	for (i = 0; i < sets->n && r == 0; i++) {
		const uint32_t *set = fa_intern_get(sets, i, &n);

		r = add_set(a, set, n, starts + i);
	}
	if (r < 0)
		return r;
	sub.presence = calloc(fa_nfa_size(a->nfa) + 1, sizeof(*sub.presence));
	r = sub.presence ? fa_builder_new(a->nfa, &sub, &builder) : -ENOMEM;
	for (i = 0; i < sets->n && r == 0; i++)
		r = fa_builder_start(builder, starts + i, 1, ret_starts + i, &out);
	if (r == -E2BIG)
		r = blame(a, sub.presence, rows->n_rules, ret_error);
	if (r == 0)
		r = fa_minimise_from(fa_builder_fa(builder), ret_starts, sets->n, ret);
	free(sub.presence);
	return r;
}
