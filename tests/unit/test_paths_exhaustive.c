/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every pattern of a few letters and stars, alone and in ordered pairs and triples, against every
 * path of a few letters: the image, the slow matcher and the oracle below must say the same.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/ruleset.h"
#include "tap.h"

#define MAX_PATTERNS 20000
#define MAX_PATHS    2000

struct text {
	char s[24];
};

static struct text patterns[MAX_PATTERNS], paths[MAX_PATHS];
static size_t n_patterns, n_paths;

/*
 * The oracle: patterns as the language's document says them, over whole strings, by recursion.
 * `p` starts at a component (before it a '/' has been read on both sides) or within one.
 */
static bool within(const char *p, const char *s);

static bool at_component(const char *p, const char *s)
{
	size_t n;

	if (p[0] == '*' && p[1] == '*' && (p[2] == '/' || !p[2])) {
		if (!p[2])
			return true;
		if (at_component(p + 3, s))
			return true;
		n = strcspn(s, "/");
		return s[n] == '/' && at_component(p, s + n + 1);
	}
	return *s && *s != '/' && within(p, s);
}

static bool within(const char *p, const char *s)
{
	size_t i;

	if (!*p)
		return !*s;
	if (p[0] == '/') {
		/* "x" followed by a double star that ends the pattern is x itself too */
		if (!strcmp(p, "/**") && !*s)
			return true;
		return *s == '/' && at_component(p + 1, s + 1);
	}
	if (p[0] == '*') {
		bool cross = p[1] == '*';
		const char *rest = p + 1 + cross;

		for (i = 0;; i++) {
			if (within(rest, s + i))
				return true;
			if (!s[i] || (s[i] == '/' && !cross))
				return false;
		}
	}
	if (!*s || *s == '/')
		return false;
	return (p[0] == '?' || p[0] == *s) && within(p + 1, s + 1);
}

static bool oracle(const char *pattern, const char *path)
{
	const char *p = pattern[0] == '/' ? pattern + 1 : pattern;

	if (!path[1]) {
		/* "/" has no component: it is itself, and part of "everything". */
		while (!strncmp(p, "**/", 3))
			p += 3;
		return !strcmp(p, "**") || (!*p && p == pattern + 1);
	}
	return at_component(p, path + 1);
}

/* Longer and longer strings over the tokens, those that the language takes. */
static void make_patterns(const char *const tokens[], int n_tokens, int depth, const char *prefix)
{
	struct ruleset_error error;
	struct ruleset *rs;
	uint16_t rule;
	int i;

	if (*prefix) {
		ruleset_new(&rs);
		ruleset_add(rs, HG_ALLOW, 0, &rule);
		/* Three stars in a row are spelled otherwise here; one spelling is enough. */
		if (!strstr(prefix, "***") && n_patterns < MAX_PATTERNS &&
		    ruleset_path(rs, rule, 1, prefix, strlen(prefix), &error) == 0)
			strcpy(patterns[n_patterns++].s, prefix);
		ruleset_free(rs);
	}
	for (i = 0; depth && i < n_tokens; i++) {
		char next[24];

		snprintf(next, sizeof(next), "%.20s%s", prefix, tokens[i]);
		make_patterns(tokens, n_tokens, depth - 1, next);
	}
}

static void make_paths(int depth, const char *prefix)
{
	static const char *const tokens[] = {"a", "b", "/"};
	size_t len = strlen(prefix);
	int i;

	if (len == 1 || (len && prefix[len - 1] != '/'))
		strcpy(paths[n_paths++].s, prefix);
	for (i = 0; depth && i < 3; i++) {
		char next[24];

		if (!len && i != 2)
			continue;
		if (i == 2 && len && prefix[len - 1] == '/')
			continue;
		snprintf(next, sizeof(next), "%.20s%s", prefix, tokens[i]);
		make_paths(depth - 1, next);
	}
}

/* Rule i of the list: its verdict, and its actions: rule 1 speaks of fewer. */
static const enum hg_verdict verdicts[3] = {HG_ALLOW, HG_DENY, HG_ASK};
static const uint8_t actions[3] = {0x3f, 0x03, 0x3e};

