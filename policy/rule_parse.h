/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One rule's text: VERDICT ACTION[,ACTION...] OBJECT [OBJECT...] [argv PATTERN] [\[OPTIONS\]]
 *
 * Bytes in, structs out: no I/O, no variables, no list of rules. Return 0, -EINVAL with *e filled,
 * or -ENOMEM.
 */
#ifndef HG_RULE_PARSE_H
#define HG_RULE_PARSE_H

#include "ruleset.h"

/* What is wrong at byte `at` of the text given. An empty message: already reported elsewhere. */
struct rule_error {
	size_t at;
	char message[480];
};

struct rule_object {
	size_t at, len;	 /* in the rule's text, quotes not included */
	enum hg_use use; /* where the rule is one of `use` */
};

struct rule_line {
	enum hg_verdict verdict;
	bool all;		  /* `all`: what the object is decides */
	uint8_t path_actions;	  /* HG_BIT(HG_READ) ... */
	uint8_t endpoint_actions; /* HG_BIT(HG_CONNECT) ... */
	bool use;
	uint8_t options;		  /* HG_OPT_* */
	struct rule_budget budget, names; /* of HG_OPT_BUDGET, HG_OPT_NAMES */
	bool has_argv;
	struct rule_object argv; /* may be empty: no arguments */
	struct rule_object *objects;
	size_t n_objects;
};

int rule_parse(const char *text, size_t len, struct rule_line *ret, struct rule_error *e);
void rule_line_done(struct rule_line *r);

enum rule_object_kind {
	OBJECT_PATH,
	OBJECT_ENDPOINT,
	OBJECT_HOST,	 /* NAME:PORT, or for `resolve` NAME */
	OBJECT_ABSTRACT, /* @NAME: an abstract unix socket's */
	OBJECT_AGENT,	 /* agent:NAME */
};

/* What an object (variables replaced) is, once it is clear that the rule's actions go with it. */
int rule_object_kind(const struct rule_line *r, const char *text, size_t len,
		     enum rule_object_kind *ret, struct rule_error *e);

/* Where the name begins in `@NAME` and `agent:NAME`. */
size_t rule_label_at(enum rule_object_kind kind);

/* ADDRESS[/BITS][:PORTS][/PROTO] */
int rule_parse_endpoint(const char *text, size_t len, struct ruleset_endpoint *ret,
			struct rule_error *e);

/* Whether it is a host's name that stands where an address could. */
bool rule_is_host(const char *text, size_t len);
/* NAME[:PORTS][/PROTO]; !ports: the name alone. */
int rule_parse_host(const char *text, size_t len, bool ports, struct ruleset_host *ret,
		    struct rule_error *e);

/* Writes the message; returns -EINVAL. */
int rule_fail(struct rule_error *e, size_t at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

extern const char *const rule_action_names[HG_N_PATH_ACTIONS];
extern const char *const rule_endpoint_action_names[HG_N_EP_ACTIONS];
extern const char *const rule_verdict_names[3];

/* ---- the words (rule_parse_words.c): -EINVAL with *e at `at` for a word that is none, or that
 * this version does not enforce ---- */
int rule_verdict_word(const char *word, size_t len, size_t at, enum hg_verdict *ret,
		      struct rule_error *e);
int rule_action_word(const char *word, size_t len, size_t at, struct rule_line *r,
		     struct rule_error *e);
/* word: `budget=` or `names=` and what follows, which begins at `at` of the rule. */
int rule_parse_budget(const char *word, size_t len, size_t at, struct rule_budget *ret,
		      struct rule_error *e);
int rule_option_word(const char *word, size_t len, size_t at, uint8_t *ret_option,
		     struct rule_error *e);

/* ---- what can be used (rule_parse_use.c) ---- */
extern const char *const rule_use_names[HG_N_USES]; /* NULL where a number means nothing */
/* A word that the kernel side never asks about is wrong as well. */
int rule_use_word(const char *word, size_t len, size_t at, enum hg_use *ret, struct rule_error *e);

#endif
