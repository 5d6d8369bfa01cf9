/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One rule: its text parsed, its objects expanded, its patterns and endpoints into the ruleset.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "policy_load.h"

static void origin_where(const struct origin *o, size_t offset, unsigned *ret_line,
			 unsigned *ret_col)
{
	*ret_line = o->line;
	*ret_col = offset + 1;
	if (o->doc)
		document_where(o->doc, node_source(o->doc, o->node, offset), ret_line, ret_col);
}

int compiler_say(struct compiler *c, enum diag_level level, const struct origin *o, size_t offset,
		 const char *format, ...)
{
	char message[700];
	unsigned line, col;
	va_list ap;

	va_start(ap, format);
	vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);
	origin_where(o, offset, &line, &col);
	if (level == DIAG_ERROR)
		c->failed = true;
	return diag_add(c->d, level, o->file, line, col, "%s", message);
}

static char *one_line(const char *text, size_t len)
{
	char *out;

	while (len && strchr(" \t\r\n", text[len - 1]))
		len--;
	for (; len && strchr(" \t\r\n", *text); text++)
		len--;
	out = strndup(text, len);
	for (char *c = out; c && *c; c++) {
		if (strchr("\t\r\n", *c))
			*c = ' ';
	}
	return out;
}

static int add_rule(struct compiler *c, const struct origin *o, const char *text, size_t len,
		    const struct rule_line *r, bool never, uint16_t *ret_rule)
{
	struct policy *p = c->p;
	struct policy_rule *rule;
	int err;

	if (p->n_rules == HG_RULES_MAX)
		return compiler_say(c, DIAG_ERROR, o, 0, "more than %d rules", HG_RULES_MAX);
	/* Grows at powers of two. */
	if (!(p->n_rules & (p->n_rules - 1))) {
		rule = reallocarray(p->rules, p->n_rules ? p->n_rules * 2 : 1, sizeof(*rule));
		if (!rule)
			return -ENOMEM;
		p->rules = rule;
	}
	rule = &p->rules[p->n_rules];
	*rule = (struct policy_rule){.never = never,
				     .verdict = r->verdict,
				     .options = r->options,
				     .budget = r->budget,
				     .names = r->names};
	origin_where(o, 0, &rule->line, &rule->col);
	rule->file = strdup(o->file);
	rule->text = one_line(text, len);
	p->n_rules++;
	if (!rule->file || !rule->text)
		return -ENOMEM;
	err = ruleset_add(p->ruleset, r->verdict, r->options, ret_rule);
	return err ? err : *ret_rule == p->n_rules - 1 ? 0 : -EPROTO;
}

/* What ruleset_path() has against a pattern, at the byte of the rule that it came from. */
static int pattern_error(struct compiler *c, const struct origin *o, const struct pattern *p,
			 const struct pattern *written, const struct ruleset_error *e)
{
	size_t at = e->offset < p->len ? e->offset : p->len ? p->len - 1 : 0;
	bool same = !strcmp(p->bytes, written->bytes);

	return compiler_say(c, DIAG_ERROR, o, p->len ? p->from[at] : 0, "%s%s%s%s", e->message,
			    same ? "" : " (here: ", same ? "" : p->bytes, same ? "" : ")");
}

/* Links that were followed since there were `before` of them, by the rule at hand. */
static int note_followed(struct compiler *c, size_t before, uint16_t rule)
{
	uint16_t *by;

	if (c->followed.n == before)
		return 0;
	by = reallocarray(c->followed_by, c->followed.n, sizeof(*by));
	if (!by)
		return -ENOMEM;
	c->followed_by = by;
	for (; before < c->followed.n; before++)
		by[before] = rule;
	return 0;
}

