/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Naming a file: superblock, then the dentry path from the superblock's anchor, run through the
 * agent's policy. Descriptors, bind mounts, chroot, namespaces and symlinks do not change either.
 *
 * Every early return says why, and every reason other than "named" ends in a denial.
 */
#ifndef HG_PLACE_H
#define HG_PLACE_H

#include "btrfs.h"
#include "image.h"
#include "scratch.h"

enum place_kind {
	PLACE_NAMED,		/* anchor and number are known */
	PLACE_ANONYMOUS,	/* a mount inside the kernel (memfd, pipes, sockets), or the agent's own */
	PLACE_SEVERAL,		/* in one of several parts: parts_find() says in which */
	PLACE_OUTSIDE,		/* in no part of its superblock that has a name */
	PLACE_UNKNOWN,
};

/* File systems with a home of their own: one instance is as good as another. */
HG_INLINE __u32 home_of(unsigned long magic)
{
	switch (magic) {
	case PROC_SUPER_MAGIC:
		return HG_HOME_PROC;
	case SYSFS_MAGIC:
		return HG_HOME_SYSFS;
	case DEVPTS_SUPER_MAGIC:
		return HG_HOME_DEVPTS;
	case CGROUP2_SUPER_MAGIC:
		return HG_HOME_CGROUP2;
	case BPF_FS_MAGIC:
		return HG_HOME_BPF;
	}
	return HG_HOME_NONE;
}

/*
 * Mounts that only the kernel has. The flag alone is not enough: debugfs, tracefs, securityfs and
 * configfs carry it as well where the kernel made their superblock first (simple_pin_fs), and
 * root may mount those; a tmpfs or hugetlbfs without it is somebody's.
 */
HG_INLINE bool is_anonymous(unsigned long flags, unsigned long magic)
{
	if (!(flags & SB_KERNMOUNT))
		return false;
	switch (magic) {
	case TMPFS_MAGIC:
	case HUGETLBFS_MAGIC:
	case PIPEFS_MAGIC:
	case SOCKFS_MAGIC:
	case ANON_INODE_FS_MAGIC:
	case NSFS_MAGIC:
	case PID_FS_MAGIC:
	case SECRETMEM_MAGIC:
	case DMA_BUF_MAGIC:
		return true;
	}
	return false;
}

/*
 * From here to place_resolve() everything works on the scratch memory alone, and reads kernel
 * memory by copying: global functions, which the kernel's verifier reads once by themselves
 * instead of at every call, and without the search through all of BTF that 6.12 makes for
 * each pointer followed. They are weak because each object of the link has them.
 */

/* A file system in memory that this agent made in a user namespace of its own: nothing of anybody
 * else's is on it, and to another agent, who may have been given a descriptor, it is nobody's. */
HG_INLINE bool is_own(const struct hg_scratch *s, __u64 sb, unsigned long magic)
{
	__u64 *uid;

	if (magic != TMPFS_MAGIC && magic != RAMFS_MAGIC)
		return false;
	uid = bpf_map_lookup_elem(&own_superblocks, &sb);
	return uid && *uid == s->agent_uid;
}

/* Is the anchor still what it was, in the superblock of s->dentry? A root lives as long as its
 * superblock; another directory is held by the mount that gave the name, and may be gone with it. */
__weak __noinline int part_stands(struct hg_scratch *s, const struct hg_part *part)
{
	struct dentry *dentry, *anchor;
	struct super_block *sb;
	struct inode *inode;

	if (!s || !part)
		return 0;
	dentry = (struct dentry *)s->dentry;
	sb = BPF_CORE_READ(dentry, d_sb);
	anchor = (struct dentry *)part->anchor;
	if (anchor == BPF_CORE_READ(sb, s_root))
		return 1;
	inode = BPF_CORE_READ(anchor, d_inode);
	if (BPF_CORE_READ(anchor, d_sb) != sb || (__u64)inode != part->inode)
		return 0;
	/* FUSE gives its inodes new numbers. */
	if (BPF_CORE_READ(sb, s_magic) == FUSE_SUPER_MAGIC)
		return 1;
	return BPF_CORE_READ(inode, i_ino) == part->ino &&
	       BPF_CORE_READ(inode, i_generation) == part->generation &&
	       btrfs_tree(sb, inode) == part->tree;
}

/* The context of every loop: state is in the scratch memory, because 6.1 verifies a callback only
 * with the values its context starts with. */
struct hg_loop {
	struct hg_scratch *s;
};

