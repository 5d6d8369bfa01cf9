/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Terminals: whoever opens one can read what is typed there, and a path has its number only. An agent's own are
 * the one that it was started on, those whose session it leads, and those that it made and that have none yet.
 */
#ifndef HG_TERMINALS_H
#define HG_TERMINALS_H

#include "agent.h"

/* Majors of pseudo terminals' slaves (include/uapi/linux/major.h). */
#define TERMINAL_MAJOR		136
#define TERMINAL_MAJORS		8

/* The process that the number is of; NULL: it is gone. */
HG_INLINE struct task_struct *pid_process(struct pid *pid)
{
	struct hlist_node *at = BPF_CORE_READ(pid, tasks[PIDTYPE_TGID].first);

	if (!at)
		return NULL;
	return (void *)at - bpf_core_field_offset(struct task_struct, pid_links) - PIDTYPE_TGID * sizeof(*at);
}

/* The file system keeps the terminal with the name (drivers/tty/pty.c: ptmx_open). */
static __noinline bool terminal_own(struct dentry *dentry, const struct hg_who *who)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf(), *leader;
	__u64 tty = (__u64)BPF_CORE_READ(dentry, d_fsdata), *uid;
	struct pid *session;

	if (!tty)
		return false;
	if ((__u64)BPF_CORE_READ(task, signal, tty) == tty)
		return true;
	session = BPF_CORE_READ((struct tty_struct *)tty, ctrl.session);
	if (session) {
		leader = pid_process(session);
		return leader && agent_has(who, leader);
	}
	uid = bpf_map_lookup_elem(&terminals, &tty);
	return uid && *uid == who->agent->uid;
}

#endif
