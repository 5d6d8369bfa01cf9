/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The words of the language, those of later versions included: a policy written for them is told
 * what this version does not enforce, it is never taken for enforced.
 */
#include <errno.h>
#include <string.h>
#include "diag.h"
#include "rule_parse.h"

const char *const rule_action_names[HG_N_PATH_ACTIONS] = {
	[HG_READ] = "read",	[HG_MODIFY] = "modify", [HG_CREATE] = "create",
	[HG_DELETE] = "delete", [HG_ATTR] = "attr",	[HG_EXEC] = "exec",
	[HG_UNIX] = "unix",
};
const char *const rule_endpoint_action_names[HG_N_EP_ACTIONS] = {
	[HG_CONNECT] = "connect",
	[HG_LISTEN] = "listen",
	[HG_RESOLVE] = "resolve",
};
const char *const rule_verdict_names[3] = {
	[HG_DENY] = "deny",
	[HG_ASK] = "ask",
	[HG_ALLOW] = "allow",
};

#define WRITE (HG_BIT(HG_MODIFY) | HG_BIT(HG_CREATE) | HG_BIT(HG_DELETE) | HG_BIT(HG_ATTR))

enum word_kind { WORD_PATH, WORD_ENDPOINT, WORD_ALL, WORD_USE, WORD_LATER };

static const struct action_word {
	const char *word;
	enum word_kind kind;
	uint8_t bits;
	const char *instead; /* of a later version's word */
} action_words[] = {
	{"read", WORD_PATH, HG_BIT(HG_READ), NULL},
	{"write", WORD_PATH, WRITE, NULL},
	{"modify", WORD_PATH, HG_BIT(HG_MODIFY), NULL},
	{"create", WORD_PATH, HG_BIT(HG_CREATE), NULL},
	{"delete", WORD_PATH, HG_BIT(HG_DELETE), NULL},
	{"attr", WORD_PATH, HG_BIT(HG_ATTR), NULL},
	{"exec", WORD_PATH, HG_BIT(HG_EXEC), NULL},
	{"unix", WORD_PATH, HG_BIT(HG_UNIX), NULL},
	{"connect", WORD_ENDPOINT, HG_BIT(HG_CONNECT), NULL},
	{"listen", WORD_ENDPOINT, HG_BIT(HG_LISTEN), NULL},
	{"resolve", WORD_ENDPOINT, HG_BIT(HG_RESOLVE), NULL},
	{"all", WORD_ALL, 0, NULL},
	{"use", WORD_USE, 0, NULL},
	{"signal", WORD_LATER, 0, "run agents as users of their own"},
	{"ptrace", WORD_LATER, 0, "run agents as users of their own"},
	{"ipc", WORD_LATER, 0, "run agents as users of their own"},
};
#define N_ACTION_WORDS (sizeof(action_words) / sizeof(*action_words))

static const struct option_word {
	const char *word; /* ending in = where a value follows */
	uint8_t option;	  /* 0: a later version's */
	const char *instead;
} option_words[] = {
	{"log", HG_OPT_LOG, NULL},
	{"quiet", HG_OPT_QUIET, NULL},
	{"freeze", 0, "leave it out: the rule then denies and reports, and stops nothing"},
	{"kill", 0, "leave it out: the rule then denies and reports, and ends nothing"},
	{"private", HG_OPT_PRIVATE, NULL},
	{"tls=", HG_OPT_TLS_OFF, NULL},
	{"budget=", HG_OPT_BUDGET, NULL},
	{"names=", HG_OPT_NAMES, NULL},
	{"once", 0, "leave it out: the rule then holds always"},
	{"for=", 0, "leave it out: the rule then holds always"},
};
#define N_OPTION_WORDS (sizeof(option_words) / sizeof(*option_words))

static bool is(const char *word, size_t len, const char *name)
{
	return strlen(name) == len && !memcmp(word, name, len);
}

static int unknown(struct rule_error *e, size_t at, const char *what, const char *word, size_t len,
		   const char *const *words, const char *list)
{
	const char *near = diag_near(word, len, words);

	if (near)
		return rule_fail(e, at, "unknown %s `%.*s`; did you mean `%s`?", what, (int)len,
				 word, near);
	return rule_fail(e, at, "unknown %s `%.*s`; there is %s", what, (int)len, word, list);
}

int rule_verdict_word(const char *word, size_t len, size_t at, enum hg_verdict *ret,
		      struct rule_error *e)
{
	static const char *const names[] = {"allow", "ask", "deny", NULL};

	for (unsigned i = 0; i < 3; i++) {
		if (is(word, len, rule_verdict_names[i])) {
			*ret = i;
			return 0;
		}
	}
	return unknown(e, at, "verdict", word, len, names, "allow, ask and deny");
}

int rule_action_word(const char *word, size_t len, size_t at, struct rule_line *r,
		     struct rule_error *e)
{
	const char *names[N_ACTION_WORDS + 1] = {};
	const struct action_word *w;

	for (size_t i = 0; i < N_ACTION_WORDS; i++) {
		w = &action_words[i];
		names[i] = w->word;
		if (!is(word, len, w->word))
			continue;
		switch (w->kind) {
		case WORD_PATH:
			r->path_actions |= w->bits;
			return 0;
		case WORD_ENDPOINT:
			r->endpoint_actions |= w->bits;
			return 0;
		case WORD_ALL:
			r->all = true;
			return 0;
		case WORD_USE:
			r->use = true;
			return 0;
		case WORD_LATER:
			return rule_fail(e, at,
					 "this version does not enforce `%s` rules yet; leave "
					 "the rule out and %s",
					 w->word, w->instead);
		}
	}
	return unknown(
		e, at, "action", word, len, names,
		"read, write (modify, create, delete, attr), exec, unix, connect, listen, resolve, all, use");
}

int rule_option_word(const char *word, size_t len, size_t at, uint8_t *ret_option,
		     struct rule_error *e)
{
	const char *names[N_OPTION_WORDS + 1] = {}, *equals = memchr(word, '=', len);
	size_t n = equals ? (size_t)(equals - word) + 1 : len;

	for (size_t i = 0; i < N_OPTION_WORDS; i++) {
		names[i] = option_words[i].word;
		if (!is(word, n, option_words[i].word))
			continue;
		*ret_option = option_words[i].option;
		if (*ret_option == HG_OPT_TLS_OFF && !is(word, len, "tls=off"))
			return rule_fail(e, at, "there is only [tls=off]: without it the name is "
						"asked for");
		if (*ret_option)
			return 0;
		return rule_fail(e, at, "this version does not enforce `[%.*s]` yet; %s", (int)len,
				 word, option_words[i].instead);
	}
	return unknown(e, at, "option", word, len, names, "[log], [quiet], [private], [tls=off], [budget=N/PERIOD] and "
		       "[names=N/PERIOD]");
}
