/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Names of what is mounted, from the mount table. */
#include <fcntl.h>

#include "../bpf/core/abi.h"
#include "log.h"
#include "naming.h"
#include "paths.h"
#include "util.h"

#define MOUNTINFO_MAX (64u * 1024 * 1024)

struct naming {
	const struct mount_table *t;
	const struct places *p;
	const struct mount_line **by_id, **by_parent;
};

static int number_compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int id_compare(const void *a, const void *b)
{
	return number_compare((*(const struct mount_line *const *)a)->id,
			      (*(const struct mount_line *const *)b)->id);
}

static int parent_compare(const void *a, const void *b)
{
	const struct mount_line *x = *(const struct mount_line *const *)a;
	const struct mount_line *y = *(const struct mount_line *const *)b;
	int c = number_compare(x->parent, y->parent);

	return c ? c : strcmp(x->path, y->path);
}

static const struct mount_line *line_of(const struct naming *n, uint64_t id)
{
	const struct mount_line want = {.id = id}, *key = &want, **found;

	found = bsearch(&key, n->by_id, n->t->n, sizeof(key), id_compare);
	return found ? *found : NULL;
}

/* Is something mounted on `parent` at the first len bytes of path? */
static bool is_covered_at(const struct naming *n, uint64_t parent, const char *path, size_t len)
{
	_free_ char *at = strndup(path, len ? len : 1);
	struct mount_line want = {.parent = parent, .path = at};
	const struct mount_line *key = &want;

	/* Without memory: as if not; what is too many only restricts more. */
	return at && bsearch(&key, n->by_parent, n->t->n, sizeof(key), parent_compare);
}

/* Does its path lead to it? Not where another mount lies on it, or on the way. */
static bool is_seen(const struct naming *n, const struct mount_line *m)
{
	const struct mount_line *parent;
	size_t steps, len;

	parent = line_of(n, m->parent);
	if (!strcmp(m->path, "/"))
		return !parent || parent == m;
	if (is_covered_at(n, m->id, m->path, strlen(m->path)))
		return false;
	for (steps = 0; steps <= n->t->n; steps++, m = parent) {
		parent = line_of(n, m->parent);
		if (!parent || parent == m)
			return true;
		/* A sibling above it, from where the parent begins. */
		for (len = strlen(m->path); len-- > 0;)
			if (m->path[len] == '/' && len >= strlen(parent->path) &&
			    is_covered_at(n, m->parent, m->path, len))
				return false;
	}
	return false;
}

static const char *home_of_type(const char *type)
{
	static const struct {
		const char *type;
		uint32_t home;
	} homes[] = {{"proc", HG_HOME_PROC},
		     {"sysfs", HG_HOME_SYSFS},
		     {"devpts", HG_HOME_DEVPTS},
		     {"cgroup2", HG_HOME_CGROUP2},
		     {"bpf", HG_HOME_BPF}};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(homes); i++)
		if (!strcmp(type, homes[i].type))
			return home_path(homes[i].home);
	return NULL;
}

/* What names a part of a superblock: what is below this root is called so. */
struct name {
	const char *root, *path;
};

/* Of one superblock; none lies in another. */
struct parts {
	struct name part[HG_PARTS_MAX];
	size_t n;
};

/* The one in which it lies. */
static const struct name *part_of(const struct parts *p, const char *root)
{
	const char *rest;
	size_t i;

	for (i = 0; i < p->n; i++)
		if (path_is_in(root, p->part[i].root, &rest))
			return &p->part[i];
	return NULL;
}

static void part_add(struct parts *p, const char *root, const char *path)
{
	const char *rest;
	size_t i;

	for (i = 0; i < p->n; i++)
		if (path_is_in(root, p->part[i].root, &rest) ||
		    path_is_in(p->part[i].root, root, &rest))
			return;
	if (p->n < HG_PARTS_MAX)
		p->part[p->n++] = (struct name){root, path};
}

/* Is anything mounted of what is below the root? */
static bool is_mounted(const struct mount_line **mounts, size_t n, const char *root)
{
	const char *rest;
	size_t i;

	for (i = 0; i < n; i++)
		if (mount_is_nameable(mounts[i]) && path_is_in(mounts[i]->root, root, &rest))
			return true;
	return false;
}

