/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is kept of directories, so that a file's name is not read from the top each time: a directory's
 * state, right until something is renamed anywhere, and the step by which it was reached, from which the
 * state is found again afterwards without reading names byte by byte.
 */
#ifndef HG_DIRECTORIES_H
#define HG_DIRECTORIES_H

#include "place.h"

/* Names that a dentry holds itself are shorter (DNAME_INLINE_LEN, 6.1: 32 with the NUL). */
#define SHORT_NAME	(8 * HG_SHORT_WORDS)
/* Directories above each other whose steps are kept and followed. */
#define RECALL_DEPTH	10

HG_INLINE __u64 directory_word(__u32 seq, __u32 slot, __u16 dir)
{
	return (__u64)seq << 32 | (__u64)(slot & 0xffff) << 16 | dir;
}

HG_INLINE __u32 directory_way(__u32 slot)
{
	return slot & (HG_DIRECTORY_WAYS - 1);
}

/* Its state as it was kept, where nothing was renamed since. */
HG_INLINE bool directory_stands(const struct hg_directory *known, __u32 seq, __u32 slot, __u16 *ret_dir)
{
	__u64 word = *(const volatile __u64 *)&known->way[directory_way(slot)];

	*ret_dir = word & 0xffff;
	return !(seq & 1) && word >> 16 == directory_word(seq, slot, 0) >> 16;
}

HG_INLINE void directory_keep(struct hg_directory *known, __u32 seq, __u32 slot, __u16 dir)
{
	*(volatile __u64 *)&known->way[directory_way(slot)] = directory_word(seq, slot, dir);
}

/* A name that the dentry itself holds, with its NUL and what lies behind. False: it is longer, or
 * there is none. Its caller looks whether it was renamed meanwhile. */
HG_INLINE bool short_name(struct dentry *dentry, __u64 name[HG_SHORT_WORDS])
{
	const __u64 *inlined;
	__u32 len;

	if (!bpf_core_field_exists(dentry->d_iname))
		return false;
	len = dentry->d_name.len;
	inlined = (const __u64 *)((const char *)dentry + bpf_core_field_offset(dentry->d_iname));
	/* Read by eight bytes, which a relocation of the field itself would not allow. */
	asm volatile("" : "+r"(inlined));
	if (len - 1 >= SHORT_NAME - 1 || (__u64)dentry->d_name.name != (__u64)inlined)
		return false;
	name[0] = inlined[0];
	name[1] = inlined[1];
	name[2] = inlined[2];
	name[3] = inlined[3];
	return true;
}

HG_INLINE bool short_names_equal(const volatile __u64 *a, const __u64 *b)
{
	return a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && a[3] == b[3];
}

HG_INLINE __u64 epoch_now(void)
{
	__u32 zero = 0;
	struct hg_epoch *now = bpf_map_lookup_elem(&epoch, &zero);

	return now ? *(volatile __u64 *)&now->images + 1 : 0;
}

HG_INLINE __u64 memo_word(__u32 slot, __u16 up, __u16 dir)
{
	return (__u64)slot << 32 | (__u32)up << 16 | dir;
}

/* Who writes what `version` is for. False: somebody else is at it, and it stays as it is. */
HG_INLINE bool directory_write(struct hg_directory *known, __u64 *ret_version)
{
	__u64 v = *(volatile __u64 *)&known->version;

	*ret_version = v;
	return !(v & 1) && __sync_val_compare_and_swap(&known->version, v, v + 1) == v;
}

HG_INLINE void directory_written(struct hg_directory *known, __u64 version)
{
	__sync_lock_test_and_set(&known->version, version + 2);
}

/* The step by that name, if it is what is kept. */
HG_INLINE bool memo_get(const struct hg_directory *known, __u32 slot, __u64 at,
			const __u64 name[HG_SHORT_WORDS], __u16 *ret_up, __u16 *ret_dir)
{
	const volatile struct hg_memo *memo = &known->memo[directory_way(slot)];
	__u64 version = *(const volatile __u64 *)&known->version, word;

	if ((version & 1) || memo->epoch != at || !short_names_equal(known->name, name))
		return false;
	word = memo->word;
	*ret_up = word >> 16;
	*ret_dir = word;
	return word >> 32 == slot && *(const volatile __u64 *)&known->version == version;
}

