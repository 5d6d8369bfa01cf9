/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a git configuration (git-config(1)) says about files that decide what git runs: those that it
 * includes, whatever the condition, and where hooks, templates and the working tree are.
 */
#ifndef HG_GIT_CONFIG_H
#define HG_GIT_CONFIG_H

#include "expand.h"

/* Of a file of git's that is read: its configuration is a few hundred bytes. */
#define GIT_TEXT_MAX (256 * 1024)

/* Files that one configuration may be made of. git itself stops at includes ten deep. */
#define GIT_CONFIG_FILES_MAX 200

struct git_config {
	struct strings files;	  /* absolute, be they there or not; links at their ends not followed */
	struct strings hooks;	  /* core.hooksPath: absolute, or relative to each working tree */
	struct strings templates; /* init.templateDir, the absolute ones */
	struct strings trees;	  /* core.worktree: absolute, or relative to the repository */
	char *hidden;		  /* after -EBADMSG: the file */
};

/* A regular file's text, cut at GIT_TEXT_MAX; NULL where there is none. */
char *git_text_read(const char *path);

/* "folder/name"; NULL: no memory. */
char *git_join(const char *folder, const char *name);

/* Adds the file and what it includes. home: for `~/`, NULL: not known. 0, -ENOMEM, -E2BIG: more
 * than GIT_CONFIG_FILES_MAX files, or -EBADMSG: one of them is longer than GIT_TEXT_MAX, has NULs, or is a
 * FIFO, so that git may read there what is not seen here. What is no configuration says nothing. */
int git_config_read(struct git_config *c, const char *file, const char *home);
void git_config_done(struct git_config *c);

/* ---- its text, for tests ---- */

struct git_text {
	const char *at;		   /* what is left */
	char section[32], key[32]; /* in lower case; cut where longer, as none that matters is */
	bool sub;		   /* the section has a subsection */
	char *value;		   /* room for the whole text */
};

/* The next key; false at the end. A line that git would refuse is left out. */
bool git_text_next(struct git_text *t);

#endif
