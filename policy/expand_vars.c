/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Variables in an object. ${workspace}, ${home} and ${name} are names of this machine: what looks
 * like a wildcard in them is a byte of a name. The policy's own variables are pieces of patterns.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "expand.h"

struct use {
	const struct scope *scope;
	struct rule_error *e;
	uint32_t from;	/* of the first byte; of every byte where nested */
	unsigned depth; /* 0: in the rule itself */
};

static int patterns_append(struct patterns *p, const char *bytes, size_t len, uint32_t from,
			   bool step)
{
	int err = 0;

	for (size_t i = 0; i < p->n; i++) {
		for (size_t k = 0; k < len && !err; k++)
			err = pattern_add(&p->items[i], bytes + k, 1, from + (step ? k : 0));
	}
	return err;
}

static int patterns_append_literal(struct patterns *p, const char *value, uint32_t from)
{
	int err = 0;

	for (size_t i = 0; i < p->n && !err; i++)
		err = pattern_add_literal(&p->items[i], value, strlen(value), from);
	return err;
}

static int check_length(struct use *u, const struct patterns *p, uint32_t at)
{
	for (size_t i = 0; i < p->n; i++) {
		if (p->items[i].len > EXPAND_BYTES_MAX)
			return rule_fail(u->e, at,
					 "longer than %d bytes with its variables replaced",
					 EXPAND_BYTES_MAX);
	}
	return 0;
}

/* Every item of p followed by every item of tails. */
static int patterns_multiply(struct patterns *p, const struct patterns *tails, struct use *u,
			     uint32_t at)
{
	struct patterns out = {};
	int err = 0;

	if (p->n * tails->n > EXPAND_OBJECTS_MAX)
		return rule_fail(u->e, at, "the lists here make more than %d objects of one",
				 EXPAND_OBJECTS_MAX);
	out.items = calloc(p->n * tails->n + 1, sizeof(*out.items));
	if (!out.items)
		return -ENOMEM;
	for (size_t i = 0; i < p->n; i++) {
		for (size_t k = 0; k < tails->n && !err; k++) {
			struct pattern *to = &out.items[out.n++];

			err = pattern_add(to, "", 0, 0);
			for (size_t b = 0; b < p->items[i].len && !err; b++)
				err = pattern_add(to, p->items[i].bytes + b, 1,
						  p->items[i].from[b]);
			if (!err)
				err = pattern_add(to, tails->items[k].bytes, tails->items[k].len,
						  at);
		}
	}
	patterns_done(p);
	*p = out;
	return err;
}

static int expand(struct use *u, const char *text, size_t len, struct patterns *ret);

static int unknown_variable(struct use *u, const char *name, size_t len, uint32_t at)
{
	const struct scope *s = u->scope;
	const char *names[s->n_variables + 5], *near;
	size_t n = 0;

	for (size_t i = 0; i < s->n_variables; i++)
		names[n++] = s->variables[i].name;
	names[n++] = "workspace";
	names[n++] = "home";
	names[n++] = "name";
	names[n++] = "repositories";
	names[n] = NULL;
	near = diag_near(name, len, names);
	if (near)
		return rule_fail(u->e, at, "there is no variable ${%.*s}; did you mean ${%s}?",
				 (int)len, name, near);
	return rule_fail(u->e, at, "there is no variable ${%.*s}; give it a value under `vars`",
			 (int)len, name);
}

static bool is(const char *name, size_t len, const char *other)
{
	return strlen(other) == len && !memcmp(name, other, len);
}

const char expand_no_workspace[] =
	"no workspace is known; add `workspace: /a/folder` or give --workspace";
const char expand_no_home[] = "no home is known; give --home, or write the folder itself";

static int machine_variable(struct use *u, const char *name, size_t len, uint32_t at,
			    const char **ret)
{
	const struct scope *s = u->scope;

	*ret = NULL;
	if (is(name, len, "workspace")) {
		*ret = s->workspace;
		if (!*ret && s->workspace_bad)
			return rule_fail(u->e, at, "%s", "");
		return *ret ? 0 : rule_fail(u->e, at, "%s", expand_no_workspace);
	}
	if (is(name, len, "home")) {
		*ret = s->home;
		if (!*ret && s->home_bad)
			return rule_fail(u->e, at, "%s", "");
		return *ret ? 0 : rule_fail(u->e, at, "%s", expand_no_home);
	}
	if (is(name, len, "name"))
		*ret = s->name;
	return 0;
}

