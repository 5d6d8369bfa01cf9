/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The slow answers to "which rules match". */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ruleset_inner.h"

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

size_t ruleset_match_host(const struct ruleset *rs, const char *name, uint8_t proto, uint16_t port,
			  uint16_t *ret_rules, size_t max)
{
	uint8_t action = proto ? HG_BIT(HG_CONNECT) : HG_BIT(HG_RESOLVE);
	bool *marked = calloc(rs->n_rules + 1, sizeof(*marked));
	size_t i, n;

	if (!marked)
		return 0;
	for (i = 0; i < rs->n_hosts; i++) {
		const struct ruleset_host *set = &rs->hosts[i].set;

		if (!(rs->hosts[i].actions & action) || !hosts_match(set, name, strlen(name)))
			continue;
		if (!proto || (((proto == HG_TCP && set->tcp) || (proto == HG_UDP && set->udp) ||
				(proto == HG_ICMP && set->icmp)) &&
			       port >= set->port_low && port <= set->port_high))
			marked[rs->hosts[i].rule] = true;
	}
	n = list_marked(marked, rs->n_rules, ret_rules, max);
	free(marked);
	return n;
}

/* ---- names that addresses go past ---- */

/* What the name's rule closes and the address's rule allows: an endpoint, or asking any resolver. */
static bool goes_past(const struct ruleset *rs, const struct ruleset_named *name,
		      const struct ruleset_address *a)
{
	const struct ruleset_host *h = &name->set;
	const struct ruleset_endpoint *ep = &a->set;

	if (rs->rules[name->rule].verdict == HG_ALLOW || rs->rules[a->rule].verdict != HG_ALLOW ||
	    a->rule > name->rule || !(a->actions & HG_BIT(HG_CONNECT)))
		return false;
	if ((name->actions & HG_BIT(HG_CONNECT)) && h->port_low <= ep->port_high &&
	    ep->port_low <= h->port_high &&
	    ((h->tcp && ep->tcp) || (h->udp && ep->udp) || (h->icmp && ep->icmp)))
		return true;
	return (name->actions & HG_BIT(HG_RESOLVE)) && ep->port_low <= 53 && ep->port_high >= 53 &&
	       (ep->tcp || ep->udp);
}

int ruleset_unheld(const struct ruleset *rs, size_t *at, struct ruleset_unheld *ret)
{
	size_t n = rs->n_hosts * rs->n_addresses;

	for (; *at < n; (*at)++) {
		const struct ruleset_named *name = rs->hosts + *at / rs->n_addresses;
		const struct ruleset_address *a = rs->addresses + *at % rs->n_addresses;

		if (!goes_past(rs, name, a))
			continue;
		*ret = (struct ruleset_unheld){name->rule, a->rule, a->set.prefix_len == 0};
		(*at)++;
		return 1;
	}
	return 0;
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