/* The anchor of one part, if it stands. Looked up again: the entry cannot be handed on in memory. */
static long part_turn(__u32 turn, struct hg_loop *loop)
{
	struct dentry *dentry = (struct dentry *)loop->s->dentry;
	__u64 key = (__u64)BPF_CORE_READ(dentry, d_sb), i = turn;
	struct hg_superblock *known;

	known = bpf_map_lookup_elem(&superblocks, &key);
	if (!known || turn >= known->n_parts)
		return 1;
	asm("" : "+r"(i));
	i &= HG_PARTS_MAX - 1;
	if (part_stands(loop->s, &known->part[i])) {
		loop->s->anchors[i] = known->part[i].anchor;
		loop->s->places[i] = known->part[i].place;
	}
	return 0;
}

/* Is s->up an anchor? Otherwise, the next one. */
static long parts_turn(__u32 turn, struct hg_loop *loop)
{
	struct dentry *dentry = (struct dentry *)loop->s->up, *parent;
	struct hg_scratch *s = loop->s;
	__u32 i;

	for (i = 0; i < HG_PARTS_MAX; i++) {
		if (!s->anchors[i] || (__u64)dentry != s->anchors[i])
			continue;
		s->anchor = (__u64)dentry;
		s->place = s->places[i];
		return 1;
	}
	if (bpf_core_read(&parent, sizeof(parent), &dentry->d_parent) || parent == dentry)
		return 1;
	s->up = (__u64)parent;
	return 0;
}

/* Which part of a superblock that has several s->dentry is in: s->anchor, s->place, as they are where it
 * is in none. */
__weak __noinline int parts_find(struct hg_scratch *s)
{
	struct hg_loop loop = { .s = s };

	if (!s)
		return PLACE_OUTSIDE;
	__builtin_memset(s->anchors, 0, sizeof(s->anchors));
	s->up = s->dentry;
	if (bpf_loop(HG_PARTS_MAX, part_turn, &loop, 0) < 0 ||
	    bpf_loop(HG_DEPTH_MAX, parts_turn, &loop, 0) < 0 || !s->place)
		return PLACE_OUTSIDE;
	return PLACE_NAMED;
}

/* Which place s->dentry's superblock is. */
__weak __noinline int place_known(struct hg_scratch *s)
{
	struct hg_superblock *known;
	struct super_block *sb;
	struct dentry *dentry;
	unsigned long magic;
	__u64 key;

	if (!s)
		return PLACE_UNKNOWN;
	dentry = (struct dentry *)s->dentry;
	sb = BPF_CORE_READ(dentry, d_sb);
	key = (__u64)sb;
	s->place = 0;
	s->anchor = (__u64)BPF_CORE_READ(sb, s_root);
	known = bpf_map_lookup_elem(&superblocks, &key);
	if (known) {
		if (known->n_parts > 1)
			return PLACE_SEVERAL;
		if (known->part[0].anchor != s->anchor && !part_stands(s, &known->part[0]))
			return PLACE_UNKNOWN;
		s->anchor = known->part[0].anchor;
		s->place = known->part[0].place;
		return PLACE_NAMED;
	}
	magic = BPF_CORE_READ(sb, s_magic);
	s->place = home_of(magic);
	if (s->place)
		return PLACE_NAMED;
	if (is_anonymous(BPF_CORE_READ(sb, s_flags), magic) || is_own(s, key, magic))
		return PLACE_ANONYMOUS;
	return PLACE_UNKNOWN;
}

/* Which place s->dentry is in: s->anchor, s->place. enum place_kind. Where there is none, the anchor
 * is the superblock's root. */
HG_INLINE int place_find(struct hg_scratch *s)
{
	int kind = place_known(s);

	return kind == PLACE_SEVERAL ? parts_find(s) : kind;
}

HG_INLINE __u32 rename_sequence(void)
{
	const struct seqcount *lock;
	__u32 seq = 0;

	/* Since 6.2 (commit a35b9af4ec2c): no call. */
	if (bpf_rdonly_cast) {
		lock = bpf_rdonly_cast((const void *)rename_lock_address,
				       bpf_core_type_id_kernel(struct seqcount));
		return *(const volatile __u32 *)&lock->sequence;
	}
	bpf_probe_read_kernel(&seq, sizeof(seq), (const void *)rename_lock_address);
	return seq;
}

/* Dentries of one part of a chain; a divisor of HG_DEPTH_MAX. */
#define CHAIN_PART 16

