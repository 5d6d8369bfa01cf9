/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an agent uses only where a rule names it, and that no path or endpoint stands for: mounts and
 * namespaces, the kernel's keys, its counters, its modules, its rings. Sockets are asked about in
 * net.bpf.c, device files in devices.h, bpf(2) and capabilities in guard.bpf.c.
 */
#include "check.h"

/* ---- mounts. Over the machine they take cap:SYS_ADMIN too; in a namespace of one's own, this ---- */

SEC("lsm/sb_mount")
int BPF_PROG(sb_mount, const char *dev_name, const struct path *path, const char *type,
	     unsigned long flags, void *data)
{
	return check_use(HG_USE_MOUNT, path->dentry, 0);
}

SEC("lsm/move_mount")
int BPF_PROG(move_mount, const struct path *from_path, const struct path *to_path)
{
	return check_use(HG_USE_MOUNT, to_path->dentry, 0);
}

/* fsmount(2), whose mount is used by its descriptor and need never be moved anywhere. */
SEC("lsm/sb_kern_mount")
int BPF_PROG(sb_kern_mount, struct super_block *sb)
{
	return check_use(HG_USE_MOUNT, sb->s_root, 0);
}

/* By fspick(2): mount(2) is asked about as sb_mount, too. */
SEC("lsm/sb_remount")
int BPF_PROG(sb_remount, struct super_block *sb, void *options)
{
	return check_use(HG_USE_MOUNT, sb->s_root, 0);
}

SEC("lsm/sb_umount")
int BPF_PROG(sb_umount, struct vfsmount *mnt, int flags)
{
	return check_use(HG_USE_MOUNT, mnt->mnt_root, 0);
}

SEC("lsm/sb_pivotroot")
int BPF_PROG(sb_pivotroot, const struct path *old_path, const struct path *new_path)
{
	return check_use(HG_USE_MOUNT, new_path->dentry, 0);
}

/* ---- namespaces ---- */

SEC("lsm/userns_create")
int BPF_PROG(userns_create, const struct cred *cred)
{
	return check_use(HG_USE_USERNS, NULL, 0);
}

SEC("lsm/path_chroot")
int BPF_PROG(path_chroot, const struct path *path)
{
	return check_use(HG_USE_CHROOT, path->dentry, 0);
}

/* ---- counters and tracing. Two arguments, and since 6.15 one ---- */

SEC("lsm/perf_event_open")
int BPF_PROG(perf_event_open)
{
	return check_use(HG_USE_PERF, NULL, 0);
}

/* ---- modules: those that the kernel has loaded on demand by a program outside every agent, and
 * those that are given to it, which takes cap:SYS_MODULE too ---- */

SEC("lsm/kernel_module_request")
int BPF_PROG(kernel_module_request, char *name)
{
	return check_use(HG_USE_MODULE, NULL, (__u64)name);
}

SEC("lsm/kernel_read_file")
int BPF_PROG(kernel_read_file, struct file *file, int id, bool contents)
{
	if (id != READING_MODULE || !file)
		return 0;
	return check_use(HG_USE_MODULE, file->f_path.dentry, 0);
}

SEC("lsm/kernel_load_data")
int BPF_PROG(kernel_load_data, int id, bool contents)
{
	if (id != READING_MODULE)
		return 0;
	return check_use(HG_USE_MODULE, NULL, 0);
}

/*
 * ---- keys. They are shared by all processes of a user and outlive them; and a key that is not
 * there is made by a program that the kernel starts outside every agent, with words of the
 * caller's: a lookup of any name on the network (dns_resolver) ----
 */

SEC("lsm/key_permission")
int BPF_PROG(key_permission, void *key_ref, const struct cred *cred, int need)
{
	return check_use(HG_USE_KEYRING, NULL, 0);
}

SEC("lsm/key_alloc")
int BPF_PROG(key_alloc, void *key, const struct cred *cred, unsigned long flags)
{
	return check_use(HG_USE_KEYRING, NULL, 0);
}

/*
 * ---- network devices of a program. One that was made to stay is its owner's to attach to, and
 * without an owner anybody's (tun_not_capable; until 6.12): what is written to it goes where it
 * likes. Making one takes NET_ADMIN over the network namespace ----
 */

SEC("lsm/tun_dev_open")
int BPF_PROG(tun_dev_open, void *security)
{
	return check_use(HG_USE_PACKET_SOCKET, NULL, 0);
}

/*
 * ---- io_uring. What is asked of a ring passes the same hooks as a system call does; there is no
 * hook for the ring itself before 6.15, but each ring is an inode with a name (since 5.16, commit
 * 91a9ab7c942a) ----
 */

SEC("lsm/inode_init_security_anon")
int BPF_PROG(inode_init_security_anon, struct inode *inode, const struct qstr *name,
	     const struct inode *context_inode)
{
	char known[16] = {};

	if (bpf_probe_read_kernel_str(known, sizeof(known), name->name) > 0 &&
	    !bytes_are(known, "[io_uring]"))
		return 0;
	return check_use(HG_USE_IO_URING, NULL, 0);
}
