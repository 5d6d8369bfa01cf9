/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Collecting rules, and the slow answers to "which rules match". */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ruleset_inner.h"

int ruleset_new(struct ruleset **ret)
{
	struct ruleset *rs = calloc(1, sizeof(*rs));

	if (!rs)
		return -ENOMEM;
	*ret = rs;
	return 0;
}

void ruleset_free(struct ruleset *rs)
{
	size_t i;

	if (!rs)
		return;
	for (i = 0; i < rs->n_patterns; i++)
		free(rs->patterns[i].text);
	free(rs->patterns);
	for (i = 0; i < rs->n_argvs; i++)
		argv_pattern_done(&rs->argvs[i].pattern);
	free(rs->argvs);
	for (i = 0; i < rs->n_argv_names; i++)
		glob_free(&rs->argv_names[i].glob);
	free(rs->argv_names);
	free(rs->addresses);
	free(rs->words);
	for (i = 0; i < rs->n_labels; i++)
		free(rs->labels[i].text);
	free(rs->labels);
	free(rs->rules);
	free(rs->decides);
	free(rs);
}

int ruleset_add(struct ruleset *rs, enum hg_verdict verdict, uint8_t options, uint16_t *ret_rule)
{
	int r;

	if (verdict > HG_ALLOW || options & ~(HG_OPT_LOG | HG_OPT_QUIET))
		return -EINVAL;
	if (rs->n_rules == HG_RULES_MAX)
		return -E2BIG;
	r = fa_grow((void **)&rs->rules, &rs->cap_rules, rs->n_rules + 1, sizeof(*rs->rules));
	if (r < 0)
		return r;
	rs->rules[rs->n_rules] = (struct hg_rule){.verdict = verdict, .options = options};
	*ret_rule = (uint16_t)rs->n_rules++;
	return 0;
}

int ruleset_path(struct ruleset *rs, uint16_t rule, uint8_t actions, const char *pattern,
		 size_t len, struct ruleset_error *ret_error)
{
	struct glob *glob HG_CLEANUP(glob_free) = NULL;
	char *text;
	int r;

	if (rule >= rs->n_rules || !actions || actions & ~HG_ALL_PATH_ACTIONS ||
	    (actions != HG_BIT(HG_EXEC) && ruleset_argv_of(rs, rule)))
		return ruleset_fail(ret_error, -EINVAL, 0, "no such rule, or no such action");
	r = glob_parse(&glob, pattern, len, ret_error);
	if (r < 0)
		return r;
	r = fa_grow((void **)&rs->patterns, &rs->cap_patterns, rs->n_patterns + 1,
		    sizeof(*rs->patterns));
	text = r == 0 ? malloc(len) : NULL;
	if (!text)
		return -ENOMEM;
	memcpy(text, pattern, len);
	rs->patterns[rs->n_patterns++] = (struct ruleset_pattern){text, len, rule, actions};
	return 0;
}

const struct ruleset_argv *ruleset_argv_of(const struct ruleset *rs, uint16_t rule)
{
	size_t i;

	for (i = 0; i < rs->n_argvs; i++)
		if (rs->argvs[i].rule == rule)
			return rs->argvs + i;
	return NULL;
}

int ruleset_argv(struct ruleset *rs, uint16_t rule, const char *pattern, size_t len,
		 struct ruleset_error *ret_error)
{
	struct ruleset_argv argv = {.rule = rule};
	int r;

	if (rule >= rs->n_rules || (rs->n_argvs && rs->argvs[rs->n_argvs - 1].rule >= rule))
		return ruleset_fail(ret_error, -EINVAL, 0, "no such rule, or not in order");
	r = fa_grow((void **)&rs->argvs, &rs->cap_argvs, rs->n_argvs + 1, sizeof(*rs->argvs));
	if (r == 0)
		r = argv_pattern_parse(pattern, len, &argv.pattern, ret_error);
	if (r == 0)
		rs->argvs[rs->n_argvs++] = argv;
	return r;
}

