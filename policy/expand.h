/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From an object as written to the patterns it stands for: variables, then alternatives and
 * symbolic links in front of the first wildcard.
 *
 * Return 0 or -errno; -EINVAL with *e filled where a struct rule_error is taken.
 */
#ifndef HG_EXPAND_H
#define HG_EXPAND_H

#include "document.h"
#include "mount_names.h"
#include "rule_parse.h"

/* Objects that one object may stand for: lists multiply. */
#define EXPAND_OBJECTS_MAX 1024
/* Bytes of one object; no path is longer (PATH_MAX), and variables in variables multiply. */
#define EXPAND_BYTES_MAX 4096
/* Alternatives that are written out because they stand where links have to be looked for. */
#define EXPAND_ALTERNATIVES_MAX 256
/* Variables in the values of variables. */
#define EXPAND_DEPTH_MAX 8
/* Symbolic links on one path, as in the kernel (MAXSYMLINKS). */
#define EXPAND_LINKS_MAX 40

/* Bytes of a pattern, and for each the byte of the rule that it came from. */
struct pattern {
	char *bytes; /* NUL-terminated */
	uint32_t *from;
	size_t len, cap;
};
int pattern_add(struct pattern *p, const char *bytes, size_t len, uint32_t from);
/* The same with every byte that means something in a pattern made literal. */
int pattern_add_literal(struct pattern *p, const char *bytes, size_t len, uint32_t from);
void pattern_done(struct pattern *p);

struct patterns {
	struct pattern *items;
	size_t n;
};
void patterns_done(struct patterns *p);

struct strings {
	char **items;
	size_t n;
};
/* Adds a copy, unless it is there. */
int strings_add(struct strings *s, const char *text);
bool strings_have(const struct strings *s, const char *text);
void strings_done(struct strings *s);

/* ---- variables (expand_vars.c) ---- */

/* A variable of a policy: a scalar, or a list of scalars. */
struct variable {
	const char *name;
	const struct document *doc;
	const struct node *value;
	bool bad; /* its value is wrong, and that has been said */
};

struct scope {
	const char *workspace, *home, *name; /* literal; NULL where there is none */
	bool workspace_bad, home_bad;	     /* that there is none, or a wrong one, has been said */
	const struct strings *repositories;  /* patterns; NULL: not looked for */
	struct variable *variables;
	size_t n_variables;
};

/* What is said, once, where there is none. */
extern const char expand_no_workspace[], expand_no_home[];

/* Replaces the variables of text[0..len), which stands at byte `at` of its rule. */
int expand_variables(const struct scope *s, const char *text, size_t len, uint32_t at,
		     struct patterns *ret, struct rule_error *e);

/* ---- names as the kernel has them (expand_place.c) ---- */

enum place_self { SELF_NONE, SELF_PROCESS, SELF_THREAD };

/* Where an absolute path leads. */
struct place {
	char *real;	      /* without links; what does not exist stays as it is */
	enum place_self self; /* the path went through /proc/self, and `real` is what stands */
	char *rest;	      /* before it, `rest` what follows; NULL otherwise */
};
/* follow: a link at the very end too. links: the real path of each link followed is added. */
int place_find(const char *path, bool follow, struct strings *links, struct place *ret);
void place_done(struct place *p);

/* ---- patterns by real names (expand_path.c) ---- */

struct expand_links {
	bool resolve;
	const struct strings *untrusted; /* not followed for a rule that allows */
	struct strings *followed;	 /* those that were, for rules that allow */
};

struct variant {
	struct pattern pattern;
	uint8_t actions; /* of the rule's, those that speak of this name */
};

struct variants {
	struct variant *items;
	size_t n;
	char *leads_to; /* the pattern by its real name, NULL where it is as written */
	char *link;	/* the first link on the way */
	bool self;	/* it went through /proc/self */
};

/* deny: the rule takes rights away. -E2BIG: more alternatives than EXPAND_ALTERNATIVES_MAX. */
int expand_path(const struct expand_links *l, const struct pattern *p, bool deny,
		struct variants *ret);
void variants_done(struct variants *v);

/* ---- patterns by the names of superblocks (expand_mount.c) ---- */

struct mounted {
	struct patterns patterns;	 /* to be added to the pattern itself */
	const struct mount_name *by;	 /* the first mount that was followed */
	const struct mount_name *missed; /* one that is reached by wildcards only, and not followed */
	const struct mount_name *hidden; /* the one meant, not followed: see the top of the file */
};

/* restricts: the rule takes rights away, or asks. A pattern that is none gives nothing. */
int expand_mounts(const struct mount_names *mounts, const struct pattern *p, bool restricts,
		  struct mounted *ret);
void mounted_done(struct mounted *m);

#endif
