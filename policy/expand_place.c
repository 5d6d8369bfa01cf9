/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a path leads: the name that the kernel side will see for what is there.
 *
 * Like realpath(3), but what does not exist stays as it is written (it may be made later), and
 * every link on the way is told.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "expand.h"

struct walk {
	char *real;   /* "" for the root */
	char *todo;   /* what is left, relative to real */
	bool missing; /* nothing below real exists */
	unsigned n_links;
};

static char *join(const char *a, const char *between, const char *b)
{
	size_t n_a = strlen(a), n_m = strlen(between), n_b = strlen(b);
	char *out = malloc(n_a + n_m + n_b + 1);

	if (!out)
		return NULL;
	memcpy(out, a, n_a);
	memcpy(out + n_a, between, n_m);
	memcpy(out + n_a + n_m, b, n_b + 1);
	return out;
}

static int replace(char **slot, char *with)
{
	if (!with)
		return -ENOMEM;
	free(*slot);
	*slot = with;
	return 0;
}

/* Takes the first component off w->todo; NULL in *ret when there is none. */
static int next_component(struct walk *w, char **ret)
{
	char *begin = w->todo + strspn(w->todo, "/"), *name;
	size_t n = strcspn(begin, "/");
	int err;

	*ret = NULL;
	if (!n)
		return 0;
	name = strndup(begin, n);
	if (!name)
		return -ENOMEM;
	err = replace(&w->todo, strdup(begin + n + strspn(begin + n, "/")));
	if (err) {
		free(name);
		return err;
	}
	*ret = name;
	return 0;
}

/* The link's target, NULL in *ret where `path` is no link (or there is no telling). */
static int read_link(const char *path, char **ret)
{
	char target[PATH_MAX];
	struct stat st;
	ssize_t n;

	*ret = NULL;
	if (lstat(path, &st) < 0 || !S_ISLNK(st.st_mode))
		return 0;
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return 0;
	target[n] = '\0';
	*ret = strdup(target);
	return *ret ? 0 : -ENOMEM;
}

static enum place_self self_of(const char *path)
{
	if (!strcmp(path, "/proc/self"))
		return SELF_PROCESS;
	if (!strcmp(path, "/proc/thread-self"))
		return SELF_THREAD;
	return SELF_NONE;
}

/* One component onto w->real; sets ret->self where the walk ends at /proc/self. */
static int step(struct walk *w, const char *name, bool follow, struct strings *links,
		struct place *ret)
{
	char *path = NULL, *target = NULL, *slash;
	int err;

	if (!strcmp(name, "."))
		return 0;
	if (!strcmp(name, "..")) {
		slash = strrchr(w->real, '/');
		if (slash)
			*slash = '\0';
		return 0;
	}
	path = join(w->real, "/", name);
	if (!path)
		return -ENOMEM;
	if (!w->missing && (follow || *w->todo)) {
		ret->self = self_of(path);
		if (ret->self != SELF_NONE) {
			free(path);
			return 0;
		}
		err = read_link(path, &target);
		if (err)
			goto out;
		w->missing = !target && access(path, F_OK) < 0 && errno == ENOENT;
	}
	if (!target || ++w->n_links > EXPAND_LINKS_MAX) {
		w->missing |= w->n_links > EXPAND_LINKS_MAX;
		err = replace(&w->real, path);
		path = err ? path : NULL;
		goto out;
	}
	err = links ? strings_add(links, path) : 0;
	if (!err)
		err = replace(&w->todo, join(target, "/", w->todo));
	if (!err && *target == '/')
		*w->real = '\0';
out:
	free(path);
	free(target);
	return err;
}

int place_find(const char *path, bool follow, struct strings *links, struct place *ret)
{
	struct walk w = {.real = strdup(""), .todo = strdup(path)};
	int err = w.real && w.todo ? 0 : -ENOMEM;
	char *name;

	*ret = (struct place){};
	while (!err) {
		err = next_component(&w, &name);
		if (err || !name)
			break;
		err = step(&w, name, follow, links, ret);
		free(name);
		if (!err && ret->self != SELF_NONE)
			break;
	}
	if (!err && ret->self != SELF_NONE) {
		ret->rest = w.todo;
		w.todo = NULL;
	}
	if (!err && !*w.real)
		err = replace(&w.real, strdup("/"));
	free(w.todo);
	ret->real = w.real;
	if (err)
		place_done(ret);
	return err;
}

void place_done(struct place *p)
{
	free(p->real);
	free(p->rest);
	*p = (struct place){};
}
