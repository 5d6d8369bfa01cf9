/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files: reading, changing, making and deleting them, and their attributes.
 *
 * The path_* hooks fire once for a system call, with the dentry that is really touched. The inode_*
 * hooks are used where no path_* hook exists, or none for all of it: attributes, xattrs, ACLs.
 * Descriptors are judged when they are opened; what they were opened for is theirs.
 */
#include "check.h"
#include "devices.h"

char LICENSE[] SEC("license") = "GPL";

/*
 * The kernel opening a program to run it. The flag alone does not say so: mq_open(2), TIOCGPTPEER and
 * XFS's open by handle take it from their caller. But they have looked up no path: where one is (struct
 * nameidata), flags that a caller gave were cleaned of it (VALID_OPEN_FLAGS). task_struct.in_execve would
 * say it, but since 6.8 (commit 978ffcbf00d8) it is set only after the file is open.
 */
HG_INLINE bool opened_to_run(struct file *file)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();

	return (file->f_flags & __FMODE_EXEC) && task->nameidata;
}

/* 0 or 1, without a branch: each would double what the kernel's verifier follows from there on. */
HG_INLINE __u32 has(__u32 word, __u32 flag)
{
	return !!(word & flag);
}

HG_INLINE __u32 open_actions(__u32 mode, __u32 flags)
{
	/* Reading, and neither (O_ACCMODE 3, for ioctls), which counts as reading. */
	__u32 reads = has(mode, FMODE_READ) | !has(mode, FMODE_WRITE);
	/* Writing to what this very call made was asked as `create`. */
	__u32 modifies = (has(mode, FMODE_WRITE) | has(flags, O_TRUNC)) & !has(mode, FMODE_CREATED);
	/* No path_mknod precedes O_TMPFILE. */
	__u32 creates = has(flags, __O_TMPFILE);

	return reads << HG_READ | modifies << HG_MODIFY | creates << HG_CREATE;
}

SEC("lsm/file_open")
int BPF_PROG(file_open, struct file *file)
{
	struct hg_who who;
	__u32 actions;
	int err;

	if (!agent_current(&who))
		return 0;
	/* bprm_check_security asks about programs and scripts, mmap_file about their loader. */
	if (opened_to_run(file))
		return 0;
	actions = open_actions(file->f_mode, file->f_flags);
	if (is_device(file->f_inode)) {
		err = check_device(file->f_inode, actions, file->f_path.dentry, &who);
		if (err)
			return err;
	}
	return agent_path(who.agent, file->f_path.dentry, actions);
}

SEC("lsm/path_truncate")
int BPF_PROG(path_truncate, const struct path *path)
{
	return check_path(path->dentry, HG_BIT(HG_MODIFY));
}

/* Since 6.2 (commit 3350607dc563); before, path_truncate sees ftruncate too. What is open for
 * writing was asked then; O_RDONLY|O_TRUNC arrives here without. */
SEC("lsm/file_truncate")
int BPF_PROG(file_truncate, struct file *file)
{
	if (file->f_mode & FMODE_WRITE)
		return 0;
	return check_path(file->f_path.dentry, HG_BIT(HG_MODIFY));
}

SEC("lsm/path_unlink")
int BPF_PROG(path_unlink, const struct path *dir, struct dentry *dentry)
{
	return check_path_often(dentry, HG_BIT(HG_DELETE));
}

SEC("lsm/path_rmdir")
int BPF_PROG(path_rmdir, const struct path *dir, struct dentry *dentry)
{
	return check_path(dentry, HG_BIT(HG_DELETE));
}

SEC("lsm/path_mkdir")
int BPF_PROG(path_mkdir, const struct path *dir, struct dentry *dentry, unsigned short mode)
{
	return check_path_often(dentry, HG_BIT(HG_CREATE));
}

SEC("lsm/path_mknod")
int BPF_PROG(path_mknod, const struct path *dir, struct dentry *dentry, unsigned short mode,
	     unsigned int dev)
{
	__u32 type = mode & S_IFMT;
	int err;

	/* Device 0:0 is an overlay whiteout: it hides a name, it opens nothing. */
	if ((type == S_IFBLK || type == S_IFCHR) && dev) {
		err = check_use(HG_USE_DEVICE_NODE, dentry, 0);
		if (err)
			return err;
	}
	return check_path_often(dentry, HG_BIT(HG_CREATE));
}

