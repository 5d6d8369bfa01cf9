/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A rule's text into its parts.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "rule_parse.h"

struct scan {
	const char *text;
	size_t len, at;
	struct rule_error *e;
};

int rule_fail(struct rule_error *e, size_t at, const char *format, ...)
{
	va_list ap;

	e->at = at;
	va_start(ap, format);
	vsnprintf(e->message, sizeof(e->message), format, ap);
	va_end(ap);
	return -EINVAL;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool skip_blanks(struct scan *s)
{
	while (s->at < s->len && blank(s->text[s->at]))
		s->at++;
	return s->at < s->len;
}

static struct rule_object word(struct scan *s)
{
	struct rule_object o = {.at = s->at};

	while (s->at < s->len && !blank(s->text[s->at]))
		s->at++;
	o.len = s->at - o.at;
	return o;
}

/* "..." or bytes up to a blank; a backslash keeps the byte behind it from ending either, and stays
 * in the object: it means the same in a pattern. */
static int quotable(struct scan *s, struct rule_object *ret)
{
	bool quoted = s->text[s->at] == '"';
	size_t begin = s->at;

	*ret = (struct rule_object){};
	s->at += quoted;
	ret->at = s->at;
	for (; s->at < s->len; s->at++) {
		if (s->text[s->at] == '\\')
			s->at++;
		else if (quoted ? s->text[s->at] == '"' : blank(s->text[s->at]))
			break;
	}
	if (s->at > s->len)
		return rule_fail(s->e, s->len - 1, "nothing follows the backslash");
	ret->len = s->at - ret->at;
	if (!quoted)
		return 0;
	if (s->at == s->len)
		return rule_fail(s->e, begin, "this quote is never closed");
	s->at++;
	if (s->at < s->len && !blank(s->text[s->at]))
		return rule_fail(s->e, s->at,
				 "an object ends with its quote; put all of it in quotes");
	return 0;
}

static int object(struct scan *s, struct rule_object *ret)
{
	size_t begin = s->at;
	int err = quotable(s, ret);

	if (!err && !ret->len)
		return rule_fail(s->e, begin, "an empty object");
	return err;
}

/* [2001:db8::1]:443 begins like options, but no option has a colon, and nothing follows options. */
static bool at_options(const struct scan *s)
{
	const char *begin = s->text + s->at, *end = memchr(begin, ']', s->len - s->at);
	size_t n = end ? (size_t)(end - begin) : s->len - s->at;

	if (*begin != '[' || memchr(begin, ':', n))
		return false;
	return !end || end + 1 == s->text + s->len || end[1] != ':';
}

static int options(struct scan *s, struct rule_line *r)
{
	size_t open = s->at++, at;
	uint8_t option;
	int err;

	for (;;) {
		while (s->at < s->len && (blank(s->text[s->at]) || s->text[s->at] == ','))
			s->at++;
		if (s->at == s->len)
			return rule_fail(s->e, open, "these options are never closed; add `]`");
		if (s->text[s->at] == ']')
			break;
		at = s->at;
		while (s->at < s->len && !blank(s->text[s->at]) && s->text[s->at] != ',' &&
		       s->text[s->at] != ']')
			s->at++;
		err = rule_option_word(s->text + at, s->at - at, at, &option, s->e);
		if (err)
			return err;
		if (r->options & option)
			return rule_fail(s->e, at, "`%.*s` is here twice", (int)(s->at - at),
					 s->text + at);
		r->options |= option;
		if (option & (HG_OPT_BUDGET | HG_OPT_NAMES)) {
			err = rule_parse_budget(s->text + at, s->at - at, at,
						option == HG_OPT_NAMES ? &r->names : &r->budget,
						s->e);
			if (err)
				return err;
		}
		if ((r->options & (HG_OPT_LOG | HG_OPT_QUIET)) == (HG_OPT_LOG | HG_OPT_QUIET))
			return rule_fail(s->e, at, "log and quiet contradict each other; keep one");
	}
	if (!r->options)
		return rule_fail(s->e, open, "no option between the brackets");
	s->at++;
	if (skip_blanks(s))
		return rule_fail(s->e, s->at, "options come last; nothing may follow them");
	return 0;
}

static int action(struct scan *s, size_t at, size_t len, struct rule_line *r)
{
	struct rule_line before = *r;
	int err;

	if (!len)
		return rule_fail(s->e, at, "an action is missing; write read,write without blanks");
	err = rule_action_word(s->text + at, len, at, r, s->e);
	if (err)
		return err;
	if (before.path_actions == r->path_actions &&
	    before.endpoint_actions == r->endpoint_actions && before.all == r->all &&
	    before.use == r->use)
		return rule_fail(s->e, at, "`%.*s` is in the actions before it already", (int)len,
				 s->text + at);
	if (r->all && (before.all || before.use || before.path_actions || before.endpoint_actions))
		return rule_fail(s->e, at, "`all` is every action; it stands alone");
	if (r->use && (before.all || before.use || before.path_actions || before.endpoint_actions))
		return rule_fail(s->e, at, "`use` is a rule of its own; split the rule");
	if ((r->endpoint_actions & HG_BIT(HG_LISTEN)) && (r->endpoint_actions & HG_BIT(HG_RESOLVE)))
		return rule_fail(s->e, at,
				 "`listen` speaks of addresses, `resolve` of names; split "
				 "the rule");
	if ((r->endpoint_actions & HG_BIT(HG_CONNECT)) &&
	    (r->endpoint_actions & HG_BIT(HG_RESOLVE)))
		return rule_fail(s->e, at,
				 "who may `connect` to a name may resolve it; `resolve` is a "
				 "rule of its own for names without a connection");
	if (r->path_actions && r->endpoint_actions)
		return rule_fail(s->e, at,
				 "`%.*s` speaks of %s, the actions before it do not; split "
				 "the rule",
				 (int)len, s->text + at,
				 before.path_actions ? "the network" : "files");
	return 0;
}

static int actions(struct scan *s, struct rule_object o, struct rule_line *r)
{
	size_t at = o.at, end = o.at + o.len;
	const char *comma;
	int err;

	for (;;) {
		comma = memchr(s->text + at, ',', end - at);
		err = action(s, at, (comma ? (size_t)(comma - s->text) : end) - at, r);
		if (err || !comma)
			return err;
		at = comma - s->text + 1;
	}
}

static int add_object(struct rule_line *r, const struct rule_object *o)
{
	struct rule_object *objects;

	objects = reallocarray(r->objects, r->n_objects + 1, sizeof(*objects));
	if (!objects)
		return -ENOMEM;
	r->objects = objects;
	r->objects[r->n_objects++] = *o;
	return 0;
}

/* Behind the word argv at `at`. */
static int argv_pattern(struct scan *s, size_t at, struct rule_line *r)
{
	int err;

	if (r->path_actions != HG_BIT(HG_EXEC) || r->all)
		return rule_fail(
			s->e, at,
			"`argv` speaks of running and goes with exec alone; split the rule");
	if (!r->n_objects)
		return rule_fail(s->e, at,
				 "the programs come before `argv`, as in `exec "
				 "/usr/bin/git argv \"** push **\"`");
	if (!skip_blanks(s) || s->text[s->at] != '"')
		return rule_fail(s->e, s->at < s->len ? s->at : at,
				 "a pattern in quotes follows `argv`, as in argv \"** push **\"");
	err = quotable(s, &r->argv);
	if (err)
		return err;
	r->has_argv = true;
	if (!skip_blanks(s))
		return 0;
	if (at_options(s))
		return options(s, r);
	return rule_fail(s->e, s->at, "only options may follow the arguments' pattern");
}

static int objects(struct scan *s, struct rule_line *r)
{
	struct rule_object o;
	int err;

	while (skip_blanks(s)) {
		if (at_options(s))
			return options(s, r);
		err = object(s, &o);
		if (err)
			return err;
		if (o.len == 4 && !memcmp(s->text + o.at, "argv", 4))
			return argv_pattern(s, o.at, r);
		if (r->use) {
			err = rule_use_word(s->text + o.at, o.len, o.at, &o.use, s->e);
			if (err)
				return err;
		}
		err = add_object(r, &o);
		if (err)
			return err;
	}
	return 0;
}

static int parse(struct scan *s, struct rule_line *r)
{
	struct rule_object o;
	int err;

	if (!skip_blanks(s))
		return rule_fail(s->e, 0,
				 "an empty rule; write `allow read /usr/**`, or leave it out");
	o = word(s);
	err = rule_verdict_word(s->text + o.at, o.len, o.at, &r->verdict, s->e);
	if (err)
		return err;
	if (!skip_blanks(s))
		return rule_fail(s->e, s->len,
				 "an action and an object are missing, as in `%s read "
				 "/usr/**`",
				 rule_verdict_names[r->verdict]);
	o = word(s);
	err = actions(s, o, r);
	if (err)
		return err;
	err = objects(s, r);
	if (err)
		return err;
	if (!r->n_objects)
		return rule_fail(s->e, s->len, "an object is missing, as in `%s %.*s %s`",
				 rule_verdict_names[r->verdict], (int)o.len, s->text + o.at,
				 r->use		       ? "anonymous-exec"
				 : r->endpoint_actions ? "192.0.2.0/24:443"
				 : r->path_actions == HG_BIT(HG_UNIX)
					 ? "/run/postgresql/.s.PGSQL.5432"
					 : "/usr/**");
	return 0;
}

int rule_parse(const char *text, size_t len, struct rule_line *ret, struct rule_error *e)
{
	struct scan s = {.text = text, .len = len, .e = e};
	int err;

	*ret = (struct rule_line){};
	err = parse(&s, ret);
	if (err)
		rule_line_done(ret);
	return err;
}

void rule_line_done(struct rule_line *r)
{
	free(r->objects);
	*r = (struct rule_line){};
}

/* ---- what an object is ---- */

static bool begins(const char *text, size_t len, const char *with)
{
	return len >= strlen(with) && !memcmp(text, with, strlen(with));
}

static int no_path(const char *text, size_t len, struct rule_error *e)
{
	struct ruleset_endpoint ep;
	struct rule_error ignored;
	struct ruleset_host host;

	if (begins(text, len, "~"))
		return rule_fail(e, 0, "`~` has no meaning here; write ${home}%.*s", (int)len - 1,
				 text + 1);
	if (begins(text, len, "./") && len > 2)
		return rule_fail(e, 0,
				 "a path is absolute or begins with `**/`; write ${workspace}%.*s",
				 (int)len - 1, text + 1);
	if (len == 2 && begins(text, len, "**"))
		return rule_fail(e, 0,
				 "a path is absolute or begins with `**/`; everything is `/**`");
	if (!rule_parse_endpoint(text, len, &ep, &ignored) ||
	    (rule_is_host(text, len) && !rule_parse_host(text, len, true, &host, &ignored)))
		return rule_fail(e, 0,
				 "`%.*s` is a network endpoint; it goes with connect or listen",
				 (int)len, text);
	return rule_fail(e, 0,
			 "a path is absolute or begins with `**/`; write `**/%.*s` for one "
			 "anywhere, ${workspace}/%.*s for the workspace's",
			 (int)len, text, (int)len, text);
}

/* A peer of 0.0.0.0 or :: is the loopback (core/endpoint.h): such a rule would never match. */
static int check_peer(const char *text, size_t len, struct rule_error *e)
{
	static const uint8_t zero[16];
	struct ruleset_endpoint ep;
	int err = rule_parse_endpoint(text, len, &ep, e);

	if (err)
		return err;
	if (ep.prefix_len == (ep.family == 6 ? 128 : 32) &&
	    !memcmp(ep.address, zero, ep.family == 6 ? 16 : 4))
		return rule_fail(e, 0,
				 "who connects to %s reaches the loopback; write %s for that, "
				 "`*` for any address",
				 ep.family == 6 ? "::" : "0.0.0.0",
				 ep.family == 6 ? "[::1]" : "127.0.0.1");
	return 0;
}

size_t rule_label_at(enum rule_object_kind kind)
{
	return kind == OBJECT_ABSTRACT ? 1 : strlen("agent:");
}

/* `@NAME` or `agent:NAME`: what goes with them. */
static int label_kind(const struct rule_line *r, const char *text, size_t len,
		      enum rule_object_kind *ret, struct rule_error *e)
{
	bool only_unix = r->path_actions == HG_BIT(HG_UNIX);

	*ret = *text == '@' ? OBJECT_ABSTRACT : OBJECT_AGENT;
	if (*ret == OBJECT_AGENT && len == strlen("agent:"))
		return rule_fail(e, len, "the agent's name is missing; `agent:*` is any other");
	if (*ret == OBJECT_AGENT && r->endpoint_actions == HG_BIT(HG_CONNECT))
		return 0;
	if (r->all || only_unix ||
	    (*ret == OBJECT_ABSTRACT && r->endpoint_actions == HG_BIT(HG_LISTEN)))
		return 0;
	if (*ret == OBJECT_AGENT)
		return rule_fail(e, 0,
				 "`agent:NAME` goes with `connect`, what the agent listens on, and "
				 "`unix`, its unix sockets");
	return rule_fail(e, 0,
			 "`@NAME` is the abstract name of a unix socket; it goes with `unix` "
			 "(reaching it) or `listen` (taking the name)");
}

/* A host's name, as far as that can be told before it is read. */
static int host_kind(const struct rule_line *r, const char *text, size_t len,
		     enum rule_object_kind *ret, struct rule_error *e)
{
	bool resolve = r->endpoint_actions == HG_BIT(HG_RESOLVE);

	*ret = OBJECT_HOST;
	if (r->endpoint_actions & HG_BIT(HG_LISTEN))
		return rule_fail(e, 0,
				 "an agent listens on an address of this machine; write it as in "
				 "127.0.0.1:8000");
	if (resolve && !rule_is_host(text, len) && !(len == 1 && *text == '*'))
		return rule_fail(e, 0, "`resolve` speaks of host names, as in *.packages.example");
	return 0;
}

int rule_object_kind(const struct rule_line *r, const char *text, size_t len,
		     enum rule_object_kind *ret, struct rule_error *e)
{
	const char *slash = memchr(text, '/', len), *colon = memchr(text, ':', len);
	bool path = begins(text, len, "/") || begins(text, len, "**/");

	if (begins(text, len, "@") || begins(text, len, "agent:"))
		return label_kind(r, text, len, ret, e);
	*ret = path ? OBJECT_PATH : OBJECT_ENDPOINT;
	if (r->endpoint_actions == HG_BIT(HG_RESOLVE) ||
	    (!path && !r->path_actions && rule_is_host(text, len) && !(slash && !colon && r->all)))
		return host_kind(r, text, len, ret, e);
	if (r->endpoint_actions && path)
		return rule_fail(e, 0,
				 "a path does not go with connect or listen; write an address as "
				 "in 192.0.2.0/24:443 or [2001:db8::1]:443");
	if (path)
		return 0;
	/* `all src/x`: no address has a letter beyond f, or a slash but before a number or
	 * protocol. */
	if (r->path_actions || begins(text, len, "~") || begins(text, len, ".") ||
	    begins(text, len, "**") || (r->all && slash && !colon && isalpha((unsigned char)*text)))
		return no_path(text, len, e);
	if (r->all || (r->endpoint_actions & HG_BIT(HG_CONNECT)))
		return check_peer(text, len, e);
	return 0;
}