/* The next part of s->chain, from s->up on. enum hg_why, or -1 where there is more. */
__weak __noinline int chain_part(struct hg_scratch *s)
{
	struct dentry *dentry, *parent;
	__u64 anchor, n;
	__u32 i;

	if (!s)
		return HG_WHY_TOO_BUSY;
	dentry = (struct dentry *)s->up;
	anchor = s->anchor;
	n = s->n_chain;
	asm("" : "+r"(n));
	n &= HG_DEPTH_MAX - CHAIN_PART;
	for (i = 0; i < CHAIN_PART; i++) {
		if ((__u64)dentry == anchor) {
			s->n_chain = n + i;
			return HG_WHY_RULE;
		}
		s->chain[n + i] = (__u64)dentry;
		if (bpf_core_read(&parent, sizeof(parent), &dentry->d_parent) || parent == dentry)
			return HG_WHY_DISCONNECTED;
		dentry = parent;
	}
	s->n_chain = n + CHAIN_PART;
	s->up = (__u64)dentry;
	return -1;
}

/* Fills s->chain from s->dentry up to just below s->anchor. enum hg_why. By parts, each a call, of
 * which the kernel's verifier reads one: a loop over all it would follow turn by turn. */
__weak __noinline int chain_fill(struct hg_scratch *s)
{
	__u32 i;
	int why;

	if (!s)
		return HG_WHY_TOO_BUSY;
	s->n_chain = 0;
	s->up = s->dentry;
	for (i = 0; i < HG_DEPTH_MAX / CHAIN_PART; i++) {
		why = chain_part(s);
		if (why != -1)
			return why;
	}
	return HG_WHY_TOO_LONG;
}

/* The component at hand: chain element n_chain - 1 - s->turn. */
HG_INLINE struct dentry *chain_dentry(struct hg_scratch *s)
{
	__u64 i = s->n_chain - 1 - s->turn;

	asm("" : "+r"(i));
	return (struct dentry *)s->chain[i & (HG_DEPTH_MAX - 1)];
}

/* Its name into s->name; its length, 0 when unreadable. */
HG_INLINE __u32 chain_name(struct hg_scratch *s)
{
	struct dentry *dentry = chain_dentry(s);
	struct qstr q = {};
	__u64 len;

	if (bpf_core_read(&q, sizeof(q), &dentry->d_name))
		return 0;
	len = q.len;
	asm("" : "+r"(len));
	if (len == 0 || len > HG_NAME_MAX)
		return 0;
	if (bpf_probe_read_kernel(s->name, len & 0xff, q.name))
		return 0;
	return len;
}

/* s->dirs, whose index is masked so that the verifier sees its bound. */
HG_INLINE void dirs_put(struct hg_scratch *s, __u64 i, __u16 dir)
{
	asm("" : "+r"(i));
	s->dirs[i & (HG_DIRS - 1)] = dir;
}

HG_INLINE __u16 dirs_get(const struct hg_scratch *s, __u64 i)
{
	asm("" : "+r"(i));
	return s->dirs[i & (HG_DIRS - 1)];
}

/* The next window of the component at hand, and when it was the last, the step. enum hg_why. */
__weak __noinline int chain_window(struct hg_scratch *s)
{
	struct hg_reader r;
	struct hg_at at;
	bool done;
	__u64 from;

	if (!s || !image_open(&r, s->slot))
		return HG_WHY_BROKEN_POLICY;
	from = s->name_from;
	asm("" : "+r"(from));
	from &= 0xff;
	if (!hg_component(&r, s->at.dir, &s->lexer, s->name + from, &s->name_left, &at, &done))
		return HG_WHY_BROKEN_POLICY;
	if (!done) {
		s->name_from += HG_WINDOW;
		s->name_left -= HG_WINDOW;
		return HG_WHY_RULE;
	}
	s->parent = s->at;
	s->at = at;
	dirs_put(s, s->turn + 1, at.dir);
	s->name_from = HG_STEPPED;
	/* The last component's verdicts, while the image is at hand. */
	if (s->turn + 1 == s->n_chain && !hg_out_read(&r, at.out, &s->out))
		return HG_WHY_BROKEN_POLICY;
	return HG_WHY_RULE;
}

/*
 * Is a name only one of its spellings? A dentry has the one by which the file was first asked for: another
 * case, on FAT a short name. File systems say so by comparing names themselves; those that do for some
 * directories, by those. proc does to hide what another namespace has.
 */
HG_INLINE bool spelled_freely(struct dentry *dentry)
{
	if (!(BPF_CORE_READ(dentry, d_flags) & DCACHE_OP_COMPARE))
		return false;
	switch (BPF_CORE_READ(dentry, d_sb, s_magic)) {
	case PROC_SUPER_MAGIC:
		return false;
	case EXT4_SUPER_MAGIC:
	case F2FS_SUPER_MAGIC:
	case TMPFS_MAGIC:
		return BPF_CORE_READ(dentry, d_parent, d_inode, i_flags) & S_CASEFOLD;
	}
	return true;
}

