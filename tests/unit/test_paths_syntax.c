/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What patterns mean, by example; and where and how a wrong one is refused. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/ruleset.h"
#include "tap.h"

static const struct {
	const char *pattern, *path;
	bool matches;
} meanings[] = {
	{"/", "/", true},
	{"/", "/a", false},
	{"/**", "/", true},
	{"/**", "/a", true},
	{"/**", "/a/b/c", true},
	{"/*", "/", false},
	{"/*", "/a", true},
	{"/*", "/a/b", false},
	{"/x/**", "/x", true},
	{"/x/**", "/x/y/z", true},
	{"/x/**", "/xy", false},
	{"/x/**", "/", false},
	{"/x/*", "/x", false},
	{"/x/*", "/x/.y", true},
	{"**/foo", "/foo", true},
	{"**/foo", "/a/b/foo", true},
	{"**/foo", "/afoo", false},
	{"**/foo", "/foo/a", false},
	{"**/**", "/", true},
	{"**/*", "/", false},
	{"/a/**/b", "/a/b", true},
	{"/a/**/b", "/a/x/y/b", true},
	{"/a/**/b", "/ab", false},
	{"/a/**/**/b", "/a/b", true},
	{"/a**b", "/ab", true},
	{"/a**b", "/axb", true},
	{"/a**b", "/a/b", true},
	{"/a**b", "/ax/y/zb", true},
	{"/a**b", "/a/b/c", false},
	{"/a**b", "/xa/b", false},
	{"/a**", "/a", true},
	{"/a**", "/abc/d", true},
	{"/a**", "/b/a", false},
	{"/x/**b", "/x/b", true},
	{"/x/**b", "/x/y/ab", true},
	{"/x/**b", "/xb", false},
	{"/a**/b", "/a/b", true},
	{"/a**/b", "/ax/b", true},
	{"/a**/b", "/ax/y/b", true},
	{"/a**/b", "/axb", false},
	{"/a**b**c", "/abc", true},
	{"/a**b**c", "/a/b/c", true},
	{"/a**b**c", "/ax/xbx/xc", true},
	{"/a**b**c", "/a/c", false},
	{"/a***b", "/a/b", true},
	{"/?", "/a", true},
	{"/?", "/ab", false},
	{"/a?c", "/a/c", false},
	{"/?*", "/a", true},
	{"/?*", "/", false},
	{"/**/?", "/a/b", true},
	{"/[a-c]", "/b", true},
	{"/[a-c]", "/d", false},
	{"/[!a-c]", "/d", true},
	{"/[!a-c]", "/b", false},
	{"/x[!a]y", "/x/y", false},
	{"/[]a]", "/]", true},
	{"/[!]a]", "/]", false},
	{"/[a-]", "/-", true},
	{"/[+-9]", "/-", true},
	{"/x[+-9]", "/x.", true},
	{"/x[+-9]y", "/x/y", false},
	{"/[\\]]", "/]", true},
	{"/[{,}]", "/,", true},
	{"/{a,b}", "/a", true},
	{"/{a,b}", "/b", true},
	{"/{a,b}", "/c", false},
	{"/{a,b/c}/d", "/b/c/d", true},
	{"/{a,b/c}/d", "/a/d", true},
	{"/{a,b/c}/d", "/b/d", false},
	{"/x{,y}", "/x", true},
	{"/x{,y}", "/xy", true},
	{"/{a,{b,c}d}", "/cd", true},
	{"/{a,{b,c}d}", "/b", false},
	{"/{a}", "/a", true},
	{"/usr{,/local}/bin", "/usr/bin", true},
	{"/usr{,/local}/bin", "/usr/local/bin", true},
	{"{/a,**/b}/c", "/x/b/c", true},
	{"{/a,**/b}/c", "/a/c", true},
	{"/{*,x}*", "/a/b", false},
	{"/{*,x}*", "/ab", true},
	{"/a,b", "/a,b", true},
	{"/{a\\,b,c}", "/a,b", true},
	{"/\\*", "/*", true},
	{"/\\*", "/a", false},
	{"/\\[a", "/[a", true},
	{"/\\{a\\}", "/{a}", true},
	{"/a\\\\b", "/a\\b", true},
	{"/\\a", "/a", true},
	{"/a b", "/a b", true},
	{"/\n*", "/\nx", true},
	{"/\xff?", "/\xff\x80", true},
	{"/*\xff", "/a\xff", true},
	{"/[\x80-\xff]", "/\xc3", true},
	{"/[\x80-\xff]", "/a", false},
	{"/[!\x80-\xff]", "/\xc3", false},
	{"/...", "/...", true},
	{"/.*", "/.x", true},
	{"/..a", "/..a", true},
	{"/[.]x", "/.x", true},
};

