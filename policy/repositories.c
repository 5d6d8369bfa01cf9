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
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "repositories.h"

/* Below a root with more than the limits allow: no repository can be made or its configuration
 * changed. */
#define EVERY_REPOSITORY                                                                          \
	"/**/.git{,/{config,config.worktree}{,.lock},/commondir,/hooks/**,"                       \
	"/modules/**/{config,commondir}{,.lock},/worktrees/*/{commondir,config.worktree}}"

/* What editors obey in a folder that is opened. Not closed wherever it is, since clones and packages
 * bring it; what no clone should bring is in no-doors.yaml. */
#define VSCODE	   "/{settings,launch}.json"
#define EDITORS	   "/{.vscode" VSCODE ",.devcontainer/**,.devcontainer.json}"
#define EVERY_EDITORS "/**/{.vscode" VSCODE ",.devcontainer/**,.devcontainer.json}"

/* What package managers fill with thousands of folders, and nobody works in; by the ends of paths. */
static const char *const skipped[] = {
	"/node_modules", "/.cache", "/.npm", "/.rustup", "/.cargo/registry", "/.cargo/git", "/.m2",
	"/.gradle", "/go/pkg/mod", "/site-packages", "/dist-packages", "/.local/share/containers",
	"/.local/share/Trash", "/.local/share/Steam", "/.local/share/pnpm", "/.git", NULL};

static int folder_open(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
}

static bool has(const char *folder, const char *name)
{
	char *path = git_join(folder, name);
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
	int err = r->patterns.n < REPOSITORIES_PATTERNS_MAX ? 0 : -E2BIG;

	if (!err)
		err = pattern_add_literal(&p, path, strlen(path), 0);

	if (!err)
		err = pattern_add(&p, behind, strlen(behind), 0);
	if (!err)
		err = strings_add(&r->patterns, p.bytes);
	pattern_done(&p);
	return err;
}

/* A path that a configuration names, and the links that lead there. What cannot be replaced
 * (hooksPath = /dev/null) is left alone, since agents need it. */
static int protect_named(struct repositories *r, const char *value, const char *from,
			 const char *behind)
{
	char *path = *value == '/' ? strdup(value) : git_join(from, value);
	struct strings links = {};
	struct place at;
	struct stat st;
	int err = path ? place_find(path, true, &links, &at) : -ENOMEM;

	free(path);
	if (!err) {
		if (at.self == SELF_NONE && strcmp(at.real, "/") &&
		    (lstat(at.real, &st) || !S_ISCHR(st.st_mode)))
			err = protect(r, at.real, behind);
		place_done(&at);
	}
	for (size_t i = 0; i < links.n && !err; i++)
		err = protect(r, links.items[i], "");
	strings_done(&links);
	return err;
}

/* ---- configuration: what it includes, and where it has hooks ---- */

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
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || e->d_type == DT_REG)
			continue;
		path = git_join(folder, e->d_name);
		err = path ? each(r, path, depth) : -ENOMEM;
		free(path);
	}
	if (d)
		closedir(d);
	return err;
}

/* A hook that is a link is as good as its target. */
static int add_hook(struct repositories *r, const char *path, unsigned depth)
{
	struct stat st;

	(void)depth;
	return !lstat(path, &st) && S_ISLNK(st.st_mode) ? protect_named(r, path, "/", "") : 0;
}

static int add_hooks(struct repositories *r, const char *value, const char *tree)
{
	char *folder = *value == '/' ? strdup(value) : git_join(tree, value);
	int err = folder ? protect_named(r, folder, "/", "/**") : -ENOMEM;

	if (!err)
		err = each_entry(folder, add_hook, r, 0);
	free(folder);
	return err;
}

/* Hooks of this configuration and of those that hold for every repository. */
static int add_tree(struct repositories *r, const struct git_config *c, const char *tree)
{
	const struct strings *both[] = {&c->hooks, &r->hooks};
	int err = 0;

	for (unsigned k = 0; k < 2; k++) {
		for (size_t i = 0; i < both[k]->n && !err; i++)
			err = add_hooks(r, both[k]->items[i], tree);
	}
	return err;
}

