/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The keys of one document.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include "policy_load.h"

static const struct key {
	const char *word;
	size_t at; /* in struct source_keys */
} keys[] = {
	{"version", offsetof(struct source_keys, version)},
	{"name", offsetof(struct source_keys, name)},
	{"extends", offsetof(struct source_keys, extends)},
	{"mode", offsetof(struct source_keys, mode)},
	{"workspace", offsetof(struct source_keys, workspace)},
	{"resolvers", offsetof(struct source_keys, resolvers)},
	{"vars", offsetof(struct source_keys, vars)},
	{"rules", offsetof(struct source_keys, rules)},
	{"never", offsetof(struct source_keys, never)},
};
#define N_KEYS (sizeof(keys) / sizeof(*keys))

static int unknown_key(struct loader *l, const struct source *s, const struct node *key)
{
	const char *words[N_KEYS + 1] = {}, *near;

	if (!strcmp(key->value, "ask"))
		return node_error(
			s->doc, key, 0, l->d,
			"this version does not hold requests for "
			"approval yet, so `ask` settings mean nothing; leave them out (ask rules "
			"deny until then)");
	if (!strcmp(key->value, "hydraguard"))
		return node_error(s->doc, key, 0, l->d,
				  "in a policy's own file its keys stand at the "
				  "top, not under `hydraguard`");
	for (size_t i = 0; i < N_KEYS; i++)
		words[i] = keys[i].word;
	near = diag_near(key->value, key->len, words);
	if (near)
		return node_error(s->doc, key, 0, l->d, "unknown key `%s`; did you mean `%s`?",
				  key->value, near);
	return node_error(s->doc, key, 0, l->d,
			  "unknown key `%s`; there is version, name, extends, "
			  "mode, workspace, resolvers, vars, rules and never",
			  key->value);
}

int source_check_text(struct loader *l, const struct source *s, const struct node *n,
		      const char *what)
{
	static const char *const others[] = {"~",    "null", "Null",  "NULL",  "true",
					     "True", "TRUE", "false", "False", "FALSE"};

	if (n->kind != NODE_SCALAR)
		return node_error(s->doc, n, 0, l->d, "%s is text, not a %s", what,
				  n->kind == NODE_LIST ? "list" : "map");
	if (!n->len)
		return node_error(s->doc, n, 0, l->d,
				  "%s is empty; give it a value or leave it out", what);
	for (size_t i = 0; n->style == STYLE_PLAIN && i < sizeof(others) / sizeof(*others); i++) {
		if (!strcmp(n->value, others[i]))
			return node_error(s->doc, n, 0, l->d,
					  "%s is text; put %s in quotes if that is it", what,
					  n->value);
	}
	return 0;
}

static int check_list(struct loader *l, const struct source *s, const struct node **slot,
		      const char *what)
{
	const struct node *n = *slot;

	if (!n || n->kind == NODE_LIST)
		return 0;
	*slot = NULL;
	return node_error(s->doc, n, 0, l->d,
			  "`%s` is a list; write each rule behind a `- `, or [] for "
			  "none",
			  what);
}

static int check_extends(struct loader *l, const struct source *s, const struct node **slot)
{
	const struct node *n = *slot;
	int err = 0;

	if (n && n->kind != NODE_LIST)
		err = source_check_text(l, s, n, "`extends`");
	for (size_t i = 0; n && n->kind == NODE_LIST && i < n->n_items; i++) {
		if (source_check_text(l, s, n->items[i], "a policy's name"))
			err = -EINVAL;
	}
	if (err)
		*slot = NULL;
	return err;
}

static int check_version(struct loader *l, const struct source *s)
{
	const struct node *n = s->keys.version;

	if (!n)
		return node_error(s->doc, s->doc->root, 0, l->d, "`version: 1` is missing");
	if (n->kind == NODE_SCALAR && n->style == STYLE_PLAIN && !strcmp(n->value, "1"))
		return 0;
	if (n->kind == NODE_SCALAR && n->len && strspn(n->value, "0123456789") == n->len &&
	    n->style == STYLE_PLAIN)
		return node_error(s->doc, n, 0, l->d,
				  "this version of hydraguard reads `version: 1`, "
				  "not %s",
				  n->value);
	return node_error(s->doc, n, 0, l->d, "a version is a number; write `version: 1`");
}

int source_sort_keys(struct loader *l, struct source *s)
{
	const struct node *root = s->doc->root, *key;
	size_t i, k;
	int err = 0;

	for (i = 0; i < root->n_items; i += 2) {
		key = root->items[i];
		for (k = 0; k < N_KEYS && strcmp(key->value, keys[k].word); k++)
			;
		if (k == N_KEYS)
			err = unknown_key(l, s, key);
		else
			*(const struct node **)((char *)&s->keys + keys[k].at) = root->items[i + 1];
	}
	if (check_version(l, s))
		err = -EINVAL;
	if (check_extends(l, s, &s->keys.extends))
		err = -EINVAL;
	if (check_list(l, s, &s->keys.rules, "rules"))
		err = -EINVAL;
	if (check_list(l, s, &s->keys.never, "never"))
		err = -EINVAL;
	return err;
}