static void tell_resolved(struct compiler *c, const struct origin *o, const struct pattern *p,
			  const struct variants *v, bool deny)
{
	if (o->shipped || !v->leads_to)
		return;
	if (v->self && !deny)
		compiler_say(c, DIAG_WARNING, o, p->from[0],
			     "%s is every process's, %s: a path cannot tell an agent's "
			     "own processes from others",
			     p->bytes, v->leads_to);
	else if (v->link)
		compiler_say(c, DIAG_NOTE, o, p->from[0], "%s is %s here: %s is a symbolic link",
			     p->bytes, v->leads_to, v->link);
	else
		compiler_say(c, DIAG_NOTE, o, p->from[0], "%s is %s here", p->bytes, v->leads_to);
}

/* What expand_mounts() did with `p`, one of the names of `written`. */
static void tell_mounted(struct compiler *c, const struct origin *o, const struct pattern *written,
			 const struct pattern *p, const struct mounted *m)
{
	if (o->shipped)
		return;
	if (m->by)
		compiler_say(c, DIAG_NOTE, o, written->from[0],
			     "%s is also %s here: %s is another mount of %s", p->bytes,
			     m->patterns.items[0].bytes, m->by->path, m->by->name);
	if (m->hidden)
		compiler_say(
			c, DIAG_WARNING, o, written->from[0],
			"%s is %s here, but other mounts hide parts of that, so this rule does "
			"not follow it; write rules for %s",
			m->hidden->path, m->hidden->name, m->hidden->name);
	if (m->missed)
		compiler_say(c, DIAG_NOTE, o, written->from[0],
			     "%s does not allow what is in %s, which is %s here; name one of them "
			     "where that is meant",
			     p->bytes, m->missed->path, m->missed->name);
}

/* One name that a pattern has, and those that it has because of what is mounted. */
static int add_named(struct compiler *c, const struct origin *o, const struct rule_line *r,
		     uint16_t rule, uint8_t actions, const struct pattern *p,
		     const struct pattern *written)
{
	struct ruleset_error e = {};
	struct mounted m;
	int err;

	err = ruleset_path(c->p->ruleset, rule, actions, p->bytes, p->len, &e);
	if (err == -EINVAL || err == -E2BIG)
		return pattern_error(c, o, p, written, &e);
	if (!err)
		err = expand_mounts(c->l->params->mounts, p, r->verdict != HG_ALLOW, &m);
	if (err)
		return err;
	for (size_t i = 0; i < m.patterns.n && !err; i++) {
		const struct pattern *named = &m.patterns.items[i];

		err = ruleset_path(c->p->ruleset, rule, actions, named->bytes, named->len, &e);
		if (err == -EINVAL || err == -E2BIG)
			err = pattern_error(c, o, named, written, &e);
	}
	if (!err)
		tell_mounted(c, o, written, p, &m);
	mounted_done(&m);
	return err;
}

static int add_path(struct compiler *c, const struct origin *o, const struct rule_line *r,
		    uint16_t rule, const struct pattern *p)
{
	struct expand_links links = {
		.resolve = !c->l->params->no_resolve,
		.untrusted = &c->untrusted,
		.followed = &c->followed,
	};
	bool deny = r->verdict == HG_DENY;
	uint8_t actions = r->all ? HG_ALL_PATH_ACTIONS : r->path_actions;
	size_t before = c->followed.n;
	struct variants v;
	int err;

	err = expand_path(&links, p, deny, &v);
	if (err == -E2BIG)
		return compiler_say(c, DIAG_ERROR, o, p->from[0],
				    "more than %d alternatives in front of the first "
				    "wildcard; write rules of their own",
				    EXPAND_ALTERNATIVES_MAX);
	if (err)
		return err;
	err = note_followed(c, before, rule);
	/* Programs are called by the names they are known by, which may be links'. */
	if (!err && r->has_argv)
		err = ruleset_argv_name(c->p->ruleset, rule, p->bytes, p->len, NULL);
	if (err == -EINVAL)
		err = 0; /* said of the path itself, below */
	for (size_t i = 0; i < v.n && !err; i++) {
		const struct pattern *real = &v.items[i].pattern;

		if (!(actions & v.items[i].actions))
			continue;
		err = add_named(c, o, r, rule, actions & v.items[i].actions, real, p);
	}
	if (!err)
		tell_resolved(c, o, p, &v, deny);
	variants_done(&v);
	return err;
}

