/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A pattern's derivative by the bytes of a folder: its tokens as a machine whose states are places
 * between tokens, run over the folder.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "glob_below.h"

static bool is_slash(const struct glob_alternative *alt, size_t at)
{
	return at < alt->n && alt->tokens[at].kind == GLOB_BYTE && alt->tokens[at].byte == '/';
}

static bool is_dstar(const struct glob_alternative *alt, size_t at)
{
	return at < alt->n && alt->tokens[at].kind == GLOB_DSTAR;
}

/* A double star that is a component of its own. */
static bool is_through(const struct glob_alternative *alt, size_t at)
{
	return is_dstar(alt, at) && at && is_slash(alt, at - 1) &&
	       (at + 1 == alt->n || is_slash(alt, at + 1));
}

bool glob_is_below(const struct glob_alternative *alt, size_t at)
{
	return is_slash(alt, at) && at + 2 == alt->n && is_dstar(alt, at + 1);
}

/* The place, and those that are reached from it without a byte. */
static void enter(const struct glob_alternative *alt, bool *places, size_t at)
{
	while (!places[at]) {
		places[at] = true;
		if (glob_is_below(alt, at))
			at = alt->n;
		else if (at < alt->n &&
			 (alt->tokens[at].kind == GLOB_STAR || alt->tokens[at].kind == GLOB_DSTAR))
			at++;
		else
			return;
	}
}

static bool takes(const struct glob *glob, const struct glob_token *t, char byte)
{
	switch (t->kind) {
	case GLOB_BYTE:
		return (char)t->byte == byte;
	case GLOB_SET:
		return glob_set_has(glob->sets + t->set, (uint8_t)byte);
	case GLOB_DSTAR:
		return true;
	}
	return byte != '/';
}

static void step(const struct glob *glob, const struct glob_alternative *alt, char byte,
		 const bool *from, bool *to)
{
	for (size_t at = 0; at < alt->n; at++) {
		uint8_t kind = alt->tokens[at].kind;

		if (!from[at] || !takes(glob, &alt->tokens[at], byte))
			continue;
		enter(alt, to, kind == GLOB_STAR || kind == GLOB_DSTAR ? at : at + 1);
		/* Slash, double star, slash is also one slash. */
		if (is_slash(alt, at) && is_through(alt, at + 1) && at + 2 < alt->n)
			enter(alt, to, at + 3);
	}
}

static void ways(const struct glob_alternative *alt, const bool *places, bool *ret)
{
	size_t n = alt->n;

	ret[n] = places[n];
	for (size_t at = 0; at < n; at++) {
		if (!places[at])
			continue;
		if (is_through(alt, at))
			ret[at - 1] = true;
		else if (is_dstar(alt, at))
			ret[n + 1 + at] = true;
		else if (is_slash(alt, at) && !(at && is_through(alt, at - 1) && places[at - 1]))
			ret[at] = true;
	}
	/* "/" ** is the folder itself as well. */
	for (size_t at = 0; at < n; at++)
		if (ret[at] && glob_is_below(alt, at))
			ret[n] = false;
}

int glob_below(const struct glob *glob, const struct glob_alternative *alt, const char *folder,
	       bool *ret_ways)
{
	bool *places = calloc(2, alt->n + 1), *from = places, *to, *swap;

	memset(ret_ways, 0, GLOB_WAYS(alt->n));
	if (!places)
		return -ENOMEM;
	to = places + alt->n + 1;
	enter(alt, from, 0);
	for (; *folder; folder++) {
		memset(to, 0, alt->n + 1);
		step(glob, alt, *folder, from, to);
		swap = from;
		from = to;
		to = swap;
	}
	ways(alt, from, ret_ways);
	free(places);
	return 0;
}

size_t glob_literal(const struct glob_alternative *alt)
{
	size_t at = 0;

	while (at < alt->n && alt->tokens[at].kind == GLOB_BYTE)
		at++;
	if (at == alt->n)
		return at;
	while (at && !is_slash(alt, at - 1))
		at--;
	return at ? at - 1 : 0;
}
