/* SPDX-License-Identifier: GPL-2.0-only */
/* Who is an agent: the cgroup says so, and once anything has left its cgroup, the process. */
#ifndef HG_AGENT_H
#define HG_AGENT_H

#include "compat.h"
#include "maps.h"

struct hg_state state __weak;

/* The agent at hand and its number. */
struct hg_who {
	struct hg_agent *agent;
	__u32 n;
};

HG_INLINE bool agent_get(__u32 n, struct hg_who *ret)
{
	ret->n = n;
	ret->agent = bpf_map_lookup_elem(&agents, &n);
	/* uid 0: being detached. Nobody's policy any more: the one way out, taken by root. */
	return ret->agent && ret->agent->uid;
}

HG_INLINE struct hg_near *near_entry(__u64 id)
{
	__u32 key = id & (HG_NEAR_MAX - 1);

	return bpf_map_lookup_elem(&near, &key);
}

HG_INLINE bool agent_of_cgroup(__u64 id, struct hg_who *ret)
{
	struct hg_near *e = near_entry(id);
	__u32 *n;

	if (e && *(volatile __u64 *)&e->id == id && agent_get(*(volatile __u32 *)&e->agent, ret))
		return true;
	if (e && !e->crowded)
		return false;
	n = bpf_map_lookup_elem(&cgroups, &id);
	return n && agent_get(*n, ret);
}

/* Whose a process is by its own record, whatever cgroup it is in. */
HG_INLINE bool agent_of_process(struct signal_struct *signal, struct hg_who *ret)
{
	__u64 key = (__u64)signal;
	struct hg_process *p = bpf_map_lookup_elem(&processes, &key);

	if (!p)
		p = bpf_map_lookup_elem(&spare_processes, &key);
	return p && agent_get(p->agent, ret) && ret->agent->uid == p->uid;
}

/* Is the process this agent's? */
HG_INLINE bool agent_has(const struct hg_who *who, struct task_struct *task)
{
	struct hg_who whose;

	if (agent_of_process(BPF_CORE_READ(task, signal), &whose) && whose.n == who->n)
		return true;
	return agent_of_cgroup(BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id), &whose) && whose.n == who->n;
}

/* False, after one look: the caller is nobody's agent, and hooks let it pass. */
HG_INLINE bool agent_current(struct hg_who *ret)
{
	if (state.strays) {
		struct task_struct *task = (void *)bpf_get_current_task_btf();

		if (agent_of_process(task->signal, ret))
			return true;
	}
	return agent_of_cgroup(bpf_get_current_cgroup_id(), ret);
}

#endif
