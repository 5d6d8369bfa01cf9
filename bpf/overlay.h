/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Overlays. What happens on a known one was judged by its own names; below, the kernel opens, copies
 * and changes files of its layers, with the credentials of whoever mounted it in place of the
 * task's. These are a struct cred that no task has, so an agent cannot be under it in any other
 * way. Of an overlay that nobody named, an agent's own, the layers are judged by their names.
 */
#ifndef HG_OVERLAY_H
#define HG_OVERLAY_H

#include "compat.h"
#include "maps.h"

/* The address of what an overlay works with, 0 for other file systems. */
HG_INLINE __u64 overlay_creator(struct super_block *sb)
{
	struct ovl_fs *ofs = NULL;

	/* The module's types are known only where it was there before the programs. */
	if (BPF_CORE_READ(sb, s_magic) != OVERLAYFS_SUPER_MAGIC ||
	    !bpf_core_field_exists(ofs->creator_cred))
		return 0;
	ofs = BPF_CORE_READ(sb, s_fs_info);
	return ofs ? (__u64)BPF_CORE_READ(ofs, creator_cred) : 0;
}

/* An overlay that is being destroyed gives up its credentials before it is forgotten, but its root
 * before that. */
static __noinline bool overlay_is_alive(__u64 creator)
{
	struct hg_superblock *known;
	__u64 *sb;

	sb = bpf_map_lookup_elem(&overlays, &creator);
	if (!sb)
		return false;
	known = bpf_map_lookup_elem(&superblocks, sb);
	if (!known || known->creator != creator)
		return false;
	return BPF_CORE_READ((struct super_block *)*sb, s_root) != NULL;
}

/* Is this the kernel's own work in the layers of a known overlay? */
HG_INLINE bool overlay_at_work(void)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	__u64 acting = (__u64)task->cred;

	return acting != (__u64)task->real_cred && overlay_is_alive(acting);
}

#endif
