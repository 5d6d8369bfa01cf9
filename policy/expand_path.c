/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Path patterns by real names. The kernel side names a file by the place where it lies, so a
 * pattern that begins with a symbolic link would never match anything.
 *
 * A rule that denies keeps every name: as written (the link may become a directory tomorrow), with
 * the links before the last component followed (that is the link itself, which nobody may replace
 * then), and with all of them followed.
 *
 * A rule that allows gives no more than what was meant by its author, who saw where the link leads
 * today. `/x/link/` double star is what is below the link's target; the link itself is not given
 * away with it, or it could be pointed elsewhere before the policy is next loaded. `/x/link` alone
 * is the link for everything, and its target for what goes through a link (read, modify, attr,
 * exec). A link that the policy lets the agent make (expand_links.untrusted, found by whoever
 * compiles) is not followed at all.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "expand.h"

#define THROUGH_LINKS \
	(HG_BIT(HG_READ) | HG_BIT(HG_MODIFY) | HG_BIT(HG_ATTR) | HG_BIT(HG_EXEC) | HG_BIT(HG_UNIX))

/* Everything about one pattern on its way into variants. */
struct job {
	const struct expand_links *links;
	struct variants *out;
	bool deny;
};

void variants_done(struct variants *v)
{
	for (size_t i = 0; i < v->n; i++)
		pattern_done(&v->items[i].pattern);
	free(v->items);
	free(v->leads_to);
	free(v->link);
	*v = (struct variants){};
}

/* Takes the pattern, whatever happens. */
static int variants_take(struct variants *v, struct pattern *p, uint8_t actions)
{
	struct variant *items;

	for (size_t i = 0; i < v->n; i++) {
		if (!strcmp(v->items[i].pattern.bytes, p->bytes)) {
			v->items[i].actions |= actions;
			pattern_done(p);
			return 0;
		}
	}
	items = reallocarray(v->items, v->n + 1, sizeof(*items));
	if (!items) {
		pattern_done(p);
		return -ENOMEM;
	}
	v->items = items;
	v->items[v->n++] = (struct variant){.pattern = *p, .actions = actions};
	*p = (struct pattern){};
	return 0;
}

static int pattern_copy(struct pattern *to, const struct pattern *p, size_t begin, size_t end)
{
	int err = pattern_add(to, "", 0, 0);

	for (size_t i = begin; i < end && !err; i++)
		err = pattern_add(to, p->bytes + i, 1, p->from[i]);
	return err;
}

/* Behind the bracket expression that opens at i, or i + 1 where it never closes. */
static size_t skip_class(const struct pattern *p, size_t i)
{
	size_t j = i + 1;

	if (j < p->len && p->bytes[j] == '!')
		j++;
	if (j < p->len && p->bytes[j] == ']')
		j++;
	for (; j < p->len; j++) {
		if (p->bytes[j] == '\\')
			j++;
		else if (p->bytes[j] == ']')
			return j + 1;
	}
	return i + 1;
}

/* The end of the alternative that begins at i: its comma or closing brace, len where it has none.
 */
static size_t alternative_end(const struct pattern *p, size_t i)
{
	unsigned depth = 0;

	while (i < p->len) {
		switch (p->bytes[i]) {
		case '\\':
			i += 2;
			continue;
		case '[':
			i = skip_class(p, i);
			continue;
		case '{':
			depth++;
			break;
		case ',':
			if (!depth)
				return i;
			break;
		case '}':
			if (!depth)
				return i;
			depth--;
			break;
		}
		i++;
	}
	return p->len;
}

/* What stands before the first wildcard: *ret_rest is the '/' of its component, or the pattern's
 * length; *ret_brace is where alternatives begin before it, or the length. */
static void literal_part(const struct pattern *p, size_t *ret_rest, size_t *ret_brace)
{
	size_t i, slash = 0;

	*ret_brace = p->len;
	for (i = 0; i < p->len; i++) {
		if (p->bytes[i] == '/') {
			slash = i;
		} else if (p->bytes[i] == '\\') {
			i++;
		} else if (p->bytes[i] == '{') {
			*ret_brace = i;
			break;
		} else if (strchr("*?[", p->bytes[i])) {
			break;
		}
	}
	*ret_rest = i < p->len ? slash : p->len;
}

/* The literal part without its backslashes; NULL in *ret where it is no clean path. */
static int literal_path(const struct pattern *p, size_t rest, char **ret)
{
	char *out = malloc(rest + 1), *to = out;
	bool clean = true;

	*ret = NULL;
	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < rest; i++) {
		if (p->bytes[i] == '\\')
			i++;
		*to++ = p->bytes[i];
	}
	*to = '\0';
	for (char *c = out; *c; c++) {
		size_t n = strcspn(c + 1, "/");

		if (*c == '/' &&
		    (!n || (n == 1 && c[1] == '.') || (n == 2 && c[1] == '.' && c[2] == '.')))
			clean = false;
	}
	if (clean)
		*ret = out;
	else
		free(out);
	return 0;
}

/* A place and what follows it, as a pattern; its bytes came from the pattern's first. */
static int place_pattern(const struct place *at, const struct pattern *p, size_t rest,
			 struct pattern *ret)
{
	uint32_t from = p->from[0];
	bool root = !strcmp(at->real, "/");
	int err = pattern_add_literal(ret, at->real, root ? 0 : strlen(at->real), from);