int ruleset_argv_name(struct ruleset *rs, uint16_t rule, const char *path, size_t len,
		      struct ruleset_error *ret_error)
{
	struct glob *glob;
	int r;

	r = fa_grow((void **)&rs->argv_names, &rs->cap_argv_names, rs->n_argv_names + 1,
		    sizeof(*rs->argv_names));
	if (r == 0)
		r = glob_parse(&glob, path, len, ret_error);
	if (r == 0)
		rs->argv_names[rs->n_argv_names++] = (struct ruleset_argv_name){glob, rule};
	return r;
}

int ruleset_endpoint(struct ruleset *rs, uint16_t rule, uint8_t actions,
		     const struct ruleset_endpoint *ep, struct ruleset_error *ret_error)
{
	int r;

	if (rule >= rs->n_rules || !actions || actions & ~(HG_BIT(HG_N_EP_ACTIONS) - 1))
		return ruleset_fail(ret_error, -EINVAL, 0, "no such rule, or no such action");
	r = endpoints_check(ep, ret_error);
	if (r < 0)
		return r;
	r = fa_grow((void **)&rs->addresses, &rs->cap_addresses, rs->n_addresses + 1,
		    sizeof(*rs->addresses));
	if (r < 0)
		return r;
	rs->addresses[rs->n_addresses++] = (struct ruleset_address){*ep, rule, actions};
	return 0;
}

int ruleset_label(struct ruleset *rs, uint16_t rule, uint8_t actions, enum hg_label kind,
		  const char *pattern, size_t len, struct ruleset_error *ret_error)
{
	struct glob *glob HG_CLEANUP(glob_free) = NULL;
	char *text;
	int r;

	if (rule >= rs->n_rules || !actions || actions & ~(HG_BIT(HG_N_EP_ACTIONS) - 1))
		return ruleset_fail(ret_error, -EINVAL, 0, "no such rule, or no such action");
	r = glob_parse_label(&glob, pattern, len, ret_error);
	if (r < 0)
		return r;
	r = fa_grow((void **)&rs->labels, &rs->cap_labels, rs->n_labels + 1, sizeof(*rs->labels));
	text = r == 0 ? malloc(len + 1) : NULL;
	if (!text)
		return -ENOMEM;
	memcpy(text, pattern, len);
	rs->labels[rs->n_labels++] = (struct ruleset_label){text, len, rule, actions, kind};
	return 0;
}

int ruleset_use(struct ruleset *rs, uint16_t rule, enum hg_use use)
{
	int r;

	if (rule >= rs->n_rules || use >= HG_N_USES)
		return -EINVAL;
	r = fa_grow((void **)&rs->words, &rs->cap_words, rs->n_words + 1, sizeof(*rs->words));
	if (r < 0)
		return r;
	rs->words[rs->n_words++] = (struct ruleset_word){rule, (uint8_t)use};
	return 0;
}

/* Writes the marked rules in order; returns how many there are. */
static size_t list_marked(const bool *marked, size_t n_rules, uint16_t *ret_rules, size_t max)
{
	size_t i, n = 0;

	for (i = 0; i < n_rules; i++) {
		if (!marked[i])
			continue;
		if (n < max)
			ret_rules[n] = (uint16_t)i;
		n++;
	}
	return n;
}

size_t ruleset_match_path(const struct ruleset *rs, const char *path, size_t len, unsigned action,
			  uint16_t *ret_rules, size_t max)
{
	bool *marked = calloc(rs->n_rules + 1, sizeof(*marked));
	struct glob *glob;
	size_t i, n;

	if (!marked)
		return 0;
	for (i = 0; i < rs->n_patterns; i++) {
		const struct ruleset_pattern *p = rs->patterns + i;

		if (!(p->actions & HG_BIT(action)) || marked[p->rule])
			continue;
		if (glob_parse(&glob, p->text, p->len, NULL) < 0)
			continue;
		marked[p->rule] = glob_match(glob, path, len) == 1;
		glob_free(&glob);
	}
	n = list_marked(marked, rs->n_rules, ret_rules, max);
	free(marked);
	return n;
}