static int add_endpoint(struct compiler *c, const struct origin *o, const struct rule_line *r,
			uint16_t rule, const struct pattern *p)
{
	uint8_t actions = r->all ? HG_BIT(HG_CONNECT) | HG_BIT(HG_LISTEN) : r->endpoint_actions;
	struct ruleset_endpoint ep;
	struct ruleset_error e = {};
	struct rule_error wrong;
	int err;

	err = rule_parse_endpoint(p->bytes, p->len, &ep, &wrong);
	if (err == -EINVAL)
		return compiler_say(c, DIAG_ERROR, o, p->from[0], "%s", wrong.message);
	if (!err)
		err = ruleset_endpoint(c->p->ruleset, rule, actions, &ep, &e);
	if (err == -EINVAL || err == -E2BIG)
		return compiler_say(c, DIAG_ERROR, o, p->from[0], "%s", e.message);
	return err;
}

/* Where no name is seen in what is sent, an allowance by name is one by the name's addresses. */
static int check_host(struct compiler *c, const struct origin *o, const struct rule_line *r,
		      const struct pattern *p, struct ruleset_host *host)
{
	bool said = memchr(p->bytes, '/', p->len) != NULL;

	if (r->verdict == HG_DENY)
		return 0;
	/* Who is refused QUIC falls back to TCP, where the name is seen. */
	if (!said)
		host->udp = false;
	if ((host->udp || host->icmp) && !(r->options & HG_OPT_TLS_OFF))
		return compiler_say(c, DIAG_ERROR, o, p->from[0],
				    "no name is seen in %s; add [tls=off] to allow it to whatever "
				    "addresses the name has",
				    host->udp ? "UDP" : "ICMP");
	return 0;
}

static int add_host(struct compiler *c, const struct origin *o, const struct rule_line *r,
		    uint16_t rule, const struct pattern *p)
{
	bool resolve = r->endpoint_actions == HG_BIT(HG_RESOLVE);
	uint8_t actions = r->all ? HG_BIT(HG_CONNECT) | HG_BIT(HG_RESOLVE) : r->endpoint_actions;
	struct ruleset_host host;
	struct ruleset_error e = {};
	struct rule_error wrong;
	size_t at;
	int err;

	err = rule_parse_host(p->bytes, p->len, !resolve, &host, &wrong);
	if (err == -EINVAL) {
		at = wrong.at < p->len ? p->from[wrong.at] : p->from[p->len - 1] + 1;
		return compiler_say(c, DIAG_ERROR, o, at, "%s", wrong.message);
	}
	if (!err && resolve && (r->options & HG_OPT_TLS_OFF))
		return compiler_say(
			c, DIAG_ERROR, o, 0,
			"[tls=off] goes with `connect`: nothing is sent to a name that is "
			"only resolved");
	if (!err && !resolve)
		err = check_host(c, o, r, p, &host);
	if (!err)
		err = ruleset_host(c->p->ruleset, rule, actions, &host, &e);
	if (err == -EINVAL && *e.message)
		return compiler_say(c, DIAG_ERROR, o, p->from[0], "%s", e.message);
	return err;
}

/* [private] and [tls=off] say how far a name is believed. */
static int check_name_options(struct compiler *c, const struct origin *o, const struct rule_line *r,
			      enum rule_object_kind kind)
{
	uint8_t options = r->options & (HG_OPT_PRIVATE | HG_OPT_TLS_OFF);
	const char *word = options & HG_OPT_PRIVATE ? "private" : "tls=off";

	if (!options)
		return 0;
	if (r->verdict == HG_DENY)
		return compiler_say(c, DIAG_ERROR, o, 0,
				    "[%s] widens what a name allows; this rule denies", word);
	if (kind != OBJECT_HOST)
		return compiler_say(c, DIAG_ERROR, o, 0,
				    "[%s] goes with host names; this rule has something else in it",
				    word);
	return 0;
}

