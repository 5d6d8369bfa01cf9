/* SPDX-License-Identifier: GPL-2.0-only */
/* What is kept of an agent's internet sockets, and who made them. */
#ifndef HG_SOCKETS_H
#define HG_SOCKETS_H

#include "report.h"

/*
 * Whose a socket is says the cgroup it was made in, which the kernel keeps in it and nobody can
 * change afterwards; the programs on that cgroup are those that see its packets.
 */
HG_INLINE bool socket_owner(struct sock *sk, struct hg_who *ret)
{
	struct cgroup *cgrp = sk->sk_cgrp_data.cgroup;

	return cgrp && agent_of_cgroup(cgrp->kn->id, ret);
}

HG_INLINE bool agent_is_current(__u32 n)
{
	struct hg_who who = {};

	return agent_current(&who) && who.n == n;
}

HG_INLINE __u32 socket_netns(struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
}

HG_INLINE bool endpoints_equal(const struct hg_endpoint *a, const struct hg_endpoint *b)
{
	__u64 x[3] = {}, y[3] = {};

	_Static_assert(HG_ENDPOINT_MAX <= sizeof(x), "all of it");
	__builtin_memcpy(x, a->bytes, sizeof(x));
	__builtin_memcpy(y, b->bytes, sizeof(y));
	return x[0] == y[0] && x[1] == y[1] && x[2] == y[2];
}

/*
 * Keeps how a peer was decided, and who asked. False: there is no room.
 *
 * Nothing here is under the socket's lock: two threads that connect one socket at a time to two
 * peers may leave it connected to one and marked for the other. So what is kept holds for `remote`
 * alone, and each packet's own destination is compared with it. A connection that stands keeps what
 * it has; connecting it again fails, whatever this says.
 */
static __noinline bool socket_mark(struct sock *sk, const struct hg_tell *t,
				   const struct hg_endpoint *remote, __u32 decided)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	struct hg_socket *s = bpf_sk_storage_get(&sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	__u64 uid_gid = bpf_get_current_uid_gid();

	if (!s)
		return false;
	s->agent_uid = t->who.agent->uid;
	s->agent = t->who.n;
	s->netns = socket_netns(sk);
	s->cgroup = bpf_get_current_cgroup_id();
	s->start = BPF_CORE_READ(task, group_leader, start_boottime);
	s->pid = task->tgid;
	s->tid = task->pid;
	s->uid = (__u32)uid_gid;
	s->gid = uid_gid >> 32;
	bpf_get_current_comm(s->comm, sizeof(s->comm));
	if (sk->sk_type == SOCK_STREAM && sk->__sk_common.skc_state != TCP_CLOSE)
		return true;
	/* No policy while it is written: a packet in between is asked about. */
	*(volatile __u64 *)&s->policy = 0;
	s->remote = *remote;
	s->guarded = 0;
	*(volatile __u32 *)&s->state = decided;
	*(volatile __u64 *)&s->policy = t->policy;
	return true;
}

#endif