size_t ruleset_match_endpoint(const struct ruleset *rs, const struct hg_endpoint *ep,
			      unsigned action, uint16_t *ret_rules, size_t max)
{
	bool *marked = calloc(rs->n_rules + 1, sizeof(*marked));
	size_t i, n;

	if (!marked)
		return 0;
	for (i = 0; i < rs->n_addresses; i++)
		if (rs->addresses[i].actions & HG_BIT(action))
			marked[rs->addresses[i].rule] |= endpoints_match(&rs->addresses[i].set, ep);
	n = list_marked(marked, rs->n_rules, ret_rules, max);
	free(marked);
	return n;
}

size_t ruleset_match_use(const struct ruleset *rs, enum hg_use use, uint16_t *ret_rules, size_t max)
{
	bool *marked = calloc(rs->n_rules + 1, sizeof(*marked));
	size_t i, n;

	if (!marked)
		return 0;
	for (i = 0; i < rs->n_words; i++)
		if (rs->words[i].use == use)
			marked[rs->words[i].rule] = true;
	n = list_marked(marked, rs->n_rules, ret_rules, max);
	free(marked);
	return n;
}

size_t ruleset_match_label(const struct ruleset *rs, enum hg_label kind, const char *name,
			   size_t len, unsigned action, uint16_t *ret_rules, size_t max)
{
	bool *marked = calloc(rs->n_rules + 1, sizeof(*marked));
	struct glob *glob;
	size_t i, n;

	if (!marked)
		return 0;
	for (i = 0; i < rs->n_labels; i++) {
		const struct ruleset_label *l = rs->labels + i;

		if (l->kind != kind || !(l->actions & HG_BIT(action)) || marked[l->rule])
			continue;
		if (glob_parse_label(&glob, l->text, l->len, NULL) < 0)
			continue;
		marked[l->rule] = glob_match_label(glob, name, len) == 1;
		glob_free(&glob);
	}
	n = list_marked(marked, rs->n_rules, ret_rules, max);
	free(marked);
	return n;
}

/* Does a name that the rule has begin the line? Where none does, the arguments are not asked. */
static int line_named(const struct ruleset *rs, uint16_t rule, const char *line)
{
	struct argv_name name;
	struct glob *glob;
	bool found = false;
	size_t i, k;

	for (i = 0; i < rs->n_patterns && !found; i++) {
		if (rs->patterns[i].rule != rule)
			continue;
		if (glob_parse(&glob, rs->patterns[i].text, rs->patterns[i].len, NULL) < 0)
			return -ENOMEM;
		for (k = 0; k < glob->n_alternatives && !found; k++) {
			name = argv_name_of(glob, k);
			found = argv_name_match(&name, line, strlen(line));
		}
		glob_free(&glob);
	}
	for (i = 0; i < rs->n_argv_names && !found; i++) {
		glob = rs->argv_names[i].glob;
		for (k = 0; rs->argv_names[i].rule == rule && k < glob->n_alternatives; k++) {
			name = argv_name_of(glob, k);
			found |= argv_name_match(&name, line, strlen(line));
		}
	}
	return found;
}

size_t ruleset_match_argv(const struct ruleset *rs, const char *line, size_t len, uint16_t *rules,
			  size_t n)
{
	size_t skip = strnlen(line, len), k = 0, i;
	bool named = false;

	skip += skip < len;
	for (i = 0; i < n; i++)
		named |= ruleset_argv_of(rs, rules[i]) && line_named(rs, rules[i], line) == 1;
	for (i = 0; i < n; i++) {
		const struct ruleset_argv *a = ruleset_argv_of(rs, rules[i]);

		/* By another name it may be any arguments. */
		if (!a || (named ? argv_pattern_match(&a->pattern, line + skip, len - skip) == 1
				 : rs->rules[rules[i]].verdict != HG_ALLOW))
			rules[k++] = rules[i];
	}
	return k;
}
