/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * All rules of a policy, in their order, to an image.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "policy_load.h"

static int add_list(struct compiler *c, const struct source *s, const struct node *list, bool never)
{
	struct origin o = {.file = s->file, .doc = s->doc, .shipped = s->preset};
	int err;

	for (size_t i = 0; list && i < list->n_items; i++) {
		o.node = list->items[i];
		err = 0;
		if (o.node->kind == NODE_MAP)
			compiler_say(c, DIAG_ERROR, &o, 0,
				     "a rule is one line of text; put it in quotes, since it has "
				     "a `: ` in it");
		else if (o.node->kind == NODE_LIST)
			compiler_say(c, DIAG_ERROR, &o, 0,
				     "a rule is one line of text, not a list; put it in quotes "
				     "if it begins with `[`");
		else
			err = compiler_add(c, &o, o.node->value, o.node->len, never);
		if (err && err != -EINVAL)
			return err;
	}
	return 0;
}

static int add_guard_rule(struct compiler *c, unsigned *line, const char *text)
{
	struct origin o = {.file = "<builtin>", .line = ++*line, .shipped = true};

	return compiler_add(c, &o, text, strlen(text), true);
}

/* `deny write "PATH"`: quotes and wildcards in the path are bytes of it. */
static int add_guard_path(struct compiler *c, unsigned *line, const char *path)
{
	struct pattern text = {};
	int err = pattern_add(&text, "deny write \"", 12, 0);

	for (; *path && !err; path++) {
		if (*path == '"' || *path == '$')
			err = pattern_add(&text, "\\", 1, 0);
		if (!err)
			err = pattern_add_literal(&text, path, 1, 0);
	}
	if (!err)
		err = pattern_add(&text, "\"", 1, 0);
	if (!err)
		err = add_guard_rule(c, line, text.bytes);
	pattern_done(&text);
	return err;
}

/* A file's names: its own, and those of the links that lead to it. None of what a descriptor of this process
 * leads to (/dev/stdin): that is nobody else's. */
static int add_names(const char *file, struct strings *ret)
{
	struct strings links = {};
	struct place at;
	bool own = false;
	int err = 0;

	for (unsigned follow = 2; follow-- > 0 && !err && !own;) {
		err = place_find(file, follow, &links, &at);
		own = at.self != SELF_NONE;
		if (!err && !own)
			err = strings_add(ret, at.real);
		place_done(&at);
	}
	for (size_t i = 0; i < links.n && !err && !own; i++)
		err = strings_add(ret, links.items[i]);
	strings_done(&links);
	return err;
}

/* The policy's own files by every name that leads to them: whoever can write them writes the policy that
 * is loaded next. */
static int add_guarded_files(struct compiler *c, unsigned *line)
{
	struct strings paths = {};
	int err = 0;

	for (size_t i = 0; i < c->l->guarded.n && !err; i++)
		err = add_names(c->l->guarded.items[i], &paths);
	for (size_t i = 0; i < paths.n && !err; i++)
		err = add_guard_path(c, line, paths.items[i]);
	strings_done(&paths);
	return err;
}

static int add_all(struct compiler *c)
{
	struct loader *l = c->l;
	unsigned line = 0;
	int err = 0;

	for (size_t i = 0; i < l->n_sources && !err; i++)
		err = add_list(c, l->sources[i], l->sources[i]->keys.rules, false);
	for (size_t i = 0; i < l->n_sources && !err; i++)
		err = add_list(c, l->sources[i], l->sources[i]->keys.never, true);
	for (const char *const *text = policy_builtin_rules; *text && !err; text++)
		err = add_guard_rule(c, &line, *text);
	return err ? err : add_guarded_files(c, &line);
}

static void tell_too_big(struct compiler *c, const struct ruleset_error *e)
{
	const struct policy *p = c->p;

	if (!e->n_blamed)
		diag_add(c->d, DIAG_ERROR, p->file, 0, 0, "%s", e->message);
	for (unsigned i = 0; i < e->n_blamed; i++) {
		const struct policy_rule *r = &p->rules[e->blamed[i]];

		if (!i)
			diag_add(c->d, DIAG_ERROR, r->file, r->line, r->col, "%s", e->message);
		else
			diag_add(c->d, DIAG_NOTE, r->file, r->line, r->col,
				 "and because of this rule");
	}
}

/* Which of the links that were followed could the agent have made itself, with what it would be
 * given? Pointing one at a secret and waiting for the next load would give it the secret. */
static int find_untrusted(struct compiler *c)
{
	const struct mount_name *mount;
	struct hg_out out;
	char *name = NULL;
	int err;

	for (size_t i = 0; i < c->followed.n; i++) {
		const char *link = c->followed.items[i];
		const struct policy_rule *r = &c->p->rules[c->followed_by[i]];

		err = mount_names_real(c->l->params->mounts, link, &name, &mount);
		/* What has no name is denied. */
		if (!err && !name)
			continue;
		if (!err)
			err = image_path(c->p->image, name, strlen(name), &out);
		free(name);
		if (err)
			return err;
		if (!((out.allow | out.ask) & HG_BIT(HG_CREATE)))
			continue;
		err = strings_add(&c->untrusted, link);
		if (err)
			return err;
		diag_add(c->l->d, DIAG_WARNING, r->file, r->line, r->col,
			 "%s is a symbolic link that this "
			 "policy lets the agent make, so this rule does not follow it; name the "
			 "place that "
			 "it leads to",
			 link);
	}
	return 0;
}

/* A name cannot be kept closed where every address is open. */
static void check_names_held(struct compiler *c)
{
	const struct policy *p = c->p;
	struct ruleset_unheld u;
	uint16_t last = HG_RULE_NONE;
	size_t at = 0;

	while (ruleset_unheld(p->ruleset, &at, &u) == 1) {
		const struct policy_rule *name = &p->rules[u.name], *a = &p->rules[u.address];

		if (!u.wide || u.name == last)
			continue;
		last = u.name;
		c->failed = true;
		diag_add(c->d, DIAG_ERROR, name->file, name->line, name->col,
			 "this name cannot be kept closed: %s:%u (%.80s) allows every address, and "
			 "who connects to one need not ask for its name; allow names instead, or deny "
			 "the addresses",
			 a->file, a->line, a->text);
	}
}

static int compile_once(struct compiler *c)
{
	struct ruleset_error e = {};
	int err;

	policy_forget_rules(c->p);
	err = ruleset_new(&c->p->ruleset);
	if (err)
		return err;
	err = add_all(c);
	if (err)
		return err;
	check_names_held(c);
	if (c->failed || c->l->failed)
		return -EINVAL;
	err = ruleset_compile(c->p->ruleset, c->l->limits, &c->p->image, &e);
	if (err == -E2BIG || err == -EINVAL) {
		tell_too_big(c, &e);
		return -EINVAL;
	}
	return err;
}

int policy_compile(struct loader *l, struct policy *p)
{
	struct compiler c = {.l = l, .p = p, .d = l->d};
	int err;

	err = compile_once(&c);
	if (!err)
		err = find_untrusted(&c);
	if (!err && c.untrusted.n) {
		c.d = NULL;
		err = compile_once(&c);
		/* It can only have become smaller. */
		if (err == -EINVAL)
			err = -EPROTO;
	}
	strings_done(&c.followed);
	strings_done(&c.untrusted);
	free(c.followed_by);
	return err;
}