/* Is it the configuration of a repository that was found? That is closed with the rest of it. */
static bool is_own(const struct repositories *r, const char *file)
{
	const char *name = strrchr(file, '/') + 1;
	char *folder = strndup(file, name - 1 - file);
	bool own = folder && (!strcmp(name, "config") || !strcmp(name, "config.worktree")) &&
		   strings_have(&r->seen, folder);

	free(folder);
	return own;
}

static int add_files(struct repositories *r, const struct git_config *c)
{
	int err = 0;

	for (size_t i = 0; i < c->files.n && !err; i++) {
		if (!is_own(r, c->files.items[i]))
			err = protect_named(r, c->files.items[i], "/", "{,.lock}");
	}
	for (size_t i = 0; i < c->templates.n && !err; i++)
		err = add_hooks(r, c->templates.items[i], "/");
	return err;
}

static int read_config(struct repositories *r, struct git_config *c, const char *folder,
		       const char *name, const char *home)
{
	char *path = git_join(folder, name);
	int err = path ? git_config_read(c, path, home) : -ENOMEM;

	if (err == -EBADMSG) {
		r->hidden = c->hidden;
		c->hidden = NULL;
	}
	free(path);
	return err;
}

static int add_repository(struct repositories *r, const char *git, const char *tree);

/* All that git reads for the repository `git`: a linked working tree's is that of another. */
static int read_configs(struct repositories *r, const char *git, struct git_config *c)
{
	char *path = git_join(git, "commondir"), *text = path ? git_text_read(path) : NULL, *common;
	int err = path ? read_config(r, c, git, "config.worktree", r->home) : -ENOMEM;

	if (text) {
		text[strcspn(text, "\n")] = '\0';
		common = *text == '/' ? strdup(text) : git_join(git, text);
		err = err ? err : common ? 0 : -ENOMEM;
		/* One leads to another no further. */
		if (!err && !has(common, "commondir"))
			err = add_repository(r, common, NULL);
		err = err ? err : read_config(r, c, common, "config", r->home);
		free(common);
	} else if (!err) {
		err = read_config(r, c, git, "config", r->home);
	}
	free(path);
	free(text);
	return err;
}

/* Hooks are looked for from the working tree, or from the repository where something is pushed into
 * it. tree: one that is known; NULL: none. */
static int add_configured(struct repositories *r, const char *git, const char *tree)
{
	struct git_config c = {};
	const char *slash = strrchr(git, '/');
	char *path;
	int err = read_configs(r, git, &c);

	if (!err)
		err = add_files(r, &c);
	if (!err)
		err = add_tree(r, &c, git);
	if (!err && tree)
		err = add_tree(r, &c, tree);
	if (!err && !tree && slash > git && !strcmp(slash, "/.git")) {
		path = strndup(git, slash - git);
		err = path ? add_tree(r, &c, path) : -ENOMEM;
		free(path);
	}
	for (size_t i = 0; i < c.trees.n && !err; i++) {
		path = *c.trees.items[i] == '/' ? strdup(c.trees.items[i])
						: git_join(git, c.trees.items[i]);
		err = path ? add_tree(r, &c, path) : -ENOMEM;
		free(path);
	}
	git_config_done(&c);
	return err;
}

/* ---- one repository ---- */

/* .git/worktrees/NAME: who can write its `commondir` chooses the configuration. `gitdir` says where
 * the working tree's own .git file is. */
static int add_worktree(struct repositories *r, const char *path, unsigned depth)
{
	char *name = git_join(path, "gitdir"), *to = name ? git_text_read(name) : NULL, *slash;
	int err = name ? 0 : -ENOMEM;

	(void)depth;
	if (!err)
		err = protect(r, path, "{,/{commondir,gitdir,config.worktree,config.worktree.lock}}");
	if (!err && to && *to == '/') {
		to[strcspn(to, "\n")] = '\0';
		err = protect_named(r, to, "/", "");
		slash = strrchr(to, '/');
		*slash = '\0';
		if (!err && slash > to)
			err = add_configured(r, path, to);
	}
	free(name);
	free(to);
	return err;
}

