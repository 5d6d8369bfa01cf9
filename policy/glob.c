/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reading path patterns: bytes to tokens. Expansion and its checks are in glob_expand.c. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fa.h"
#include "glob_expand.h"

int ruleset_fail(struct ruleset_error *error, int code, size_t offset, const char *format, ...)
{
	va_list ap;

	if (!error)
		return code;
	memset(error, 0, sizeof(*error));
	error->offset = offset;
	va_start(ap, format);
	vsnprintf(error->message, sizeof(error->message), format, ap);
	va_end(ap);
	return code;
}

struct reader {
	struct glob *glob;
	const char *pattern;
	size_t len, at;
	unsigned depth; /* open braces */
	struct glob_token *tokens;
	size_t n, cap;
	struct ruleset_error *error;
};

static int push(struct reader *r, struct glob_token token)
{
	int ret = fa_grow((void **)&r->tokens, &r->cap, r->n + 1, sizeof(token));

	if (ret == 0)
		r->tokens[r->n++] = token;
	return ret;
}

static int push_kind(struct reader *r, enum glob_kind kind)
{
	return push(r, (struct glob_token){.kind = kind, .offset = (uint32_t)r->at});
}

static void set_add(struct glob_set *set, unsigned lo, unsigned hi)
{
	unsigned b;

	for (b = lo; b <= hi; b++)
		set->bits[b / 8] |= 1u << (b % 8);
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "\xHH" at `at`, in the pattern of a name. */
static bool hex_at(const struct reader *r, size_t at, uint8_t *ret)
{
	const char *p = r->pattern + at;

	if (!r->glob->label || at + 4 > r->len || p[0] != '\\' || p[1] != 'x' ||
	    hex_digit(p[2]) < 0 || hex_digit(p[3]) < 0)
		return false;
	*ret = (uint8_t)(hex_digit(p[2]) << 4 | hex_digit(p[3]));
	return true;
}

/* One byte inside a set, escaped or not; moves *at behind it. */
static int set_byte(struct reader *r, size_t *at, uint8_t *ret)
{
	if (hex_at(r, *at, ret)) {
		*at += 4;
		return 0;
	}
	if (*at < r->len && r->pattern[*at] == '\\')
		++*at;
	if (*at >= r->len)
		return ruleset_fail(r->error, -EINVAL, r->at,
				    "'[' without its ']'; write \\[ for the byte itself");
	if (r->pattern[*at] == '/')
		return ruleset_fail(r->error, -EINVAL, *at,
				    "a set matches one byte of a name, which '/' cannot be; "
				    "write {a,/b} for alternatives with a '/'");
	*ret = (uint8_t)r->pattern[(*at)++];
	return 0;
}

static int set_item(struct reader *r, size_t *at, struct glob_set *set)
{
	size_t start = *at;
	uint8_t lo, hi;
	int ret;

	ret = set_byte(r, at, &lo);
	if (ret < 0)
		return ret;
	hi = lo;
	if (*at + 1 < r->len && r->pattern[*at] == '-' && r->pattern[*at + 1] != ']') {
		++*at;
		ret = set_byte(r, at, &hi);
		if (ret < 0)
			return ret;
	}
	if (hi < lo)
		return ruleset_fail(r->error, -EINVAL, start,
				    "range runs backwards; write the lower byte first");
	set_add(set, lo, hi);
	return 0;
}

static int push_set(struct reader *r, struct glob_set set, bool negated)
{
	struct glob *g = r->glob;
	unsigned i;
	int ret;

	for (i = 0; negated && i < sizeof(set.bits); i++)
		set.bits[i] = ~set.bits[i];
	/* Never part of a name; [!a] and ranges such as [+-9] would hold them. */
	set.bits['/' / 8] &= ~(1u << ('/' % 8));
	if (!g->label)
		set.bits[0] &= ~1u;
	ret = fa_grow((void **)&g->sets, &g->cap_sets, g->n_sets + 1, sizeof(set));
	if (ret < 0)
		return ret;
	g->sets[g->n_sets++] = set;
	return push(r, (struct glob_token){.kind = GLOB_SET,
					   .set = (uint16_t)(g->n_sets - 1),
					   .offset = (uint32_t)r->at});
}

static int read_set(struct reader *r)
{
	struct glob_set set = {0};
	size_t at = r->at + 1, first;
	bool negated = at < r->len && r->pattern[at] == '!';
	int ret;

	if (at < r->len && r->pattern[at] == '^')
		return ruleset_fail(r->error, -EINVAL, at,
				    "shells differ on [^...]; write [!...] for 'none of', "
				    "[\\^...] for the byte itself");
	at += negated;
	first = at;
	for (;;) {
		/* A ']' that comes first is one of the bytes, as in sh. */
		if (at < r->len && r->pattern[at] == ']' && at > first)
			break;
		ret = set_item(r, &at, &set);
		if (ret < 0)
			return ret;
	}
	ret = push_set(r, set, negated);
	r->at = at + 1;
	return ret;
}

static int read_stars(struct reader *r)
{
	size_t n = 1;
	int ret;

	while (r->at + n < r->len && r->pattern[r->at + n] == '*')
		n++;
	ret = push_kind(r, n > 1 ? GLOB_DSTAR : GLOB_STAR);
	r->at += n;
	return ret;
}

static int read_brace(struct reader *r, char c)
{
	if (c == '{') {
		r->depth++;
		return push_kind(r, GLOB_OPEN);
	}
	if (c == ',')
		return push_kind(r, GLOB_COMMA);
	if (!r->depth)
		return ruleset_fail(r->error, -EINVAL, r->at,
				    "'}' without its '{'; write \\} for the byte itself");
	r->depth--;
	return push_kind(r, GLOB_CLOSE);
}

static int read_byte(struct reader *r)
{
	size_t start = r->at;
	uint8_t byte;

	if (hex_at(r, start, &byte)) {
		r->at += 3;
		return push(r, (struct glob_token){
				       .kind = GLOB_BYTE, .byte = byte, .offset = (uint32_t)start});
	}
	if (r->pattern[r->at] == '\\' && ++r->at == r->len)
		return ruleset_fail(
			r->error, -EINVAL, start,
			"'\\' at the end quotes nothing; write \\\\ for the byte itself");
	return push(r, (struct glob_token){.kind = GLOB_BYTE,
					   .byte = (uint8_t)r->pattern[r->at],
					   .offset = (uint32_t)start});
}

static int read_token(struct reader *r)
{
	char c = r->pattern[r->at];
	int ret;

	if (c == '*')
		return read_stars(r);
	if (c == '[')
		return read_set(r);
	if (c == '?')
		ret = push_kind(r, GLOB_ONE);
	else if (c == '{' || c == '}' || (c == ',' && r->depth))
		ret = read_brace(r, c);
	else
		ret = read_byte(r);
	r->at++;
	return ret;
}

/* Where the last brace opens that nothing closes. */
static size_t unclosed_at(const struct reader *r)
{
	size_t i = r->n, closed = 0;

	while (i-- > 0) {
		if (r->tokens[i].kind == GLOB_CLOSE)
			closed++;
		else if (r->tokens[i].kind == GLOB_OPEN && !closed--)
			return r->tokens[i].offset;
	}
	return 0;
}

static int read_tokens(struct reader *r)
{
	int ret = 0;

	if ((!r->len && !r->glob->label) || r->len > GLOB_LENGTH_MAX)
		return ruleset_fail(r->error, -EINVAL, 0, "a pattern has 1 to %d bytes",
				    GLOB_LENGTH_MAX);
	if (memchr(r->pattern, 0, r->len))
		return ruleset_fail(r->error, -EINVAL,
				    (size_t)((char *)memchr(r->pattern, 0, r->len) - r->pattern),
				    "NUL is in no path");
	while (r->at < r->len && ret == 0)
		ret = read_token(r);
	if (ret == 0 && r->depth)
		ret = ruleset_fail(r->error, -EINVAL, unclosed_at(r),
				   "'{' without its '}'; write \\{ for the byte itself");
	return ret;
}

void glob_free(struct glob **glob)
{
	struct glob *g = *glob;
	size_t i;

	if (!g)
		return;
	for (i = 0; i < g->n_alternatives; i++)
		free(g->alternatives[i].tokens);
	free(g->alternatives);
	free(g->sets);
	free(g);
	*glob = NULL;
}

static int parse(struct glob **ret, bool label, const char *pattern, size_t len,
		 struct ruleset_error *ret_error)
{
	struct glob *glob HG_CLEANUP(glob_free) = calloc(1, sizeof(*glob));
	struct reader r = {.glob = glob, .pattern = pattern, .len = len, .error = ret_error};
	int err;

	if (!glob)
		return -ENOMEM;
	glob->label = label;
	err = read_tokens(&r);
	if (err == 0)
		err = glob_expand(glob, r.tokens, r.n, ret_error);
	free(r.tokens);
	if (err < 0)
		return err;
	*ret = glob;
	glob = NULL;
	return 0;
}

int glob_parse(struct glob **ret, const char *pattern, size_t len, struct ruleset_error *ret_error)
{
	return parse(ret, false, pattern, len, ret_error);
}

int glob_parse_label(struct glob **ret, const char *pattern, size_t len,
		     struct ruleset_error *ret_error)
{
	return parse(ret, true, pattern, len, ret_error);
}