HG_INLINE void memo_put(struct hg_directory *known, __u32 slot, __u64 at,
			const __u64 name[HG_SHORT_WORDS], __u64 word)
{
	volatile struct hg_memo *memo = &known->memo[directory_way(slot)];
	__u64 v;
	__u32 i;

	if (!directory_write(known, &v))
		return;
	if (!short_names_equal(known->name, name)) {
		for (i = 0; i < HG_DIRECTORY_WAYS; i++)
			((volatile struct hg_memo *)known->memo)[i].epoch = 0;
		for (i = 0; i < HG_SHORT_WORDS; i++)
			((volatile __u64 *)known->name)[i] = name[i];
	}
	memo->word = word;
	memo->epoch = at;
	directory_written(known, v);
}

HG_INLINE struct hg_named *named_of(struct hg_directory *known, struct dentry *dentry)
{
	__u64 i = dentry->d_name.hash;

	asm("" : "+r"(i));
	return &known->named[i & (HG_DIRECTORY_NAMES - 1)];
}

HG_INLINE __u64 named_word(__u32 slot, __u16 dir, __u8 allowed)
{
	return (__u64)slot << 32 | (__u32)dir << 16 | allowed;
}

/* What is allowed on the name from the state `dir`, as it was found before; 0 says nothing. */
HG_INLINE __u32 named_get(struct hg_directory *known, struct dentry *dentry, __u32 slot, __u16 dir,
			  __u64 at, const __u64 name[HG_SHORT_WORDS])
{
	const volatile struct hg_named *named = named_of(known, dentry);
	__u64 version = *(const volatile __u64 *)&known->version, word = named->word;

	if ((version & 1) || word >> 16 != named_word(slot, dir, 0) >> 16 || named->epoch != at ||
	    !short_names_equal(named->name, name) ||
	    *(const volatile __u64 *)&known->version != version)
		return 0;
	return word & 0xff;
}

HG_INLINE void named_put(struct hg_directory *known, struct dentry *dentry, __u32 slot, __u16 dir,
			 __u64 at, const __u64 name[HG_SHORT_WORDS], __u8 allowed)
{
	volatile struct hg_named *named = named_of(known, dentry);
	__u64 v;
	__u32 i;

	if (!directory_write(known, &v))
		return;
	for (i = 0; i < HG_SHORT_WORDS; i++)
		named->name[i] = name[i];
	named->epoch = at;
	named->word = named_word(slot, dir, allowed);
	directory_written(known, v);
}

/*
 * The state of the directory `dentry` by the steps that are kept of it and of those above, up to one
 * whose state stands or to the superblock's root, where that is what names it. Nothing was renamed
 * since `seq` was read, or it says nothing; false says nothing, too. Of two, the state is kept: the
 * next one beside it is found at the second.
 */
static __noinline bool directory_recall(struct dentry *dentry, __u32 slot, __u32 seq, __u16 *ret_dir)
{
	struct hg_directory *known, *first = NULL, *second = NULL;
	__u64 name[HG_SHORT_WORDS], key = (__u64)dentry->d_sb, at = epoch_now();
	struct hg_start_key from = { .slot = slot };
	__u16 up = 0, dir, found = 0, above = 0;
	const struct hg_superblock *place;
	struct hg_start *start;
	__u32 i;

	place = bpf_map_lookup_elem(&superblocks, &key);
	if (!place || place->n_parts != 1 || place->part[0].anchor != (__u64)dentry->d_sb->s_root)
		return false;
	for (i = 0; i < RECALL_DEPTH; i++) {
		if ((__u64)dentry == place->part[0].anchor) {
			from.place = place->part[0].place;
			start = bpf_map_lookup_elem(&starts, &from);
			if (!start)
				return false;
			dir = start->dir;
			goto top;
		}
		known = bpf_inode_storage_get(&directories, dentry->d_inode, 0, 0);
		if (!known)
			return false;
		if (directory_stands(known, seq, slot, &dir))
			goto top;
		if (!short_name(dentry, name))
			return false;
		if (!i) {
			if (!memo_get(known, slot, at, name, &up, &dir))
				return false;
			first = known;
			found = dir;
		} else {
			__u16 below = up;

			if (!memo_get(known, slot, at, name, &up, &dir) || dir != below)
				return false;
		}
		if (i == 1) {
			second = known;
			above = dir;
		}
		dentry = dentry->d_parent;
	}
	return false;
top:
	if (first && dir != up)
		return false;
	if (!first)
		found = dir;
	*ret_dir = found;
	if ((seq & 1) || seq != rename_sequence())
		return false;
	if (first)
		directory_keep(first, seq, slot, found);
	if (second)
		directory_keep(second, seq, slot, above);
	return true;
}

