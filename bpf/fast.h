/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The short way to a plain allow: a file with a short name, in a directory whose state is known, which
 * a rule allows without a report. It never refuses; whatever it is not sure of, the long way
 * (place.h, check.h) decides from the beginning.
 */
#ifndef HG_FAST_H
#define HG_FAST_H

#include "links.h"
#include "place.h"

/* Names that a dentry holds itself are shorter (DNAME_INLINE_LEN, 6.1: 32 with the NUL). */
#define FAST_NAME 32
_Static_assert(FAST_NAME <= HG_WINDOW, "one window");

/*
 * The state that a name leads to, 0 where that takes another chunk than the first: read on in the
 * wrong one until the end, which costs less than asking at each byte. A hub is no sink, and what
 * ends the name is never part of it.
 */
HG_INLINE __u32 fast_name(const struct hg_chunk *c, __u32 at, const __u8 *name)
{
	const __u8 *classes = (const __u8 *)c + HG_LEXER_CLASSES * HG_UNIT;
	__u32 seen = at, i;

	_Static_assert(HG_STATE_HUB == 1u << 31, "the sign");
#pragma clang loop unroll(full)
	for (i = 0; i < FAST_NAME; i++) {
		__u8 byte = name[i];

		if (!byte)
			break;
		if ((__s32)at < 0)
			at = hg_hub(c, at, classes[byte]);
		else if (at & HG_STATE_SINK)
			break;
		else
			at = hg_step(c, at, classes[byte]);
		seen |= at;
	}
	return HG_STATE_CHUNK(seen) ? 0 : at;
}

/* The actions that are allowed on that name there, and not reported. */
HG_INLINE __u32 fast_allowed(__u32 slot, __u16 dir, const __u8 *name)
{
	struct hg_dir_words words;
	struct hg_reader r;
	struct hg_at at;
	__u64 verdicts;
	__u32 state, unit;

	if (!image_open(&r, slot) || !hg_dir_words(&r, dir, &words))
		return 0;
	state = fast_name(r.head, words.second >> 32, name);
	if (!state || !hg_enter(&r, dir, &words, hg_unit(r.head, (state >> 16) + 1), &at) ||
	    !hg_region_seek(&r, hg_head(&r, outs), at.out, HG_OUT_UNITS, &unit))
		return 0;
	/* struct hg_out: allow, ask, log */
	verdicts = hg_unit(r.chunk, unit);
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
	__u64 name[FAST_NAME / 8], word;
	struct hg_directory *known;
	__u32 before, seq, len;
	const __u64 *inlined;
	struct dentry *up;

	if (!directories_cached || !bpf_core_field_exists(dentry->d_iname))
		return false;
	before = dentry_sequence(dentry);
	up = dentry->d_parent;
	len = dentry->d_name.len;
	inlined = (const __u64 *)((const char *)dentry + bpf_core_field_offset(dentry->d_iname));
	/* Read by eight bytes, which a relocation of the field itself would not allow. */
	asm volatile("" : "+r"(inlined));
	if (up == dentry || len - 1 >= FAST_NAME - 1 ||
	    (__u64)dentry->d_name.name != (__u64)inlined)
		return false;
	name[0] = inlined[0];
	name[1] = inlined[1];
	name[2] = inlined[2];
	name[3] = inlined[3];
	known = bpf_inode_storage_get(&directories, up->d_inode, 0, 0);
	if (!known)
		return false;
	seq = rename_sequence();
	word = *(volatile __u64 *)&known->way[slot & (HG_DIRECTORY_WAYS - 1)];
	if ((seq & 1) || word >> 16 != directory_word(seq, slot, 0) >> 16)
		return false;
	if (link_suspected(dentry))
		return false;
	if (actions & ~fast_allowed(slot, word & 0xffff, (const __u8 *)name))
		return false;
	return !(before & 1) && before == dentry_sequence(dentry);
}

#endif
