/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The git repositories that exist when a policy is loaded, and what of each decides which programs
 * git, or an editor, runs for whoever uses it next.
 */
#ifndef HG_REPOSITORIES_H
#define HG_REPOSITORIES_H

#include <sys/types.h>

#include "git_config.h"

/* Folders that are looked into below one root, how deep, and repositories and folders of editors that
 * are named one by one. An agent could pass these before the next load, so where there is more every
 * repository below the root is closed, those to come included. Below a home it goes less deep, and
 * what is deeper is left out. */
#define REPOSITORIES_FOLDERS_MAX 50000
#define REPOSITORIES_DEPTH_MAX	 40
#define REPOSITORIES_HOME_DEPTH	 6
#define REPOSITORIES_MAX	 200
#define REPOSITORIES_EDITORS_MAX 100

/* Patterns that all of it may take; a variable stands for EXPAND_OBJECTS_MAX. */
#define REPOSITORIES_PATTERNS_MAX 1000

struct repositories {
	struct strings patterns; /* path patterns, each a literal path or one with everything below */
	struct strings seen;	 /* folders of repositories */
	struct strings hooks;	 /* core.hooksPath for all of them, relative to each working tree */
	const char *home;	 /* for `~/` in a configuration; NULL: not known */
	const char *root;	 /* that is being looked into */
	unsigned folders, depth; /* looked into so far; how deep it may go */
	unsigned found, editors; /* repositories, folders of editors */
	dev_t dev;		 /* of the root */
	bool beyond, many;	 /* below the last root were more folders; more to be named */
	char *hidden;		 /* after -EBADMSG: a configuration that git may read otherwise */
};

/* Both: 0, -ENOMEM, -E2BIG: it would take more than REPOSITORIES_PATTERNS_MAX, or -EBADMSG
 * (git_config_read()). What cannot be opened is left out. */

/* The configurations of the machine, of `home`, and of every home below /home and root's; before the
 * repositories for which they hold. */
int repositories_globals(struct repositories *r);
/* Adds those in `root` and up to `depth` folders below it, and the ones it is in. A root that does not
 * exist adds nothing. */
int repositories_find(struct repositories *r, const char *root, unsigned depth);
void repositories_done(struct repositories *r);

#endif
