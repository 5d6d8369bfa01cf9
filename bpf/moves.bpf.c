/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Moving: rename and hard link. A move may not change anybody's rights to what is moved, so beside
 * deleting here and creating there, the rights at the new name must not exceed those at the old
 * one; for a directory, everything that can be below it counts. A symbolic link moves names, too.
 */
#include "check.h"

/* What of a place concerns the object that moves, not the name it has. */
#define MOVED_RIGHTS (HG_OBJECT_RIGHTS | HG_BIT(HG_UNIX))

HG_INLINE enum hg_why end_resolve(struct hg_scratch *s, struct dentry *dentry, struct hg_end *ret)
{
	struct hg_reader r;
	enum hg_why why;

	why = place_resolve(s, dentry);
	ret->anonymous = why == HG_WHY_ANONYMOUS;
	if (ret->anonymous)
		return HG_WHY_RULE;
	if (why != HG_WHY_RULE)
		return why;
	ret->parent = s->parent;
	ret->at = s->at;
	ret->out = s->out;
	ret->spelled = s->spelled;
	ret->lacks = 0;
	/* Elsewhere what another name lacks stays with the inode; an overlay copies what moves. */
	if (dentry->d_sb->s_magic == OVERLAYFS_SUPER_MAGIC) {
		link_check(s, dentry);
		ret->lacks = s->linked;
		s->linked = 0;
	}
	if (!image_open(&r, s->slot) || !hg_dir_read(&r, ret->at.dir, &ret->dir))
		return HG_WHY_BROKEN_POLICY;
	return HG_WHY_RULE;
}

/* Would `from` moved to `to` give a right that it does not have, or do with a directory's content
 * what is not allowed by itself? An ask counts as less than an allow and more than a deny. */
HG_INLINE bool gains(const struct hg_end *from, const struct hg_end *to, bool directory)
{
	__u32 had = from->out.allow & ~from->lacks, gets = to->out.allow;

	/* Running it with some arguments is a right, unless it depends on them here as there. */
	if (to->out.argv && to->out.argv != from->out.argv)
		gets |= HG_BIT(HG_EXEC);
	if (gets & ~had & MOVED_RIGHTS)
		return true;
	if ((gets | to->out.ask) & ~(had | from->out.ask) & MOVED_RIGHTS)
		return true;
	/* Names that say nothing have less below than the state gives them. */
	if (!directory || (from->at.dir == to->at.dir && from->spelled == to->spelled))
		return false;
	if (to->dir.any_allow & ~from->dir.all_allow)
		return true;
	if (to->dir.any_held & ~from->dir.all_held)
		return true;
	/* Moving a directory makes every name below it there and unmakes it here. */
	if (!(to->dir.all_allow & HG_BIT(HG_CREATE)))
		return true;
	if (!(from->dir.all_allow & HG_BIT(HG_DELETE)))
		return true;
	return false;
}

HG_INLINE bool is_type(struct dentry *dentry, __u32 type)
{
	struct inode *inode = dentry->d_inode;

	return inode && (inode->i_mode & S_IFMT) == type;
}

/*
 * A symbolic link leads every name below it elsewhere, for processes outside too: made where names
 * have rules of their own, it would take what is written there later to where these rules are
 * not. So it may stand only where the names below it have the rules of any other name's beside
 * it; and where its own name says nothing, all below the directory the same. enum hg_why.
 */
HG_INLINE enum hg_why link_stands(struct hg_scratch *s, const struct hg_at *parent,
				  const struct hg_at *at, bool spelled)
{
	struct hg_reader r;
	struct hg_dir dir;

	if (!image_open(&r, s->slot) || !hg_dir_read(&r, parent->dir, &dir))
		return HG_WHY_BROKEN_POLICY;
	if (spelled && (dir.any_allow != dir.all_allow || dir.any_held != dir.all_held))
		return HG_WHY_RIGHTS_WOULD_CHANGE;
	return dir.next == at->dir ? HG_WHY_RULE : HG_WHY_RIGHTS_WOULD_CHANGE;
}

/* May what is at `from` be at `to` as well, or instead? enum hg_why. */
HG_INLINE enum hg_why may_become(struct hg_scratch *s, struct dentry *dentry,
				 const struct hg_end *from, const struct hg_end *to)
{
	if (gains(from, to, is_type(dentry, S_IFDIR)))
		return HG_WHY_RIGHTS_WOULD_CHANGE;
	if (is_type(dentry, S_IFLNK))
		return link_stands(s, &to->parent, &to->at, to->spelled);
	return HG_WHY_RULE;
}

