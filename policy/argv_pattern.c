/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Argument patterns: reading them, and matching them slowly; judges the automaton. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "argvs.h"

struct parse {
	const char *text;
	size_t len, at;
	struct argv_pattern *p;
	struct ruleset_error *error;
};

static int add(struct parse *s, uint8_t kind, uint8_t byte, uint16_t set)
{
	struct argv_pattern *p = s->p;
	int r = fa_grow((void **)&p->tokens, &p->cap, p->n + 1, sizeof(*p->tokens));

	if (r == 0)
		p->tokens[p->n++] = (struct argv_token){kind, byte, set};
	return r;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* One byte of a set, which may be behind a backslash. */
static int set_byte(struct parse *s, size_t open, uint8_t *ret)
{
	if (s->at < s->len && s->text[s->at] == '\\')
		s->at++;
	if (s->at >= s->len)
		return ruleset_fail(s->error, -EINVAL, open, "this set is never closed; add `]`");
	*ret = (uint8_t)s->text[s->at++];
	return 0;
}

static int parse_set(struct parse *s)
{
	struct argv_pattern *p = s->p;
	size_t open = s->at++, first;
	struct glob_set set = {};
	uint8_t lo, hi;
	unsigned b;
	bool not;
	int r;

	not = s->at < s->len && s->text[s->at] == '!';
	s->at += not;
	for (first = s->at; s->at >= s->len || s->text[s->at] != ']' || s->at == first;) {
		r = set_byte(s, open, &lo);
		hi = lo;
		if (r == 0 && s->at + 1 < s->len && s->text[s->at] == '-' &&
		    s->text[s->at + 1] != ']') {
			s->at++;
			r = set_byte(s, open, &hi);
		}
		if (r < 0)
			return r;
		if (lo > hi)
			return ruleset_fail(s->error, -EINVAL, s->at - 1,
					    "this range runs backwards");
		for (b = lo; b <= hi; b++)
			set.bits[b / 8] |= (uint8_t)(1u << b % 8);
	}
	s->at++;
	for (b = 0; not && b < sizeof(set.bits); b++)
		set.bits[b] = (uint8_t)~set.bits[b];
	set.bits[0] &= 0xfe;
	if (p->n_sets == UINT16_MAX)
		return -E2BIG;
	r = fa_grow((void **)&p->sets, &p->cap_sets, p->n_sets + 1, sizeof(*p->sets));
	if (r < 0)
		return r;
	p->sets[p->n_sets] = set;
	return add(s, ARGV_SET, 0, (uint16_t)p->n_sets++);
}

/* One argument's pattern, up to a blank. */
static int parse_word(struct parse *s)
{
	size_t open[ARGV_DEPTH_MAX], depth = 0;
	int r = 0;

	for (; s->at < s->len && (depth || !blank(s->text[s->at])) && r == 0;) {
		char c = s->text[s->at];

		if (c == '[') {
			r = parse_set(s);
			continue;
		}
		if (blank(c))
			return ruleset_fail(s->error, -EINVAL, open[depth - 1],
					    "alternatives end within their argument: no blank "
					    "between braces; put a backslash before it if it is meant");
		if (c == '{') {
			if (depth == ARGV_DEPTH_MAX)
				return ruleset_fail(s->error, -EINVAL, s->at,
						    "more than %d braces in braces",
						    ARGV_DEPTH_MAX);
			open[depth++] = s->at;
			r = add(s, ARGV_OPEN, 0, 0);
		} else if (depth && c == '}') {
			depth--;
			r = add(s, ARGV_CLOSE, 0, 0);
		} else if (depth && c == ',') {
			r = add(s, ARGV_COMMA, 0, 0);
		} else if (c == '*' && s->at + 1 < s->len && s->text[s->at + 1] == '*') {
			return ruleset_fail(s->error, -EINVAL, s->at,
					    "`**` is any number of whole arguments and stands "
					    "alone; within an argument write `*`");
		} else if (c == '*') {
			r = add(s, ARGV_STAR, 0, 0);
		} else if (c == '?') {
			r = add(s, ARGV_ONE, 0, 0);
		} else {
			s->at += c == '\\';
			if (s->at == s->len)
				return ruleset_fail(s->error, -EINVAL, s->at - 1,
						    "nothing follows the backslash");
			if (!s->text[s->at])
				return ruleset_fail(s->error, -EINVAL, s->at,
						    "no argument has a NUL");
			r = add(s, ARGV_BYTE, (uint8_t)s->text[s->at], 0);
		}
		s->at++;
	}
	if (r == 0 && depth)
		return ruleset_fail(s->error, -EINVAL, open[depth - 1],
				    "this brace is never closed; add `}`, or write \\{");
	return r < 0 ? r : add(s, ARGV_END, 0, 0);
}

int argv_pattern_parse(const char *text, size_t len, struct argv_pattern *ret,
		       struct ruleset_error *ret_error)
{
	struct parse s = {.text = text, .len = len, .p = ret, .error = ret_error};
	int r = 0;

	*ret = (struct argv_pattern){};
	if (len > ARGV_LENGTH_MAX)
		return ruleset_fail(ret_error, -EINVAL, ARGV_LENGTH_MAX,
				    "an argument pattern has at most %d bytes", ARGV_LENGTH_MAX);
	while (r == 0) {
		while (s.at < len && blank(text[s.at]))
			s.at++;
		if (s.at == len)
			break;
		if (len - s.at >= 2 && !memcmp(text + s.at, "**", 2) &&
		    (len - s.at == 2 || blank(text[s.at + 2]))) {
			r = add(&s, ARGV_ANY, 0, 0);
			s.at += 2;
		} else {
			r = parse_word(&s);
		}
	}
	if (r < 0)
		argv_pattern_done(ret);
	return r;
}

void argv_pattern_done(struct argv_pattern *p)
{
	free(p->tokens);
	free(p->sets);
	*p = (struct argv_pattern){};
}

bool argv_pattern_is_all(const struct argv_pattern *p)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (p->tokens[i].kind != ARGV_ANY)
			return false;
	return p->n > 0;
}

