/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the files that load a policy share: the documents it is made of, and what they say beside
 * rules.
 */
#ifndef HG_POLICY_LOAD_H
#define HG_POLICY_LOAD_H

#include "document.h"
#include "expand.h"
#include "policy.h"
#include "repositories.h"

/* Policies that extend policies, in a row, and all that one may be made of. */
#define SOURCE_DEPTH_MAX 8
#define SOURCES_MAX	 64

/* The keys of a policy; document nodes, NULL where absent. */
struct source_keys {
	const struct node *version, *name, *extends, *mode, *workspace, *resolvers, *vars, *rules,
		*never;
};

/* One document of the policy. */
struct source {
	char *file;   /* as messages name it */
	char *real;   /* its real path, NULL for presets and standard input */
	char *folder; /* where what it extends is looked for; NULL for presets */
	bool preset;
	struct document *doc;
	struct source_keys keys;
};

struct loader {
	const struct policy_params *params;
	const struct ruleset_limits *limits;
	struct diags *d;
	bool failed;		 /* an error is in d; looking for more goes on */
	bool no_files;		 /* a policy given as bytes may extend presets only */
	struct source **sources; /* extended ones before those that extend them */
	size_t n_sources;
	struct source *chain[SOURCE_DEPTH_MAX]; /* those being read, the outermost first */
	size_t n_chain;
	uint64_t digest;	/* of the sources' bytes */
	struct strings guarded; /* files read, and names that would have been read instead */

	/* What the sources say together. */
	struct scope scope;
	char *name, *workspace;
	bool workspace_default;
	struct repositories repositories;
	enum policy_mode mode;
	struct resolvers resolvers;
};

/* ---- policy_source.c ---- */

/* Reads `file` and everything it extends into l->sources. bytes: the file's content, where it is
 * given. 0, -EINVAL (errors in l->d), or -errno. */
int sources_read(struct loader *l, const char *file, const char *bytes, size_t len);
void sources_done(struct loader *l);
const struct preset *preset_find(const char *name);
/* Is it of one of the user's files? */
bool rule_is_own(const struct policy_rule *r);

/* ---- policy_keys.c ---- */

/* Sorts a document's keys into s->keys; those of a wrong kind are left out and -EINVAL. */
int source_sort_keys(struct loader *l, struct source *s);
/* A scalar that is text: not what YAML 1.2 reads as null or a truth value. -EINVAL, told. */
int source_check_text(struct loader *l, const struct source *s, const struct node *n,
		      const char *what);

/* ---- policy_settle.c ---- */

/* Fills l->scope, name, workspace and mode from all sources; errors in l->d. */
int sources_settle(struct loader *l);

/* ---- policy_rules.c: one rule into the ruleset ---- */

/* Where a rule's text stands. */
struct origin {
	const char *file;
	const struct document *doc; /* NULL for the guard's own rules */
	const struct node *node;
	unsigned line; /* of a rule of the guard */
	bool shipped;  /* nobody can act on notes about it */
};

struct compiler {
	struct loader *l;
	struct policy *p;
	struct diags *d;	 /* NULL when everything has been said already */
	struct strings followed; /* links that rules which allow follow ... */
	uint16_t *followed_by;	 /* ... and the first rule to do so */
	struct strings untrusted;
	bool failed;
};

/* Adds a diagnostic at byte `offset` of the rule; -EINVAL for an error. */
int compiler_say(struct compiler *c, enum diag_level level, const struct origin *o, size_t offset,
		 const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Adds a rule and all it stands for. -EINVAL: it is wrong, and that has been said. */
int compiler_add(struct compiler *c, const struct origin *o, const char *text, size_t len,
		 bool never);

/* ---- policy_compile.c ---- */

/* Rules of all sources, then their never lists, then the guard's own, to p's ruleset; and unless
 * something was wrong, here or before, its image. */
int policy_compile(struct loader *l, struct policy *p);

/* ---- policy_builtin.c ---- */

/* The guard's own rules, NULL-ended. */
extern const char *const policy_builtin_rules[];

/* ---- policy_warn_respelled.c: of policy_warn() ---- */

int policy_warn_respelled(const struct policy *p, struct diags *d);

/* ---- policy.c ---- */

/* As policy_load(), from bytes; reads no policy file. limits: NULL for the usual ones. */
int policy_load_text(const char *file, const char *bytes, size_t len,
		     const struct policy_params *params, const struct ruleset_limits *limits,
		     struct diags *d, struct policy **ret);
/* Takes rules and automata away and leaves the rest. */
void policy_forget_rules(struct policy *p);

#endif