static int own_variable(struct use *u, const struct variable *v, uint32_t at, struct patterns *p)
{
	struct use inner = {u->scope, u->e, at, u->depth + 1};
	const struct node *list = v->value;
	size_t n = list->kind == NODE_LIST ? list->n_items : 1;
	struct patterns tails = {}, one = {};
	int err = 0;

	if (v->bad)
		return rule_fail(u->e, at, "%s", "");
	if (u->depth >= EXPAND_DEPTH_MAX)
		return rule_fail(u->e, at,
				 "${%s} leads back to itself, or through more than %d variables",
				 v->name, EXPAND_DEPTH_MAX);
	for (size_t i = 0; i < n && !err; i++) {
		const struct node *value = list->kind == NODE_LIST ? list->items[i] : list;
		struct pattern *items;

		err = expand(&inner, value->value, value->len, &one);
		if (err)
			break;
		if (tails.n + one.n > EXPAND_OBJECTS_MAX) {
			err = rule_fail(u->e, at, "${%s} stands for more than %d values", v->name,
					EXPAND_OBJECTS_MAX);
			break;
		}
		items = reallocarray(tails.items, tails.n + one.n + 1, sizeof(*items));
		if (!items) {
			err = -ENOMEM;
			break;
		}
		tails.items = items;
		memcpy(tails.items + tails.n, one.items, one.n * sizeof(*items));
		tails.n += one.n;
		free(one.items);
		one = (struct patterns){};
	}
	if (!err)
		err = patterns_multiply(p, &tails, u, at);
	patterns_done(&tails);
	patterns_done(&one);
	return err;
}

/* Patterns that were found on this machine; NULL: none. */
static int found_variable(struct use *u, const struct strings *found, uint32_t at,
			  struct patterns *p)
{
	size_t n = found ? found->n : 0;
	struct patterns tails = {.items = calloc(n + 1, sizeof(*tails.items))};
	int err = tails.items ? 0 : -ENOMEM;

	for (; tails.n < n && !err; tails.n++)
		err = pattern_add(&tails.items[tails.n], found->items[tails.n],
				  strlen(found->items[tails.n]), at);
	if (!err)
		err = patterns_multiply(p, &tails, u, at);
	patterns_done(&tails);
	return err;
}

/* ${name} at text; *ret_len is its length. */
static int variable(struct use *u, const char *text, size_t len, uint32_t at, struct patterns *p,
		    size_t *ret_len)
{
	const char *name = text + 2, *close = memchr(text, '}', len), *value;
	size_t n;
	int err;

	if (!close)
		return rule_fail(u->e, at, "this variable is never closed; write ${name}");
	n = close - name;
	*ret_len = n + 3;
	if (!n)
		return rule_fail(u->e, at, "a variable without a name; write ${name}");
	err = machine_variable(u, name, n, at, &value);
	if (err)
		return err;
	if (value) {
		/* A home that is the root: ${home}/x is /x. */
		if (!strcmp(value, "/") && *ret_len < len && text[*ret_len] == '/')
			value = "";
		return patterns_append_literal(p, value, at);
	}
	if (is(name, n, "repositories"))
		return found_variable(u, u->scope->repositories, at, p);
	for (size_t i = 0; i < u->scope->n_variables; i++) {
		if (is(name, n, u->scope->variables[i].name))
			return own_variable(u, &u->scope->variables[i], at, p);
	}
	return unknown_variable(u, name, n, at);
}

static int expand(struct use *u, const char *text, size_t len, struct patterns *ret)
{
	uint32_t at;
	size_t n;
	int err;

	*ret = (struct patterns){.items = calloc(1, sizeof(*ret->items)), .n = 1};
	err = ret->items ? pattern_add(ret->items, "", 0, 0) : -ENOMEM;
	/* An empty list makes the whole an empty list: nothing more to look at. */
	for (size_t i = 0; i < len && ret->n && !err; i += n) {
		at = u->depth ? u->from : u->from + i;
		n = 1;
		if (text[i] == '\\' && i + 1 < len)
			n = 2;
		if (text[i] != '$' || i + 1 == len)
			err = patterns_append(ret, text + i, n, at, !u->depth);
		else if (text[i + 1] == '{')
			err = variable(u, text + i, len - i, at, ret, &n);
		else if (isalpha((unsigned char)text[i + 1]) || text[i + 1] == '_')
			err = rule_fail(
				u->e, at,
				"variables have braces: ${%.*s}; for a dollar sign write \\$",
				(int)strspn(text + i + 1, "abcdefghijklmnopqrstuvwxyz"
							  "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789"),
				text + i + 1);
		else
			err = patterns_append(ret, text + i, n, at, !u->depth);
		if (!err)
			err = check_length(u, ret, at);
	}
	if (err)
		patterns_done(ret);
	return err;
}

int expand_variables(const struct scope *s, const char *text, size_t len, uint32_t at,
		     struct patterns *ret, struct rule_error *e)
{
	struct use u = {.scope = s, .e = e, .from = at};

	return expand(&u, text, len, ret);
}