static __noinline int check_move(struct dentry *old, struct dentry *new, __u32 at_old,
				 __u32 at_new, bool exchange)
{
	struct hg_objects o = { .object = old, .target = new };
	struct hg_end *from, *to;
	struct hg_ask a;
	enum hg_why why;
	__u32 refused;

	if (!ask_begin(&a, HG_WHAT_PATH, at_old ? at_old : at_new))
		return 0;
	why = ask_prepare(&a);
	if (why != HG_WHY_RULE || !a.s)
		return ask_refuse(&a, why, &o);
	from = &a.s->from;
	to = &a.s->to;
	why = end_resolve(a.s, old, from);
	if (why == HG_WHY_RULE)
		why = end_resolve(a.s, new, to);
	if (why != HG_WHY_RULE)
		return ask_refuse(&a, why, &o);
	/* Both are on one superblock: the kernel gives EXDEV otherwise. */
	if (from->anonymous || to->anonymous)
		return ask_allow(&a);
	refused = at_old & ~(__u32)from->out.allow;
	a.s->spelled = from->spelled;
	if (refused)
		return ask_refuse(&a, ask_rule(&a, &from->out, refused), &o);
	refused = at_new & ~(__u32)to->out.allow;
	a.s->spelled = to->spelled;
	if (refused) {
		/* It is the new name that is refused: tell of that one first. */
		o.object = new;
		o.target = old;
		return ask_refuse(&a, ask_rule(&a, &to->out, refused), &o);
	}
	why = may_become(a.s, old, from, to);
	if (why == HG_WHY_RULE && exchange)
		why = may_become(a.s, new, to, from);
	if (why != HG_WHY_RULE)
		return ask_refuse(&a, why, &o);
	if (from->out.log & at_old) {
		ask_rule(&a, &from->out, from->out.log & at_old);
		return ask_allow_logged(&a, &o);
	}
	if (to->out.log & at_new) {
		ask_rule(&a, &to->out, to->out.log & at_new);
		return ask_allow_logged(&a, &o);
	}
	return ask_allow(&a);
}

SEC("lsm/path_rename")
int BPF_PROG(path_rename, const struct path *old_dir, struct dentry *old_dentry,
	     const struct path *new_dir, struct dentry *new_dentry, unsigned int flags)
{
	__u32 at_old = HG_BIT(HG_DELETE), at_new = HG_BIT(HG_CREATE);

	if (new_dentry->d_inode)
		at_new |= HG_BIT(HG_DELETE);
	/* An exchange makes the old name anew, a whiteout leaves something there. */
	if (flags & (RENAME_EXCHANGE | RENAME_WHITEOUT))
		at_old |= HG_BIT(HG_CREATE);
	return check_move(old_dentry, new_dentry, at_old, at_new, flags & RENAME_EXCHANGE);
}

SEC("lsm/path_link")
int BPF_PROG(path_link, struct dentry *old_dentry, const struct path *new_dir,
	     struct dentry *new_dentry)
{
	return check_move(old_dentry, new_dentry, 0, HG_BIT(HG_CREATE), false);
}

SEC("lsm/path_symlink")
int BPF_PROG(path_symlink, const struct path *dir, struct dentry *dentry, const char *old_name)
{
	struct hg_objects o = { .object = dentry };
	enum hg_why why;
	struct hg_ask a;

	if (!ask_begin(&a, HG_WHAT_PATH, HG_BIT(HG_CREATE)))
		return 0;
	why = ask_prepare(&a);
	if (why == HG_WHY_RULE && a.s)
		why = place_resolve(a.s, dentry);
	if (why == HG_WHY_ANONYMOUS)
		return ask_allow(&a);
	if (why != HG_WHY_RULE || !a.s)
		return ask_refuse(&a, why, &o);
	if (a.s->out.allow & HG_BIT(HG_CREATE))
		why = link_stands(a.s, &a.s->parent, &a.s->at, a.s->spelled);
	if (why != HG_WHY_RULE)
		return ask_refuse(&a, why, &o);
	return ask_out(&a, &a.s->out, HG_BIT(HG_CREATE), &o);
}
