/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finding repositories (gitrepository-layout(5)). Everything here may have been made by an agent:
 * it can only add names to what is denied, so nothing found is trusted and nothing missed is told.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "repositories.h"

/* Of a file of git's that is read at all: its configuration is a few hundred bytes. */
#define TEXT_MAX (256 * 1024)

/* Below a root with more than the limits allow: no repository can be made or its configuration
 * changed. */
#define EVERY_REPOSITORY                                                                          \
	"/**/.git{,/{config,config.worktree}{,.lock},/commondir,/hooks/**,"                       \
	"/modules/**/{config,commondir}{,.lock},/worktrees/*/{commondir,config.worktree}}"

static char *join(const char *folder, const char *name)
{
	char *path = NULL;

	if (asprintf(&path, "%s/%s", strcmp(folder, "/") ? folder : "", name) < 0)
		return NULL;
	return path;
}

static int folder_open(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
}

/* A regular file's text; NULL where there is none. */
static char *text_read(const char *folder, const char *name)
{
	char *path = join(folder, name), *text = NULL;
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	struct stat st;
	ssize_t n;

	free(path);
	if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && (text = malloc(TEXT_MAX + 1))) {
		n = read(fd, text, TEXT_MAX);
		text[n > 0 ? n : 0] = '\0';
	}
	if (fd >= 0)
		close(fd);
	return text;
}

static bool has(const char *folder, const char *name)
{
	char *path = join(folder, name);
	struct stat st;
	bool there = path && !lstat(path, &st);

	free(path);
	return there;
}

static bool is_repository(const char *folder)
{
	return has(folder, "HEAD") &&
	       ((has(folder, "objects") && has(folder, "refs")) || has(folder, "commondir"));
}

/* ---- patterns ---- */

/* The path itself, and what `behind` adds: parts of a pattern. */
static int protect(struct repositories *r, const char *path, const char *behind)
{
	struct pattern p = {};
	int err = pattern_add_literal(&p, path, strlen(path), 0);

	if (!err)
		err = pattern_add(&p, behind, strlen(behind), 0);
	if (!err)
		err = strings_add(&r->patterns, p.bytes);
	pattern_done(&p);
	return err;
}

/* A path that a configuration names. */
static int protect_named(struct repositories *r, const char *value, const char *from,
			 const char *behind)
{
	char *path = NULL;
	struct place at;
	int err;

	if (*value == '/')
		path = strdup(value);
	else if (!strncmp(value, "~/", 2) && r->home)
		path = join(r->home, value + 2);
	else if (*value && *value != '~')
		path = join(from, value);
	else
		return 0;
	if (!path)
		return -ENOMEM;
	err = place_find(path, true, NULL, &at);
	free(path);
	if (err)
		return err == -ENOMEM ? err : 0;
	if (at.self == SELF_NONE && strcmp(at.real, "/"))
		err = protect(r, at.real, behind);
	place_done(&at);
	return err;
}

/* ---- configuration: what it includes, and where it has hooks ---- */

/* The value at text, up to the line's end: quotes and escapes taken away, comments cut. */
static void value_clean(char *text)
{
	bool quoted = false;
	char *to = text, *end = text;

	for (; *text; text++) {
		if (*text == '"') {
			quoted = !quoted;
			continue;
		}
		if (!quoted && (*text == '#' || *text == ';'))
			break;
		if (*text == '\\' && text[1])
			text++;
		*to++ = *text;
		if (quoted || !isspace((unsigned char)*text))
			end = to;
	}
	*end = '\0';
}

static int read_config(struct repositories *r, const char *git, const char *name, const char *tree)
{
	char *text = text_read(git, name), *save = NULL, *key, *value;
	bool core = false, include = false;
	int err = 0;

	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line && !err;
	     line = strtok_r(NULL, "\n", &save)) {
		key = line + strspn(line, " \t");
		if (*key == '[') {
			core = !strncasecmp(key, "[core]", 6);
			include = !strncasecmp(key, "[include]", 9) ||
				  !strncasecmp(key, "[includeif ", 11);
			/* A key may follow on the same line. */
			value = strrchr(key, ']');
			key = value ? value + 1 + strspn(value + 1, " \t") : key;
		}
		value = strchr(key, '=');
		if (!value)
			continue;
		value += 1 + strspn(value + 1, " \t");
		value_clean(value);
		if (core && !strncasecmp(key, "hookspath", 9))
			err = protect_named(r, value, tree, "/**");
		else if (include && !strncasecmp(key, "path", 4))
			err = protect_named(r, value, git, "{,.lock}");
	}
	free(text);
	return err;
}

/* ---- one repository ---- */

static int each_entry(const char *folder, int (*each)(struct repositories *, const char *, unsigned),
		      struct repositories *r, unsigned depth)
{
	int fd = folder_open(folder), err = 0;
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;
	char *path;

