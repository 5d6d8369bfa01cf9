/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Brace expansion with a list of what is still to expand: no recursion, and both the number of
 * alternatives and the work are bounded, so that no pattern is dear to refuse.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fa.h"
#include "glob_expand.h"

/* Tokens copied while expanding one pattern. */
#define WORK_MAX (8u << 20)

struct expander {
	struct glob *glob;
	struct glob_alternative *todo; /* taken from the end */
	size_t n_todo, cap_todo;
	size_t work;
	struct ruleset_error *error;
};

static bool is_slash(const struct glob_token *t)
{
	return t->kind == GLOB_BYTE && t->byte == '/';
}

static int too_many(struct expander *x)
{
	return ruleset_fail(x->error, -E2BIG, 0,
			    "braces make more than %d alternatives; split the rule, or use '*' "
			    "for what they have in common",
			    GLOB_ALTERNATIVES_MAX);
}

/* Puts the three parts, joined, on the list; leaves room for the slash of lead_with_slash(). */
static int todo_push(struct expander *x, const struct glob_token *parts[3], const size_t n[3])
{
	struct glob_alternative alt = {.n = n[0] + n[1] + n[2]};
	size_t at = 0;
	int i, r;

	x->work += alt.n + 1;
	if (x->n_todo + x->glob->n_alternatives >= GLOB_ALTERNATIVES_MAX || x->work > WORK_MAX)
		return too_many(x);
	r = fa_grow((void **)&x->todo, &x->cap_todo, x->n_todo + 1, sizeof(alt));
	if (r < 0)
		return r;
	alt.tokens = malloc((alt.n + 1) * sizeof(*alt.tokens));
	if (!alt.tokens)
		return -ENOMEM;
	for (i = 0; i < 3; at += n[i++])
		if (n[i])
			memcpy(alt.tokens + at, parts[i], n[i] * sizeof(*alt.tokens));
	x->todo[x->n_todo++] = alt;
	return 0;
}

static void reverse_todo(struct expander *x, size_t from)
{
	struct glob_alternative swap;
	size_t i, j;

	for (i = from, j = x->n_todo; i + 1 < j; i++) {
		swap = x->todo[i];
		x->todo[i] = x->todo[--j];
		x->todo[j] = swap;
	}
}

/* Replaces the braces that open at `open` by each of their alternatives. */
static int split(struct expander *x, const struct glob_alternative *alt, size_t open)
{
	size_t start = open + 1, at, close, depth = 1, first = x->n_todo;
	int r = 0;

	for (close = open + 1; depth; close++)
		depth += (alt->tokens[close].kind == GLOB_OPEN) -
			 (alt->tokens[close].kind == GLOB_CLOSE);
	for (at = open + 1, depth = 0; at < close && r == 0; at++) {
		uint8_t kind = alt->tokens[at].kind;

		if (depth == 0 && (kind == GLOB_COMMA || at == close - 1)) {
			const struct glob_token *parts[3] = {alt->tokens, alt->tokens + start,
							     alt->tokens + close};
			size_t n[3] = {open, at - start, alt->n - close};

			r = todo_push(x, parts, n);
			start = at + 1;
		}
		depth += (kind == GLOB_OPEN) - (kind == GLOB_CLOSE);
	}
	reverse_todo(x, first);
	return r;
}

static bool is_star(const struct glob_token *t)
{
	return t->kind == GLOB_STAR || t->kind == GLOB_DSTAR;
}

/* Whether the component at tokens[at] is a double star alone. */
static bool is_through(const struct glob_alternative *alt, size_t at)
{
	return alt->tokens[at].kind == GLOB_DSTAR && (at == 0 || is_slash(alt->tokens + at - 1)) &&
	       (at + 1 == alt->n || is_slash(alt->tokens + at + 1));
}

static void merge_stars(struct glob_alternative *alt)
{
	struct glob_token *t = alt->tokens;
	size_t i, n = 0;

	for (i = 0; i < alt->n; i++) {
		if (n && is_star(t + i) && is_star(t + n - 1)) {
			if (t[i].kind == GLOB_DSTAR)
				t[n - 1].kind = GLOB_DSTAR;
			continue;
		}
		t[n++] = t[i];
	}
	alt->n = n;
}

static void merge_through(struct glob_alternative *alt)
{
	size_t i = 0;

	while (i + 2 < alt->n) {
		if (!is_through(alt, i) || !is_through(alt, i + 2)) {
			i++;
			continue;
		}
		memmove(alt->tokens + i, alt->tokens + i + 2,
			(alt->n - i - 2) * sizeof(*alt->tokens));
		alt->n -= 2;
	}
}

