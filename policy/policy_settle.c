/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the documents of a policy say together, beside rules: name, mode, workspace, variables.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "policy_load.h"

#define NAME_BYTES_MAX 64

/* ---- name ---- */

static bool good_name(const char *name)
{
	size_t len = strlen(name);

	if (!len || len > NAME_BYTES_MAX || !isalnum((unsigned char)*name))
		return false;
	for (; *name; name++) {
		if (!isalnum((unsigned char)*name) && !strchr("._-", *name))
			return false;
	}
	return true;
}

#define NAME_RULE                                                                                  \
	"a name has letters, digits, `.`, `_` and `-`, begins with one of the first two, "         \
	"and has at most 64"

static char *name_of_file(const char *file)
{
	const char *base = strrchr(file, '/'), *dot;

	base = base ? base + 1 : file;
	if (!strcmp(file, "<stdin>"))
		return strdup("stdin");
	dot = strrchr(base, '.');
	return dot && dot != base ? strndup(base, dot - base) : strdup(base);
}

static int settle_name(struct loader *l)
{
	const struct source *top = l->sources[l->n_sources - 1];
	const struct node *n = top->keys.name;
	const char *given = l->params->name;
	int err = 0;

	if (n) {
		err = source_check_text(l, top, n, "`name`");
		if (!err && !good_name(n->value))
			err = node_error(top->doc, n, 0, l->d, "`%s` cannot be a name: " NAME_RULE,
					 n->value);
	}
	if (given && !good_name(given))
		return diag_add(l->d, DIAG_ERROR, top->file, 0, 0,
				"`%s` cannot be a name: " NAME_RULE, given);
	l->name = n && n->kind == NODE_SCALAR ? strdup(n->value) : name_of_file(top->file);
	if (!l->name)
		return -ENOMEM;
	if (!err && !given && !good_name(l->name))
		return diag_add(l->d, DIAG_ERROR, top->file, 0, 0,
				"the file's name makes no name for the "
				"agent (" NAME_RULE "); add `name: NAME`");
	l->scope.name = given ? given : l->name;
	return err;
}

/* ---- resolvers ---- */

static int add_resolver(struct loader *l, const struct source *s, const struct node *n)
{
	uint8_t address[16] = {[10] = 0xff, [11] = 0xff};

	if (source_check_text(l, s, n, "a resolver"))
		return -EINVAL;
	if (inet_pton(AF_INET, n->value, address + 12) != 1 &&
	    inet_pton(AF_INET6, n->value, address) != 1)
		return node_error(s->doc, n, 0, l->d,
				  "a resolver is an address, as in 192.0.2.53 or 2001:db8::53");
	if (l->resolvers.n == RESOLVERS_MAX)
		return node_error(s->doc, n, 0, l->d, "more than %d resolvers", RESOLVERS_MAX);
	memcpy(l->resolvers.address[l->resolvers.n++], address, 16);
	return 0;
}

/* Those of the outermost policy that names some. */
static int settle_resolvers(struct loader *l)
{
	int err = 0;

	for (size_t i = 0; i < l->n_sources; i++) {
		const struct source *s = l->sources[i];
		const struct node *n = s->keys.resolvers;

		if (!n)
			continue;
		l->resolvers.n = 0;
		if (n->kind == NODE_SCALAR)
			err = add_resolver(l, s, n) ? -EINVAL : err;
		else if (n->kind != NODE_LIST || !n->n_items)
			err = node_error(s->doc, n, 0, l->d,
					 "`resolvers` is a list of addresses; without it those of "
					 "/etc/resolv.conf are asked");
		for (size_t k = 0; n->kind == NODE_LIST && k < n->n_items; k++)
			err = add_resolver(l, s, n->items[k]) ? -EINVAL : err;
	}
	return err;
}

/* ---- mode ---- */

static int settle_mode(struct loader *l)
{
	const struct source *top = l->sources[l->n_sources - 1], *s;
	const struct node *n;
	unsigned line, col;
	int err = 0;

	for (size_t i = 0; i < l->n_sources; i++) {
		s = l->sources[i];
		n = s->keys.mode;
		if (!n)
			continue;
		if (n->kind == NODE_SCALAR && !strcmp(n->value, "enforce"))
			l->mode = POLICY_ENFORCE;
		else if (n->kind == NODE_SCALAR && !strcmp(n->value, "audit"))
			l->mode = POLICY_AUDIT;
		else if (n->kind == NODE_SCALAR && !strcmp(n->value, "learn"))
			err = node_error(s->doc, n, 0, l->d,
					 "this version does not learn yet; `audit` reports "
					 "what would be denied");
		else
			err = node_error(s->doc, n, 0, l->d, "a mode is enforce or audit");
		if (l->mode == POLICY_AUDIT && s != top && !top->keys.mode) {
			document_where(s->doc, n->at, &line, &col);
			diag_add(l->d, DIAG_WARNING, s->file, line, col,
				 "%s only reports and denies nothing, "
				 "because it extends this; add `mode: enforce` to it if that is "
				 "not meant",
				 top->file);
		}
	}
	return err;
}

/* ---- workspace ---- */

