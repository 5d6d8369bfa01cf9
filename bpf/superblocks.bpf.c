/* SPDX-License-Identifier: GPL-2.0-only */
/* Which superblock is which place: learned when user space asks, forgotten when it is destroyed. */
#include "agent.h"
#include "overlay.h"
#include "place.h"

enum { REGISTERED = 1, REGISTER_FULL = 2 };

/*
 * User space names a mount by calling fstatfs(2) on a descriptor of its root while `registrar`
 * holds its thread id: so the kernel's own pointers are exact, where device numbers are used again.
 */
SEC("lsm/sb_statfs")
int BPF_PROG(sb_statfs, struct dentry *dentry)
{
	__u32 zero = 0, home;
	struct hg_registrar *reg = bpf_map_lookup_elem(&registrar, &zero);
	struct hg_superblock entry = {};
	__u64 key = (__u64)dentry->d_sb;

	if (!reg || !reg->who || reg->who != (__u32)bpf_get_current_pid_tgid())
		return 0;
	/* An overlay asks its upper layer in turn, which is not what was meant. */
	if (reg->done)
		return 0;
	if (!reg->place) {
		struct inode *inode = dentry->d_inode;

		reg->key.sb = key;
		reg->key.ino = BPF_CORE_READ(inode, i_ino);
		reg->key.generation = BPF_CORE_READ(inode, i_generation);
		reg->done = REGISTERED;
		return 0;
	}
	home = home_of(dentry->d_sb->s_magic);
	entry.anchor = (__u64)dentry;
	entry.anchor_ino = BPF_CORE_READ(dentry, d_inode, i_ino);
	entry.creator = overlay_creator(dentry->d_sb);
	entry.place = reg->place;
	/* A home needs no entry: any instance of it has the same name. */
	if (!home && bpf_map_update_elem(&superblocks, &key, &entry, BPF_ANY))
		reg->done = REGISTER_FULL;
	else
		reg->done = REGISTERED;
	if (entry.creator)
		bpf_map_update_elem(&overlays, &entry.creator, &key, BPF_ANY);
	return 0;
}

/* Where an agent mounts something in a user namespace of its own. Which file systems of these it may
 * use is decided when it does (is_own()). */
SEC("lsm/sb_alloc_security")
int BPF_PROG(sb_alloc_security, struct super_block *sb)
{
	__u64 key = (__u64)sb;
	struct hg_who who;

	if (!BPF_CORE_READ(sb, s_user_ns, level) || !agent_current(&who))
		return 0;
	bpf_map_update_elem(&own_superblocks, &key, &who.agent->uid, BPF_ANY);
	return 0;
}

/* Before the memory, and with it the address, can be used for another superblock. */
SEC("lsm/sb_free_security")
int BPF_PROG(sb_free_security, struct super_block *sb)
{
	__u64 key = (__u64)sb, creator;
	struct hg_superblock *known;

	known = bpf_map_lookup_elem(&superblocks, &key);
	creator = known ? known->creator : 0;
	if (creator)
		bpf_map_delete_elem(&overlays, &creator);
	bpf_map_delete_elem(&superblocks, &key);
	bpf_map_delete_elem(&own_superblocks, &key);
	return 0;
}