/* `@NAME`, `agent:NAME`. */
static int add_label(struct compiler *c, const struct origin *o, const struct rule_line *r,
		     uint16_t rule, const struct pattern *p, enum rule_object_kind kind)
{
	uint8_t actions = r->all		 ? HG_BIT(HG_CONNECT) | HG_BIT(HG_LISTEN)
			  : r->path_actions	 ? HG_BIT(HG_CONNECT)
			  : kind == OBJECT_AGENT ? HG_BIT(HG_LISTEN)
						 : r->endpoint_actions;
	size_t skip = rule_label_at(kind), at;
	struct ruleset_error e = {};
	int err;

	err = ruleset_label(c->p->ruleset, rule, actions,
			    kind == OBJECT_ABSTRACT ? HG_LABEL_ABSTRACT : HG_LABEL_AGENT,
			    p->bytes + skip, p->len - skip, &e);
	if (err != -EINVAL && err != -E2BIG)
		return err;
	at = skip + e.offset < p->len ? skip + e.offset : p->len - 1;
	return compiler_say(c, DIAG_ERROR, o, p->from[at], "%s", e.message);
}

static int add_object(struct compiler *c, const struct origin *o, const struct rule_line *r,
		      uint16_t rule, const struct pattern *p, const char *text, size_t len)
{
	bool same = p->len == len && !memcmp(p->bytes, text, len);
	enum rule_object_kind kind;
	struct rule_error e;
	size_t at;
	int err;

	err = rule_object_kind(r, p->bytes, p->len, &kind, &e);
	if (err == -EINVAL) {
		at = e.at < p->len ? p->from[e.at]
		     : p->len	   ? p->from[p->len - 1] + (e.at >= p->len)
				   : 0;
		return compiler_say(c, DIAG_ERROR, o, at, "%s%s%s%s", e.message,
				    same ? "" : " (here: ", same ? "" : p->bytes, same ? "" : ")");
	}
	if (err)
		return err;
	err = check_name_options(c, o, r, kind);
	if (!err && kind != OBJECT_HOST && (r->options & HG_OPT_NAMES))
		err = compiler_say(
			c, DIAG_ERROR, o, 0,
			"[names=…] goes with host names; this rule has something else in it");
	if (!err && kind == OBJECT_AGENT && (r->options & HG_OPT_BUDGET))
		err = compiler_say(
			c, DIAG_ERROR, o, 0,
			"[budget=…] goes with addresses and host names: what agents send to "
			"each other stays here");
	if (err)
		return err;
	if (kind == OBJECT_PATH)
		return add_path(c, o, r, rule, p);
	if (kind == OBJECT_HOST)
		return add_host(c, o, r, rule, p);
	if (kind == OBJECT_ENDPOINT)
		return add_endpoint(c, o, r, rule, p);
	return add_label(c, o, r, rule, p, kind);
}

static int add_objects(struct compiler *c, const struct origin *o, const char *text,
		       const struct rule_line *r, uint16_t rule)
{
	struct patterns all;
	struct rule_error e;
	int err = 0;

	for (size_t i = 0; i < r->n_objects; i++) {
		const struct rule_object *object = &r->objects[i];

		err = expand_variables(&c->l->scope, text + object->at, object->len, object->at,
				       &all, &e);
		if (err == -EINVAL) {
			c->failed = true;
			if (*e.message)
				compiler_say(c, DIAG_ERROR, o, e.at, "%s", e.message);
			/* What is true of every rule is said at the first. */
			c->l->scope.workspace_bad |= !strcmp(e.message, expand_no_workspace);
			c->l->scope.home_bad |= !strcmp(e.message, expand_no_home);
			continue;
		}
		if (err)
			return err;
		for (size_t k = 0; k < all.n && !err; k++)
			err = add_object(c, o, r, rule, &all.items[k], text + object->at,
					 object->len);
		patterns_done(&all);
		if (err && err != -EINVAL)
			return err;
	}
	return 0;
}