/* A test's name is one line of text, whatever the pattern has. */
static const char *shown(const char *s, char buf[64])
{
	size_t i;

	for (i = 0; s[i] && i < 63; i++)
		buf[i] = s[i] < ' ' || s[i] > '~' ? '.' : s[i];
	buf[i] = 0;
	return buf;
}

static void test_meanings(struct tap *t)
{
	struct ruleset_error error = {0};
	size_t i;

	for (i = 0; i < sizeof(meanings) / sizeof(*meanings); i++) {
		const char *pattern = meanings[i].pattern, *path = meanings[i].path;
		struct image *im = NULL;
		struct hg_out out = {0};
		char buf_a[64], buf_b[64];
		struct ruleset *rs;
		uint16_t rule, hit;
		size_t n;
		int r;

		ruleset_new(&rs);
		ruleset_add(rs, HG_ALLOW, 0, &rule);
		r = ruleset_path(rs, rule, HG_BIT(HG_READ), pattern, strlen(pattern), &error);
		if (r == 0)
			r = ruleset_compile(rs, NULL, &im, &error);
		if (r == 0)
			r = image_path(im, path, strlen(path), &out);
		n = ruleset_match_path(rs, path, strlen(path), HG_READ, &hit, 1);
		tap_ok(t, r == 0 && out.allow == meanings[i].matches && n == meanings[i].matches,
		       "%s %s %s", shown(pattern, buf_a),
		       meanings[i].matches ? "matches" : "does not match", shown(path, buf_b));
		if (r < 0)
			tap_note("%d %s", r, error.message);
		image_free(im);
		ruleset_free(rs);
	}
}

static const struct {
	const char *pattern;
	size_t offset;
	const char *says;
} mistakes[] = {
	{"", 0, "1 to"},
	{"a", 0, "starts with"},
	{"*", 0, "starts with"},
	{"**", 0, "starts with"},
	{"**x/a", 0, "starts with"},
	{"{/a,b}", 4, "starts with"},
	{"a/**/b", 0, "starts with"},
	{"//", 0, "empty"},
	{"/a//b", 2, "empty"},
	{"/a/", 2, "empty"},
	{"/a/{,b}/c", 2, "empty"},
	{"/.", 1, "\".\""},
	{"/a/../b", 3, "\"..\""},
	{"/a/{x,..}", 6, "\"..\""},
	{"/\\.", 1, "\".\""},
	{"/[a", 1, "'['"},
	{"/[", 1, "'['"},
	{"/[]", 1, "'['"},
	{"/[a\\", 1, "'['"},
	{"/[^a]", 2, "[!...]"},
	{"/[z-a]", 2, "backwards"},
	{"/[a/b]", 3, "'/'"},
	{"/[/]", 2, "'/'"},
	{"/{a,b", 1, "'{'"},
	{"/{{a}", 1, "'{'"},
	{"/a}", 2, "'}'"},
	{"/a\\", 2, "quotes nothing"},
};

