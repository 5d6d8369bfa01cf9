/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From rules to an image: lexer, directories, endpoints, pack, verify. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "ruleset_inner.h"

/* Of an automaton before it is minimal; some 100 MiB while compiling. */
#define MAX_STATES (1u << 18)
#define MAX_EDGES  (6u << 20)

struct paths_limits ruleset_paths_limits(const struct ruleset_limits *limits)
{
	struct paths_limits l = {MAX_STATES, MAX_EDGES};

	if (limits && limits->max_states)
		l.max_states = limits->max_states;
	return l;
}

int ruleset_fill_trie(const struct ruleset *rs, struct paths_lexer *lexer,
		      const struct ruleset_pick *pick, struct paths_trie **ret,
		      struct ruleset_error *ret_error)
{
	struct paths_trie *trie HG_CLEANUP(paths_trie_free) = NULL;
	struct glob *glob;
	size_t i;
	int r;

	r = paths_trie_new(lexer, &trie);
	for (i = 0; i < rs->n_patterns && r == 0; i++) {
		const struct ruleset_pattern *p = rs->patterns + i;
		uint8_t actions = pick->actions(pick, p);

		if (!actions)
			continue;
		r = glob_parse(&glob, p->text, p->len, ret_error);
		if (r < 0)
			return r;
		r = paths_trie_add(trie, glob, p->rule, actions, ret_error);
		glob_free(&glob);
		if (r == -E2BIG && ret_error) {
			ret_error->blamed[0] = p->rule;
			ret_error->n_blamed = 1;
		}
	}
	if (r < 0)
		return r;
	*ret = trie;
	trie = NULL;
	return 0;
}

struct compile {
	struct argv_groups *groups;
	struct pack_rows *rows;
};

static int row_of(void *ctx, const uint32_t last[][HG_N_PATH_ACTIONS], uint32_t *ret_out)
{
	struct compile *c = ctx;

	return argv_groups_row(c->groups, c->rows, last, ret_out);
}

static void tries_done(struct paths_dirs *in)
{
	unsigned i;

	for (i = 0; i < in->n_tries; i++)
		paths_trie_free(in->tries + i);
}

static int compile_paths(const struct ruleset *rs, struct argv_groups *groups,
			 struct pack_rows *rows, const struct paths_limits *limits,
			 struct paths *ret, struct ruleset_error *ret_error)
{
	struct paths_lexer *lexer HG_CLEANUP(paths_lexer_free) = NULL;
	struct paths_symbols *symbols HG_CLEANUP(paths_symbols_free) = NULL;
	struct fa *dirs HG_CLEANUP(fa_free) = NULL;
	struct ruleset_pick pick = {.actions = argv_groups_actions, .rs = rs, .ctx = groups};
	struct compile c = {groups, rows};
	struct paths_dirs in HG_CLEANUP(tries_done) = {
		.n_tries = argv_groups_tries(groups),
		.limits = *limits,
		.ctx = &c,
		.output = row_of,
	};
	int r;

	r = paths_lexer_new(&lexer);
	for (; pick.trie < in.n_tries && r == 0; pick.trie++)
		r = ruleset_fill_trie(rs, lexer, &pick, in.tries + pick.trie, ret_error);
	if (r == 0)
		r = paths_symbols_new(lexer, limits, &symbols);
	in.symbols = symbols;
	if (r == 0)
		r = paths_dirs_compile(&in, &dirs, ret_error);
	if (r == 0)
		r = paths_cluster(lexer, limits, &symbols, &dirs);
	if (r < 0)
		return r;
	r = paths_join(symbols, dirs, rows, ret);
	if (r == -E2BIG)
		ruleset_fail(ret_error, r, 0,
			     "more than %u transitions of directories over names: fewer rules with "
			     "stars that match many of the names other rules spell out",
			     FA_COLUMN_CELLS_MAX);
	return r;
}

static int compile_endpoints(const struct ruleset *rs, struct pack_rows *rows,
			     const struct paths_limits *limits, struct fa **ret,
			     struct ruleset_error *ret_error)
{
	struct endpoints *endpoints HG_CLEANUP(endpoints_free) = NULL;
	size_t i;
	int r;

	r = endpoints_new(&endpoints);
	for (i = 0; i < rs->n_addresses && r == 0; i++)
		r = endpoints_add(endpoints, &rs->addresses[i].set, rs->addresses[i].rule,
				  rs->addresses[i].actions);
	for (i = 0; i < rs->n_labels && r == 0; i++) {
		const struct ruleset_label *l = rs->labels + i;
		struct glob *glob HG_CLEANUP(glob_free) = NULL;

		r = glob_parse_label(&glob, l->text, l->len, ret_error);
		if (r == 0)
			r = endpoints_add_label(endpoints, l->kind, glob, l->rule, l->actions);
	}
	for (i = 0; i < rs->n_hosts && r == 0; i++)
		r = endpoints_add_host(endpoints, &rs->hosts[i].set, rs->hosts[i].rule,
				       rs->hosts[i].actions);
	return r < 0 ? r : endpoints_compile(endpoints, rows, limits, ret, ret_error);
}

