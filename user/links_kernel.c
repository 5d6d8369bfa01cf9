/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Files with several names: what the kernel side is told of them. */
#include <bpf/bpf.h>
#include <inttypes.h>
#include <time.h>

#include "links.h"
#include "links_kernel.h"
#include "log.h"
#include "mounts.h"
#include "registrar.h"
#include "util.h"

/* How often it is looked: once by names, then at every file; what changes then is refused. */
#define ROUNDS 4

struct install {
	struct engine *e;
	uint32_t slot;
	const struct image *im;
	const struct places *places;
	size_t first;
	bool by_names;
	uint64_t *looked; /* the superblocks that were looked at, or need not be */
	size_t n_looked;
};

static int identify(void *ctx, int fd, struct hg_link_key *ret)
{
	return mounts_identify(ctx, fd, ret);
}

static const char *unseen_why(int err)
{
	switch (err) {
	case -EOPNOTSUPP:
		return "it may wait for others";
	case -ENODEV:
	case -EBUSY:
		return "no mount leads to it";
	}
	return strerror(-err);
}

static bool same_superblock(const struct place *a, const struct place *b)
{
	return a->major == b->major && a->minor == b->minor;
}

/* One part of a superblock, where the common rights are those of `like`. *ret_sb: the superblock; 0
 * where it could not be looked at, which is told. */
static int part_look(struct install *in, struct links *l, const struct mount_table *t,
		     const struct place *place, const struct place *like, bool alike,
		     uint64_t *ret_sb)
{
	struct link_root root = {
		.path = place->path,
		.like = like->path,
		.copied = !strcmp(place->type, "overlay"),
		.by_names = in->by_names,
		.identify = identify,
		.ctx = in->e,
	};
	struct hg_link_key key;
	_close_ int fd = -1;
	int err;

	/* In an overlay, names below others, or away, count as links as well. */
	root.whole = !strcmp(place->root, "/") && !root.copied;
	root.fd = fd = mounts_open_alone(t, place);
	*ret_sb = 0;
	if (fd < 0) {
		if (!alike)
			log_warn("WARNING: hard links on %s (%s) were not looked for, because %s: "
				 "a file there may have a name for which no rule refuses it",
				 place->path, place->type, unseen_why(fd));
		return 0;
	}
	err = mounts_identify(in->e, fd, &key);
	if (err)
		return log_errno(err, "the kernel does not say which file system %s is",
				 place->path);
	*ret_sb = key.sb;
	if (alike)
		return 0;
	err = links_look(l, in->im, &root);
	return err ? log_errno(err, "hard links on %s cannot be looked for", place->path) : 0;
}

/* A file may have names in several parts of its superblock: all are looked at, or none. */
static int superblock_look(struct install *in, struct links *l, const struct mount_table *t,
			   const struct place *first)
{
	const struct place *place, *end = in->places->items + in->places->n;
	uint8_t any = 0, all = HG_OBJECT_RIGHTS;
	uint64_t sb, looked = 0;
	bool whole = true;
	int err;

	for (place = in->places->items; place < end; place++) {
		if (!same_superblock(place, first))
			continue;
		err = links_rights(in->im, place->path, &any, &all);
		if (err)
			return log_errno(err, "cannot find %s in the policy", place->path);
	}
	for (place = in->places->items; place < end; place++) {
		if (!same_superblock(place, first))
			continue;
		err = part_look(in, l, t, place, first, any == all, &sb);
		if (err)
			return err;
		whole = whole && sb && (!looked || looked == sb);
		looked = sb;
	}
	if (whole)
		in->looked[in->n_looked++] = looked;
	return 0;
}

static int look_once(struct install *in, struct links *l)
{
	const struct place *all = in->places->items;
	_mount_table_ struct mount_table t = {};
	size_t i, k;
	int err;

	err = mounts_table(&t);
	in->n_looked = 0;
	for (i = in->first; !err && i < in->places->n; i++) {
		for (k = in->first; k < i && !same_superblock(&all[k], &all[i]); k++)
			;
		if (k == i && links_type_has(all[i].type))
			err = superblock_look(in, l, &t, &all[i]);
	}
	return err;
}

/* Until nothing moves any more, or has moved too often. */
static int look(struct install *in, struct links *l)
{
	unsigned int round;
	int err;

	for (round = 1;; round++) {
		uint64_t begun = clock_ns(CLOCK_MONOTONIC);

		in->by_names = round == 1;
		err = look_once(in, l);
		log_verbose("%zu names in %zu directories, %zu files with several, in %" PRIu64
			    " ms",
			    l->n_names, l->n_directories, l->n,
			    (clock_ns(CLOCK_MONOTONIC) - begun) / 1000000);
		if (err || round == ROUNDS || links_settled(l))
			return err;
		links_clear(l);
	}
}

/* What is said of one key, which two files may have: of a btrfs whose subvolumes cannot be told apart
 * (hg_link_key.tree). Both then lack what one lacks. */
struct entry {
	struct hg_link_key key;
	struct hg_link link;
	const struct link_file *file;
};

static int entry_put(struct install *in, const struct entry *entry)
{
	const struct link_file *f = entry->file;
	uint64_t bit = hg_link_bit(entry->key.ino);

	__atomic_store_n(&in->e->filter->used, 1, __ATOMIC_SEQ_CST);
	__atomic_fetch_or(&in->e->filter->word[bit / 64], 1ull << bit % 64, __ATOMIC_SEQ_CST);
	if (!bpf_map_update_elem(in->e->links, &entry->key, &entry->link, BPF_ANY))
		return 0;
	if (errno != E2BIG)
		return log_errno(errno, "cannot mark %s", f->least);
	log_error("more than %d files have names with different rights, and there is no room to "
		  "mark them all; %s is one, and so is %s",
		  HG_LINKS_MAX, f->least, f->most ? f->most : f->least);
	return -E2BIG;
}