/*
 * inotify and fanotify: watching is reading. A mark on a whole mount or file system sees names that
 * no rule was asked about, and permission events stop everybody else's calls: neither is an
 * agent's.
 */
SEC("lsm/path_notify")
int BPF_PROG(path_notify, const struct path *path, __u64 mask, unsigned int obj_type)
{
	int err;

	if (obj_type != FSNOTIFY_OBJ_TYPE_INODE || (mask & FS_PERM_EVENTS)) {
		err = check_never(HG_WHY_GUARD, HG_WHAT_PATH, HG_BIT(HG_READ), path->dentry, NULL);
		if (err)
			return err;
	}
	return check_path(path->dentry, HG_BIT(HG_READ));
}

/*
 * Leases: whoever else opens the file waits until the holder gives its lease back, 45 seconds
 * (fs.lease-break-time) and then again. Reading is no right to that, being able to change it is. Not
 * file_lock, which is not told leases from flock(2). Since 6.19 directories have them too (F_SETDELEG).
 */
SEC("lsm/file_fcntl")
int BPF_PROG(file_fcntl, struct file *file, unsigned int cmd, unsigned long arg)
{
	if (cmd != F_SETDELEG && (cmd != F_SETLEASE || arg == F_UNLCK))
		return 0;
	return check_path(file->f_path.dentry, HG_BIT(HG_MODIFY));
}

/* Mode, owner and times, by whatever call: all of them come by here, and where path_* hooks stand too, those
 * would be a second question. The size has a hook of its own; what the kernel forces is the other half of a
 * write (fs/inode.c: file_remove_privs), nobody's wish. */
HG_INLINE int check_attributes(struct dentry *dentry, struct iattr *attr)
{
	if (attr->ia_valid & (ATTR_SIZE | ATTR_FORCE))
		return 0;
	return check_path_often(dentry, HG_BIT(HG_ATTR));
}

/* Until 6.8. */
SEC("lsm/inode_setattr")
int BPF_PROG(inode_setattr_2, struct dentry *dentry, struct iattr *attr)
{
	return check_attributes(dentry, attr);
}

/* Since 6.9. */
SEC("lsm/inode_setattr")
int BPF_PROG(inode_setattr_3, void *idmap, struct dentry *dentry, struct iattr *attr)
{
	return check_attributes(dentry, attr);
}

SEC("lsm/inode_setxattr")
int BPF_PROG(inode_setxattr, void *idmap, struct dentry *dentry, const char *name,
	     const void *value, size_t size, int flags)
{
	return check_path(dentry, HG_BIT(HG_ATTR));
}

SEC("lsm/inode_removexattr")
int BPF_PROG(inode_removexattr, void *idmap, struct dentry *dentry, const char *name)
{
	return check_path(dentry, HG_BIT(HG_ATTR));
}

/* Since 6.2 (commit 72b3897e7803); before, ACLs are xattrs. */
SEC("lsm/inode_set_acl")
int BPF_PROG(inode_set_acl, void *idmap, struct dentry *dentry, const char *acl_name, void *acl)
{
	return check_path(dentry, HG_BIT(HG_ATTR));
}

SEC("lsm/inode_remove_acl")
int BPF_PROG(inode_remove_acl, void *idmap, struct dentry *dentry, const char *acl_name)
{
	return check_path(dentry, HG_BIT(HG_ATTR));
}

/* file_setattr(2), since 6.17: flags, project, extent size. Before, ioctls alone do it. */
SEC("lsm/inode_file_setattr")
int BPF_PROG(inode_file_setattr, struct dentry *dentry, void *fa)
{
	return check_path(dentry, HG_BIT(HG_ATTR));
}

/* A file's own xattrs are content; those of the system (ACLs, labels) are read by every `ls -l`. */
SEC("lsm/inode_getxattr")
int BPF_PROG(inode_getxattr, struct dentry *dentry, const char *name)
{
	char head[5] = {};

	if (!bpf_probe_read_kernel(head, sizeof(head), name) &&
	    (head[0] != 'u' || head[1] != 's' || head[2] != 'e' || head[3] != 'r' || head[4] != '.'))
		return 0;
	return check_path(dentry, HG_BIT(HG_READ));
}
