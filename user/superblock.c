/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Naming the parts of one superblock. */
#include <bpf/bpf.h>

#include "images.h"
#include "log.h"
#include "registrar.h"
#include "superblock.h"
#include "util.h"
#include "../policy/mount_names.h"

static bool place_is_by(const struct place *place, const struct mount_line *m)
{
	return !strcmp(place->path, m->path) && !strcmp(place->root, m->root);
}

#define TEXT(x)	  #x
#define NUMBER(x) TEXT(x)
#define PARTS_MAX NUMBER(HG_PARTS_MAX)

static const char *missing_why(int err)
{
	switch (err) {
	case -EBUSY:
		return "another mount lies on top of it";
	case -ETIMEDOUT:
		return "it does not answer";
	case -ENODATA:
		return "the kernel side was not asked";
	case -ENOSPC:
		return "too many file systems are mounted";
	case -EPERM:
		return "an agent mounted it, and it is neither a disk's nor in memory";
	case -E2BIG:
		return "of its file system too many other parts are mounted (" PARTS_MAX ")";
	}
	return strerror(-err);
}

struct sync {
	struct engine *e;
	struct places *p;
	const struct mount_table *t;
	/* The superblock at hand: its mounts, the widest root first, and the places of its parts, none of
	 * which lies in another. */
	const struct mount_line **mounts;
	size_t n_mounts;
	uint32_t parts[HG_PARTS_MAX];
	uint32_t n_parts;
	/*
	 * It had another name, or has several mounts: policies in force may have rules that hold
	 * for it by names they were not compiled with. What is named anew gets no starts, and so is
	 * denied, until they are (user/remount.h).
	 */
	bool hold;
};

static const struct place *part_place(const struct sync *s, uint32_t i)
{
	size_t k;

	for (k = s->p->n; k-- > 0;)
		if (s->p->items[k].number == s->parts[i])
			return &s->p->items[k];
	return NULL;
}

/* The parts in a new one, by whose mounts they are named again when it goes. */
static bool parts_note(const struct sync *s, struct place *into)
{
	const char *rest;
	uint32_t i;
	size_t k;

	for (i = 0; i < s->n_parts; i++) {
		const struct place *part = part_place(s, i);

		if (!path_is_in(part->root, into->root, &rest))
			continue;
		if (*rest && !place_add_before(into, part->root, part->path))
			return false;
		for (k = 0; k < part->n_before; k++)
			if (!place_add_before(into, part->before[k].root, part->before[k].path))
				return false;
	}
	return true;
}

/* A new number, its starts, then the part: in this order nothing is let through or refused for want
 * of a start. The parts in it go. apart: it may not answer. */
static int place_make(struct sync *s, const struct mount_line *m, bool apart)
{
	struct registration r = {};
	size_t first = s->p->n;
	struct place *place;
	const char *rest;
	uint32_t i;
	int err;

	for (i = 0; i < s->n_parts; i++)
		if (!path_is_in(part_place(s, i)->root, m->root, &rest))
			r.keep[r.n_keep++] = s->parts[i];
	if (r.n_keep == HG_PARTS_MAX)
		return -E2BIG;
	place = places_add(s->p, m->major, m->minor, m->root, m->path, m->type);
	if (!place)
		return -ENOMEM;
	r.place = place->number;
	err = parts_note(s, place) ? places_write(s->p) : -ENOMEM;
	if (!err && !s->hold)
		err = images_add_places(s->e, s->p, first);
	if (!err)
		err = apart ? mount_register_apart(s->e, m, &r) : mount_register(s->e, m, &r);
	/* Directories of it may have been judged under its old name. */
	if (!err)
		err = engine_forget_directories(s->e);
	if (err) {
		images_remove_place(s->e, r.place);
		places_remove(s->p, first);
		return err;
	}
	memcpy(s->parts, r.keep, sizeof(s->parts));
	s->n_parts = r.n_keep;
	s->parts[s->n_parts++] = r.place;
	log_verbose("%s is place %u", m->path, r.place);
	return 0;
}

