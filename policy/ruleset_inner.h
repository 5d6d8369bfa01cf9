/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a rule set is made of; for ruleset*.c only. */
#ifndef HG_RULESET_INNER_H
#define HG_RULESET_INNER_H

#include "argvs.h"
#include "endpoints.h"
#include "pack.h"
#include "paths.h"
#include "ruleset.h"

struct ruleset_pattern {
	char *text;
	size_t len;
	uint16_t rule;
	uint8_t actions;
};

struct ruleset_address {
	struct ruleset_endpoint set;
	uint16_t rule;
	uint8_t actions;
};

struct ruleset_word {
	uint16_t rule;
	uint8_t use; /* enum hg_use */
};

struct ruleset_argv {
	struct argv_pattern pattern;
	uint16_t rule;
};

/* Names as written, beside those of the rule's paths. */
struct ruleset_argv_name {
	struct glob *glob;
	uint16_t rule;
};

struct ruleset_label {
	char *text;
	size_t len;
	uint16_t rule;
	uint8_t actions, kind;
};

struct ruleset_named {
	struct ruleset_host set;
	uint16_t rule;
	uint8_t actions;
};

struct ruleset {
	struct hg_rule *rules;
	size_t n_rules, cap_rules;
	struct ruleset_pattern *patterns;
	size_t n_patterns, cap_patterns;
	struct ruleset_address *addresses;
	size_t n_addresses, cap_addresses;
	struct ruleset_word *words;
	size_t n_words, cap_words;
	struct ruleset_argv *argvs;
	size_t n_argvs, cap_argvs;
	struct ruleset_argv_name *argv_names;
	size_t n_argv_names, cap_argv_names;
	struct ruleset_label *labels;
	size_t n_labels, cap_labels;
	struct ruleset_named *hosts;
	size_t n_hosts, cap_hosts;
	uint8_t *decides; /* for each rule, since the last ruleset_compile(); or NULL */
};

/* The actions for which a pattern is in a trie, or 0. */
struct ruleset_pick {
	uint8_t (*actions)(const struct ruleset_pick *pick, const struct ruleset_pattern *p);
	const struct ruleset *rs;
	const void *ctx;
	unsigned trie;
};
/* Patterns of the set into a new trie over the lexer. */
int ruleset_fill_trie(const struct ruleset *rs, struct paths_lexer *lexer,
		      const struct ruleset_pick *pick, struct paths_trie **ret,
		      struct ruleset_error *ret_error);

/* The argument pattern of a rule; NULL: a plain rule. */
const struct ruleset_argv *ruleset_argv_of(const struct ruleset *rs, uint16_t rule);

/* ---- argument rules by the programs they speak of (ruleset_argv.c) ---- */
struct argv_groups {
	const struct ruleset *rs;
	struct fa_intern programs; /* for each group its patterns, as text */
	uint32_t *group;	   /* for each rule; UINT32_MAX: plain */
	struct fa_intern sets;	   /* see argvs_compile(): hg_out.argv - 1 */
};
int argv_groups_init(struct argv_groups *g, const struct ruleset *rs,
		     struct ruleset_error *ret_error);
void argv_groups_done(struct argv_groups *g);
/* Tries of the directory machine that it takes, the one of plain rules included. */
unsigned argv_groups_tries(const struct argv_groups *g);
uint8_t argv_groups_actions(const struct ruleset_pick *pick, const struct ruleset_pattern *p);
/* The verdict row of a place, by what each trie says. -E2BIG: too many sets. */
int argv_groups_row(struct argv_groups *g, struct pack_rows *rows,
		    const uint32_t last[][HG_N_PATH_ACTIONS], uint32_t *ret_out);
/* The machine of all sets; *ret NULL where there is none. ret_starts: ARGVS_SETS_MAX of them. */
int argv_groups_compile(struct argv_groups *g, struct pack_rows *rows,
			const struct paths_limits *limits, struct fa **ret, uint32_t *ret_starts,
			struct ruleset_error *ret_error);
struct paths_limits ruleset_paths_limits(const struct ruleset_limits *limits);

#endif