/* The arguments' pattern, its variables replaced by their one value. */
static int add_argv(struct compiler *c, const struct origin *o, const char *text,
		    const struct rule_line *r, uint16_t rule)
{
	struct patterns all = {};
	struct ruleset_error wrong;
	struct rule_error e;
	const struct pattern *p;
	int err;

	if (!r->argv.len)
		return ruleset_argv(c->p->ruleset, rule, "", 0, &wrong);
	err = expand_variables(&c->l->scope, text + r->argv.at, r->argv.len, r->argv.at, &all, &e);
	if (err == -EINVAL)
		return *e.message ? compiler_say(c, DIAG_ERROR, o, e.at, "%s", e.message) : 0;
	if (err)
		return err;
	p = all.items;
	if (all.n != 1)
		err = compiler_say(
			c, DIAG_ERROR, o, r->argv.at,
			"a list cannot stand in `argv`; write {a,b}, or a rule for each");
	for (size_t i = 0; all.n == 1 && !err && i < p->len; i++) {
		if (strchr(" \t\r\n", p->bytes[i]) && p->bytes[i] != text[p->from[i]])
			err = compiler_say(
				c, DIAG_ERROR, o, p->from[i],
				"a value with a blank cannot stand in `argv`: blanks part "
				"arguments");
	}
	if (all.n == 1 && !c->failed && !err) {
		err = ruleset_argv(c->p->ruleset, rule, p->bytes, p->len, &wrong);
		if (err == -EINVAL)
			err = compiler_say(
				c, DIAG_ERROR, o,
				p->len ? p->from[wrong.offset < p->len ? wrong.offset : p->len - 1]
				       : r->argv.at,
				"%s", wrong.message);
	}
	patterns_done(&all);
	return err;
}

/* [budget=…] is what may be sent, [names=…] how many names asked for. */
static int check_budget(struct compiler *c, const struct origin *o, const struct rule_line *r)
{
	uint8_t actions = r->endpoint_actions;
	bool one = actions == HG_BIT(HG_CONNECT) || actions == HG_BIT(HG_RESOLVE);

	if (!(r->options & (HG_OPT_BUDGET | HG_OPT_NAMES)) || (r->verdict == HG_ALLOW && one))
		return 0;
	return compiler_say(c, DIAG_ERROR, o, 0,
			    "[%s=…] goes with `allow connect` and `allow resolve`: it is %s",
			    r->options & HG_OPT_BUDGET ? "budget" : "names",
			    r->options & HG_OPT_BUDGET ? "what may be sent there"
						       : "how many names may be asked for");
}

int compiler_add(struct compiler *c, const struct origin *o, const char *text, size_t len,
		 bool never)
{
	struct rule_line r;
	struct rule_error e;
	uint16_t rule;
	int err;

	err = rule_parse(text, len, &r, &e);
	if (err == -EINVAL)
		return compiler_say(c, DIAG_ERROR, o, e.at, "%s", e.message);
	if (err)
		return err;
	if (never && r.verdict != HG_DENY) {
		rule_line_done(&r);
		return compiler_say(
			c, DIAG_ERROR, o, 0,
			"a `never` rule denies: what it says cannot be lifted, so "
			"nothing in it can be allowed or asked for; move the rule to `rules`");
	}
	err = check_budget(c, o, &r);
	if (err) {
		rule_line_done(&r);
		return err;
	}
	if (r.use && (r.options & (HG_OPT_PRIVATE | HG_OPT_TLS_OFF))) {
		rule_line_done(&r);
		return compiler_say(c, DIAG_ERROR, o, 0,
				    "[private] and [tls=off] go with host names");
	}
	err = add_rule(c, o, text, len, &r, never, &rule);
	for (size_t i = 0; i < r.n_objects && r.use && !err; i++)
		err = ruleset_use(c->p->ruleset, rule, r.objects[i].use);
	if (!err && r.has_argv)
		err = add_argv(c, o, text, &r, rule);
	if (!err && !r.use)
		err = add_objects(c, o, text, &r, rule);
	rule_line_done(&r);
	return err;
}