/* Compares one list of patterns over all paths; returns the failures and notes the first. */
static unsigned compare(const char *const list[], int n, bool slow, unsigned *noted)
{
	struct ruleset_error error = {0};
	struct ruleset *rs;
	struct image *im = NULL;
	struct hg_out out;
	unsigned failed = 0, a;
	uint16_t rule, hits[3];
	size_t i;
	int k, r;

	ruleset_new(&rs);
	for (k = 0; k < n; k++) {
		ruleset_add(rs, verdicts[k], 0, &rule);
		ruleset_path(rs, rule, actions[k], list[k], strlen(list[k]), &error);
	}
	r = ruleset_compile(rs, NULL, &im, &error);
	if (r < 0) {
		if (!(*noted)++)
			tap_note("%s %s: %d %s", list[0], list[n - 1], r, error.message);
		ruleset_free(rs);
		return 1;
	}
	for (i = 0; i < n_paths; i++) {
		const char *path = paths[i].s;

		r = image_path(im, path, strlen(path), &out);
		for (a = 0; a < HG_N_PATH_ACTIONS; a++) {
			uint16_t want = HG_RULE_NONE;
			bool bad = r < 0;

			for (k = 0; k < n; k++)
				if ((actions[k] & HG_BIT(a)) && oracle(list[k], path))
					want = (uint16_t)k;
			bad |= out.rule[a] != want;
			if (slow) {
				size_t hit = ruleset_match_path(rs, path, strlen(path), a, hits, 3);

				bad |= (hit ? hits[hit - 1] : HG_RULE_NONE) != want;
			}
			failed += bad;
			if (bad && !(*noted)++)
				tap_note("patterns %s .. %s path %s action %u: %u, want %u",
					 list[0], list[n - 1], path, a, out.rule[a], want);
			if (n == 1 && !slow)
				break;
		}
	}
	image_free(im);
	ruleset_free(rs);
	return failed;
}

static void singles(struct tap *t)
{
	unsigned failed = 0, noted = 0;
	size_t i;

	for (i = 0; i < n_patterns; i++) {
		const char *list[1] = {patterns[i].s};

		failed += compare(list, 1, i % 16 == 0, &noted);
	}
	tap_ok(t, !failed && n_patterns > 500, "%zu patterns alone, %zu paths", n_patterns,
	       n_paths);
}

static void pairs(struct tap *t)
{
	unsigned failed = 0, noted = 0;
	size_t i, k;

	for (i = 0; i < n_patterns; i++)
		for (k = 0; k < n_patterns; k++) {
			const char *list[2] = {patterns[i].s, patterns[k].s};

			failed += compare(list, 2, (i + k) % 64 == 0, &noted);
		}
	tap_ok(t, !failed && n_patterns > 20, "%zu patterns in ordered pairs, %zu paths",
	       n_patterns, n_paths);
}

static void triples(struct tap *t)
{
	unsigned failed = 0, noted = 0;
	size_t i, k, m;

	for (i = 0; i < n_patterns; i++)
		for (k = 0; k < n_patterns; k++)
			for (m = 0; m < n_patterns; m++) {
				const char *list[3] = {patterns[i].s, patterns[k].s, patterns[m].s};

				failed += compare(list, 3, false, &noted);
			}
	tap_ok(t, !failed && n_patterns > 5, "%zu patterns in ordered triples, %zu paths",
	       n_patterns, n_paths);
}

int main(void)
{
	static const char *const all[] = {"a", "b", "/", "*", "?", "**"};
	static const char *const few[] = {"a", "/", "**", "*"};
	struct tap t = {0};

	make_paths(6, "");
	make_patterns(all, 6, 5, "");
	singles(&t);
	n_patterns = n_paths = 0;
	make_paths(5, "");
	make_patterns(few, 4, 5, "");
	pairs(&t);
	n_patterns = n_paths = 0;
	make_paths(5, "");
	make_patterns(few, 4, 3, "");
	triples(&t);
	return tap_done(&t);
}