/* From here on names say nothing: what every name below has. enum hg_why. */
HG_INLINE int chain_spelled(struct hg_scratch *s)
{
	struct hg_reader r;
	struct hg_dir dir;
	__u32 i;

	if (!image_open(&r, s->slot) || !hg_dir_read(&r, s->at.dir, &dir))
		return HG_WHY_BROKEN_POLICY;
	__builtin_memset(&s->out, 0, sizeof(s->out));
	s->out.allow = dir.all_allow;
	for (i = 0; i < HG_N_PATH_ACTIONS; i++)
		s->out.rule[i] = HG_RULE_NONE;
	s->parent = s->at;
	s->spelled = 1;
	return HG_WHY_RULE;
}

/* One component downwards from s->at. enum hg_why. */
__weak __noinline int chain_step(struct hg_scratch *s)
{
	__u32 i;
	int why;

	if (!s)
		return HG_WHY_TOO_BUSY;
	s->spelled = 0;
	if (spelled_freely(chain_dentry(s)))
		return chain_spelled(s);
	s->name_left = chain_name(s);
	s->name_from = 0;
	s->lexer = 0;
	if (!s->name_left)
		return HG_WHY_BROKEN_POLICY;
	for (i = 0; i <= HG_NAME_MAX / HG_WINDOW; i++) {
		why = chain_window(s);
		if (why != HG_WHY_RULE || s->name_from == HG_STEPPED)
			return why;
	}
	return HG_WHY_BROKEN_POLICY;
}

static long chain_turn(__u32 turn, struct hg_loop *loop)
{
	loop->s->turn = turn;
	loop->s->why = chain_step(loop->s);
	return loop->s->why != HG_WHY_RULE || loop->s->spelled;
}

HG_INLINE enum hg_why place_why(int kind)
{
	switch (kind) {
	case PLACE_NAMED:
		return HG_WHY_RULE;
	case PLACE_ANONYMOUS:
		return HG_WHY_ANONYMOUS;
	case PLACE_OUTSIDE:
		return HG_WHY_DISCONNECTED;
	}
	return HG_WHY_UNMAPPED_FILESYSTEM;
}

/* One try at s->parent and s->at; s->why says how it went. */
__weak __noinline int place_try(struct hg_scratch *s)
{
	struct hg_start_key key = {};
	struct hg_loop loop = { .s = s };
	struct hg_start *start;
	struct hg_reader r;

	if (!s)
		return 0;
	s->spelled = 0;
	s->why = place_why(place_find(s));
	if (s->why != HG_WHY_RULE)
		return 0;
	s->why = chain_fill(s);
	if (s->why != HG_WHY_RULE)
		return 0;
	key.slot = s->slot;
	key.place = s->place;
	start = bpf_map_lookup_elem(&starts, &key);
	if (!start) {
		s->why = HG_WHY_UNMAPPED_FILESYSTEM;
		return 0;
	}
	s->at.dir = start->dir;
	s->at.out = start->out;
	s->parent = s->at;
	dirs_put(s, 0, start->dir);
	if (!s->n_chain) {
		if (!image_open(&r, s->slot) || !hg_out_read(&r, s->at.out, &s->out))
			s->why = HG_WHY_BROKEN_POLICY;
	} else if (bpf_loop(s->n_chain, chain_turn, &loop, 0) < 0) {
		s->why = HG_WHY_BROKEN_POLICY;
	}
	return 0;
}

/* A try counts only when no rename happened meanwhile, anywhere: nor one of user space's, so that the
 * place is what it was from beginning to end (struct hg_directory). What needs no name has none. */
static long place_turn(__u32 turn, struct hg_loop *loop)
{
	__u32 seq = rename_sequence();

	place_try(loop->s);
	if (loop->s->why == HG_WHY_ANONYMOUS)
		return 1;
	if (!(seq & 1) && seq == rename_sequence()) {
		loop->s->seq = seq;
		return 1;
	}
	loop->s->why = HG_WHY_RACED;
	return 0;
}

/* A rename in the midst of a try is rare; so many in a row would take an attacker who renames
 * without pause on another CPU, and then this one waits a few milliseconds before refusing. */
#define PLACE_TRIES 1024

/*
 * Where s->dentry is in the policy at s->slot: s->at and s->out. A rename while the chain is read
 * may tear a name or a link, so what was read counts only when rename_lock's sequence stood
 * still. HG_WHY_RULE or the reason why it has no place; HG_WHY_ANONYMOUS for what needs none.
 */
HG_INLINE enum hg_why place_walk(struct hg_scratch *s)
{
	struct hg_loop loop = { .s = s };

	s->why = HG_WHY_RACED;
	if (bpf_loop(PLACE_TRIES, place_turn, &loop, 0) < 0)
		return HG_WHY_RACED;
	return s->why;
}

#endif