/* An absolute path without anything that the kernel would not have in it. */
static const char *path_fault(const char *path)
{
	if (*path != '/')
		return "is not absolute";
	if (!path[1])
		return "is the whole machine; an agent's workspace is a folder of its own";
	if (strlen(path) >= PATH_MAX)
		return "is too long";
	for (const char *c = path; *c; c += 1 + strcspn(c + 1, "/")) {
		size_t n = strcspn(c + 1, "/");

		if (!n)
			return c[1] ? "has an empty part (//)" : "ends with a slash";
		if ((n == 1 && c[1] == '.') || (n == 2 && c[1] == '.' && c[2] == '.'))
			return "has a `.` or `..` in it";
	}
	return NULL;
}

/* ${name} and ${home} in a workspace; everything else is a byte of the path. */
static int literal_variables(struct loader *l, const struct source *s, const struct node *n,
			     char **ret)
{
	const char *text = n->value, *value;
	size_t cap = n->len + 2 * PATH_MAX, len = 0, skip;
	char *out = malloc(cap);

	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < n->len; i += skip) {
		value = NULL;
		skip = 1;
		if (!strncmp(text + i, "${name}", 7)) {
			value = l->scope.name;
			skip = 7;
		} else if (!strncmp(text + i, "${home}", 7)) {
			value = l->scope.home;
			skip = 7;
		} else if (text[i] != '$' || text[i + 1] != '{') {
			out[len++] = text[i];
			continue;
		}
		if (!value || len + strlen(value) + n->len >= cap) {
			free(out);
			return node_error(s->doc, n, i, l->d,
					  skip == 7 ? "no home is known; give --home, or "
						      "write the folder itself"
						    : "a workspace may use ${name} and ${home} "
						      "only");
		}
		memcpy(out + len, value, strlen(value));
		len += strlen(value);
	}
	out[len] = '\0';
	*ret = out;
	return 0;
}

static int settle_workspace(struct loader *l)
{
	const struct source *top = l->sources[l->n_sources - 1], *s = NULL;
	const char *fault;
	int err = 0;

	for (size_t i = l->n_sources; i-- > 0 && !s;) {
		if (l->sources[i]->keys.workspace)
			s = l->sources[i];
	}
	if (s)
		err = source_check_text(l, s, s->keys.workspace, "`workspace`");
	if (l->params->workspace) {
		l->workspace = strdup(l->params->workspace);
		if (!l->workspace)
			return -ENOMEM;
	} else if (s && !err) {
		err = literal_variables(l, s, s->keys.workspace, &l->workspace);
	}
	if (!s && !l->workspace && l->params->default_workspace) {
		l->workspace_default = true;
		l->workspace = strdup(l->params->default_workspace);
		if (!l->workspace)
			return -ENOMEM;
	}
	if (!err && l->workspace && (fault = path_fault(l->workspace))) {
		if (l->params->workspace || l->workspace_default)
			err = diag_add(l->d, DIAG_ERROR, top->file, 0, 0, "the workspace `%s` %s",
				       l->workspace, fault);
		else
			err = node_error(s->doc, s->keys.workspace, 0, l->d,
					 "the workspace `%s` %s", l->workspace, fault);
	}
	l->scope.workspace_bad = err;
	l->scope.workspace = err ? NULL : l->workspace;
	return err;
}

/* ---- repositories ---- */

static bool uses_repositories(const struct source *s)
{
	const struct node *lists[] = {s->keys.rules, s->keys.never};

	for (unsigned i = 0; i < 2; i++) {
		for (size_t k = 0; lists[i] && k < lists[i]->n_items; k++) {
			const struct node *n = lists[i]->items[k];

			if (n->kind == NODE_SCALAR && memmem(n->value, n->len, "${repositories}", 15))
				return true;
		}
	}
	return false;
}

static int look_for_repositories(struct loader *l, const char *root, const char *what, unsigned depth)
{
	struct repositories *r = &l->repositories;
	int err = repositories_find(r, root, depth);

	if (!err && (r->beyond || r->many))
		diag_add(l->d, r->beyond ? DIAG_WARNING : DIAG_NOTE,
			 l->sources[l->n_sources - 1]->file, 0, 0,
			 "%s has more folders or git repositories than are looked at (%d, %d): the "
			 "configuration of every repository in it is closed, of new ones too%s",
			 what, REPOSITORIES_FOLDERS_MAX, REPOSITORIES_MAX,
			 r->beyond ? ", but for bare ones and for files and folders elsewhere that a "
				     "configuration names; use a smaller folder"
				   : "");
	return err;
}

/* ${repositories}: of this moment. Those below the home count as well, less deep: a policy may let
 * an agent write there. */
