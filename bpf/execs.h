/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an execve(2) under way keeps until its arguments can be read: one entry for each thread, by
 * its task_struct, whose address is nobody else's while it runs. Only the thread itself makes and
 * unmakes its entry: when the first program of the next execve is asked about, when this one is judged,
 * when it exits. What failed stays until then, so an agent has room for HG_EXECS_EACH of them and no
 * more: it cannot take that of others.
 */
#ifndef HG_EXECS_H
#define HG_EXECS_H

#include "agent.h"

/* What the object of a link was told to be run for: 0 where it is what was told to be run. */
HG_INLINE __u64 exec_script(const struct linux_binprm *bprm)
{
	__u64 told = (__u64)BPF_CORE_READ(bprm, filename);

	return told == (__u64)BPF_CORE_READ(bprm, interp) ? 0 : told;
}

HG_INLINE __u64 exec_key(void)
{
	return (__u64)bpf_get_current_task();
}

/* The current thread's entry; NULL: it has none. */
HG_INLINE struct hg_exec *exec_kept(void)
{
	__u64 key = exec_key();

	/* This thread's own entry would have been counted before. */
	if (!state.execs)
		return NULL;
	return bpf_map_lookup_elem(&execs, &key);
}

/* A new one; NULL: there is no room. */
static __noinline struct hg_exec *exec_keep(__u32 agent, __u64 policy)
{
	struct hg_exec fresh = { .policy = policy, .agent = agent };
	__u64 key = exec_key(), *n;

	n = bpf_map_lookup_elem(&exec_counts, &agent);
	if (!n)
		return NULL;
	if (__sync_fetch_and_add(n, 1) >= HG_EXECS_EACH ||
	    bpf_map_update_elem(&execs, &key, &fresh, BPF_NOEXIST)) {
		__sync_fetch_and_add(n, -1);
		return NULL;
	}
	__sync_fetch_and_add(&state.execs, 1);
	return bpf_map_lookup_elem(&execs, &key);
}

HG_INLINE void exec_forget(void)
{
	struct hg_exec *e = exec_kept();
	__u64 key = exec_key(), *n;
	__u32 agent;

	if (!e)
		return;
	agent = e->agent;
	if (bpf_map_delete_elem(&execs, &key))
		return;
	__sync_fetch_and_add(&state.execs, -1);
	n = bpf_map_lookup_elem(&exec_counts, &agent);
	if (n)
		__sync_fetch_and_add(n, -1);
}

/* What a failed execve of this thread left is not this one's. What was told to be run is asked about first
 * (fs/exec.c: alloc_bprm(); an interpreter's name is never the same pointer). */
HG_INLINE void exec_begin(const struct linux_binprm *bprm)
{
	if (state.execs && bprm->filename == bprm->interp)
		exec_forget();
}

#endif
