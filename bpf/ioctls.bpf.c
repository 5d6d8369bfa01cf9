/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests on descriptors (ioctl) that do what no descriptor was opened for: attributes and names
 * changed without a path_* hook, files reached without one, and terminals made to act for somebody else.
 */
#include "check.h"

enum request {
	REQUEST_PLAIN,	/* judged when the descriptor was opened */
	REQUEST_ATTR,	/* changes the file's attributes, whatever it is open for */
	REQUEST_NUMBER,	/* gives its inode another generation: an attribute as well */
	REQUEST_NAMES,	/* makes or unmakes names */
	REQUEST_HANDLES, /* reaches files by XFS's own handles, which no path and few hooks see */
	REQUEST_TYPES,	/* a terminal that others read from or sit at */
	REQUEST_TELLS,	/* tells of content that may only be written */
};

/* Those that are known by type and number alone. */
HG_INLINE enum request request_of_family(unsigned int cmd)
{
	switch (cmd & 0xffff) {
	case XFS_IOC_GETPARENTS_BY_HANDLE:
	case XFS_IOC_PATH_TO_FSHANDLE:
	case XFS_IOC_PATH_TO_HANDLE:
	case XFS_IOC_FD_TO_HANDLE:
	case XFS_IOC_OPEN_BY_HANDLE:
	case XFS_IOC_READLINK_BY_HANDLE:
	case XFS_IOC_ATTRLIST_BY_HANDLE:
	case XFS_IOC_ATTRMULTI_BY_HANDLE:
		return REQUEST_HANDLES;
	case BCH_IOCTL_SUBVOLUME_CREATE:
	case BCH_IOCTL_SUBVOLUME_DESTROY:
	case BCH_IOCTL_SUBVOLUME_CREATE_V2:
	case BCH_IOCTL_SUBVOLUME_DESTROY_V2:
		return REQUEST_NAMES;
	}
	return REQUEST_PLAIN;
}

HG_INLINE enum request request_of(unsigned int cmd)
{
	switch (cmd) {
	case FS_IOC_SETFLAGS:
	case FS_IOC32_SETFLAGS:
	case FS_IOC_FSSETXATTR:
	case FS_IOC_ENABLE_VERITY:
	case FS_IOC_SET_ENCRYPTION_POLICY:
	case EXT4_IOC_MIGRATE:
	case FAT_IOCTL_SET_ATTRIBUTES:
	case BTRFS_IOC_SUBVOL_SETFLAGS:
	case BTRFS_IOC_SET_RECEIVED_SUBVOL:
	case BTRFS_IOC_SET_RECEIVED_SUBVOL_32:
		return REQUEST_ATTR;
	case FS_IOC_SETVERSION:
	case FS_IOC32_SETVERSION:
	case EXT4_IOC_SETVERSION:
	case EXT4_IOC32_SETVERSION:
		return REQUEST_NUMBER;
	/* A snapshot is every file below under a second name, made without a path_* hook; a reflink
	 * of OCFS2 takes two paths. */
	case BTRFS_IOC_SNAP_CREATE:
	case BTRFS_IOC_SNAP_CREATE_V2:
	case BTRFS_IOC_SUBVOL_CREATE:
	case BTRFS_IOC_SUBVOL_CREATE_V2:
	case BTRFS_IOC_SNAP_DESTROY:
	case BTRFS_IOC_SNAP_DESTROY_V2:
	case OCFS2_IOC_REFLINK:
		return REQUEST_NAMES;
	/*
	 * Keystrokes pushed or pasted into the shell that shares the terminal; another line
	 * discipline below it; the console's output taken away; keys that type something else for
	 * whoever sits at the console; the console held or hung up.
	 */
	case TIOCSTI:
	case TIOCLINUX:
	case TIOCSETD:
	case TIOCCONS:
	case TIOCVHANGUP:
	case KDSKBENT:
	case KDSKBSENT:
	case KDSKBDIACR:
	case KDSKBDIACRUC:
	case KDSETKEYCODE:
	case KDSKBMODE:
	case KDSETMODE:
	case KDSIGACCEPT:
	case VT_SETMODE:
	case VT_LOCKSWITCH:
		return REQUEST_TYPES;
	/*
	 * Cloning needs a descriptor that can be read, and so does nothing that read and write do
	 * not. Sharing blocks asks the other file, which need only be open for writing, whether its
	 * content is this: guesses about a file that may be written and not read (.env).
	 */
	case FIDEDUPERANGE:
		return REQUEST_TELLS;
	}
	return request_of_family(cmd);
}

HG_INLINE int check_ioctl(struct file *file, unsigned int cmd)
{
	struct dentry *dentry = file->f_path.dentry;

	switch (request_of(cmd)) {
	case REQUEST_PLAIN:
		return 0;
	/* It would take a file out of `links`: who may change the attributes of one that may not be
	 * read could read it afterwards by its other name. Whichever policy's link it is. */
	case REQUEST_NUMBER:
		if (link_suspected(dentry))
			return check_never(HG_WHY_HARD_LINK, HG_WHAT_PATH, HG_BIT(HG_ATTR), dentry,
					   NULL);
		return check_path(dentry, HG_BIT(HG_ATTR));
	case REQUEST_ATTR:
		return check_path(dentry, HG_BIT(HG_ATTR));
	case REQUEST_NAMES:
		return check_never(HG_WHY_PRIVILEGE, HG_WHAT_PATH, HG_BIT(HG_CREATE), dentry, NULL);
	case REQUEST_HANDLES:
	case REQUEST_TELLS:
		return check_never(HG_WHY_PRIVILEGE, HG_WHAT_PATH, HG_BIT(HG_READ), dentry, NULL);
	case REQUEST_TYPES:
		break;
	}
	return check_never(HG_WHY_PRIVILEGE, HG_WHAT_PATH, HG_BIT(HG_MODIFY), dentry, NULL);
}

SEC("lsm/file_ioctl")
int BPF_PROG(file_ioctl, struct file *file, unsigned int cmd, unsigned long arg)
{
	return check_ioctl(file, cmd);
}

/* Since 6.8 (commit f1bb47a31dff, in 6.1.75 too); before, compat calls arrive at file_ioctl. */
SEC("lsm/file_ioctl_compat")
int BPF_PROG(file_ioctl_compat, struct file *file, unsigned int cmd, unsigned long arg)
{
	return check_ioctl(file, cmd);
}
