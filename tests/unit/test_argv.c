// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Argument rules: patterns by hand, then whole rule sets against an oracle that reads the rules. */
#include <stdlib.h>
#include <string.h>

#include "policy/argvs.h"
#include "policy/glob.h"
#include "policy/image.h"
#include "policy/ruleset.h"
#include "tests/unit/tap.h"

static struct tap tap;
#define ok(...) tap_ok(&tap, __VA_ARGS__)

/* ---- one pattern ---- */

/* Arguments are written with '|' behind each. */
static size_t line_of(const char *text, char *line)
{
	size_t n = strlen(text), i;

	for (i = 0; i < n; i++)
		line[i] = text[i] == '|' ? 0 : text[i];
	return n;
}

static int matches(const char *pattern, const char *args)
{
	struct argv_pattern p;
	char line[512];
	size_t n = line_of(args, line);
	int r;

	if (argv_pattern_parse(pattern, strlen(pattern), &p, NULL) < 0)
		return -1;
	r = argv_pattern_match(&p, line, n);
	argv_pattern_done(&p);
	return r;
}

static void test_patterns(void)
{
	static const struct {
		const char *pattern, *args;
		int want;
	} cases[] = {
		{"", "", 1},
		{"", "|", 0},
		{"push", "push|", 1},
		{"push", "push|x|", 0},
		{"push", "pushx|", 0},
		{"push **", "push|", 1},
		{"push **", "push|a||b|", 1},
		{"** push **", "push|", 1},
		{"** push **", "-C|x|push|", 1},
		{"** push **", "-C|x|push|origin|", 1},
		{"** push **", "commit|-m|no-push|", 0},
		{"** push **", "pu|sh|", 0},
		{"**", "", 1},
		{"**", "a|b|", 1},
		{"** **", "", 1},
		{"** x", "x|", 1},
		{"** x", "x|y|", 0},
		{"-*", "-C|", 1},
		{"-*", "-|", 1},
		{"-*", "C|", 0},
		{"*", "|", 1},
		{"*", "", 0},
		{"*", "a/b c|", 1},
		{"*", "a|b|", 0},
		{"?", "a|", 1},
		{"?", "|", 0},
		{"{push,fetch} **", "fetch|", 1},
		{"{push,fetch} **", "clone|", 0},
		{"{a,{b,c}d}e", "cde|", 1},
		{"{a,{b,c}d}e", "ce|", 0},
		{"{}", "|", 1},
		{"{x*,*y}", "zy|", 1},
		{"{a*,b}b", "aab|", 1},
		{"{a*,b}b", "bb|", 1},
		{"{a*,b}b", "bab|", 0},
		{"[a-c]*", "bz|", 1},
		{"[!a-c]*", "bz|", 0},
		{"[!a]", "/|", 1},
		{"[]]", "]|", 1},
		{"a\\ b", "a b|", 1},
		{"\\*", "*|", 1},
		{"\\*", "x|", 0},
		{"\\\"x\\\"", "\"x\"|", 1},
		{"a{", "a{|", -1},
		{"a**", "a|", -1},
		{"[a", "a|", -1},
		{"a\\", "a|", -1},
		{"{a b}", "a|", -1},
		{"[b-a]", "a|", -1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		ok(matches(cases[i].pattern, cases[i].args) == cases[i].want, "argv \"%s\" on %s",
		   cases[i].pattern, cases[i].args);
}

static void test_names(void)
{
	static const struct {
		const char *path, *argv0;
		bool want;
	} cases[] = {
		{"/usr/bin/git", "git", true},
		{"/usr/bin/git", "/usr/bin/git", true},
		{"/usr/bin/git", "../x/git", true},
		{"/usr/bin/git", "-git", true},
		{"/usr/bin/git", "/x/-git", true},
		{"/usr/bin/git", "--git", false},
		{"/usr/bin/git", "git-push", false},
		{"/usr/bin/git", "git/", false},
		{"/usr/bin/git", "", false},
		{"/usr/bin/python3*", "python3.11", true},
		{"/usr/bin/python3*", "x/python", false},
		{"/usr/bin/**", "anything", true},
		{"/usr/**/git", "git", true},
		{"/usr/**/git", "agit", false},
		{"/usr/a**t", "xt", true},
		{"/bin/{ba,da}sh", "dash", true},
		{"/bin/{ba,da}sh", "sh", false},
	};
	struct glob *g;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		bool found = false;

		if (glob_parse(&g, cases[i].path, strlen(cases[i].path), NULL) < 0) {
			ok(false, "%s", cases[i].path);
			continue;
		}
		for (size_t k = 0; k < g->n_alternatives; k++) {
			struct argv_name name = argv_name_of(g, k);

			found |= argv_name_match(&name, cases[i].argv0, strlen(cases[i].argv0));
		}
		glob_free(&g);
		ok(found == cases[i].want, "%s names %s", cases[i].argv0, cases[i].path);
	}
}

/* ---- rule sets ---- */

struct rule {
	enum hg_verdict verdict;
	const char *path, *argv; /* argv NULL: plain */
};

static int compile(const struct rule *rules, size_t n, struct ruleset **ret, struct image **ret_im)
{
	struct ruleset_error e = {0};
	struct ruleset *rs;
	uint16_t id;
	int r = ruleset_new(&rs);

	for (size_t i = 0; i < n && r == 0; i++) {
		r = ruleset_add(rs, rules[i].verdict, 0, &id);
		if (r == 0 && rules[i].argv)
			r = ruleset_argv(rs, id, rules[i].argv, strlen(rules[i].argv), &e);
		if (r == 0)
			r = ruleset_path(rs, id, HG_BIT(HG_EXEC), rules[i].path,
					 strlen(rules[i].path), &e);
	}
	if (r == 0)
		r = ruleset_compile(rs, NULL, ret_im, &e);
	if (r < 0) {
		tap_note("%d: %s", r, e.message);
		ruleset_free(rs);
		return r;
	}
	*ret = rs;
	return 0;
}

/* What decides by the image: the rule as 1 + index, 0 for none; -1: broken. */
static int by_image(const struct image *im, const char *path, const char *line, size_t len)
{
	struct hg_out out, row;

	if (image_path(im, path, strlen(path), &out) < 0)
		return -1;
	if (!out.argv)
		return out.rule[HG_EXEC] == HG_RULE_NONE ? 0 : out.rule[HG_EXEC] + 1;
	if (image_argv(im, &out, line, len, &row) < 0)
		return -1;
	return row.rule[HG_EXEC] == HG_RULE_NONE ? 0 : row.rule[HG_EXEC] + 1;
}

static bool path_matches(const char *pattern, const char *path, const char *argv0, bool *ret_named)
{
	struct glob *g;
	bool found;

	*ret_named = false;
	if (glob_parse(&g, pattern, strlen(pattern), NULL) < 0)
		return false;
	found = glob_match(g, path, strlen(path)) == 1;
	for (size_t k = 0; k < g->n_alternatives; k++) {
		struct argv_name name = argv_name_of(g, k);

		*ret_named |= argv_name_match(&name, argv0, strlen(argv0));
	}
	glob_free(&g);
	return found;
}

static int by_rules(const struct rule *rules, size_t n, const char *path, const char *line,
		    size_t len)
{
	size_t skip = strlen(line) + 1, plain = 0, i;
	int last = 0, refuses = 0;
	bool named = false, asked = false, name;

	for (i = 0; i < n; i++)
		if ((!rules[i].argv || !strcmp(rules[i].argv, "**")) &&
		    path_matches(rules[i].path, path, line, &name))
			plain = i + 1;
	last = (int)plain;
	if (plain && rules[plain - 1].verdict != HG_ALLOW)
		refuses = last;
	for (i = plain; i < n; i++) {
		struct argv_pattern p;

		if (!path_matches(rules[i].path, path, line, &name))
			continue;
		asked = true;
		named |= name;
		if (rules[i].verdict != HG_ALLOW)
			refuses = (int)i + 1;
		argv_pattern_parse(rules[i].argv, strlen(rules[i].argv), &p, NULL);
		if (argv_pattern_match(&p, line + skip, len - skip) == 1)
			last = (int)i + 1;
		argv_pattern_done(&p);
	}
	if (asked && !named)
		return refuses ? refuses : (int)plain;
	return last;
}

static void test_git(void)
{
	static const struct rule rules[] = {
		{HG_ALLOW, "/usr/**", NULL},
		{HG_DENY, "/usr/bin/git", "** push **"},
		{HG_ALLOW, "/usr/bin/git", "stash push **"},
	};
	static const struct {
		const char *path, *line;
		int want;
	} cases[] = {
		{"/usr/bin/git", "git|status|", 1},
		{"/usr/bin/git", "git|push|", 2},
		{"/usr/bin/git", "/usr/bin/git|-C|/x|push|origin|", 2},
		{"/usr/bin/git", "git|stash|push|", 3},
		{"/usr/bin/git", "git|", 1},
		{"/usr/bin/git", "git-push|origin|", 2},
		{"/usr/bin/git", "|status|", 2},
		{"/usr/bin/gitk", "git|push|", 1},
		{"/opt/git", "git|push|", 0},
	};
	struct ruleset *rs;
	struct image *im;
	char line[256];
	size_t n;

	if (compile(rules, 3, &rs, &im) < 0) {
		ok(false, "a policy with arguments compiles");
		return;
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		n = line_of(cases[i].line, line);
		ok(by_image(im, cases[i].path, line, n) == cases[i].want, "%s of %s",
		   cases[i].line, cases[i].path);
		ok(by_rules(rules, 3, cases[i].path, line, n) == cases[i].want, "and the oracle");
	}
	image_free(im);
	ruleset_free(rs);
}

/* Moving a program to where other arguments are asked changes its rights. */
static void test_below(void)
{
	static const struct rule rules[] = {
		{HG_DENY, "/**", NULL},
		{HG_ALLOW, "/some/tool", "x"},
		{HG_ALLOW, "/all/**", NULL},
	};
	struct ruleset *rs;
	struct image *im;
	struct hg_out out;

	if (compile(rules, 3, &rs, &im) < 0) {
		ok(false, "it compiles");
		return;
	}
	ok(image_path(im, "/some/tool", 10, &out) == 0 && out.argv && !(out.allow & HG_BIT(HG_EXEC)),
	   "what depends on arguments is not allowed without");
	ok(image_path(im, "/all/tool", 9, &out) == 0 && !out.argv && out.allow & HG_BIT(HG_EXEC),
	   "what does not depend on them is");
	image_free(im);
	ruleset_free(rs);
}

static unsigned pick(unsigned n)
{
	return (unsigned)rand() % n;
}

static void test_random(void)
{
	static const char *const paths[] = {"/b/a", "/b/*", "/**", "/b/**", "**/a", "/c/a", "/b/{a,c}"};
	static const char *const argvs[] = {"",	      "a",	"** a **", "b **", "a* **", "** b",
					    "** a* b **", "{a,b} **", "**", "? ?", "** a b **",
					    "*a*", "[ab]b **"};
	static const char *const at[] = {"/b/a", "/c/a", "/b/c", "/c/c", "/d/b/a"};
	static const char *const names[] = {"a", "b/a", "c", "-a", "", "b"};
	static const char *const words[] = {"a", "b", "ab", "", "ba"};
	unsigned bad = 0, asked = 0;

	srand(7);
	for (unsigned round = 0; round < 400; round++) {
		struct rule rules[9];
		size_t n = 1 + pick(8);
		struct ruleset *rs;
		struct image *im;

		for (size_t i = 0; i < n; i++)
			rules[i] = (struct rule){(enum hg_verdict)pick(3),
						 paths[pick(sizeof(paths) / sizeof(*paths))],
						 pick(3) ? argvs[pick(sizeof(argvs) / sizeof(*argvs))]
							 : NULL};
		if (compile(rules, n, &rs, &im) < 0) {
			for (size_t i = 0; i < n; i++)
				tap_note("%zu: %d %s argv %s", i + 1, rules[i].verdict, rules[i].path,
					 rules[i].argv ? rules[i].argv : "-");
			bad++;
			continue;
		}
		for (unsigned k = 0; k < 200; k++) {
			const char *path = at[pick(5)];
			char line[128];
			size_t len = 0;
			int a, b;

			strcpy(line, names[pick(pick(4) ? 4 : 6)]);
			len = strlen(line) + 1;
			for (unsigned w = pick(5); w; w--) {
				strcpy(line + len, words[pick(5)]);
				len += strlen(line + len) + 1;
			}
			a = by_image(im, path, line, len);
			b = by_rules(rules, n, path, line, len);
			asked++;
			if (a == b)
				continue;
			if (bad++ < 3) {
				for (size_t i = 0; i < n; i++)
					tap_note("%zu: %d %s argv %s", i + 1, rules[i].verdict,
					     rules[i].path, rules[i].argv ? rules[i].argv : "-");
				tap_note("%s, %s: image %d, rules %d", path, line, a, b);
			}
		}
		image_free(im);
		ruleset_free(rs);
	}
	ok(bad == 0, "%u command lines of random rule sets, %u differ", asked, bad);
}

/* Many rules for one program do not multiply. */
static void test_size(void)
{
	struct rule rules[61] = {{HG_ALLOW, "/**", NULL}};
	char text[61][32], line[64];
	struct ruleset *rs;
	struct image *im;
	uint32_t n_chunks;

	for (int i = 1; i <= 60; i++) {
		snprintf(text[i], sizeof(text[i]), "** verb%d **", i);
		rules[i] = (struct rule){i % 2 ? HG_DENY : HG_ALLOW, "/bin/tool", text[i]};
	}
	if (compile(rules, 61, &rs, &im) < 0) {
		ok(false, "sixty rules for one program compile");
		return;
	}
	image_chunks(im, &n_chunks);
	ok(n_chunks == 1, "sixty rules for one program fit a chunk (%u)", n_chunks);
	ok(by_image(im, "/bin/tool", line, line_of("tool|verb7|verb4|", line)) == 8, "the last rule");
	image_free(im);
	ruleset_free(rs);
}

int main(void)
{
	test_patterns();
	test_names();
	test_git();
	test_below();
	test_random();
	test_size();
	return tap_done(&tap);
}
