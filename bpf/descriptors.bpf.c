/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Descriptors that arrive ready-made: SCM_RIGHTS, pidfd_getfd(2), a seccomp listener's. Somebody
 * else opened them, under other rules, so they are judged as if the receiver opened them now. A
 * denial makes the kernel drop the descriptor before it has a number. Sockets are judged in
 * net.bpf.c, by another program for the same hook.
 */
#include "check.h"
#include "devices.h"

SEC("lsm/file_receive")
int BPF_PROG(file_receive, struct file *file)
{
	unsigned int mode = file->f_mode;
	struct hg_who who;
	__u32 actions = 0;
	int err;

	if (!agent_current(&who))
		return 0;
	/* O_PATH: names a place and gives nothing; what is opened by it is asked then. */
	if (mode & FMODE_PATH)
		return 0;
	if ((mode & FMODE_READ) || !(mode & FMODE_WRITE))
		actions |= HG_BIT(HG_READ);
	if (mode & FMODE_WRITE)
		actions |= HG_BIT(HG_MODIFY);
	if (is_device(file->f_inode)) {
		err = check_device(file->f_inode, actions, file->f_path.dentry, &who);
		if (err)
			return err;
	}
	return decide_path(file->f_path.dentry, actions);
}
