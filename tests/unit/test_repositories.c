/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which repositories are found, by what is in their folders, and what of them is protected. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../policy/repositories.h"
#include "test_policy.h"

static struct tap tap;
static char root[] = "/tmp/hg-repositories-XXXXXX";

/* A file with its folders; a name that ends with a slash is a folder. */
static void make(const char *name, const char *text)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	for (char *c = path + 1; (c = strchr(c, '/')); c++) {
		*c = '\0';
		mkdir(path, 0755);
		*c = '/';
	}
	fd = name[strlen(name) - 1] == '/' ? -1 : open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd >= 0) {
		if (write(fd, text, strlen(text)) < 0)
			perror("write");
		close(fd);
	}
}

static void repository(const char *name)
{
	char path[256];
	static const char *const parts[] = {"HEAD", "objects/", "refs/", "config"};

	for (unsigned i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/%s", name, parts[i]);
		make(path, "");
	}
}

/* What a configuration leads to: further ones, and hooks of every working tree. */
static void make_includes(void)
{
	char text[512];

	repository("ws/deep/.git");
	make("ws/deep/.git/config", "[include]\n\tpath = ../a.inc\n[core] hooksPath = \\\n\thooks.d\n"
				    "[includeIf \"gitdir:[x]/\"] path = \"../b]c\" ; no\n");
	make("ws/deep/a.inc", "[core]\r\n\thookspath = from-a\r\n[include]path=sub/d.inc\n");
	make("ws/deep/sub/d.inc", "[include]\npath = ../a.inc\npath = ../sub/../sub/d.inc\n"
				  "path = not-there\npath = ~/from-d\n[core]\nhooksPath=~/hooks-d\n"
				  "[core \"x\"]\nhooksPath=no\n[broken\nhooksPath=no\n");
	snprintf(text, sizeof(text), "%s/ws/deep-tree/.git\n", root);
	make("ws/deep/.git/worktrees/t/gitdir", text);
	make("ws/deep/.git/worktrees/t/HEAD", "");
	make("ws/deep/.git/worktrees/t/commondir", "../..\n");
	repository("ws/deep/.git/modules/m");
	make("ws/deep/.git/modules/m/config", "[core]\nworktree = ../../../m\nhooksPath = own\n");
	make("ws/null/x", "");
	repository("ws/null/.git");
	make("ws/null/.git/config", "[core]\nhooksPath = /dev/null\n[include]\npath = ../link\n");
	/* A working tree whose repository is elsewhere. */
	repository("far/.git");
	make("far/.git/config", "[core]\nhooksPath = far-hooks\n");
	make("far/.git/worktrees/f/HEAD", "");
	make("far/.git/worktrees/f/commondir", "../..\n");
	snprintf(text, sizeof(text), "gitdir: %s/far/.git/worktrees/f\n", root);
	make("ws/near/.git", text);
	make("home/dot/gitconfig", "[core]\nhooksPath = for-all\n[include]\npath = more\n"
				   "[init]\ntemplateDir = ~/template\n");
	make("home/.config/git/config", "[include]\npath = xdg\n");
	snprintf(text, sizeof(text),
		 "cd %s; ln -s dot/gitconfig home/.gitconfig; ln -s to ws/null/link; mkdir ws/deep/from-a; "
		 "ln -s ../tools/hook ws/deep/from-a/pre-commit",
		 root);
	if (system(text))
		perror(text);
}

