/* SPDX-License-Identifier: GPL-2.0-only */
/* Which superblock is which place: learned when user space asks, forgotten when it is destroyed. */
#include "agent.h"
#include "overlay.h"
#include "place.h"

enum { REGISTERED = 1, REGISTER_FULL = 2, REGISTER_REFUSED = 3 };

/* Puts a part into reg->made, if it is one that stays. A global function: by themselves the turns of two
 * loops are few. */
__weak __noinline int part_keep(struct hg_registrar *reg, const struct hg_part *part)
{
	__u64 n;
	__u32 i;

	if (!reg || !part)
		return 0;
	for (i = 0; i < HG_PARTS_MAX; i++)
		if (i < reg->n_keep && reg->keep[i] == part->place)
			break;
	n = reg->made.n_parts;
	if (i == HG_PARTS_MAX || n >= HG_PARTS_MAX)
		return 0;
	reg->made.n_parts = n + 1;
	asm("" : "+r"(n));
	n &= HG_PARTS_MAX - 1;
	reg->made.part[n] = *part;
	return 0;
}

/* The superblock's entry in reg->made: the parts of it that stay, and the new one. False: there is no
 * room. */
static __noinline bool entry_make(struct hg_registrar *reg, struct dentry *dentry)
{
	struct hg_superblock *known, *made = &reg->made;
	__u64 key = (__u64)dentry->d_sb, n;
	struct inode *inode = dentry->d_inode;
	__u32 i;

	__builtin_memset(made, 0, sizeof(*made));
	known = bpf_map_lookup_elem(&superblocks, &key);
	for (i = 0; known && i < HG_PARTS_MAX; i++)
		if (i < known->n_parts)
			part_keep(reg, &known->part[i]);
	n = made->n_parts;
	if (n >= HG_PARTS_MAX)
		return false;
	made->n_parts = n + 1;
	asm("" : "+r"(n));
	n &= HG_PARTS_MAX - 1;
	made->part[n].anchor = (__u64)dentry;
	made->part[n].inode = (__u64)inode;
	made->part[n].ino = BPF_CORE_READ(inode, i_ino);
	made->part[n].generation = BPF_CORE_READ(inode, i_generation);
	made->part[n].tree = btrfs_tree(dentry->d_sb, inode);
	made->part[n].place = reg->place;
	made->creator = overlay_creator(dentry->d_sb);
	return true;
}

/*
 * What an agent mounts is called by where it mounts it. That says something of what it keeps by itself, on
 * a disk or in memory. But what is in an overlay has names in its layers, and the kernel's own switches
 * (configfs, binfmt_misc, old cgroup hierarchies) do the same wherever they are.
 */
HG_INLINE bool is_nameless(struct super_block *sb)
{
	unsigned long magic = BPF_CORE_READ(sb, s_magic);
	__u64 key = (__u64)sb;

	if (!bpf_map_lookup_elem(&own_superblocks, &key))
		return false;
	if (BPF_CORE_READ(sb, s_type, fs_flags) & FS_REQUIRES_DEV)
		return false;
	return magic != TMPFS_MAGIC && magic != RAMFS_MAGIC;
}

/*
 * User space names a mount by calling fstatfs(2) on a descriptor of its root while `registrar`
 * holds its thread id: so the kernel's own pointers are exact, where device numbers are used again.
 */
SEC("lsm/sb_statfs")
int BPF_PROG(sb_statfs, struct dentry *dentry)
{
	__u32 zero = 0;
	struct hg_registrar *reg = bpf_map_lookup_elem(&registrar, &zero);
	__u64 key = (__u64)dentry->d_sb;

	if (!reg || !reg->who || reg->who != (__u32)bpf_get_current_pid_tgid())
		return 0;
	/* An overlay asks its upper layer in turn, which is not what was meant. */
	if (reg->done)
		return 0;
	if (!reg->place) {
		struct inode *inode = dentry->d_inode;

		reg->key.sb = key;
		reg->key.tree = btrfs_tree(dentry->d_sb, inode);
		reg->key.ino = BPF_CORE_READ(inode, i_ino);
		reg->key.generation = BPF_CORE_READ(inode, i_generation);
		reg->done = REGISTERED;
		return 0;
	}
	/* A home needs no entry: any instance of it has the same name. */
	if (home_of(dentry->d_sb->s_magic)) {
		reg->done = REGISTERED;
		return 0;
	}
	if (is_nameless(dentry->d_sb)) {
		reg->done = REGISTER_REFUSED;
		return 0;
	}
	if (!entry_make(reg, dentry) ||
	    bpf_map_update_elem(&superblocks, &key, &reg->made, BPF_ANY)) {
		reg->done = REGISTER_FULL;
		return 0;
	}
	reg->done = REGISTERED;
	if (reg->made.creator)
		bpf_map_update_elem(&overlays, &reg->made.creator, &key, BPF_ANY);
	return 0;
}

/*
 * Where an agent mounts something: whose it is, 0 where it is made over the machine (use
 * cap:SYS_ADMIN). Which file systems of these it may use is decided when it does (is_own()), and which
 * have a name when they are given one (is_nameless()); neither is known yet. What is mounted because a
 * path leads there (struct nameidata) is not the agent's: parts of what a network file system exports.
 */
SEC("lsm/sb_alloc_security")
int BPF_PROG(sb_alloc_security, struct super_block *sb)
{
	__u64 key = (__u64)sb, uid = 0;
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	struct hg_who who;

	if (!agent_current(&who) || task->nameidata)
		return 0;
	if (BPF_CORE_READ(sb, s_user_ns, level))
		uid = who.agent->uid;
	if (bpf_map_update_elem(&own_superblocks, &key, &uid, BPF_ANY))
		return -ENOMEM;
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
