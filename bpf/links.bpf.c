/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What would take a file out of `links`: giving its inode another generation. Who may change the
 * attributes of a file that may not be read could read it afterwards by its other name. Refused
 * where the number is one of those, whichever policy's: agents may have different ones.
 */
#include "check.h"

HG_INLINE int check_generation(struct file *file, unsigned int cmd)
{
	switch (cmd) {
	case FS_IOC_SETVERSION:
	case FS_IOC32_SETVERSION:
	case EXT4_IOC_SETVERSION:
	case EXT4_IOC32_SETVERSION:
		break;
	default:
		return 0;
	}
	if (!link_suspected(file->f_path.dentry))
		return 0;
	return check_flag(0, HG_WHY_HARD_LINK, HG_WHAT_PATH, HG_BIT(HG_ATTR), file->f_path.dentry,
			  NULL);
}

SEC("lsm/file_ioctl")
int BPF_PROG(file_ioctl_links, struct file *file, unsigned int cmd, unsigned long arg)
{
	return check_generation(file, cmd);
}

/* As file_ioctl_compat. */
SEC("lsm/file_ioctl_compat")
int BPF_PROG(file_ioctl_compat_links, struct file *file, unsigned int cmd, unsigned long arg)
{
	return check_generation(file, cmd);
}
