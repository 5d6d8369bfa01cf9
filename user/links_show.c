/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Hard links as `check` lists them: no privilege, no kernel side, what can be found. */
#include <fcntl.h>

#include "links.h"
#include "links_show.h"
#include "log.h"
#include "mountinfo.h"
#include "mounts.h"
#include "util.h"
#include "../policy/mount_names.h"

static bool same_superblock(const struct mount_line *a, const struct mount_line *b)
{
	return a && b && a->major == b->major && a->minor == b->minor;
}

/* What one superblock's mounts name of it: those that do not lie in another's part. */
struct parts {
	const struct mount_line *items[HG_PARTS_MAX];
	size_t n;
};

static void part_add(struct parts *p, const struct mount_line *m)
{
	const char *rest;
	size_t i;

	if (!mount_is_nameable(m) || p->n == HG_PARTS_MAX)
		return;
	for (i = 0; i < p->n; i++)
		if (path_is_in(m->root, p->items[i]->root, &rest))
			return;
	p->items[p->n++] = m;
}

static int part_look(struct links *l, const struct policy *p, const struct mount_table *t,
		     const struct mount_line *m, const struct mount_line *like)
{
	_close_ int fd = -1;
	struct link_root root = {.path = m->path, .like = like->path, .skip = true};

	/* What user/links_kernel.c says of them. */
	root.whole = root.by_names = !strcmp(m->root, "/") && strcmp(m->type, "overlay");
	root.copied = !strcmp(m->type, "overlay");
	if (mount_may_block(t, m)) {
		log_warn("%s (%s) was not looked at: it may wait for others", m->path, m->type);
		return 0;
	}
	root.fd = fd = open(m->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		log_warn("%s was not looked at: %s", m->path, strerror(errno));
		return 0;
	}
	return links_look(l, p->image, &root);
}

static int superblock_look(struct links *l, const struct policy *p, const struct mount_table *t,
			   const struct parts *parts)
{
	uint8_t any = 0, all = HG_OBJECT_RIGHTS;
	size_t i;
	int err = 0;

	for (i = 0; !err && i < parts->n; i++)
		err = links_rights(p->image, parts->items[i]->path, &any, &all);
	if (err || any == all || !links_type_has(parts->items[0]->type))
		return err;
	for (i = 0; !err && i < parts->n; i++)
		err = part_look(l, p, t, parts->items[i], parts->items[0]);
	return err;
}

static int mounts_look(struct links *l, const struct policy *p, const struct mount_table *t)
{
	_free_ const struct mount_line **mounts = mount_table_candidates(t);
	size_t i;
	int err = mounts ? 0 : -ENOMEM;

	/* The widest, oldest mount names what is on it. */
	for (i = 0; !err && i < t->n;) {
		struct parts parts = {};

		do
			part_add(&parts, mounts[i++]);
		while (same_superblock(mounts[i], mounts[i - 1]));
		if (parts.n)
			err = superblock_look(l, p, t, &parts);
	}
	return err;
}

int links_show(const struct policy *p,
	       int (*show)(void *ctx, const char *least, const char *most, uint8_t lacks),
	       void *ctx)
{
	_mount_table_ struct mount_table t = {};
	_links_ struct links l = {};
	uint8_t lacks;
	size_t i;
	int err;

	err = mounts_table(&t);
	if (!err)
		err = mounts_look(&l, p, &t);
	log_verbose("%zu names in %zu directories, %zu files with several", l.n_names,
		    l.n_directories, l.n);
	if (l.n_skipped)
		log_warn("%zu directories could not be read, so there may be more", l.n_skipped);
	for (i = 0; !err && i < l.n; i++) {
		const struct link_file *f = &l.items[i];

		lacks = f->n ? link_lacks(f) : 0;
		if (lacks)
			err = show(ctx, f->least, f->most, lacks);
	}
	return err;
}
