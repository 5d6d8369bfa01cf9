/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Path patterns: reading them, expanding their braces, and a slow matcher.
 *
 * The language of a pattern, said over whole paths:
 *  - braces are alternatives, as if the pattern were written once for each; an alternative of an
 *    expansion keeps its stars apart: "{*,x}*" is "*" or "x*", never a double star;
 *  - a component that is a double star alone: at the end of the pattern "this directory and
 *    everything below", elsewhere any number of components, none included;
 *  - any other double star: any bytes, '/' included;
 *  - '*', '?' and sets never match '/'; components are never empty.
 */
#ifndef HG_GLOB_H
#define HG_GLOB_H

#include "ruleset.h"

/* Alternatives of one pattern after expansion. */
#define GLOB_ALTERNATIVES_MAX 1024
/* Bytes of a pattern: PATH_MAX of Linux. */
#define GLOB_LENGTH_MAX 4096

/*
 * Names that are no paths (core/endpoint.h) take the same patterns, said over bytes alone: '*' and
 * '?' do not match '/', a double star matches anything, and no component is looked at. "\xHH" is the
 * byte with that number, NUL included.
 */

enum glob_kind {
	GLOB_BYTE,  /* `byte` itself; '/' parts components */
	GLOB_ONE,   /* any one byte but '/' */
	GLOB_SET,   /* one byte of sets[set] */
	GLOB_STAR,  /* any bytes but '/' */
	GLOB_DSTAR, /* any bytes, or any components */
	GLOB_OPEN,
	GLOB_COMMA,
	GLOB_CLOSE, /* of braces; gone after expansion */
};

struct glob_token {
	uint8_t kind, byte;
	uint16_t set;
	uint32_t offset; /* in the pattern, for messages */
};

struct glob_set {
	uint8_t bits[32]; /* never holds '/', nor NUL but in a name's pattern */
};

struct glob_alternative {
	struct glob_token *tokens;
	size_t n;
};

struct glob {
	bool label; /* of a name, not of a path */
	struct glob_set *sets;
	size_t n_sets, cap_sets;
	struct glob_alternative *alternatives;
	size_t n_alternatives, cap_alternatives;
};

static inline bool glob_set_has(const struct glob_set *set, uint8_t byte)
{
	return set->bits[byte / 8] >> (byte % 8) & 1;
}

/* -EINVAL or -E2BIG with *ret_error filled, -ENOMEM. */
int glob_parse(struct glob **ret, const char *pattern, size_t len, struct ruleset_error *ret_error);
/* A name's pattern; it may be empty. */
int glob_parse_label(struct glob **ret, const char *pattern, size_t len,
		     struct ruleset_error *ret_error);
void glob_free(struct glob **glob);

/* Whether some alternative matches the path, decided byte by byte from the text alone. Returns 1,
 * 0, -ENOMEM. */
int glob_match(const struct glob *glob, const char *path, size_t len);

/* The same for a name. */
int glob_match_label(const struct glob *glob, const char *name, size_t len);

/* Whether it is "/" or "/a/b": no NUL, no empty component, no "." or "..". */
bool glob_path_valid(const char *path, size_t len);

/* Fills the error; returns `code`. */
__attribute__((format(printf, 4, 5))) int ruleset_fail(struct ruleset_error *error, int code,
						       size_t offset, const char *format, ...);

#endif
