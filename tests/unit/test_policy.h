/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the tests of policies share: load some text, ask what it decides, look for a message. */
#ifndef HG_TEST_POLICY_H
#define HG_TEST_POLICY_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../policy/policy_load.h"
#include "tap.h"

struct loaded {
	struct diags d;
	struct policy *p;
	int err;
};

__attribute__((unused)) static struct loaded load_text(const char *text, size_t len,
						       const struct policy_params *params)
{
	static const struct policy_params plain = {.no_resolve = true};
	struct loaded l = {};
	/* Exact size: reading past the end is seen. */
	char *exact = malloc(len ? len : 1);

	memcpy(exact, text, len);
	l.err = policy_load_text("t.yaml", exact, len, params ? params : &plain, NULL, &l.d, &l.p);
	free(exact);
	return l;
}

__attribute__((unused)) static struct loaded load_file(const char *file,
						       const struct policy_params *params)
{
	struct loaded l = {};

	l.err = policy_load(file, params, &l.d, &l.p);
	return l;
}

__attribute__((unused)) static void unload(struct loaded *l)
{
	diags_clear(&l->d);
	policy_free(l->p);
	*l = (struct loaded){};
}

__attribute__((unused)) static void show_diags(const struct diags *d)
{
	for (size_t i = 0; i < d->n; i++)
		tap_note("%s:%u:%u: %d %s", d->items[i].file, d->items[i].line, d->items[i].col,
			 d->items[i].level, d->items[i].message);
}

/* A diagnostic of this level in this place whose message has `part` in it. file: NULL for any. */
__attribute__((unused)) static bool has_diag(const struct diags *d, enum diag_level level,
					     const char *file, unsigned line, unsigned col,
					     const char *part)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct diag *x = &d->items[i];

		if (x->level == level && x->line == line && x->col == col &&
		    (!file || !strcmp(x->file, file)) && strstr(x->message, part))
			return true;
	}
	return false;
}

/* The verdict on a path; the deciding rule's text in *ret_rule, where wanted. */
__attribute__((unused)) static enum hg_verdict decide(const struct policy *p, unsigned action,
						      const char *path, const char **ret_rule)
{
	struct hg_out out = {};

	if (ret_rule)
		*ret_rule = "";
	if (image_path(p->image, path, strlen(path), &out))
		return -1;
	if (ret_rule && out.rule[action] != HG_RULE_NONE)
		*ret_rule = p->rules[out.rule[action]].text;
	return out.allow & HG_BIT(action) ? HG_ALLOW : out.ask & HG_BIT(action) ? HG_ASK : HG_DENY;
}

/* The same for "192.0.2.1:443/tcp" or "[2001:db8::1]:53/udp". */
__attribute__((unused)) static enum hg_verdict decide_endpoint(const struct policy *p,
							       unsigned action, const char *text)
{
	struct ruleset_endpoint set;
	struct hg_endpoint ep = {};
	struct rule_error e;
	struct hg_out out = {};
	uint8_t proto;

	if (rule_parse_endpoint(text, strlen(text), &set, &e))
		return -1;
	proto = set.icmp ? HG_ICMP : set.tcp ? HG_TCP : HG_UDP;
	if (set.family == 4)
		hg_endpoint_v4(&ep, set.address, proto, set.icmp ? 0 : set.port_low,
			       action == HG_CONNECT);
	else
		hg_endpoint_v6(&ep, set.address, proto, set.icmp ? 0 : set.port_low,
			       action == HG_CONNECT);
	if (image_endpoint(p->image, &ep, &out))
		return -1;
	return out.allow & HG_BIT(action) ? HG_ALLOW : out.ask & HG_BIT(action) ? HG_ASK : HG_DENY;
}

/* What the policy that `text` is says of an endpoint. */
__attribute__((unused)) static bool is_endpoint(const struct policy_params *params, const char *text,
						unsigned action, const char *endpoint,
						enum hg_verdict want)
{
	struct loaded l = load_text(text, strlen(text), params);
	bool ok = !l.err && decide_endpoint(l.p, action, endpoint) == want;

	if (l.err)
		show_diags(&l.d);
	unload(&l);
	return ok;
}

#endif
