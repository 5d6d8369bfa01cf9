/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The git repositories that exist when a policy is loaded, and what of each decides which programs
 * git runs for whoever uses it next.
 */
#ifndef HG_REPOSITORIES_H
#define HG_REPOSITORIES_H

#include "expand.h"

/* Folders that are looked into below one root, how deep, and repositories that are named one by one.
 * An agent could pass these before the next load, so where there is more every repository below
 * the root is closed, those to come included. */
#define REPOSITORIES_FOLDERS_MAX 50000
#define REPOSITORIES_DEPTH_MAX	 40
#define REPOSITORIES_MAX	 200

struct repositories {
	struct strings patterns; /* path patterns, each a literal path or one with everything below */
	struct strings seen;	 /* folders of repositories */
	const char *home;	 /* for `~/` in a configuration; NULL: not known */
	unsigned folders, depth; /* looked into so far; how deep it may go */
	bool beyond;		 /* below the last root there was more than the limits allow */
};

/* Adds those in `root` and up to `depth` folders below it, and the ones it is in. A root that does not
 * exist adds nothing.
 * 0 or -ENOMEM: what cannot be read is left out. */
int repositories_find(struct repositories *r, const char *root, unsigned depth);
void repositories_done(struct repositories *r);

#endif