static void test_mistakes(struct tap *t)
{
	struct ruleset *rs;
	uint16_t rule;
	size_t i;

	ruleset_new(&rs);
	ruleset_add(rs, HG_ALLOW, 0, &rule);
	for (i = 0; i < sizeof(mistakes) / sizeof(*mistakes); i++) {
		struct ruleset_error error = {0};
		const char *p = mistakes[i].pattern;
		int r = ruleset_path(rs, rule, 1, p, strlen(p), &error);

		tap_ok(t,
		       r == -EINVAL && error.offset == mistakes[i].offset &&
			       strstr(error.message, mistakes[i].says),
		       "\"%s\" is refused at %zu", p, mistakes[i].offset);
		if (r != -EINVAL || error.offset != mistakes[i].offset)
			tap_note("%d at %zu: %s", r, error.offset, error.message);
	}
	tap_ok(t, ruleset_path(rs, rule, 1, "/a\0b", 4, NULL) == -EINVAL, "NUL is refused");
	tap_ok(t, ruleset_path(rs, rule, 0, "/a", 2, NULL) == -EINVAL, "no action is refused");
	tap_ok(t, ruleset_path(rs, rule, 0x80, "/a", 2, NULL) == -EINVAL,
	       "an unknown action is refused");
	tap_ok(t, ruleset_path(rs, 1, 1, "/a", 2, NULL) == -EINVAL, "an unknown rule is refused");
	ruleset_free(rs);
}

/* Patterns that would be dear to expand are refused, and soon. */
static void test_bounds(struct tap *t)
{
	struct ruleset_error error = {0};
	char text[5000], name[400];
	struct ruleset *rs;
	uint16_t rule;
	size_t i;
	int r;

	ruleset_new(&rs);
	ruleset_add(rs, HG_ALLOW, 0, &rule);
	r = ruleset_path(rs, rule, 1, "/{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}", 51,
			 &error);
	tap_ok(t, r == 0, "1024 alternatives are taken");
	r = ruleset_path(rs, rule, 1, "/{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}",
			 56, &error);
	tap_ok(t, r == -E2BIG && strstr(error.message, "1024"), "2048 are not");
	for (i = 0; i + 4 <= 4096; i += 4)
		memcpy(text + i, "{/a}", 4);
	tap_ok(t, ruleset_path(rs, rule, 1, text, i, &error) == 0, "1024 single braces are taken");
	memset(text, '{', 4000);
	tap_ok(t, ruleset_path(rs, rule, 1, text, 4000, &error) == -EINVAL,
	       "4000 open braces are refused");
	memcpy(text + 1000, "/a", 2);
	memset(text + 1002, '}', 1000);
	r = ruleset_path(rs, rule, 1, text, 2002, &error);
	tap_ok(t, r == 0, "braces 1000 deep are taken");
	memset(text, 'a', sizeof(text));
	text[0] = '/';
	tap_ok(t, ruleset_path(rs, rule, 1, text, 4097, &error) == -EINVAL, "too long is refused");
	memset(name, 'b', sizeof(name));
	name[0] = '/';
	tap_ok(t, ruleset_path(rs, rule, 1, name, 256, &error) == 0,
	       "a name of 255 bytes is taken");
	r = ruleset_path(rs, rule, 1, name, 257, &error);
	tap_ok(t, r == -EINVAL && strstr(error.message, "255"), "a name of 256 bytes is refused");
	ruleset_free(rs);
}

/* "a**a**a..." can be read in very many ways. */
static void test_forks(struct tap *t)
{
	struct ruleset_error error = {0};
	struct image *im = NULL;
	struct ruleset *rs;
	char text[200] = "/x";
	uint16_t rule;
	int i, r;

	for (i = 0; i < 30; i++)
		strcat(text, "**a");
	ruleset_new(&rs);
	ruleset_add(rs, HG_ALLOW, 0, &rule);
	ruleset_add(rs, HG_ALLOW, 0, &rule);
	r = ruleset_path(rs, rule, 1, text, strlen(text), &error);
	if (r == 0)
		r = ruleset_compile(rs, NULL, &im, &error);
	tap_ok(t, r == -E2BIG && error.n_blamed == 1 && error.blamed[0] == 1,
	       "thirty double stars inside a name: refused, with the rule");
	image_free(im);
	ruleset_free(rs);
}

int main(void)
{
	struct tap t = {0};

	test_meanings(&t);
	test_mistakes(&t);
	test_bounds(&t);
	test_forks(&t);
	return tap_done(&t);
}
