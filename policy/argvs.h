/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Argument rules as one Moore machine over a command line: each argument, the program's name
 * included, followed by a NUL. Outputs are verdict rows.
 *
 * A program is in the machine by its set: the last plain rule on running it, and the argument rules
 * behind that one. Sets have starts of their own; the path machine says which (hg_out.argv).
 *
 * Many programs do what the name says that they are called by (git-push is a link to git), so the
 * arguments decide only where the name is one that a rule of the set has, as written or by its
 * real path. For every other name what holds whatever the arguments are decides.
 */
#ifndef HG_ARGVS_H
#define HG_ARGVS_H

#include "fa.h"
#include "fa_intern.h"
#include "glob.h"
#include "pack_rows.h"
#include "paths.h"

/* hg_out.argv is a byte, 0 for "no arguments asked". */
#define ARGVS_SETS_MAX 255

/* ---- one pattern (argv_pattern.c) ---- */
enum argv_kind {
	ARGV_BYTE,
	ARGV_ONE,  /* any byte of an argument */
	ARGV_STAR, /* any bytes of an argument */
	ARGV_SET,
	ARGV_END,  /* of an argument */
	ARGV_ANY,  /* any arguments */
	ARGV_OPEN, /* braces: alternatives within an argument */
	ARGV_COMMA,
	ARGV_CLOSE,
};
struct argv_token {
	uint8_t kind, byte;
	uint16_t set;
};
struct argv_pattern {
	struct argv_token *tokens;
	size_t n, cap;
	struct glob_set *sets; /* never hold NUL */
	size_t n_sets, cap_sets;
};
/* Bytes of one pattern, and braces in braces. */
#define ARGV_LENGTH_MAX 4096
#define ARGV_DEPTH_MAX	16
int argv_pattern_parse(const char *text, size_t len, struct argv_pattern *ret,
		       struct ruleset_error *ret_error);
void argv_pattern_done(struct argv_pattern *p);
/* Any arguments at all: the rule says what a plain one would. */
bool argv_pattern_is_all(const struct argv_pattern *p);
/* Whether the arguments (each followed by NUL, the name not among them) match: slowly, from the
 * tokens alone. 1, 0, -ENOMEM. */
int argv_pattern_match(const struct argv_pattern *p, const char *args, size_t len);

/* The name that a command line begins with, by a path pattern's last component. */
struct argv_name {
	const struct glob *glob;
	const struct glob_token *tokens;
	size_t n;
};
/* Alternative i of a path pattern. */
struct argv_name argv_name_of(const struct glob *glob, size_t i);
/* Whether argv[0] names it: with any directory before, and a login shell's '-'. */
bool argv_name_match(const struct argv_name *name, const char *argv0, size_t len);

/* ---- the machine (argvs.c) ---- */
struct argvs;
int argvs_new(struct argvs **ret);
void argvs_free(struct argvs **argvs);
/* A rule's pattern; each rule once. */
int argvs_rule(struct argvs *argvs, uint16_t rule, const struct argv_pattern *pattern);
/* A name of a rule. */
int argvs_name(struct argvs *argvs, uint16_t rule, const struct argv_name *name);

/* What holds whatever the arguments are: the rule, as 1 + index, that speaks for a set. */
uint32_t argvs_any(const struct hg_rule *rules, const uint32_t *set, size_t n);
/*
 * The machine of these sets: each 1 + the plain rule (0 for none), then 1 + each argument rule,
 * rising. ret_starts: for each set.
 */
int argvs_compile(struct argvs *argvs, const struct fa_intern *sets, struct pack_rows *rows,
		  const struct paths_limits *limits, struct fa **ret, uint32_t *ret_starts,
		  struct ruleset_error *ret_error);

#endif
