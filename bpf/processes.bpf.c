/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Staying an agent: child cgroups inherit at creation, processes keep their agent wherever they
 * are moved (CLONE_INTO_CGROUP, a pid written to another cgroup.procs, systemd asked to do it).
 */
#include "check.h"
#include "execs.h"

#define DEFAULT_HIERARCHY 0	/* cgroup_root.hierarchy_id of cgroup v2 */

HG_INLINE __u64 cgroup_key(struct cgroup *cgrp)
{
	return cgrp->kn->id;
}

/* Ids are unique within a hierarchy only. */
HG_INLINE bool is_cgroup2(struct cgroup *cgrp)
{
	return cgrp->root->hierarchy_id == DEFAULT_HIERARCHY;
}

/* From now on the cgroup alone does not say whose a process is. */
HG_INLINE void stray_seen(void)
{
	__sync_fetch_and_add(&state.strays, 1);
}

/* Records whose process `signal` is. False when there was no room. */
HG_INLINE bool process_set(struct signal_struct *signal, const struct hg_who *who, bool stray)
{
	struct hg_process p = { .uid = who->agent->uid, .agent = who->n };
	__u64 key = (__u64)signal;

	if (!bpf_map_update_elem(&processes, &key, &p, BPF_ANY))
		return true;
	return stray && !bpf_map_update_elem(&spare_processes, &key, &p, BPF_ANY);
}

HG_INLINE void process_forget(struct signal_struct *signal)
{
	__u64 key = (__u64)signal;

	/* A look costs half of a deletion that finds nothing, which is what most exits would be. */
	if (bpf_map_lookup_elem(&processes, &key))
		bpf_map_delete_elem(&processes, &key);
	else if (state.strays)
		bpf_map_delete_elem(&spare_processes, &key);
}

/* Has it threads that have not exited? A zombie's record is gone and must not come back. */
HG_INLINE bool process_alive(struct task_struct *task)
{
	return task->signal->live.counter > 0;
}

HG_INLINE void tell_escape(const struct hg_who *who)
{
	struct hg_tell t = {
		.agent = who->n,
		.policy = who->agent->policy,
		.rule = HG_RULE_NONE,
		.why = HG_WHY_GUARD,
		.said = HG_SAID_AUDITED,
		.what = HG_WHAT_ESCAPE,
	};
	struct hg_scratch *s = scratch_claim();

	if (s)
		s->object = s->target = 0;
	report(s, &t, NULL);
	if (s)
		scratch_release(s);
}

/* Runs before a child can be in the new cgroup. */
SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(cgroup_mkdir, struct cgroup *cgrp, const char *path)
{
	struct cgroup_subsys_state *up = cgrp->self.parent;
	struct hg_near *e;
	struct hg_who who;
	__u64 id;

	if (!up || !is_cgroup2(cgrp) || !agent_of_cgroup(cgroup_key(up->cgroup), &who))
		return 0;
	id = cgroup_key(cgrp);
	if (bpf_map_update_elem(&cgroups, &id, &who.n, BPF_ANY)) {
		stray_seen();
		return 0;
	}
	e = near_entry(id);
	if (e)
		hg_near_add(e, id, who.n);
	return 0;
}

SEC("tp_btf/cgroup_rmdir")
int BPF_PROG(cgroup_rmdir, struct cgroup *cgrp, const char *path)
{
	__u64 id = cgroup_key(cgrp);
	struct hg_near *e;

	if (!is_cgroup2(cgrp))
		return 0;
	e = near_entry(id);
	if (e)
		hg_near_drop(e, id);
	bpf_map_delete_elem(&cgroups, &id);
	return 0;
}

/* Runs in the parent, before the child does. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(sched_process_fork, struct task_struct *parent, struct task_struct *child)
{
	struct hg_who who, there;
	bool agent, inside;

	if (child->signal == parent->signal)
		return 0;
	agent = agent_current(&who);
	if (!agent && child->cgroups == parent->cgroups)
		return 0;
	inside = agent_of_cgroup(cgroup_key(child->cgroups->dfl_cgrp), &there);
	if (!agent) {
		/* Put into an agent's cgroup by somebody outside. */
		if (inside)
			process_set(child->signal, &there, false);
		return 0;
	}
	if (inside && there.n == who.n) {
		process_set(child->signal, &who, false);
		return 0;
	}
	stray_seen();
	if (!process_set(child->signal, &who, true))
		bpf_send_signal(SIGKILL);
	if (child->cgroups != parent->cgroups)
		tell_escape(&who);
	return 0;
}

/* Runs after a process was moved, in whoever moved it. */
SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(cgroup_attach_task, struct cgroup *dst, const char *path, struct task_struct *task,
	     bool threadgroup)
{
	struct hg_who who, there;
	bool agent, inside;

	if (!is_cgroup2(dst))
		return 0;
	agent = agent_of_process(task->signal, &who);
	inside = agent_of_cgroup(cgroup_key(dst), &there);
	if (!agent) {
		if (inside)
			process_set(task->signal, &there, false);
		if (inside && !process_alive(task))
			process_forget(task->signal);
		return 0;
	}
	if (inside && there.n == who.n)
		return 0;
	stray_seen();
	tell_escape(&who);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(sched_process_exit, struct task_struct *task)
{
	exec_forget();
	/* Other threads live on; the count is lowered before this point (do_exit). */
	if (task->signal->live.counter > 0)
		return 0;
	process_forget(task->signal);
	return 0;
}

/* For processes that were there before their cgroup became an agent's: run once by `attach`. */
SEC("iter/task")
int adopt_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct hg_who who, there;

	if (!task || task->pid != task->tgid || !process_alive(task))
		return 0;
	if (!agent_of_cgroup(cgroup_key(task->cgroups->dfl_cgrp), &there))
		return 0;
	if (!agent_of_process(task->signal, &who))
		process_set(task->signal, &there, false);
	/* It may have exited meanwhile, and the record would be of nobody. */
	if (!process_alive(task))
		process_forget(task->signal);
	return 0;
}

/* Whose processes there are, in its cgroup or not: struct hg_listed for each. */
SEC("iter/task")
int list_processes(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct hg_listed listed = {};
	struct hg_who who;

	if (!task || task->pid != task->tgid || !process_alive(task))
		return 0;
	if (!agent_of_process(task->signal, &who))
		return 0;
	listed.agent = who.n;
	listed.pid = task->tgid;
	bpf_seq_write(ctx->meta->seq, &listed, sizeof(listed));
	return 0;
}