/* ---- the slow matcher ---- */

struct match {
	const struct argv_pattern *p;
	const char *args;
	size_t len;
	int8_t *known; /* for each token and byte: 0 not asked yet, else 1 + result */
};

/* Behind the brace that closes the one open before token i; or the comma, whichever is first. */
static size_t skip_to(const struct argv_pattern *p, size_t i, bool comma)
{
	size_t depth = 0;

	for (;; i++) {
		uint8_t kind = p->tokens[i].kind;

		if (!depth && (kind == ARGV_CLOSE || (comma && kind == ARGV_COMMA)))
			return i;
		depth += kind == ARGV_OPEN;
		depth -= kind == ARGV_CLOSE;
	}
}

static bool match_at(struct match *m, size_t i, size_t at);

static bool match_open(struct match *m, size_t i, size_t at)
{
	for (;; i = skip_to(m->p, i + 1, true)) {
		/* i: the brace or a comma. */
		if (match_at(m, i + 1, at))
			return true;
		if (m->p->tokens[skip_to(m->p, i + 1, true)].kind == ARGV_CLOSE)
			return false;
	}
}

static bool match_fresh(struct match *m, size_t i, size_t at)
{
	const struct argv_token *t = m->p->tokens + i;
	bool more = at < m->len;
	uint8_t b = more ? (uint8_t)m->args[at] : 0;

	if (i == m->p->n)
		return !more;
	switch (t->kind) {
	case ARGV_BYTE:
		return more && b == t->byte && match_at(m, i + 1, at + 1);
	case ARGV_ONE:
		return b && match_at(m, i + 1, at + 1);
	case ARGV_SET:
		return b && glob_set_has(m->p->sets + t->set, b) && match_at(m, i + 1, at + 1);
	case ARGV_STAR:
		return match_at(m, i + 1, at) || (b && match_at(m, i, at + 1));
	case ARGV_END:
		return more && !b && match_at(m, i + 1, at + 1);
	case ARGV_ANY: {
		size_t end = at;

		if (match_at(m, i + 1, at))
			return true;
		while (end < m->len && m->args[end])
			end++;
		return more && match_at(m, i, end + 1);
	}
	case ARGV_OPEN:
		return match_open(m, i, at);
	case ARGV_COMMA:
		return match_at(m, skip_to(m->p, i + 1, false) + 1, at);
	default:
		return match_at(m, i + 1, at);
	}
}

static bool match_at(struct match *m, size_t i, size_t at)
{
	int8_t *known = m->known + i * (m->len + 1) + at;

	if (!*known)
		*known = match_fresh(m, i, at) ? 2 : 1;
	return *known == 2;
}

int argv_pattern_match(const struct argv_pattern *p, const char *args, size_t len)
{
	struct match m = {.p = p, .args = args, .len = len};
	bool r;

	m.known = calloc((p->n + 1) * (len + 1), 1);
	if (!m.known)
		return -ENOMEM;
	r = match_at(&m, 0, 0);
	free(m.known);
	return r;
}

/* ---- names ---- */

struct argv_name argv_name_of(const struct glob *glob, size_t i)
{
	const struct glob_alternative *a = glob->alternatives + i;
	size_t from = a->n;

	/* A double star may end in any component: it is part of the name, as '*' is. */
	while (from && a->tokens[from - 1].kind != GLOB_DSTAR &&
	       !(a->tokens[from - 1].kind == GLOB_BYTE && a->tokens[from - 1].byte == '/'))
		from--;
	if (from && a->tokens[from - 1].kind == GLOB_DSTAR)
		from--;
	return (struct argv_name){glob, a->tokens + from, a->n - from};
}

static bool name_matches(const struct argv_name *name, size_t i, const char *text, size_t len)
{
	const struct glob_token *t = name->tokens + i;

	if (i == name->n)
		return !len;
	if (t->kind == GLOB_STAR || t->kind == GLOB_DSTAR)
		return name_matches(name, i + 1, text, len) ||
		       (len && name_matches(name, i, text + 1, len - 1));
	if (!len)
		return false;
	if (t->kind == GLOB_BYTE && t->byte != (uint8_t)*text)
		return false;
	if (t->kind == GLOB_SET && !glob_set_has(name->glob->sets + t->set, (uint8_t)*text))
		return false;
	return name_matches(name, i + 1, text + 1, len - 1);
}

bool argv_name_match(const struct argv_name *name, const char *argv0, size_t len)
{
	const char *slash = memrchr(argv0, '/', len);

	if (slash) {
		len -= slash + 1 - argv0;
		argv0 = slash + 1;
	}
	return name_matches(name, 0, argv0, len) ||
	       (len && *argv0 == '-' && name_matches(name, 0, argv0 + 1, len - 1));
}
