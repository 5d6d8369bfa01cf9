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
	free(rs->addresses);
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

	if (rule >= rs->n_rules || !actions || actions & ~HG_ALL_PATH_ACTIONS)
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

void ruleset_set_flags(struct ruleset *rs, uint32_t flags)
{
	rs->flags = flags;
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
