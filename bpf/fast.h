/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The short way to a plain allow: a file with a short name, in a directory whose state is known, which
 * a rule allows without a report. It never refuses; whatever it is not sure of, the long way
 * (place.h, check.h) decides from the beginning.
 */
#ifndef HG_FAST_H
#define HG_FAST_H

#include "directories.h"
#include "links.h"

_Static_assert(SHORT_NAME <= HG_WINDOW, "one window");

/*
 * The state that a name leads to, 0 where that takes another chunk than the one it begins in: read on in
 * the wrong one until the end, which costs less than asking at each byte. A hub is no sink, and
 * what ends the name is never part of it.
 */
HG_INLINE __u32 fast_name(const struct hg_chunk *c, __u32 at, const __u8 *name)
{
	const __u8 *classes = (const __u8 *)c + HG_LEXER_CLASSES * HG_UNIT;
	__u32 begin = at, left = 0, i;

	_Static_assert(HG_STATE_HUB == 1u << 31, "the sign");
#pragma clang loop unroll(full)
	for (i = 0; i < SHORT_NAME; i++) {
		__u8 byte = name[i];

		if (!byte)
			break;
		if ((__s32)at < 0)
			at = hg_hub(c, at, classes[byte]);
		else if (at & HG_STATE_SINK)
			break;
		else
			at = hg_step(c, at, classes[byte]);
		left |= at ^ begin;
	}
	return HG_STATE_CHUNK(left) ? 0 : at;
}

/* The actions that are allowed on that name there, whatever a program's arguments, and not reported. */
HG_INLINE __u32 fast_allowed(__u32 slot, __u16 dir, const __u8 *name)
{
	struct hg_dir_words words;
	struct hg_reader r;
	struct hg_at at;
	__u64 verdicts;
	__u32 state, unit;

	if (!image_open(&r, slot) || !hg_dir_words(&r, dir, &words))
		return 0;
	state = words.second >> 32;
	if (!hg_seek(&r, HG_STATE_CHUNK(state)))
		return 0;
	state = fast_name(r.chunk, state, name);
	if (!state || !hg_enter(&r, dir, &words, hg_unit(r.chunk, (state >> 16) + 1), &at) ||
	    !hg_region_seek(&r, hg_head(&r, outs), at.out, HG_OUT_UNITS, &unit))
		return 0;
	/* struct hg_out: allow, ask, log, argv */
	verdicts = hg_unit(r.chunk, unit);
	if (verdicts >> 24 & 0xff)
		verdicts &= ~(__u64)HG_BIT(HG_EXEC);
	return verdicts & ~(verdicts >> 16) & 0xff;
}

HG_INLINE __u32 dentry_sequence(struct dentry *dentry)
{
	__u32 seq;

	asm volatile("" ::: "memory");
	seq = dentry->d_seq.seqcount.sequence;
	asm volatile("" ::: "memory");
	return seq;
}

/*
 * The directory's state holds at the moment in which rename_lock's sequence is read, and the name
 * and parent did then, since the dentry's own sequence, which every move of it changes
 * (fs/dcache.c: __d_move), is the same before and after. Not inlined: the stack.
 */
static __noinline bool fast_allows(__u32 slot, struct dentry *dentry, __u32 actions)
{
	__u64 name[HG_SHORT_WORDS];
	struct hg_directory *known;
	__u32 before, seq, allowed;
	struct dentry *up;
	__u16 dir;
	__u64 at;

	if (!directories_cached)
		return false;
	before = dentry_sequence(dentry);
	up = dentry->d_parent;
	/* What compares names itself may take others for it (spelled_freely()). */
	if (up == dentry || (dentry->d_flags & DCACHE_OP_COMPARE) || !short_name(dentry, name))
		return false;
	known = bpf_inode_storage_get(&directories, up->d_inode, 0, 0);
	if (!known)
		return false;
	seq = rename_sequence();
	if (!directory_stands(known, seq, slot, &dir) && !directory_recall(up, slot, seq, &dir))
		return false;
	if (link_suspected(dentry))
		return false;
	at = epoch_now();
	if (actions & ~named_get(known, dentry, slot, dir, at, name)) {
		allowed = fast_allowed(slot, dir, (const __u8 *)name);
		if (actions & ~allowed)
			return false;
		named_put(known, dentry, slot, dir, at, name, allowed);
	}
	return !(before & 1) && before == dentry_sequence(dentry);
}

#endif