/* No name is longer than HG_NAME_MAX; a double star may part what is before and behind it. */
static bool too_long(const struct glob_token *t, size_t n)
{
	size_t i, len = 0;

	for (i = 0; i < n && len <= HG_NAME_MAX; i++) {
		if (t[i].kind == GLOB_DSTAR)
			len = 0;
		else
			len += t[i].kind != GLOB_STAR;
	}
	return len > HG_NAME_MAX;
}

/* The component tokens[start..end). */
static int check_component(const struct glob_alternative *alt, size_t start, size_t end,
			   struct ruleset_error *error)
{
	const struct glob_token *t = alt->tokens + start;
	size_t n = end - start, i;

	if (!n)
		return ruleset_fail(error, -EINVAL, alt->tokens[start - 1].offset,
				    "empty component: a '/' is doubled or ends the path; write "
				    "/x/** for a directory and everything below");
	if (too_long(t, n))
		return ruleset_fail(error, -EINVAL, t[0].offset, "no name has more than %d bytes",
				    HG_NAME_MAX);
	for (i = 0; i < n; i++)
		if (t[i].kind != GLOB_BYTE || t[i].byte != '.')
			return 0;
	if (n > 2)
		return 0;
	return ruleset_fail(
		error, -EINVAL, t[0].offset,
		"\".\" and \"..\" name no file of their own; write the directory meant");
}

static int check(const struct glob_alternative *alt, struct ruleset_error *error)
{
	size_t i, start = 1;
	int r;

	if (!alt->n || !is_slash(alt->tokens))
		return ruleset_fail(error, -EINVAL, alt->n ? alt->tokens[0].offset : 0,
				    "a path pattern starts with '/' or with **/");
	if (alt->n == 1)
		return 0;
	for (i = 1; i <= alt->n; i++) {
		if (i < alt->n && !is_slash(alt->tokens + i))
			continue;
		r = check_component(alt, start, i, error);
		if (r < 0)
			return r;
		start = i + 1;
	}
	return 0;
}

static void lead_with_slash(struct glob_alternative *alt)
{
	if (alt->n < 2 || alt->tokens[0].kind != GLOB_DSTAR || !is_slash(alt->tokens + 1))
		return;
	memmove(alt->tokens + 1, alt->tokens, alt->n * sizeof(*alt->tokens));
	alt->tokens[0].kind = GLOB_BYTE;
	alt->tokens[0].byte = '/';
	alt->n++;
}

static int finish_path(struct expander *x, struct glob_alternative *alt)
{
	int r;

	lead_with_slash(alt);
	r = check(alt, x->error);
	if (r == 0)
		merge_through(alt);
	return r;
}

static int finish_label(struct expander *x, struct glob_alternative *alt)
{
	size_t i, len = 0;

	for (i = 0; i < alt->n; i++)
		len += !is_star(alt->tokens + i);
	if (len > HG_ABSTRACT_MAX)
		return ruleset_fail(x->error, -EINVAL, 0, "no name has more than %d bytes",
				    HG_ABSTRACT_MAX);
	return 0;
}

static int finish(struct expander *x, struct glob_alternative *alt)
{
	struct glob *g = x->glob;
	int r;

	merge_stars(alt);
	r = g->label ? finish_label(x, alt) : finish_path(x, alt);
	if (r < 0)
		return r;
	r = fa_grow((void **)&g->alternatives, &g->cap_alternatives, g->n_alternatives + 1,
		    sizeof(*alt));
	if (r < 0)
		return r;
	g->alternatives[g->n_alternatives++] = *alt;
	alt->tokens = NULL;
	return 0;
}

static int expand_one(struct expander *x, struct glob_alternative *alt)
{
	size_t at;

	for (at = 0; at < alt->n; at++)
		if (alt->tokens[at].kind == GLOB_OPEN)
			return split(x, alt, at);
	return finish(x, alt);
}

int glob_expand(struct glob *glob, const struct glob_token *tokens, size_t n,
		struct ruleset_error *ret_error)
{
	struct expander x = {.glob = glob, .error = ret_error};
	const struct glob_token *parts[3] = {tokens};
	size_t lens[3] = {n};
	int r;

	r = todo_push(&x, parts, lens);
	while (r == 0 && x.n_todo) {
		struct glob_alternative alt = x.todo[--x.n_todo];

		r = expand_one(&x, &alt);
		free(alt.tokens);
	}
	while (x.n_todo)
		free(x.todo[--x.n_todo].tokens);
	free(x.todo);
	return r;
}
