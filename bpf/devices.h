/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Device files, judged by what they are and not by their name alone: a node under another name, in
 * an unpacked image or a chroot, is the same device.
 */
#ifndef HG_DEVICES_H
#define HG_DEVICES_H

#include "check.h"
#include "terminals.h"

/* The kernel's own dev_t (include/linux/kdev_t.h); the numbers are assigned for good in
 * Documentation/admin-guide/devices.txt, but for those that a driver is given when it comes. */
#define DEVICE(major, minor)	((__u32)(major) << 20 | (minor))
#define MAJOR(dev)		((dev) >> 20)
#define MINOR(dev)		((dev) & 0xfffff)
#define MAJOR_GIVEN		234	/* CHRDEV_MAJOR_DYN_END: from here on */

enum device {
	DEVICE_PLAIN,	/* its path is all that is asked */
	DEVICE_MEMORY,	/* the machine's memory, ports and registers */
	DEVICE_LOG,	/* lines that pass for the kernel's */
	DEVICE_DISK,	/* a disk below its file system */
	DEVICE_TERMINAL,
	DEVICE_OTHER,
};

HG_INLINE bool is_device(struct inode *inode)
{
	__u32 type = inode->i_mode & S_IFMT;

	return type == S_IFCHR || type == S_IFBLK;
}

/* Majors of one chain (CHRDEV_MAJOR_HASH_SIZE), and drivers that are looked at in it: those that are given a
 * major get one for themselves, so two share a chain at most. And how many drivers that share MISC_MAJOR. */
#define CHRDEVS		255
#define CHRDEVS_TURNS	16
#define MISC_TURNS	128
#define MISC_MAJOR	10

enum driver { DRIVER_NONE, DRIVER_NAMED, DRIVER_UNREAD };

/* Which driver has the number. */
HG_INLINE enum driver chrdev_name(__u32 dev, char ret[16])
{
	struct char_device_struct *at = NULL;
	__u32 major = MAJOR(dev), minor = MINOR(dev), i, from;

	if (bpf_probe_read_kernel(&at, sizeof(at),
				  (void *)(chrdevs_address + major % CHRDEVS * sizeof(at))))
		return DRIVER_UNREAD;
	for (i = 0; i < CHRDEVS_TURNS && at; i++) {
		from = BPF_CORE_READ(at, baseminor);
		if (BPF_CORE_READ(at, major) == major && minor >= from &&
		    minor - from < (__u32)BPF_CORE_READ(at, minorct))
			return bpf_probe_read_kernel_str(ret, 16, at->name) > 0 ? DRIVER_NAMED
										: DRIVER_UNREAD;
		at = BPF_CORE_READ(at, next);
	}
	return at ? DRIVER_UNREAD : DRIVER_NONE;
}

struct misc_loop {
	struct list_head *at;
	__u32 minor;
	enum driver found;
	char name[16];
};

static long misc_turn(__u32 turn, struct misc_loop *l)
{
	struct list_head *at = l->at;
	struct miscdevice *misc;

	if ((__u64)at == misc_list_address) {
		l->found = DRIVER_NONE;
		return 1;
	}
	misc = (void *)at - bpf_core_field_offset(struct miscdevice, list);
	if ((__u32)BPF_CORE_READ(misc, minor) == l->minor) {
		if (bpf_probe_read_kernel_str(l->name, sizeof(l->name), BPF_CORE_READ(misc, name)) > 0)
			l->found = DRIVER_NAMED;
		return 1;
	}
	l->at = BPF_CORE_READ(at, next);
	return 0;
}

/* The same below MISC_MAJOR. */
HG_INLINE enum driver misc_name(__u32 dev, char ret[16])
{
	struct misc_loop l = { .minor = MINOR(dev), .found = DRIVER_UNREAD };

	if (bpf_probe_read_kernel(&l.at, sizeof(l.at), (void *)misc_list_address))
		return DRIVER_UNREAD;
	bpf_loop(MISC_TURNS, misc_turn, &l, 0);
	__builtin_memcpy(ret, l.name, sizeof(l.name));
	return l.found;
}

/* Of a driver that was given its number. The rest of a name of more than 15 bytes is not looked at: that of
 * none of these is as long. */
static __noinline enum device device_named(__u32 dev)
{
	char name[16] = {};

	switch (MAJOR(dev) == MISC_MAJOR ? misc_name(dev, name) : chrdev_name(dev, name)) {
	case DRIVER_NONE:	/* it cannot be opened */
		return DEVICE_OTHER;
	case DRIVER_UNREAD:
		return DEVICE_DISK;
	case DRIVER_NAMED:
		break;
	}
	/* A device's registers, and by them whatever it can write to. */
	if (bytes_are(name, "uio"))
		return DEVICE_MEMORY;
	/* SCSI and NVMe commands, disks of other machines; persistent memory; a card's protected blocks. */
	if (bytes_are(name, "bsg") || bytes_are(name, "nvme") || bytes_are(name, "nvme-generic") ||
	    bytes_are(name, "nvme-fabrics") || bytes_are(name, "dax") || bytes_are(name, "rpmb"))
		return DEVICE_DISK;
	/* UBI numbers its devices. */
	if (name[0] == 'u' && name[1] == 'b' && name[2] == 'i')
		return DEVICE_DISK;
	return DEVICE_OTHER;
}

/* Numbers that a driver is given when it comes; of MISC_MAJOR those that devices.txt has for nobody. */
HG_INLINE bool number_is_given(__u32 dev)
{
	if (MAJOR(dev) == MISC_MAJOR)
		return MINOR(dev) < 128 || MINOR(dev) > 255;
	return MAJOR(dev) >= MAJOR_GIVEN;
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
	case DEVICE(10, 228):	/* hpet */
	case DEVICE(10, 231):	/* snapshot */
		return DEVICE_MEMORY;
	case DEVICE(1, 11):	/* kmsg */
		return DEVICE_LOG;
	case DEVICE(10, 220):	/* mptctl, mpt2ctl, mpt3ctl: SCSI commands */
	case DEVICE(10, 221):
	case DEVICE(10, 222):
		return DEVICE_DISK;
	}
	if (MAJOR(dev) - TERMINAL_MAJOR < TERMINAL_MAJORS)
		return DEVICE_TERMINAL;
	switch (MAJOR(dev)) {
	case 202:		/* msr */
		return DEVICE_MEMORY;
	case 21:		/* sg: SCSI commands */
	case 90:		/* mtd: raw flash */
	case 162:		/* raw */
		return DEVICE_DISK;
	}
	return number_is_given(dev) ? device_named(dev) : DEVICE_OTHER;
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
static __noinline int check_device(struct inode *inode, __u32 actions, struct dentry *dentry,
				 const struct hg_who *who)
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
	case DEVICE_TERMINAL:
		/* Elsewhere it opens nothing. */
		if (inode->i_sb->s_magic == DEVPTS_SUPER_MAGIC && !terminal_own(dentry, who))
			return check_never(HG_WHY_PRIVILEGE, HG_WHAT_PATH, actions, dentry, NULL);
		break;
	case DEVICE_OTHER:
		break;
	}
	if (use == HG_USE_DEVICE_NODE && named_by_kernel(inode))
		return 0;
	return check_use(use, dentry, 0);
}

#endif