static int mount_name(struct sync *s, const struct mount_line *m)
{
	int fd;

	if (mount_may_block(s->t, m))
		return place_make(s, m, true);
	/* One that is covered costs no number. */
	fd = mount_open(m);
	if (fd < 0)
		return fd;
	close(fd);
	return place_make(s, m, false);
}

/*
 * What the kernel side knows of the superblock at hand. False where that cannot be asked. Device
 * numbers are used again, and what is unmounted is forgotten only after a while; so a place with
 * its numbers may be another one's.
 */
static bool superblock_ask(const struct sync *s, struct hg_superblock *ret)
{
	struct hg_link_key key;
	size_t i;

	for (i = 0; i < s->n_mounts; i++) {
		_close_ int fd = -1;

		if (!mount_is_nameable(s->mounts[i]) || mount_may_block(s->t, s->mounts[i]))
			continue;
		fd = mount_open(s->mounts[i]);
		if (fd < 0 || mounts_identify(s->e, fd, &key))
			continue;
		if (bpf_map_lookup_elem(s->e->superblocks, &key.sb, ret))
			*ret = (struct hg_superblock){};
		return true;
	}
	return false;
}

static bool has_part(const struct hg_superblock *sb, uint32_t place)
{
	uint32_t i;

	for (i = 0; i < sb->n_parts; i++)
		if (sb->part[i].place == place)
			return true;
	return false;
}

/* Is its name still by one of the mounts of its root? Then it stays, whatever was mounted since. */
static bool name_holds(const struct sync *s, const struct place *place)
{
	size_t i;

	for (i = 0; i < s->n_mounts; i++)
		if (place_is_by(place, s->mounts[i]))
			return true;
	return false;
}

/* Is it in a part that was named by a mount which is still there? */
static bool was_named(const struct sync *s, const struct place *place, const struct mount_line *m)
{
	const char *rest;
	size_t i, k;

	for (i = 0; i < place->n_before; i++) {
		const struct place_before *b = &place->before[i];

		if (!path_is_in(m->root, b->root, &rest))
			continue;
		for (k = 0; k < s->n_mounts; k++)
			if (!strcmp(s->mounts[k]->root, b->root) &&
			    !strcmp(s->mounts[k]->path, b->path))
				return true;
	}
	return false;
}

/*
 * Does it still name what is mounted of it? When its mount goes, a part that is left does not rename
 * what is above; but where all that is left was mounted before and had names then, it has them
 * again: a btrfs mounted as a whole for a moment.
 */
static bool place_stands(const struct sync *s, const struct place *place)
{
	bool holds = name_holds(s, place);
	const char *rest;
	size_t i;

	for (i = 0; i < s->n_mounts; i++)
		if (mount_is_nameable(s->mounts[i]) &&
		    path_is_in(s->mounts[i]->root, place->root, &rest) &&
		    (holds || !was_named(s, place, s->mounts[i])))
			return true;
	return false;
}

/* The parts that have a name and are still there. Where the kernel side cannot be asked about them,
 * it denies what it does not know. */
static void parts_begin(struct sync *s)
{
	const struct mount_line *m = s->mounts[0];
	struct hg_superblock sb;
	bool asked = superblock_ask(s, &sb);
	size_t i;

	s->n_parts = 0;
	s->hold = s->n_mounts > 1;
	/* The newest first, should two superblocks be alive for a moment. */
	for (i = s->p->n; i-- > 0 && s->n_parts < HG_PARTS_MAX;) {
		const struct place *place = &s->p->items[i];

		if (place->major != m->major || place->minor != m->minor ||
		    (asked && !has_part(&sb, place->number)))
			continue;
		s->hold = true;
		if (place_stands(s, place))
			s->parts[s->n_parts++] = place->number;
	}
}

