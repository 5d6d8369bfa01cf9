/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Collecting rules. */
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
	free(rs->hosts);
	free(rs->rules);
	free(rs->decides);
	free(rs);
}

int ruleset_add(struct ruleset *rs, enum hg_verdict verdict, uint8_t options, uint16_t *ret_rule)
{
	int r;

	if (verdict > HG_ALLOW || options & ~HG_OPT_ALL)
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

int ruleset_host(struct ruleset *rs, uint16_t rule, uint8_t actions,
		 const struct ruleset_host *host, struct ruleset_error *ret_error)
{
	bool all = host->tcp && host->udp && !host->port_low && host->port_high == 65535;
	int r;

	if (rule >= rs->n_rules || !actions ||
	    actions & ~(HG_BIT(HG_CONNECT) | HG_BIT(HG_RESOLVE)))
		return ruleset_fail(ret_error, -EINVAL, 0, "no such rule, or no such action");
	r = hosts_check(host, ret_error);
	if (r < 0)
		return r;
	if (rs->rules[rule].verdict != HG_DENY || all)
		actions |= HG_BIT(HG_RESOLVE);
	r = fa_grow((void **)&rs->hosts, &rs->cap_hosts, rs->n_hosts + 1, sizeof(*rs->hosts));
	if (r == 0)
		rs->hosts[rs->n_hosts++] = (struct ruleset_named){*host, rule, actions};
	return r;
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