	if (!d && fd >= 0)
		close(fd);
	while (d && !err && (e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		path = join(folder, e->d_name);
		err = path ? each(r, path, depth) : -ENOMEM;
		free(path);
	}
	if (d)
		closedir(d);
	return err;
}

/* .git/worktrees/NAME: who can write its `commondir` chooses the configuration. `gitdir` says where
 * the working tree's own .git file is. */
static int add_worktree(struct repositories *r, const char *path, unsigned depth)
{
	char *to = text_read(path, "gitdir");
	int err;

	(void)depth;
	err = protect(r, path, "{,/{commondir,gitdir,config.worktree,config.worktree.lock}}");
	if (!err && to && *to == '/') {
		to[strcspn(to, "\n")] = '\0';
		err = protect_named(r, to, "/", "");
	}
	free(to);
	return err;
}

static int add_repository(struct repositories *r, const char *git);

/* .git/modules/NAME, where a name may have slashes in it. */
static int add_module(struct repositories *r, const char *path, unsigned depth)
{
	if (is_repository(path))
		return add_repository(r, path);
	return depth ? each_entry(path, add_module, r, depth - 1) : 0;
}

static int add_parts(struct repositories *r, const char *git)
{
	char *below = join(git, "worktrees"), *tree = strdup(git), *slash;
	int err = below && tree ? 0 : -ENOMEM;

	/* The working tree of a repository that is not bare. */
	slash = tree ? strrchr(tree, '/') : NULL;
	if (slash && slash > tree && !strcmp(slash, "/.git"))
		*slash = '\0';
	if (!err)
		err = read_config(r, git, "config", tree);
	if (!err)
		err = read_config(r, git, "config.worktree", tree);
	if (!err)
		err = each_entry(below, add_worktree, r, 0);
	free(below);
	below = join(git, "modules");
	if (!err)
		err = below ? each_entry(below, add_module, r, REPOSITORIES_DEPTH_MAX) : -ENOMEM;
	free(below);
	free(tree);
	return err;
}

/* git: the folder with HEAD in it. */
static int add_repository(struct repositories *r, const char *git)
{
	char real[PATH_MAX];
	int err;

	if (!realpath(git, real) || strings_have(&r->seen, real) || !is_repository(real))
		return 0;
	if (r->seen.n == REPOSITORIES_MAX) {
		r->beyond = true;
		return 0;
	}
	err = strings_add(&r->seen, real);
	/* `commondir` would make git read another folder's configuration. */
	if (!err)
		err = protect(r, real,
			      "{,/{config,config.worktree}{,.lock},/commondir,/hooks/**}");
	return err ? err : add_parts(r, real);
}

/* A name `.git` in a folder: a repository, a link to one, or a file that names one. */
static int add_dot_git(struct repositories *r, const char *folder)
{
	char *path = join(folder, ".git"), *text;
	struct stat st;
	int err = path ? 0 : -ENOMEM;

	if (!err && !lstat(path, &st)) {
		if (S_ISDIR(st.st_mode)) {
			err = add_repository(r, path);
		} else {
			err = protect(r, path, "");
			if (!err && S_ISLNK(st.st_mode))
				err = add_repository(r, path);
			text = S_ISREG(st.st_mode) ? text_read(folder, ".git") : NULL;
			if (!err && text && !strncmp(text, "gitdir: ", 8)) {
				char *to = text + 8, *whole;

				to[strcspn(to, "\n")] = '\0';
				whole = *to == '/' ? strdup(to) : join(folder, to);
				err = whole ? add_repository(r, whole) : -ENOMEM;
				free(whole);
			}
			free(text);
		}
	}
	free(path);
	return err;
}

/* ---- looking for them ---- */

static int look_into(struct repositories *r, const char *path, unsigned depth)
{
	const char *name = strrchr(path, '/') + 1;
	struct stat st;
	int err;

	/* What package managers fill with thousands of folders, and nobody works in. */
	if (!strcmp(name, ".git") || !strcmp(name, "node_modules") || !strcmp(name, ".cache") ||
	    !strcmp(name, ".npm") || !strcmp(name, ".rustup"))
		return 0;
	if (lstat(path, &st) || !S_ISDIR(st.st_mode))
		return 0;
	if (r->folders == REPOSITORIES_FOLDERS_MAX || (!depth && r->depth == REPOSITORIES_DEPTH_MAX))
		r->beyond = true;
	if (r->beyond || !depth)
		return 0;
	r->folders++;
	if (is_repository(path))
		return add_repository(r, path);
	err = add_dot_git(r, path);
	return err ? err : each_entry(path, look_into, r, depth - 1);
}

int repositories_find(struct repositories *r, const char *root, unsigned depth)
{
	char real[PATH_MAX], *slash;
	int err;

	if (!realpath(root, real))
		return 0;
	r->folders = 0;
	r->depth = depth;
	r->beyond = false;
	err = look_into(r, real, depth);
	if (!err && r->beyond)
		err = protect(r, real, EVERY_REPOSITORY);
	/* A workspace may be a part of a repository. */
	while (!err && (slash = strrchr(real, '/')) && slash != real) {
		*slash = '\0';
		err = is_repository(real) ? add_repository(r, real) : add_dot_git(r, real);
	}
	return err;
}

void repositories_done(struct repositories *r)
{
	strings_done(&r->patterns);
	strings_done(&r->seen);
}