/* Takes a part out of its superblock where it has others. */
static int part_remove(const struct sync *s, uint32_t place)
{
	struct hg_superblock sb;
	__u64 at, next, *from = NULL;
	uint32_t i, n;

	for (; !bpf_map_get_next_key(s->e->superblocks, from, &next); at = next, from = &at) {
		if (bpf_map_lookup_elem(s->e->superblocks, &next, &sb) || sb.n_parts < 2 ||
		    !has_part(&sb, place))
			continue;
		for (i = n = 0; i < sb.n_parts; i++)
			if (sb.part[i].place != place)
				sb.part[n++] = sb.part[i];
		sb.n_parts = n;
		/* Not made anew: nobody else does that, under the lock. */
		if (bpf_map_update_elem(s->e->superblocks, &next, &sb, BPF_EXIST))
			return errno == ENOENT ? 0 : -errno;
		return engine_forget_directories(s->e);
	}
	return 0;
}

/* Parts of which nothing is mounted any more, while others are. */
static int parts_end(const struct sync *s)
{
	const struct mount_line *m = s->mounts[0];
	uint32_t k;
	size_t i;
	int err;

	for (i = 0; i < s->p->n && s->n_parts; i++) {
		const struct place *place = &s->p->items[i];

		if (place->major != m->major || place->minor != m->minor)
			continue;
		for (k = 0; k < s->n_parts && s->parts[k] != place->number; k++)
			;
		err = k < s->n_parts ? 0 : part_remove(s, place->number);
		if (err)
			return err;
	}
	return 0;
}

/* Names a part by a mount, unless it has a name. Of the mounts of one root, that is the first that is
 * not covered by another. What has a name keeps it, though its mount is covered or gone. */
static int mount_sync(struct sync *s, const struct mount_line *m)
{
	const struct place *place;
	const char *rest;
	uint32_t i;

	for (i = 0; i < s->n_parts; i++) {
		place = part_place(s, i);
		if (path_is_in(m->root, place->root, &rest) && (*rest || name_holds(s, place)))
			return 0;
	}
	return mount_name(s, m);
}

/* Has some of what is mounted there a name, or was it said already that it has none? */
static bool is_told(const struct sync *s, const int *failed, size_t at)
{
	const char *root = s->mounts[at]->root, *rest;
	uint32_t i;
	size_t k;

	for (i = 0; i < s->n_parts; i++)
		if (path_is_in(part_place(s, i)->root, root, &rest) ||
		    path_is_in(root, part_place(s, i)->root, &rest))
			return true;
	for (k = 0; k < at; k++)
		if (failed[k] && path_is_in(root, s->mounts[k]->root, &rest))
			return true;
	return false;
}

static int missing_tell(const struct sync *s, const int *failed)
{
	size_t i;
	int err = 0;

	for (i = 0; i < s->n_mounts && !err; i++) {
		const struct mount_line *m = s->mounts[i];

		if (!failed[i] || is_told(s, failed, i))
			continue;
		log_verbose("%s has no name: %s", m->path, missing_why(failed[i]));
		err = places_add_missing(s->p, m->path, m->type, missing_why(failed[i]));
	}
	return err;
}

int superblock_sync(struct engine *e, struct places *p, const struct mount_table *t,
		    const struct mount_line **mounts, size_t n)
{
	struct sync s = {.e = e, .p = p, .t = t, .mounts = mounts, .n_mounts = n};
	_free_ int *failed = calloc(n, sizeof(*failed));
	size_t i;
	int err;

	if (!failed)
		return -ENOMEM;
	parts_begin(&s);
	for (i = 0; i < n; i++) {
		failed[i] = mount_is_nameable(mounts[i]) ? mount_sync(&s, mounts[i]) : 0;
		if (failed[i] == -ENOMEM)
			return -ENOMEM;
	}
	err = parts_end(&s);
	return err ? err : missing_tell(&s, failed);
}
