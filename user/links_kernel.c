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

static int place_look(struct install *in, struct links *l, const struct mount_table *t,
		      const struct place *place)
{
	struct link_root root = {
		.path = place->path,
		.copied = !strcmp(place->type, "overlay"),
		.by_names = in->by_names,
		.identify = identify,
		.ctx = in->e,
	};
	struct hg_link_key key;
	_close_ int fd = -1;
	bool alike;
	int err;

	/* In an overlay, names below others, or away, count as links as well. */
	root.whole = !strcmp(place->root, "/") && !root.copied;
	if (!links_type_has(place->type))
		return 0;
	err = links_alike(in->im, place->path, &alike);
	if (err)
		return log_errno(err, "cannot find %s in the policy", place->path);
	root.fd = fd = mounts_open_alone(t, place);
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
	in->looked[in->n_looked++] = key.sb;
	if (alike)
		return 0;
	err = links_look(l, in->im, &root);
	return err ? log_errno(err, "hard links on %s cannot be looked for", place->path) : 0;
}

static int look_once(struct install *in, struct links *l)
{
	_mount_table_ struct mount_table t = {};
	size_t i;
	int err;

	err = mounts_table(&t);
	in->n_looked = 0;
	for (i = in->first; !err && i < in->places->n; i++)
		err = place_look(in, l, &t, &in->places->items[i]);
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

static int entry_put(struct install *in, const struct link_file *f, uint8_t lacks)
{
	struct hg_link_key key = f->key;
	struct hg_link link = {.lacks = lacks};
	uint64_t bit = hg_link_bit(key.ino);

	key.slot = in->slot;
	memcpy(link.rule, f->rule, sizeof(link.rule));
	__atomic_store_n(&in->e->filter->used, 1, __ATOMIC_SEQ_CST);
	__atomic_fetch_or(&in->e->filter->word[bit / 64], 1ull << bit % 64, __ATOMIC_SEQ_CST);
	if (!bpf_map_update_elem(in->e->links, &key, &link, BPF_ANY))
		return 0;
	if (errno != E2BIG)
		return log_errno(errno, "cannot mark %s", f->least);
	log_error("more than %d files have names with different rights, and there is no room to "
		  "mark them all; %s is one, and so is %s",
		  HG_LINKS_MAX, f->least, f->most ? f->most : f->least);
	return -E2BIG;
}

static int key_compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct hg_link_key));
}

/* What is still true of what was said before: refreshed, or on a superblock that was not looked at
 * now and still exists. */
static bool entry_stands(const struct install *in, const struct hg_link_key *key,
			 const struct hg_link_key *fresh, size_t n)
{
	struct hg_superblock sb;
	size_t i;

	if (bsearch(key, fresh, n, sizeof(*key), key_compare))
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

static void entries_retire(struct install *in, struct hg_link_key *fresh, size_t n)
{
	struct hg_link_key kept, next, *at = NULL;

	qsort(fresh, n, sizeof(*fresh), key_compare);
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

static int entries_put(struct install *in, const struct links *l)
{
	_free_ struct hg_link_key *fresh = calloc(l->n ? l->n : 1, sizeof(*fresh));
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
		err = entry_put(in, f, lacks);
		if (err)
			return err;
		fresh[n] = f->key;
		fresh[n++].slot = in->slot;
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
