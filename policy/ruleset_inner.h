/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a rule set is made of; for ruleset*.c only. */
#ifndef HG_RULESET_INNER_H
#define HG_RULESET_INNER_H

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

struct ruleset_label {
	char *text;
	size_t len;
	uint16_t rule;
	uint8_t actions, kind;
};

struct ruleset {
	struct hg_rule *rules;
	size_t n_rules, cap_rules;
	struct ruleset_pattern *patterns;
	size_t n_patterns, cap_patterns;
	struct ruleset_address *addresses;
	size_t n_addresses, cap_addresses;
	struct ruleset_label *labels;
	size_t n_labels, cap_labels;
	uint32_t flags;
	uint8_t *decides; /* for each rule, since the last ruleset_compile(); or NULL */
};

/* All patterns of the set into a new trie over the lexer. */
int ruleset_fill_trie(const struct ruleset *rs, struct paths_lexer *lexer, struct paths_trie **ret,
		      struct ruleset_error *ret_error);
struct paths_limits ruleset_paths_limits(const struct ruleset_limits *limits);

#endif
