/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What reaches past every rule: bpf(2), capabilities over the whole machine, and other people's
 * processes. An agent may be root; over the machine it is root of nothing.
 */
#include "agent.h"
#include "check.h"

SEC("lsm/bpf")
int BPF_PROG(bpf, int cmd, void *attr, unsigned int size)
{
	return check_flag(0, HG_WHY_GUARD, HG_WHAT_BPF, 0, NULL, NULL);
}

/*
 * Capabilities that let root change what names mean, or reach below them: mounts of everybody's
 * (SYS_ADMIN: a file system that is moved has other rules), modules, the memory and the I/O ports,
 * the machine's network, another boot, tracing, the clock. Those over one's own files and
 * processes stay, and so does all of it in a user namespace of one's own: a sandbox that an agent
 * makes of namespaces goes on working.
 */
#define MACHINE_CAPS ( \
	1ull << CAP_NET_ADMIN | 1ull << CAP_SYS_MODULE | 1ull << CAP_SYS_RAWIO | \
	1ull << CAP_SYS_PACCT | 1ull << CAP_SYS_ADMIN | 1ull << CAP_SYS_BOOT | \
	1ull << CAP_SYS_TIME | 1ull << CAP_AUDIT_CONTROL | 1ull << CAP_MAC_OVERRIDE | \
	1ull << CAP_MAC_ADMIN | 1ull << CAP_SYSLOG | 1ull << CAP_PERFMON | 1ull << CAP_BPF | \
	1ull << CAP_CHECKPOINT_RESTORE | 1ull << CAP_SYS_PTRACE)

SEC("lsm/capable")
int BPF_PROG(capable, const struct cred *cred, struct user_namespace *ns, int cap,
	     unsigned int opts)
{
	struct hg_endpoint detail = {};
	struct hg_who who;

	if ((unsigned int)cap > 63 || !(MACHINE_CAPS >> (unsigned int)cap & 1) || ns->level)
		return 0;
	/* In the layers of an overlay it is not the agent who acts. */
	if (overlay_at_work())
		return 0;
	/* The kernel asking for itself, as for which reserve a task may use: no denial to tell. */
	if (opts & CAP_OPT_NOAUDIT) {
		if (agent_current(&who) && who.agent->mode != HG_AUDIT)
			return -EPERM;
		return 0;
	}
	detail.bytes[0] = cap;
	if (check_flag(0, HG_WHY_PRIVILEGE, HG_WHAT_CAPABLE, 0, NULL, &detail))
		return -EPERM;
	return 0;
}

/* Tracing, and what /proc keeps for those who may trace: memory, descriptors, root, environment. */
SEC("lsm/ptrace_access_check")
int BPF_PROG(ptrace_access_check, struct task_struct *child, unsigned int mode)
{
	struct hg_who who, whose;

	if (!agent_current(&who))
		return 0;
	if (agent_of_process(child->signal, &whose) && whose.n == who.n)
		return 0;
	if (agent_of_cgroup(child->cgroups->dfl_cgrp->kn->id, &whose) && whose.n == who.n)
		return 0;
	if (mode & PTRACE_MODE_NOAUDIT) {
		if (who.agent->mode != HG_AUDIT)
			return -EPERM;
		return 0;
	}
	if (check_flag(0, HG_WHY_PRIVILEGE, HG_WHAT_PTRACE, 0, NULL, NULL))
		return -EPERM;
	return 0;
}
