/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What reaches past every rule: bpf(2), capabilities over the whole machine, and other people's
 * processes. An agent may be root; over the machine it is root of nothing.
 */
#include "agent.h"
#include "check.h"

/* What finds or takes away programs and maps that the caller did not make: nobody's as an agent. */
HG_INLINE bool reaches_others(int cmd)
{
	switch (cmd) {
	case BPF_MAP_CREATE:
	case BPF_MAP_LOOKUP_ELEM:
	case BPF_MAP_UPDATE_ELEM:
	case BPF_MAP_DELETE_ELEM:
	case BPF_MAP_GET_NEXT_KEY:
	case BPF_MAP_LOOKUP_AND_DELETE_ELEM:
	case BPF_MAP_FREEZE:
	case BPF_MAP_LOOKUP_BATCH:
	case BPF_MAP_LOOKUP_AND_DELETE_BATCH:
	case BPF_MAP_UPDATE_BATCH:
	case BPF_MAP_DELETE_BATCH:
	case BPF_PROG_LOAD:
	case BPF_PROG_TEST_RUN:
	case BPF_PROG_BIND_MAP:
	case BPF_PROG_ATTACH:
	case BPF_RAW_TRACEPOINT_OPEN:
	case BPF_LINK_CREATE:
	case BPF_LINK_UPDATE:
	case BPF_LINK_DETACH:
	case BPF_BTF_LOAD:
	case BPF_OBJ_GET_INFO_BY_FD:
	/* A path rule decides where. */
	case BPF_OBJ_PIN:
		return false;
	}
	return true;
}

/* Two arguments and, since 6.15, a third. */
SEC("lsm/bpf")
int BPF_PROG(bpf, int cmd)
{
	if (reaches_others(cmd))
		return check_never(HG_WHY_GUARD, HG_WHAT_BPF, 0, NULL, NULL);
	return check_use(HG_USE_BPF, NULL, 0);
}

/* For the kernel asking for itself, as for which reserve a task may use: no denial to tell. */
static __noinline int capable_silently(__u32 use)
{
	struct hg_who who;
	struct hg_reader r;
	struct hg_out out;

	if (!agent_current(&who) || who.agent->mode == HG_AUDIT)
		return 0;
	if (image_open(&r, (__u32)who.agent->policy) && hg_use_read(&r, use, &out) &&
	    (out.allow & HG_BIT(HG_USE)))
		return 0;
	return -EPERM;
}

/* An agent may be root; over the machine it is root of nothing but what `use cap:NAME` names. */
SEC("lsm/capable")
int BPF_PROG(capable, const struct cred *cred, struct user_namespace *ns, int cap,
	     unsigned int opts)
{
	if ((unsigned int)cap > 63 || !(HG_MACHINE_CAPS >> (unsigned int)cap & 1) || ns->level)
		return 0;
	/* In the layers of an overlay it is not the agent who acts. */
	if (overlay_at_work())
		return 0;
	if (opts & CAP_OPT_NOAUDIT)
		return capable_silently(HG_USE_CAP + cap);
	if (check_use(HG_USE_CAP + cap, NULL, 0))
		return -EPERM;
	return 0;
}

/* Tracing, and what /proc keeps for those who may trace: memory, descriptors, root, environment. */
SEC("lsm/ptrace_access_check")
int BPF_PROG(ptrace_access_check, struct task_struct *child, unsigned int mode)
{
	struct hg_who who;

	if (!agent_current(&who) || agent_has(&who, child))
		return 0;
	if (mode & PTRACE_MODE_NOAUDIT) {
		if (who.agent->mode != HG_AUDIT)
			return -EPERM;
		return 0;
	}
	if (check_never(HG_WHY_PRIVILEGE, HG_WHAT_PTRACE, 0, NULL, NULL))
		return -EPERM;
	return 0;
}
