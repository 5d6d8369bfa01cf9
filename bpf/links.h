/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hard links that were there before the policy: a path rule cannot see that two names are one file.
 * User space has put those whose names differ in rights into `links`, by inode, so that neither
 * the name used nor an inode that leaves the cache and comes back makes a difference.
 */
#ifndef HG_LINKS_H
#define HG_LINKS_H

#include "btrfs.h"
#include "filter.h"
#include "image.h"
#include "scratch.h"

/* Takes from s->out what another name of s->inode has not. */
__weak __noinline int link_meet(struct hg_scratch *s)
{
	struct hg_link_key key = {};
	struct super_block *sb;
	struct inode *inode;
	struct hg_link *link;
	__u32 lacks;

	if (!s)
		return 0;
	inode = (struct inode *)s->inode;
	sb = BPF_CORE_READ(inode, i_sb);
	key.sb = (__u64)sb;
	key.tree = btrfs_tree(sb, inode);
	key.ino = BPF_CORE_READ(inode, i_ino);
	key.generation = BPF_CORE_READ(inode, i_generation);
	key.slot = s->slot;
	link = bpf_map_lookup_elem(&links, &key);
	if (!link)
		return 0;
	/* Running with some arguments is a right as well. */
	lacks = link->lacks & (s->out.allow | (s->out.argv ? HG_BIT(HG_EXEC) : 0));
	s->out.allow &= ~lacks;
	s->linked = lacks;
	if (lacks & HG_BIT(HG_READ))
		s->out.rule[HG_READ] = link->rule[HG_READ];
	if (lacks & HG_BIT(HG_MODIFY))
		s->out.rule[HG_MODIFY] = link->rule[HG_MODIFY];
	if (lacks & HG_BIT(HG_ATTR))
		s->out.rule[HG_ATTR] = link->rule[HG_ATTR];
	if (lacks & HG_BIT(HG_EXEC))
		s->out.rule[HG_EXEC] = link->rule[HG_EXEC];
	return 0;
}

/* May the file have such a name? False for nearly all, without a lookup. The number of links is not
 * asked: a file whose other name was deleted since is still that file. */
HG_INLINE bool link_suspected(struct dentry *dentry)
{
	struct hg_link_filter *filter;
	struct inode *inode;
	__u32 zero = 0;
	__u64 bit;

	filter = bpf_map_lookup_elem(&link_filter, &zero);
	if (!filter || !filter->used)
		return false;
	inode = dentry->d_inode;
	if (!inode)
		return false;
	bit = hg_link_bit(inode->i_ino);
	return *filter_word(filter->word, bit, HG_LINK_FILTER_BITS) >> (bit & 63) & 1;
}

HG_INLINE void link_check(struct hg_scratch *s, struct dentry *dentry)
{
	if (!link_suspected(dentry))
		return;
	s->inode = (__u64)dentry->d_inode;
	link_meet(s);
}

#endif
