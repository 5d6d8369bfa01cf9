/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The slow matcher: walks a pattern's tokens over a path with the set of places that each prefix of
 * the pattern can end at. It shares nothing with the automata, so each can judge the other.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "glob.h"

bool glob_path_valid(const char *path, size_t len)
{
	size_t i, start = 1;

	if (!len || path[0] != '/' || memchr(path, 0, len))
		return false;
	if (len == 1)
		return true;
	for (i = 1; i <= len; i++) {
		if (i < len && path[i] != '/')
			continue;
		if (i == start || (i == start + 1 && path[start] == '.') ||
		    (i == start + 2 && path[start] == '.' && path[start + 1] == '.'))
			return false;
		start = i + 1;
	}
	return true;
}

enum step {
	STEP_TOKEN,   /* as its kind says */
	STEP_THROUGH, /* slash, any components, slash */
	STEP_BELOW,   /* nothing, or a slash and anything */
};

/* Which step the tokens from `at` start, and how many tokens it takes. */
static enum step next_step(const struct glob_alternative *alt, size_t at, size_t *ret_n)
{
	const struct glob_token *t = alt->tokens + at;
	size_t left = alt->n - at;

	*ret_n = 1;
	if (t->kind != GLOB_BYTE || t->byte != '/' || left < 2 || t[1].kind != GLOB_DSTAR)
		return STEP_TOKEN;
	if (left == 2) {
		*ret_n = 2;
		return STEP_BELOW;
	}
	if (t[2].kind != GLOB_BYTE || t[2].byte != '/')
		return STEP_TOKEN;
	*ret_n = 3;
	return STEP_THROUGH;
}

static bool token_takes(const struct glob *glob, const struct glob_token *t, uint8_t byte)
{
	switch (t->kind) {
	case GLOB_BYTE:
		return t->byte == byte;
	case GLOB_ONE:
		return byte != '/';
	case GLOB_SET:
		return glob_set_has(glob->sets + t->set, byte);
	default:
		return false;
	}
}

/* from[j]: the pattern so far can end after j bytes; to[j]: the same with one more token. */
static void walk_token(const struct glob *glob, const struct glob_token *t, const char *path,
		       size_t len, const bool *from, bool *to)
{
	bool star = t->kind == GLOB_STAR, dstar = t->kind == GLOB_DSTAR;
	size_t j;

	to[0] = (star || dstar) && from[0];
	for (j = 1; j <= len; j++) {
		if (dstar)
			to[j] = from[j] || to[j - 1];
		else if (star)
			to[j] = from[j] || (to[j - 1] && path[j - 1] != '/');
		else
			to[j] = from[j - 1] && token_takes(glob, t, (uint8_t)path[j - 1]);
	}
}

static void walk_step(enum step step, const char *path, size_t len, const bool *from, bool *to)
{
	bool slash = false; /* some place to start from had a slash next */
	size_t j;

	to[0] = step == STEP_BELOW && from[0];
	for (j = 1; j <= len; j++) {
		slash |= from[j - 1] && path[j - 1] == '/';
		if (step == STEP_BELOW)
			to[j] = from[j] || slash;
		else
			to[j] = slash && path[j - 1] == '/';
	}
}

static bool match_root(const struct glob_alternative *alt)
{
	/* The one path with no component, which no star may invent. */
	return (alt->n == 1 && alt->tokens[0].kind == GLOB_BYTE) ||
	       (alt->n == 2 && alt->tokens[0].kind == GLOB_BYTE &&
		alt->tokens[1].kind == GLOB_DSTAR);
}

static bool match_alternative(const struct glob *glob, const struct glob_alternative *alt,
			      const char *path, size_t len, bool *rows)
{
	bool *from = rows, *to = rows + len + 1, *swap;
	enum step step;
	size_t at, n;

	if (len == 1 && !glob->label)
		return match_root(alt);
	memset(from, 0, len + 1);
	from[0] = true;
	for (at = 0; at < alt->n; at += n) {
		step = STEP_TOKEN;
		n = 1;
		if (!glob->label)
			step = next_step(alt, at, &n);
		if (step == STEP_TOKEN)
			walk_token(glob, alt->tokens + at, path, len, from, to);
		else
			walk_step(step, path, len, from, to);
		swap = from;
		from = to;
		to = swap;
	}
	return from[len];
}

static int match(const struct glob *glob, const char *path, size_t len)
{
	bool *rows, hit = false;
	size_t i;

	rows = malloc(2 * (len + 1) * sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	for (i = 0; i < glob->n_alternatives && !hit; i++)
		hit = match_alternative(glob, glob->alternatives + i, path, len, rows);
	free(rows);
	return hit;
}

int glob_match(const struct glob *glob, const char *path, size_t len)
{
	return glob_path_valid(path, len) ? match(glob, path, len) : 0;
}

int glob_match_label(const struct glob *glob, const char *name, size_t len)
{
	return match(glob, name, len);
}