/* Is it one that EVERY_REPOSITORY closes? */
static bool is_every(const struct repositories *r, const char *git)
{
	size_t n = strlen(r->root);
	const char *name = strstr(git, "/.git");

	return !strncmp(git, r->root, n) && git[n] == '/' && name && (!name[5] || name[5] == '/');
}

/* .git/modules/NAME, where a name may have slashes in it. */
static int add_module(struct repositories *r, const char *path, unsigned depth)
{
	if (is_repository(path))
		return add_repository(r, path, NULL);
	return depth ? each_entry(path, add_module, r, depth - 1) : 0;
}

static int add_parts(struct repositories *r, const char *git)
{
	char *trees = git_join(git, "worktrees"), *modules = git_join(git, "modules"),
	     *hooks = git_join(git, "hooks");
	int err = trees && modules && hooks ? each_entry(hooks, add_hook, r, 0) : -ENOMEM;

	if (!err)
		err = each_entry(trees, add_worktree, r, 0);
	if (!err)
		err = each_entry(modules, add_module, r, REPOSITORIES_DEPTH_MAX);
	free(trees);
	free(modules);
	free(hooks);
	return err;
}

/* git: the folder with HEAD in it. tree: the folder whose .git led there; NULL: none. */
static int add_repository(struct repositories *r, const char *git, const char *tree)
{
	char real[PATH_MAX];
	int err;

	if (!realpath(git, real) || !is_repository(real))
		return 0;
	if (strings_have(&r->seen, real))
		return tree ? add_configured(r, real, tree) : 0;
	err = strings_add(&r->seen, real);
	/* `commondir` would make git read another folder's configuration. */
	if (!err && (++r->found <= REPOSITORIES_MAX || !is_every(r, real)))
		err = protect(r, real,
			      "{,/{config,config.worktree}{,.lock},/commondir,/hooks/**}");
	if (!err)
		err = add_configured(r, real, tree);
	return err ? err : add_parts(r, real);
}

/* A name `.git` in a folder: a repository, a link to one, or a file that names one. */
static int add_dot_git(struct repositories *r, const char *folder)
{
	char *path = git_join(folder, ".git"), *text, *whole;
	struct stat st;
	int err = path ? 0 : -ENOMEM;

	if (!err && !lstat(path, &st)) {
		if (r->found < REPOSITORIES_MAX)
			err = protect(r, strcmp(folder, "/") ? folder : "", EDITORS);
		if (!err && !S_ISDIR(st.st_mode))
			err = protect(r, path, "");
		if (!err && (S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode)))
			err = add_repository(r, path, folder);
		text = !err && S_ISREG(st.st_mode) ? git_text_read(path) : NULL;
		if (text && !strncmp(text, "gitdir: ", 8)) {
			text[8 + strcspn(text + 8, "\n")] = '\0';
			whole = text[8] == '/' ? strdup(text + 8) : git_join(folder, text + 8);
			err = whole ? add_repository(r, whole, folder) : -ENOMEM;
			free(whole);
		}
		free(text);
	}
	free(path);
	return err;
}

/* ---- looking for them ---- */

static bool is_skipped(const char *path)
{
	size_t len = strlen(path), n;

	for (const char *const *s = skipped; *s; s++) {
		n = strlen(*s);
		if (len >= n && !strcmp(path + len - n, *s))
			return true;
	}
	return false;
}

/* Another file system than the root's that has no files of anybody's in it. */
static bool is_pseudo(const struct repositories *r, const char *path, const struct stat *st)
{
	struct statfs fs;

	if (st->st_dev == r->dev || statfs(path, &fs))
		return false;
	switch (fs.f_type) {
	case PROC_SUPER_MAGIC:
	case SYSFS_MAGIC:
	case CGROUP_SUPER_MAGIC:
	case CGROUP2_SUPER_MAGIC:
	case DEBUGFS_MAGIC:
	case TRACEFS_MAGIC:
	case DEVPTS_SUPER_MAGIC:
	case BPF_FS_MAGIC:
	case SECURITYFS_MAGIC:
		return true;
	}
	return false;
}