	if (!err && at->self != SELF_NONE)
		err = pattern_add(ret, "/[0-9]*", 7, from);
	if (!err && at->self == SELF_THREAD)
		err = pattern_add(ret, "/task/[0-9]*", 12, from);
	if (!err && at->rest && *at->rest)
		err = pattern_add(ret, "/", 1, from);
	if (!err && at->rest)
		err = pattern_add_literal(ret, at->rest, strlen(at->rest), from);
	for (size_t i = rest; i < p->len && !err; i++)
		err = pattern_add(ret, p->bytes + i, 1, p->from[i]);
	/* "/" alone: every component was followed to the root. */
	if (!err && !ret->len)
		err = pattern_add(ret, "/", 1, from);
	return err;
}

static int add_written(struct job *j, const struct pattern *p)
{
	struct pattern copy = {};
	int err = pattern_copy(&copy, p, 0, p->len);

	if (err) {
		pattern_done(&copy);
		return err;
	}
	return variants_take(j->out, &copy, HG_ALL_PATH_ACTIONS);
}

static int add_place(struct job *j, const struct place *at, const struct pattern *p, size_t rest,
		     uint8_t actions)
{
	struct pattern real = {};
	int err = place_pattern(at, p, rest, &real);

	if (err) {
		pattern_done(&real);
		return err;
	}
	if (!j->out->leads_to && strcmp(real.bytes, p->bytes)) {
		j->out->leads_to = strdup(real.bytes);
		if (!j->out->leads_to) {
			pattern_done(&real);
			return -ENOMEM;
		}
	}
	j->out->self |= at->self != SELF_NONE;
	return variants_take(j->out, &real, actions);
}

static bool any_untrusted(const struct job *j, const struct strings *links)
{
	for (size_t i = 0; i < links->n; i++) {
		if (j->links->untrusted && strings_have(j->links->untrusted, links->items[i]))
			return true;
	}
	return false;
}

/* own: with the links before the last component followed; target: with all of them. */
static int add_places(struct job *j, const struct pattern *p, size_t rest, const struct place *own,
		      const struct place *target)
{
	bool exact = rest == p->len,
	     same = own->self == target->self && !strcmp(own->real, target->real);
	int err = 0;

	if (j->deny)
		err = add_written(j, p);
	if (!err)
		err = add_place(j, target, p, rest,
				j->deny || !exact || same ? HG_ALL_PATH_ACTIONS : THROUGH_LINKS);
	if (!err && (j->deny || exact))
		err = add_place(j, own, p, rest, HG_ALL_PATH_ACTIONS);
	return err;
}

static int resolve(struct job *j, const struct pattern *p, const char *path, size_t rest)
{
	struct strings to_own = {}, to_target = {};
	struct place own = {}, target = {};
	int err;

	err = place_find(path, false, &to_own, &own);
	if (!err)
		err = place_find(path, true, &to_target, &target);
	if (err)
		goto out;
	if (!to_target.n && target.self == SELF_NONE) {
		err = add_written(j, p);
		goto out;
	}
	if (!j->deny && any_untrusted(j, &to_own)) {
		err = add_written(j, p);
		goto out;
	}
	if (!j->deny && any_untrusted(j, &to_target)) {
		err = rest == p->len ? add_place(j, &own, p, rest, HG_ALL_PATH_ACTIONS)
				     : add_written(j, p);
		goto out;
	}
	if (!j->out->link && to_target.n) {
		j->out->link = strdup(to_target.items[0]);
		err = j->out->link ? 0 : -ENOMEM;
	}
	for (size_t i = 0; !j->deny && j->links->followed && i < to_target.n && !err; i++)
		err = strings_add(j->links->followed, to_target.items[i]);
	if (!err)
		err = add_places(j, p, rest, &own, &target);
out:
	place_done(&own);
	place_done(&target);
	strings_done(&to_own);
	strings_done(&to_target);
	return err;
}

static int expand(struct job *j, const struct pattern *p);

/* Writes the alternatives that open at `brace` out, each as a pattern of its own. */
static int expand_braces(struct job *j, const struct pattern *p, size_t brace)
{
	size_t begin = brace + 1, end, close = brace + 1;
	struct pattern one = {};
	int err = 0;

	while ((close = alternative_end(p, close)) < p->len && p->bytes[close] == ',')
		close++;
	if (close >= p->len)
		return add_written(j, p); /* never closed: ruleset_path() says so */
	for (; begin <= close && !err; begin = end + 1) {
		end = alternative_end(p, begin);
		err = pattern_copy(&one, p, 0, brace);
		if (!err)
			err = pattern_copy(&one, p, begin, end);
		if (!err)
			err = pattern_copy(&one, p, close + 1, p->len);
		if (!err)
			err = expand(j, &one);
		pattern_done(&one);
	}
	return err;
}

static int expand(struct job *j, const struct pattern *p)
{
	size_t rest, brace;
	char *path;
	int err;

	if (j->out->n > EXPAND_ALTERNATIVES_MAX)
		return -E2BIG;
	if (!p->len || p->bytes[0] != '/')
		return add_written(j, p);
	literal_part(p, &rest, &brace);
	if (brace < p->len)
		return expand_braces(j, p, brace);
	err = literal_path(p, rest, &path);
	if (err)
		return err;
	if (!path || !*path)
		err = add_written(j, p);
	else
		err = resolve(j, p, path, rest);
	free(path);
	return err;
}

int expand_path(const struct expand_links *l, const struct pattern *p, bool deny,
		struct variants *ret)
{
	struct job j = {.links = l, .out = ret, .deny = deny};
	int err;

	*ret = (struct variants){};
	err = l->resolve ? expand(&j, p) : add_written(&j, p);
	if (err)
		variants_done(ret);
	return err;
}