/* The verdict row of each word: the last rule that speaks of it decides. */
static int compile_uses(const struct ruleset *rs, struct pack_rows *rows, uint32_t *ret_rows)
{
	uint32_t last[HG_N_USES][HG_N_PATH_ACTIONS] = {0};
	size_t i;
	int r = 0;

	for (i = 0; i < rs->n_words; i++) {
		uint32_t *decides = &last[rs->words[i].use][HG_USE];

		if (*decides < rs->words[i].rule + 1u)
			*decides = rs->words[i].rule + 1u;
	}
	for (i = 0; i < HG_N_USES && r == 0; i++)
		r = pack_rows_add(rows, last[i], &ret_rows[i]);
	return r;
}

/* Notes the rules that decide something in some row of the image: a row is there because some
 * path, endpoint or word leads to it. */
static int note_deciding(struct ruleset *rs, const struct image *im)
{
	uint8_t *decides = calloc(rs->n_rules + 1, 1);
	struct hg_out out;
	uint32_t i;
	unsigned a;

	if (!decides)
		return -ENOMEM;
	for (i = 0; i < image_head(im)->n_outs; i++) {
		image_row(im, i, &out);
		/* Where arguments are asked, the rows of their machine tell who decides. */
		for (a = 0; a < HG_N_PATH_ACTIONS; a++)
			if (out.rule[a] != HG_RULE_NONE && !(out.argv && a == HG_EXEC))
				decides[out.rule[a]] = 1;
	}
	free(rs->decides);
	rs->decides = decides;
	return 0;
}

static uint32_t about_hosts(const struct ruleset *rs)
{
	uint32_t about = rs->n_hosts ? HG_HOSTS_SOME : 0;

	for (size_t i = 0; i < rs->n_hosts; i++)
		if (rs->rules[rs->hosts[i].rule].options & (HG_OPT_BUDGET | HG_OPT_NAMES))
			about |= HG_HOSTS_BUDGET;
	return about;
}

static bool has_agents(const struct ruleset *rs)
{
	for (size_t i = 0; i < rs->n_labels; i++)
		if (rs->labels[i].kind == HG_LABEL_AGENT && rs->labels[i].actions & HG_BIT(HG_LISTEN))
			return true;
	return false;
}

int ruleset_compile(struct ruleset *rs, const struct ruleset_limits *limits, struct image **ret,
		    struct ruleset_error *ret_error)
{
	struct paths_limits l = ruleset_paths_limits(limits);
	struct pack_rows rows HG_CLEANUP(pack_rows_done) = {0};
	struct paths paths HG_CLEANUP(paths_done) = {0};
	struct fa *endpoint HG_CLEANUP(fa_free) = NULL;
	uint32_t uses[HG_N_USES];
	struct fa *argv HG_CLEANUP(fa_free) = NULL;
	struct argv_groups groups HG_CLEANUP(argv_groups_done) = {0};
	uint32_t starts[ARGVS_SETS_MAX];
	struct pack_input in = {.paths = &paths,
				.rows = &rows,
				.uses = uses,
				.hosts = about_hosts(rs),
				.agents = has_agents(rs),
				.max_chunks = HG_CHUNKS_MAX};
	struct hg_chunk *chunks;
	uint32_t n;
	int r;

	if (limits && limits->max_chunks && limits->max_chunks < HG_CHUNKS_MAX)
		in.max_chunks = limits->max_chunks;
	r = pack_rows_init(&rows, rs->rules, rs->n_rules);
	if (r == 0)
		r = argv_groups_init(&groups, rs, ret_error);
	if (r == 0)
		r = compile_paths(rs, &groups, &rows, &l, &paths, ret_error);
	if (r == 0)
		r = compile_endpoints(rs, &rows, &l, &endpoint, ret_error);
	if (r == 0)
		r = compile_uses(rs, &rows, uses);
	if (r == 0)
		r = argv_groups_compile(&groups, &rows, &l, &argv, starts, ret_error);
	in.endpoint = endpoint;
	in.argv = argv;
	in.argv_starts = starts;
	in.n_argvs = (uint32_t)groups.sets.n;
	if (r == 0)
		r = pack_image(&in, &chunks, &n, ret_error);
	if (r == 0)
		/* What this program made goes through the same gate as what it is given. */
		r = image_take(chunks, n, ret, ret_error);
	if (r < 0)
		return r;
	r = note_deciding(rs, *ret);
	if (r < 0)
		image_free(*ret);
	return r;
}

int ruleset_dead(const struct ruleset *rs, uint8_t *ret_dead)
{
	size_t i;

	if (!rs->decides)
		return -EINVAL;
	memset(ret_dead, 0, rs->n_rules);
	for (i = 0; i < rs->n_patterns; i++)
		ret_dead[rs->patterns[i].rule] = !rs->decides[rs->patterns[i].rule];
	for (i = 0; i < rs->n_addresses; i++)
		ret_dead[rs->addresses[i].rule] = !rs->decides[rs->addresses[i].rule];
	for (i = 0; i < rs->n_words; i++)
		ret_dead[rs->words[i].rule] = !rs->decides[rs->words[i].rule];
	for (i = 0; i < rs->n_labels; i++)
		ret_dead[rs->labels[i].rule] = !rs->decides[rs->labels[i].rule];
	for (i = 0; i < rs->n_hosts; i++)
		ret_dead[rs->hosts[i].rule] = !rs->decides[rs->hosts[i].rule];
	return 0;
}