/* false: it is no folder of an editor's. */
static bool add_editor(struct repositories *r, const char *path, int *ret_err)
{
	const char *name = strrchr(path, '/');
	bool code = !strcmp(name, "/.vscode");

	if (!code && strcmp(name, "/.devcontainer"))
		return false;
	*ret_err = ++r->editors <= REPOSITORIES_EDITORS_MAX ? protect(r, path, code ? VSCODE : "/**") : 0;
	return true;
}

static int look_into(struct repositories *r, const char *path, unsigned depth)
{
	struct stat st;
	int err;

	if (is_skipped(path) || lstat(path, &st) || !S_ISDIR(st.st_mode) || is_pseudo(r, path, &st))
		return 0;
	if (add_editor(r, path, &err))
		return err;
	if (r->folders == REPOSITORIES_FOLDERS_MAX || (!depth && r->depth == REPOSITORIES_DEPTH_MAX))
		r->beyond = true;
	if (r->beyond || !depth)
		return 0;
	r->folders++;
	if (is_repository(path))
		return add_repository(r, path, NULL);
	err = add_dot_git(r, path);
	return err ? err : each_entry(path, look_into, r, depth - 1);
}

/* ---- configurations that hold for every repository ---- */

static int add_global(struct repositories *r, const char *home, const char *file)
{
	struct git_config c = {};
	int err = read_config(r, &c, home, file, *home ? home : r->home);

	if (!err)
		err = add_files(r, &c);
	for (size_t i = 0; i < c.hooks.n && !err; i++)
		err = *c.hooks.items[i] == '/' ? add_hooks(r, c.hooks.items[i], "/")
					       : strings_add(&r->hooks, c.hooks.items[i]);
	git_config_done(&c);
	return err;
}

static int add_home(struct repositories *r, const char *home, unsigned depth)
{
	int err = add_global(r, home, ".gitconfig");

	(void)depth;
	return err ? err : add_global(r, home, ".config/git/config");
}

int repositories_globals(struct repositories *r)
{
	const char *elsewhere = getenv("XDG_CONFIG_HOME");
	int err = add_global(r, "", "etc/gitconfig");

	if (!err && r->home)
		err = add_home(r, r->home, 0);
	if (!err)
		err = add_home(r, "/root", 0);
	if (!err)
		err = each_entry("/home", add_home, r, 0);
	if (!err && elsewhere && *elsewhere == '/')
		err = add_global(r, elsewhere, "git/config");
	return err;
}

int repositories_find(struct repositories *r, const char *root, unsigned depth)
{
	char real[PATH_MAX], at[PATH_MAX], *slash;
	struct stat st;
	int err = 0;

	if (depth == REPOSITORIES_DEPTH_MAX)
		err = protect_named(r, root, "/", EDITORS);
	if (err || !realpath(root, real) || stat(real, &st))
		return err;
	strcpy(at, real);
	r->root = real;
	r->dev = st.st_dev;
	r->folders = r->found = r->editors = 0;
	r->depth = depth;
	r->beyond = false;
	err = look_into(r, real, depth);
	r->many = r->found > REPOSITORIES_MAX || r->editors > REPOSITORIES_EDITORS_MAX;
	if (!err && (r->beyond || r->many))
		err = protect(r, strcmp(real, "/") ? real : "", EVERY_REPOSITORY);
	if (!err && (r->beyond || r->many))
		err = protect(r, strcmp(real, "/") ? real : "", EVERY_EDITORS);
	/* A workspace may be a part of a repository. */
	while (!err && (slash = strrchr(at, '/')) && slash != at) {
		*slash = '\0';
		err = is_repository(at) ? add_repository(r, at, NULL) : add_dot_git(r, at);
	}
	r->root = NULL;
	return err;
}

void repositories_done(struct repositories *r)
{
	strings_done(&r->patterns);
	strings_done(&r->seen);
	strings_done(&r->hooks);
	free(r->hidden);
}
