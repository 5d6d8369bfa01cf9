/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Names that are no paths: every word of a small alphabet, through the automaton and through the
 * slow matcher; both kinds of name; and patterns that are refused.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../policy/glob.h"
#include "tap.h"

static struct tap tap;

static const char *const patterns[] = {
	"",	 "a",	"*",	 "**",	    "?",	"a*",	  "*b",	     "a/**",   "**/b",
	"a**b",	 "/*",	"[ab]", "[!a]",    "[!ab]",	"{a,b}b", "{a,b/}*", "\\x00*", "*\\xff",
	"[\\x00-a]", "\\*", "a\\x2fb", "?/?", "{,a}{,b}", "*a*b*", "a*b", "**a",
};
#define N_PATTERNS (sizeof(patterns) / sizeof(*patterns))
static const char alphabet[] = {'a', 'b', '/', 0, '\xff', '*'};
#define WORD_MAX_LEN 4

static unsigned long n_words, n_wrong, n_allowed;

static void compare(const struct ruleset *rs, const struct image *im, const char *word, size_t len)
{
	uint16_t rules[N_PATTERNS + 1];
	struct hg_out out = {};

	for (unsigned action = HG_CONNECT; action <= HG_LISTEN; action++) {
		size_t n = ruleset_match_label(rs, HG_LABEL_ABSTRACT, word, len, action, rules,
					       N_PATTERNS + 1);
		uint16_t want = n ? rules[n - 1] : HG_RULE_NONE;

		if (image_label(im, HG_LABEL_ABSTRACT, word, len, &out) ||
		    out.rule[action] != want)
			n_wrong++;
		n_allowed += !!(out.allow & HG_BIT(action));
		n_words++;
	}
}

static void each_word(const struct ruleset *rs, const struct image *im)
{
	char word[WORD_MAX_LEN];

	for (size_t len = 0, n = 1; len <= WORD_MAX_LEN; len++, n *= sizeof(alphabet)) {
		for (size_t i = 0; i < n; i++) {
			for (size_t k = 0, rest = i; k < len; k++, rest /= sizeof(alphabet))
				word[k] = alphabet[rest % sizeof(alphabet)];
			compare(rs, im, word, len);
		}
	}
}

/* Each pattern alone, and all in a row: verdicts and actions alternate. */
static void automaton_is_oracle(void)
{
	for (size_t first = 0; first <= N_PATTERNS; first++) {
		size_t last = first == N_PATTERNS ? N_PATTERNS : first + 1;
		struct ruleset *rs = NULL;
		struct image *im = NULL;
		struct ruleset_error e = {};
		uint16_t rule;
		int err = ruleset_new(&rs);

		for (size_t i = first == N_PATTERNS ? 0 : first; i < last && !err; i++) {
			err = ruleset_add(rs, i % 2 ? HG_DENY : HG_ALLOW, 0, &rule);
			if (!err)
				err = ruleset_label(rs, rule, 1 + i % 3, HG_LABEL_ABSTRACT,
						    patterns[i], strlen(patterns[i]), &e);
		}
		if (!err)
			err = ruleset_compile(rs, NULL, &im, &e);
		if (!tap_ok(&tap, !err, "%s compiles", first == N_PATTERNS ? "all" : patterns[first]))
			tap_note("%d: %s", err, e.message);
		else
			each_word(rs, im);
		image_free(im);
		ruleset_free(rs);
	}
	tap_ok(&tap, !n_wrong, "%lu words, %lu of them wrong", n_words, n_wrong);
	tap_ok(&tap, n_allowed > n_words / 50 && n_allowed < n_words, "%lu allowed", n_allowed);
}

/* Longer than a window of the kernel's loop, and of both kinds. */
static void long_and_other(void)
{
	struct ruleset *rs = NULL;
	struct image *im = NULL;
	struct hg_out out = {};
	char name[HG_LABEL_MAX];
	uint16_t rule;

	memset(name, 'n', sizeof(name));
	ruleset_new(&rs);
	ruleset_add(rs, HG_ALLOW, 0, &rule);
	ruleset_label(rs, rule, HG_BIT(HG_CONNECT), HG_LABEL_ABSTRACT, "n*!", 3, NULL);
	ruleset_add(rs, HG_ALLOW, 0, &rule);
	ruleset_label(rs, rule, HG_BIT(HG_CONNECT), HG_LABEL_AGENT, "n*", 2, NULL);
	tap_ok(&tap, !ruleset_compile(rs, NULL, &im, NULL), "names of two kinds compile");
	for (size_t len = 1; len < HG_LABEL_MAX; len++) {
		name[len - 1] = '!';
		if (image_label(im, HG_LABEL_ABSTRACT, name, len, &out) ||
		    out.allow != (len > 1 ? HG_BIT(HG_CONNECT) : 0))
			tap_ok(&tap, false, "a name of %zu bytes", len);
		name[len - 1] = 'n';
		if (image_label(im, HG_LABEL_ABSTRACT, name, len, &out) || out.allow)
			tap_ok(&tap, false, "another of %zu bytes", len);
	}
	tap_ok(&tap, !image_label(im, HG_LABEL_AGENT, "nx", 2, &out) && out.rule[HG_CONNECT] == 1,
	       "an agent's name is no socket's");
	tap_ok(&tap, image_label(im, HG_LABEL_AGENT, name, HG_LABEL_MAX, &out) == -ENAMETOOLONG,
	       "longer than any name");
	image_free(im);
	ruleset_free(rs);
}

static void refused(void)
{
	static const char *const bad[] = {"[a", "{a", "a}", "a\\", "[b-a]", "[^a]", "[a/b]"};
	struct glob *glob = NULL;
	char name[HG_LABEL_MAX];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		tap_ok(&tap, glob_parse_label(&glob, bad[i], strlen(bad[i]), NULL) == -EINVAL, "%s",
		       bad[i]);
	memset(name, 'n', sizeof(name));
	tap_ok(&tap, glob_parse_label(&glob, name, HG_ABSTRACT_MAX + 1, NULL) == -EINVAL, "108 bytes");
	tap_ok(&tap, !glob_parse_label(&glob, name, HG_ABSTRACT_MAX, NULL), "107 bytes are a name");
	glob_free(&glob);
}

int main(void)
{
	automaton_is_oracle();
	long_and_other();
	refused();
	return tap_done(&tap);
}
