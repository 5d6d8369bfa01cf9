/* SPDX-License-Identifier: GPL-2.0-only */
/* Who made which terminal. */
#include "terminals.h"

/* No hook knows a terminal that is just made. Everybody's are looked at: memory is used again. */
SEC("fexit/ptmx_open")
int BPF_PROG(terminal_made, struct inode *inode, struct file *file, int failed)
{
	struct tty_file_private *its = file->private_data;
	struct hg_who who;
	__u64 tty;

	if (failed)
		return 0;
	tty = (__u64)BPF_CORE_READ(its, tty, link);
	if (agent_current(&who))
		bpf_map_update_elem(&terminals, &tty, &who.agent->uid, BPF_ANY);
	else
		bpf_map_delete_elem(&terminals, &tty);
	return 0;
}
