/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Device files, judged by what they are and not by their name alone: a node under another name, in
 * an unpacked image or a chroot, is the same device.
 */
#ifndef HG_DEVICES_H
#define HG_DEVICES_H

#include "check.h"

/* The kernel's own dev_t (include/linux/kdev_t.h); the numbers are assigned for good in
 * Documentation/admin-guide/devices.txt. */
#define DEVICE(major, minor)	((__u32)(major) << 20 | (minor))
#define MAJOR(dev)		((dev) >> 20)

enum device {
	DEVICE_PLAIN,	/* its path is all that is asked */
	DEVICE_MEMORY,	/* the machine's memory, ports and registers */
	DEVICE_LOG,	/* lines that pass for the kernel's */
	DEVICE_DISK,	/* a disk below its file system */
	DEVICE_OTHER,
};

HG_INLINE bool is_device(struct inode *inode)
{
	__u32 type = inode->i_mode & S_IFMT;

	return type == S_IFCHR || type == S_IFBLK;
}

HG_INLINE enum device device_of(__u32 type, __u32 dev)
{
	if (type == S_IFBLK)
		return DEVICE_DISK;
	switch (dev) {
	case DEVICE(0, 0):	/* an overlay's whiteout opens nothing */
	case DEVICE(1, 3):	/* null */
	case DEVICE(1, 5):	/* zero */
	case DEVICE(1, 7):	/* full */
	case DEVICE(1, 8):	/* random */
	case DEVICE(1, 9):	/* urandom */
	case DEVICE(5, 0):	/* tty */
	case DEVICE(5, 2):	/* ptmx */
		return DEVICE_PLAIN;
	case DEVICE(1, 1):	/* mem */
	case DEVICE(1, 2):	/* kmem */
	case DEVICE(1, 4):	/* port */
	case DEVICE(10, 144):	/* nvram */
	case DEVICE(10, 231):	/* snapshot */
		return DEVICE_MEMORY;
	case DEVICE(1, 11):	/* kmsg */
		return DEVICE_LOG;
	}
	switch (MAJOR(dev)) {
	case 202:		/* msr */
		return DEVICE_MEMORY;
	case 21:		/* sg: SCSI commands */
	case 162:		/* raw */
		return DEVICE_DISK;
	}
	return DEVICE_OTHER;
}

/* Where the kernel makes the nodes, rules by path know what they name. Best effort in one
 * direction: what cannot be read is no such place. */
HG_INLINE bool named_by_kernel(struct inode *inode)
{
	struct super_block *sb = inode->i_sb;
	char type[16] = {};

	if (sb->s_magic == DEVPTS_SUPER_MAGIC)
		return true;
	bpf_probe_read_kernel_str(type, sizeof(type), BPF_CORE_READ(sb, s_type, name));
	return bytes_are(type, "devtmpfs");
}

/* Not inlined: what it keeps on the stack, and what the verifier would follow after each of its
 * outcomes. */
static __noinline int check_device(struct inode *inode, __u32 actions, struct dentry *dentry)
{
	__u32 use = HG_USE_DEVICE_NODE;

	switch (device_of(inode->i_mode & S_IFMT, inode->i_rdev)) {
	case DEVICE_PLAIN:
		return 0;
	case DEVICE_LOG:
		if (!(actions & HG_BIT(HG_MODIFY)))
			break;
		/* fallthrough */
	case DEVICE_MEMORY:
		return check_never(HG_WHY_GUARD, HG_WHAT_PATH, actions, dentry, NULL);
	case DEVICE_DISK:
		use = HG_USE_RAW_DISK;
		break;
	case DEVICE_OTHER:
		break;
	}
	if (use == HG_USE_DEVICE_NODE && named_by_kernel(inode))
		return 0;
	return check_use(use, dentry, 0);
}

#endif