static void make_tree(void)
{
	char text[512];

	repository("ws/main/.git");
	make("ws/main/.git/config", "[core]\n\thooksPath = \"my hooks\" # here\n"
				    "[include] path = ../inc\n[includeIf \"x\"]\n  path=~/abs\n");
	repository("ws/main/.git/modules/a/b");
	snprintf(text, sizeof(text), "%s/ws/tree/.git\n", root);
	make("ws/main/.git/worktrees/t/gitdir", text);
	make("ws/main/.git/worktrees/t/HEAD", "");
	make("ws/main/.git/worktrees/t/commondir", "../..\n");
	make("ws/tree/.git", "gitdir: ../main/.git/worktrees/t\n");
	make_includes();
	repository("ws/bare.git");
	repository("ws/node_modules/x/.git");
	repository("ws/1/2/3/4/5/6/7/8/9/.git");
	repository("home2/1/2/3/4/5/.git");
	repository("home2/1/2/3/4/5/6/.git");
	repository("home2/node_modules/x/.git");
	repository("home2/go/pkg/mod/x/.git");
	make("home2/.oh-my/go/x", "");
	repository("home2/.oh-my/.git");
	make("ws/part/.vscode/settings.json", "{}");
	make("ws/part/.devcontainer/x", "");
	for (unsigned i = 0; i <= REPOSITORIES_MAX; i++) {
		char name[64];

		snprintf(name, sizeof(name), "many/%03u/.git", i);
		repository(name);
	}
	make("ws/.git", "gitdir: /nowhere\n");
	repository("above/.git");
	make("above/sub/x", "");
	repository("else/.git");
	snprintf(text, sizeof(text), "%s/ws/linked", root);
	mkdir(text, 0755);
	snprintf(text, sizeof(text), "ln -s %s/else/.git %s/ws/linked/.git; mkfifo %s/ws/main/f", root,
		 root, root);
	if (system(text))
		perror(text);
}

static const char *policy(const char *workspace)
{
	static char text[1024];

	snprintf(text, sizeof(text),
		 "version: 1\nworkspace: %s/%s\nrules:\n  - allow write /**\nnever:\n"
		 "  - deny write ${repositories}\n",
		 root, workspace);
	return text;
}

static void expect(const struct policy *p, bool open, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	tap_ok(&tap, (decide(p, HG_CREATE, path, NULL) == HG_ALLOW) == open, "%s: %s",
	       open ? "open" : "closed", name);
}

static void load_and_expect(const char *workspace, const char *home, const char *const *closed,
			    const char *const *open)
{
	char home_path[512];
	struct policy_params params = {.home = home_path};
	struct loaded l;

	snprintf(home_path, sizeof(home_path), "%s/%s", root, home);
	l = load_text(policy(workspace), strlen(policy(workspace)), &params);
	if (!tap_ok(&tap, !l.err, "with %s as workspace it loads", workspace))
		show_diags(&l.d);
	for (; !l.err && *closed; closed++)
		expect(l.p, false, *closed);
	for (; !l.err && *open; open++)
		expect(l.p, true, *open);
	unload(&l);
}

/* Configurations of which git reads more than is seen here. */
static void make_hidden(void)
{
	char text[512];

	repository("long/.git");
	repository("nul/.git");
	repository("fifo/.git");
	make("fifo/.git/config", "[include]\npath = ../pipe\n");
	snprintf(text, sizeof(text),
		 "cd %s; mkfifo fifo/pipe; printf '#\\0\\n[include]path=x\\n' >nul/.git/config; "
		 "{ head -c 300000 /dev/zero | tr '\\0' '#'; printf '\\n[include]path=x\\n'; } >long/.git/config",
		 root);
	if (system(text))
		perror(text);
}

static void refuses(const char *workspace, const char *file)
{
	struct policy_params params = {};
	struct loaded l = load_text(policy(workspace), strlen(policy(workspace)), &params);

	tap_ok(&tap, l.err && has_diag(&l.d, DIAG_ERROR, NULL, 0, 0, file), "%s is refused", file);
	unload(&l);
}

