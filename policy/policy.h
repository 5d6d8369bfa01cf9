/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A policy file, read and compiled: what the commands work with.
 *
 * Errors are collected in a struct diags (several at once, each file:line:col), nothing is printed
 * here and nothing below does I/O but for reading the named policy files and resolving literal
 * path prefixes through symlinks.
 */
#ifndef HG_POLICY_H
#define HG_POLICY_H

#include "mount_names.h"
#include "ruleset.h"

enum diag_level { DIAG_ERROR, DIAG_WARNING, DIAG_NOTE };

struct diag {
	enum diag_level level;
	char *file;	    /* as the user named it; "<builtin>" or a preset's name */
	unsigned line, col; /* from 1; 0: the whole file */
	char *message;	    /* what is wrong, and what would be right */
};
struct diags {
	struct diag *items;
	size_t n, n_errors;
};
void diags_clear(struct diags *d);

enum policy_mode { POLICY_ENFORCE = 0, POLICY_AUDIT = 1 };

/* Who may be asked for host names, at port 53: libc asks the first three, other resolvers'
 * libraries more. */
#define RESOLVERS_MAX 16
struct resolvers {
	uint8_t address[RESOLVERS_MAX][16]; /* network order, IPv4 as ::ffff:a.b.c.d */
	size_t n;
};

/* Where one rule stands and what it says. Index = rule index in the ruleset and the kernel. */
struct policy_rule {
	char *file;
	unsigned line, col;
	char *text; /* the rule as written, on one line */
	bool never;
	enum hg_verdict verdict;
	uint8_t options;
	struct rule_budget budget, names; /* of HG_OPT_BUDGET, HG_OPT_NAMES */
};

struct policy {
	char *file;		/* the file given */
	char *name;		/* `name:`, or the file's base name without suffix */
	char *workspace;	/* expanded, NULL where none */
	bool workspace_default; /* it is the one of the parameters for where none is given */
	enum policy_mode mode;
	struct resolvers resolvers; /* `resolvers:`; none: those of the machine */
	struct policy_rule *rules;
	size_t n_rules;
	struct ruleset *ruleset;
	struct image *image;
	struct mount_names mounts; /* as in the parameters */
	uint64_t sources;	   /* digest of the files that it was read from */
};

struct policy_params {
	const char *name;	       /* ${name}; NULL: the policy's own */
	const char *home;	       /* ${home}; NULL: using it is an error */
	const char *workspace;	       /* overrides `workspace:`; NULL: as written */
	const char *default_workspace; /* where neither says one; NULL: none */
	const char *const *search;     /* directories for `extends: NAME`, NULL-ended; presets are
					* always found and cannot be shadowed */
	const struct mount_names *mounts; /* what is mounted; NULL: every path is its own name */
	const char *const
		*guard;	 /* files that no agent may write, whatever rules say; NULL-ended */
	bool no_resolve; /* leave literal prefixes as they are, look for no repositories (tests) */
};

/* Reads and compiles `file` ("-" is standard input; a shipped policy's bare name works too). 0 with
 * *ret, or -EINVAL with at least one error in d, or another -errno for breakage (also in d). */
int policy_load(const char *file, const struct policy_params *params, struct diags *d,
		struct policy **ret);
void policy_free(struct policy *p);

/* Warnings on a loaded policy: rules that never decide, rules wider than they look, grants through
 * which the agent leaves its cage. */
int policy_warn(const struct policy *p, struct diags *d);

/* Shipped policies: name and text, NULL-ended. */
struct preset {
	const char *name, *text;
};
extern const struct preset policy_presets[];

#endif