/* What has a place, then by its mounts in the order of mount_table_candidates(). */
static void superblock_parts(const struct naming *n, const struct mount_line **mounts,
			     size_t n_mounts, struct parts *ret)
{
	const struct mount_line *m = mounts[0];
	const char *home = home_of_type(m->type);
	size_t i;

	if (home) {
		part_add(ret, "/", home);
		return;
	}
	for (i = n->p->n; i-- > 0;) {
		const struct place *place = &n->p->items[i];

		if (place->major == m->major && place->minor == m->minor &&
		    is_mounted(mounts, n_mounts, place->root))
			part_add(ret, place->root, place->path);
	}
	for (i = 0; i < n_mounts; i++)
		if (mount_is_nameable(mounts[i]) && is_seen(n, mounts[i]))
			part_add(ret, mounts[i]->root, mounts[i]->path);
}

/* Those that always take other spellings. Others do it for some directories (user/explain_spelling.c
 * looks), or where they were mounted so, which is not seen here. */
static bool type_respells(const char *type)
{
	static const char *const types[] = {"vfat", "msdos", "exfat", "hfs", "hfsplus"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(type, types[i]))
			return true;
	return false;
}

static int mount_add(const struct naming *n, const struct mount_line *m, const struct parts *parts,
		     struct mount_names *ret)
{
	const struct name *by = NULL;
	const char *rest;
	char *name = NULL;

	if (!is_seen(n, m))
		return 0;
	/* "//deleted" is no path of anything; nsfs has none at all. */
	if (*m->root == '/' && !strstr(m->root, "//"))
		by = part_of(parts, m->root);
	if (by && path_is_in(m->root, by->root, &rest) &&
	    asprintf(&name, "%s%s", *rest && !strcmp(by->path, "/") ? "" : by->path, rest) < 0)
		return -ENOMEM;
	return mount_names_add(ret, m->path, name, type_respells(m->type));
}

static bool same_superblock(const struct mount_line *a, const struct mount_line *b)
{
	return b && a->major == b->major && a->minor == b->minor;
}

static int add_all(const struct naming *n, struct mount_names *ret)
{
	_free_ const struct mount_line **mounts = mount_table_candidates(n->t);
	size_t i, k, count;
	int err = 0;

	if (!mounts)
		return -ENOMEM;
	for (i = 0; i < n->t->n; i += count) {
		struct parts parts = {};

		for (count = 1; same_superblock(mounts[i], mounts[i + count]); count++)
			;
		superblock_parts(n, mounts + i, count, &parts);
		for (k = i; k < i + count; k++) {
			err = mount_add(n, mounts[k], &parts, ret);
			if (err)
				return err;
		}
	}
	return 0;
}

int naming_from(const struct mount_table *t, const struct places *p, struct mount_names *ret)
{
	_free_ const struct mount_line **by_id = calloc(t->n + 1, sizeof(*by_id));
	_free_ const struct mount_line **by_parent = calloc(t->n + 1, sizeof(*by_parent));
	struct naming n = {.t = t, .p = p, .by_id = by_id, .by_parent = by_parent};
	_mount_names_ struct mount_names names = {};
	size_t i;
	int err;

	if (!by_id || !by_parent)
		return -ENOMEM;
	for (i = 0; i < t->n; i++)
		by_id[i] = by_parent[i] = &t->lines[i];
	qsort(by_id, t->n, sizeof(*by_id), id_compare);
	qsort(by_parent, t->n, sizeof(*by_parent), parent_compare);
	err = add_all(&n, &names);
	if (err)
		return err;
	*ret = names;
	names = (struct mount_names){};
	return 0;
}

/* Names are those of the first process's mounts; without it in sight (hidepid, or a container), of
 * one's own. */
static int table_text(char **ret)
{
	if (!read_file(AT_FDCWD, "/proc/1/mountinfo", MOUNTINFO_MAX, ret, NULL))
		return 0;
	return read_file(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, ret, NULL);
}

int naming_read(struct mount_names *ret)
{
	_mount_table_ struct mount_table t = {};
	_places_ struct places p = {};
	_free_ char *text = NULL;
	int err;

	err = table_text(&text);
	if (!err)
		err = mount_table_parse(text, &t);
	/* Of an older load, or not to be read: names that will be given. */
	if (!err && (access(HG_PIN_DIR "/maps", F_OK) || places_read(&p))) {
		places_clear(&p);
		p = (struct places){};
	}
	if (!err)
		err = naming_from(&t, &p, ret);
	return err ? log_errno(err, "cannot tell what is mounted") : 0;
}