int main(void)
{
	static const char *const closed[] = {
		"ws/main/.git", "ws/main/.git/config", "ws/main/.git/config.lock",
		"ws/main/.git/config.worktree", "ws/main/.git/commondir", "ws/main/.git/hooks",
		"ws/main/.git/hooks/any", "ws/main/my hooks/x", "ws/main/inc", "ws/main/inc.lock",
		"home/abs", "ws/main/.git/modules/a/b/config", "ws/main/.git/modules/a/b/hooks/x",
		"ws/main/.git/worktrees/t/commondir", "ws/main/.git/worktrees/t", "ws/tree/.git",
		"ws/bare.git/config", "ws/bare.git/hooks/update", "ws/.git", "ws/linked/.git",
		"else/.git/config", "ws/1/2/3/4/5/6/7/8/9/.git/config", NULL};
	static const char *const led_to[] = {
		"ws/deep/a.inc", "ws/deep/a.inc.lock", "ws/deep/sub/d.inc", "ws/deep/sub/not-there",
		"ws/deep/b]c", "home/from-d", "home/hooks-d/x", "ws/deep/hooks.d/x",
		"ws/deep/from-a/post-commit", "ws/deep/.git/from-a/post-update",
		"ws/deep-tree/hooks.d/x", "ws/deep-tree/from-a/x", "ws/deep/tools/hook", "ws/deep/m/own/x",
		/* by a link */
		"ws/null/link", "ws/null/to",
		/* of a repository outside */
		"far/.git/config", "ws/near/far-hooks/x", "far/far-hooks/x",
		/* for every repository */
		"home/.gitconfig", "home/dot/gitconfig", "home/more", "home/.config/git/xdg",
		"home/template/hooks/x", "ws/main/for-all/x", "ws/tree/for-all/x", "ws/bare.git/for-all/x",
		"ws/deep/m/for-all/x", NULL};
	static const char *const led_elsewhere[] = {
		"ws/deep/no/x", "ws/deep/m/hooks.d/x", "ws/deep/x", "ws/deep/b", "ws/null/from-a/x",
		"home/for-all/x", "home/dot/x", "ws/for-all/x", NULL};
	static const char *const many_closed[] = {"many/000/.git/config", "many/200/.git/config",
						  "many/new/.git", "many/a/b/.git/config.lock", NULL};
	static const char *const many_open[] = {"many/000/.git/index", "many/x", NULL};
	static const char *const open[] = {
		"ws/main/.git/index", "ws/main/.git/HEAD", "ws/main/.git/refs/heads/x",
		"ws/main/.git/worktrees/new/commondir", "ws/main/.git/modules/new/config",
		"ws/main/x", "ws/fresh/.git/config", "ws/node_modules/x/.git/config",
		"above/.git/config", NULL};
	static const char *const above_closed[] = {"above/.git/config", "above/.git", NULL};
	static const char *const home_closed[] = {"ws/main/.git/config", NULL};
	static const char *const editors[] = {
		"ws/.vscode/settings.json", "ws/.devcontainer/devcontainer.json", "ws/main/.vscode/launch.json",
		"ws/main/.devcontainer.json", "ws/part/.vscode/launch.json", "ws/part/.devcontainer/post.sh",
		"ws/tree/.vscode/settings.json", NULL};
	static const char *const no_editors[] = {
		"ws/part2/.vscode/settings.json", "ws/part/.vscode/x.json", "ws/node_modules/x/.vscode/launch.json",
		"ws/fresh/.devcontainer.json", NULL};
	static const char *const deep_closed[] = {
		"home2/1/2/3/4/5/.git/config", "home2/.oh-my/.git/config",
		"home2/1/2/3/4/5/.vscode/settings.json", NULL};
	static const char *const deep_open[] = {
		"home2/1/2/3/4/5/6/.git/config", "home2/node_modules/x/.git/config",
		"home2/go/pkg/mod/x/.git/config", "home2/new/.git/config", NULL};
	static const char *const nothing[] = {"ws/bare.git/config", NULL}, *const none[] = {NULL};

	if (!mkdtemp(root))
		return 1;
	make_tree();
	load_and_expect("ws", "home", closed, open);
	load_and_expect("ws", "home", led_to, led_elsewhere);
	load_and_expect("above/sub", "home", above_closed, nothing);
	load_and_expect("above/sub", "ws", home_closed, none);
	load_and_expect("many", "home", many_closed, many_open);
	load_and_expect("absent", "home2", deep_closed, deep_open);
	load_and_expect("ws", "home", editors, no_editors);
	load_and_expect("absent", "home", none, nothing);
	make_hidden();
	refuses("long", "long/.git/config");
	refuses("nul", "nul/.git/config");
	refuses("fifo", "fifo/pipe");
	if (!strncmp(root, "/tmp/hg-", 8)) {
		char text[256];

		snprintf(text, sizeof(text), "rm -rf %s", root);
		if (system(text))
			perror(text);
	}
	return tap_done(&tap);
}