/*
 * s->at and s->out of `dentry` by steps down from the nearest directory above it of which something is kept,
 * mostly its own. The number of steps; 0 says nothing.
 */
static __noinline __u32 place_near(struct hg_scratch *s, struct dentry *dentry)
{
	__u32 seq = rename_sequence(), slot = s->slot, i, n;
	struct hg_directory *known = NULL;
	struct hg_loop loop = { .s = s };
	struct dentry *up;
	__u16 dir;

	for (i = 0; i < RECALL_DEPTH && !known; i++) {
		up = dentry->d_parent;
		/* A root is its own parent; its name is no component. */
		if (up == dentry)
			return 0;
		s->chain[i] = (__u64)dentry;
		s->n_chain = i + 1;
		known = bpf_inode_storage_get(&directories, up->d_inode, 0, 0);
		dentry = up;
	}
	if (!known || (!directory_stands(known, seq, slot, &dir) && !directory_recall(dentry, slot, seq, &dir)))
		return 0;
	s->at.dir = dir;
	dirs_put(s, 0, dir);
	s->seq = seq;
	/* Read anew: the verifier goes on once, and not for each turn. */
	n = *(volatile __u32 *)&s->n_chain;
	if (bpf_loop(n, chain_turn, &loop, 0) < 0 || s->why != HG_WHY_RULE || seq != rename_sequence())
		return 0;
	return n;
}

/*
 * Keeps the states of the directories above s->dentry, and how each was reached. A parent is pinned while
 * its child is, so its inode is alive unless a rename took the child away; then the sequence has
 * changed, and what may have been hung on a dying inode is taken off again before its memory can go (RCU).
 */
static __noinline void place_keep(struct hg_scratch *s, struct dentry *dentry)
{
	__u32 slot = s->slot, n = s->n_chain, i;
	__u64 name[HG_SHORT_WORDS], at = epoch_now();
	struct hg_directory *known;
	struct inode *inode;
	bool named;

	for (i = 1; i <= RECALL_DEPTH && i <= n; i++) {
		inode = dentry->d_inode;
		known = bpf_inode_storage_get(&directories, inode, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
		if (!known)
			return;
		named = i < n && short_name(dentry, name);
		if (s->seq != rename_sequence()) {
			bpf_inode_storage_delete(&directories, inode);
			return;
		}
		directory_keep(known, s->seq, slot, dirs_get(s, n - i));
		if (named)
			memo_put(known, slot, at, name,
				 memo_word(slot, dirs_get(s, n - i - 1), dirs_get(s, n - i)));
		dentry = dentry->d_parent;
	}
}

/* Where `dentry` is in the policy at s->slot, by what is kept of the directories above it where that does:
 * as place_walk(). */
HG_INLINE enum hg_why place_resolve(struct hg_scratch *s, struct dentry *dentry)
{
	struct dentry *up = dentry->d_parent;
	enum hg_why why = HG_WHY_RULE;
	__u32 n = directories_cached ? place_near(s, dentry) : 0;

	if (n == 1)
		return HG_WHY_RULE;
	if (!n) {
		s->dentry = (__u64)dentry;
		why = place_walk(s);
	}
	if (directories_cached && why == HG_WHY_RULE && s->n_chain && up != dentry && !s->spelled)
		place_keep(s, up);
	return why;
}

#endif
