/* SPDX-License-Identifier: GPL-2.0-only */
/* Subvolumes of a btrfs: each numbers its files from the beginning, its root always with 256, and a
 * snapshot has the numbers and generations of what it was made of. */
#ifndef HG_BTRFS_H
#define HG_BTRFS_H

#include "compat.h"
#include "maps.h"

/* Which subvolume the inode is in; 0 of other file systems. */
HG_INLINE __u64 btrfs_tree(struct super_block *sb, struct inode *inode)
{
	struct btrfs_inode *known = NULL;

	/* The module's types are known only where it was there before the programs. */
	if (BPF_CORE_READ(sb, s_magic) != BTRFS_SUPER_MAGIC ||
	    !bpf_core_field_exists(known->vfs_inode) || !bpf_core_field_exists(known->root))
		return 0;
	known = (void *)inode - bpf_core_field_offset(known->vfs_inode);
	return BPF_CORE_READ(known, root, root_key.objectid);
}

#endif