/* Of entries by their keys, with which they begin. */
static int key_compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct hg_link_key));
}

/* What is still true of what was said before: refreshed, or on a superblock that was not looked at
 * now and still exists. */
static bool entry_stands(const struct install *in, const struct hg_link_key *key,
			 const struct entry *fresh, size_t n)
{
	struct hg_superblock sb;
	size_t i;

	if (bsearch(key, fresh, n, sizeof(*fresh), key_compare))
		return true;
	for (i = 0; i < in->n_looked; i++)
		if (in->looked[i] == key->sb)
			return false;
	return !bpf_map_lookup_elem(in->e->superblocks, &key->sb, &sb);
}

/* The filter again, from what there is. Other commands are kept out by the lock; the kernel side
 * only reads, and never sees a bit missing that it needs. */
static void filter_make(struct engine *e)
{
	_free_ struct hg_link_filter *fresh = calloc(1, sizeof(*fresh));
	struct hg_link_key key, next, *at = NULL;
	size_t i;

	if (!fresh)
		return;
	while (!bpf_map_get_next_key(e->links, at, &next)) {
		uint64_t bit = hg_link_bit(next.ino);

		fresh->used = 1;
		fresh->word[bit / 64] |= 1ull << bit % 64;
		key = next;
		at = &key;
	}
	if (errno != ENOENT)
		return;
	for (i = 0; i < ARRAY_SIZE(fresh->word); i++)
		__atomic_store_n(&e->filter->word[i], fresh->word[i], __ATOMIC_RELAXED);
	__atomic_store_n(&e->filter->used, fresh->used, __ATOMIC_SEQ_CST);
}

static void entries_retire(struct install *in, const struct entry *fresh, size_t n)
{
	struct hg_link_key kept, next, *at = NULL;

	while (!bpf_map_get_next_key(in->e->links, at, &next)) {
		if (next.slot == in->slot && !entry_stands(in, &next, fresh, n)) {
			bpf_map_delete_elem(in->e->links, &next);
			continue;
		}
		kept = next;
		at = &kept;
	}
	filter_make(in->e);
}

static void tell_unsettled(const struct link_file *f, size_t n)
{
	log_warn("WARNING: %zu files with several names kept changing, or have names that were not "
		 "found; every name of them is refused until the next reload (%s is one)",
		 n, f->least);
}

/* Those of one key made one; the number that is left. */
static size_t entries_join(struct entry *entries, size_t n)
{
	size_t i, n_left = 0;
	unsigned int action;

	qsort(entries, n, sizeof(*entries), key_compare);
	for (i = 0; i < n; i++) {
		struct entry *last = n_left ? &entries[n_left - 1] : NULL;

		if (!last || key_compare(last, &entries[i])) {
			entries[n_left++] = entries[i];
			continue;
		}
		for (action = 0; action < ARRAY_SIZE(last->link.rule); action++)
			if (entries[i].link.lacks & ~last->link.lacks & HG_BIT(action))
				last->link.rule[action] = entries[i].link.rule[action];
		last->link.lacks |= entries[i].link.lacks;
	}
	return n_left;
}

static struct entry entry_of(const struct install *in, const struct link_file *f, uint8_t lacks)
{
	struct entry entry = {.key = f->key, .link.lacks = lacks, .file = f};

	entry.key.slot = in->slot;
	memcpy(entry.link.rule, f->rule, sizeof(entry.link.rule));
	return entry;
}

static int entries_put(struct install *in, const struct links *l)
{
	_free_ struct entry *fresh = calloc(l->n ? l->n : 1, sizeof(*fresh));
	const struct link_file *odd = NULL;
	size_t i, n = 0, n_odd = 0;
	uint8_t lacks;
	int err;

	if (!fresh)
		return -ENOMEM;
	for (i = 0; i < l->n; i++) {
		const struct link_file *f = &l->items[i];

		if (!f->n) {
			log_error("a file with several names (inode %" PRIu64
				  ") cannot be held still to be looked at; try again",
				  f->ino);
			return -EBUSY;
		}
		lacks = link_lacks(f);
		if (!lacks)
			continue;
		if (!link_settled(f)) {
			odd = f;
			n_odd++;
		}
		fresh[n++] = entry_of(in, f, lacks);
	}
	n = entries_join(fresh, n);
	for (i = 0; i < n; i++) {
		err = entry_put(in, &fresh[i]);
		if (err)
			return err;
	}
	if (odd)
		tell_unsettled(odd, n_odd);
	log_verbose("%zu files have names with different rights", n);
	entries_retire(in, fresh, n);
	return 0;
}

static int install(void *ctx)
{
	struct install *in = ctx;
	_links_ struct links l = {};
	int err;

	in->looked = calloc(in->places->n + 1, sizeof(*in->looked));
	err = in->looked ? look(in, &l) : -ENOMEM;
	if (!err)
		err = entries_put(in, &l);
	free(in->looked);
	return err;
}

int links_install(struct engine *e, uint32_t slot, const struct image *im,
		  const struct places *places, size_t first)
{
	struct install in = {.e = e, .slot = slot, .im = im, .places = places, .first = first};

	if (mounts_in_first_namespace())
		return install(&in);
	return mounts_apart(install, &in);
}

void links_remove(struct engine *e, uint32_t slot)
{
	struct hg_link_key kept, next, *at = NULL;
	bool any = false;

	while (!bpf_map_get_next_key(e->links, at, &next)) {
		if (next.slot == slot) {
			bpf_map_delete_elem(e->links, &next);
			any = true;
			continue;
		}
		kept = next;
		at = &kept;
	}
	if (any)
		filter_make(e);
}