static int settle_repositories(struct loader *l)
{
	struct repositories *r = &l->repositories;
	bool used = false;
	int err;

	for (size_t i = 0; i < l->n_sources; i++)
		used |= uses_repositories(l->sources[i]);
	if (!used || l->params->no_resolve)
		return 0;
	r->home = l->scope.home;
	err = repositories_globals(r);
	if (!err && l->scope.workspace)
		err = look_for_repositories(l, l->scope.workspace, "the workspace",
					    REPOSITORIES_DEPTH_MAX);
	if (!err && l->scope.home && strcmp(l->scope.home, "/"))
		err = look_for_repositories(l, l->scope.home, "the home",
					    REPOSITORIES_HOME_DEPTH);
	if (err == -EBADMSG)
		return diag_add(l->d, DIAG_ERROR, l->sources[l->n_sources - 1]->file, 0, 0,
				"%s, a configuration of git's, has more than %d KiB, NULs in it, or is a FIFO: "
				"git may read there what cannot be closed; remove it",
				r->hidden, GIT_TEXT_MAX / 1024);
	if (err == -E2BIG)
		return diag_add(l->d, DIAG_ERROR, l->sources[l->n_sources - 1]->file, 0, 0,
				"git's configurations, of repositories that were found and of the homes, "
				"name more than the %d files and folders that can be closed; there may be "
				"repositories with hundreds of working trees or includes: remove them",
				REPOSITORIES_PATTERNS_MAX);
	l->scope.repositories = &r->patterns;
	return err;
}

/* ---- vars ---- */

static int check_variable(struct loader *l, const struct source *s, const struct node *key,
			  const struct node *value)
{
	int err = 0;

	if (!strcmp(key->value, "workspace") || !strcmp(key->value, "home") ||
	    !strcmp(key->value, "name") || !strcmp(key->value, "repositories"))
		return node_error(s->doc, key, 0, l->d,
				  "${%s} has its value already; choose another name", key->value);
	if (!isalpha((unsigned char)*key->value) ||
	    strspn(key->value,
		   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != key->len)
		return node_error(s->doc, key, 0, l->d,
				  "a variable's name has letters, digits, `_` and `-`, "
				  "and begins with a letter");
	if (value->kind != NODE_LIST)
		return source_check_text(l, s, value, "a variable");
	for (size_t i = 0; i < value->n_items; i++) {
		if (source_check_text(l, s, value->items[i], "a variable's value"))
			err = -EINVAL;
	}
	return err;
}

static int add_variable(struct loader *l, const struct source *s, const struct node *key,
			const struct node *value)
{
	struct variable *v = NULL, *all = l->scope.variables;
	struct variable new = {.name = key->value, .doc = s->doc, .value = value};

	new.bad = check_variable(l, s, key, value);
	for (size_t i = 0; i < l->scope.n_variables; i++) {
		if (!strcmp(all[i].name, key->value))
			v = &all[i];
	}
	if (!v) {
		all = reallocarray(all, l->scope.n_variables + 1, sizeof(*all));
		if (!all)
			return -ENOMEM;
		l->scope.variables = all;
		v = &all[l->scope.n_variables++];
	}
	*v = new;
	return new.bad ? -EINVAL : 0;
}

/* A wrong value is told where it stands, once, not wherever it is used. */
static int try_variable(struct loader *l, struct variable *v)
{
	size_t n = v->value->kind == NODE_LIST ? v->value->n_items : 1;
	struct patterns unused;
	struct rule_error e;
	int err = 0;

	for (size_t i = 0; i < n && !v->bad; i++) {
		const struct node *value =
			v->value->kind == NODE_LIST ? v->value->items[i] : v->value;

		err = expand_variables(&l->scope, value->value, value->len, 0, &unused, &e);
		if (!err) {
			patterns_done(&unused);
			continue;
		}
		if (err != -EINVAL)
			return err;
		v->bad = true;
		if (*e.message)
			node_error(v->doc, value, e.at, l->d, "%s", e.message);
	}
	return v->bad ? -EINVAL : 0;
}

static int settle_variables(struct loader *l)
{
	const struct node *map;
	int err = 0, one;

	for (size_t i = 0; i < l->n_sources; i++) {
		map = l->sources[i]->keys.vars;
		if (map && map->kind != NODE_MAP)
			err = node_error(l->sources[i]->doc, map, 0, l->d,
					 "`vars` is a map, as in { mirror: "
					 "192.0.2.0/24 }");
		for (size_t k = 0; map && map->kind == NODE_MAP && k < map->n_items; k += 2) {
			one = add_variable(l, l->sources[i], map->items[k], map->items[k + 1]);
			err = one ? one : err;
			if (err == -ENOMEM)
				return err;
		}
	}
	for (size_t i = 0; i < l->scope.n_variables; i++) {
		one = try_variable(l, &l->scope.variables[i]);
		err = one ? one : err;
	}
	return err;
}

int sources_settle(struct loader *l)
{
	int (*const parts[])(struct loader *) = {settle_name, settle_mode, settle_resolvers, settle_workspace,
						 settle_repositories, settle_variables};
	const char *home = l->params->home,
		   *fault = home && strcmp(home, "/") ? path_fault(home) : NULL;
	int err = 0, one;

	l->scope.home = fault ? NULL : home;
	if (fault)
		err = diag_add(l->d, DIAG_ERROR, l->sources[l->n_sources - 1]->file, 0, 0,
			       "the home `%s` %s", home, fault);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		one = parts[i](l);
		if (one && one != -EINVAL)
			return one;
		err = err ? err : one;
	}
	return err;
}
