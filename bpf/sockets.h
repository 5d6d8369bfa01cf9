/* SPDX-License-Identifier: GPL-2.0-only */
/* What is kept of an agent's internet sockets, and who made them. */
#ifndef HG_SOCKETS_H
#define HG_SOCKETS_H

#include "check.h"
#include "core/host.h"

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

/* Made in the agent's own cgroup: what it is connected to was asked then. So a server's processes
 * may hand accepted connections to each other, whoever the client is. */
static __noinline bool socket_own(struct sock *sk)
{
	struct hg_who whose;

	return socket_owner(sk, &whose) && agent_is_current(whose.n);
}

/* An agent has it, and did not make it: from now on each send looks for such (is_foreign()). */
HG_INLINE void socket_note(struct sock *sk)
{
	if (!state.foreign && !socket_own(sk))
		__sync_fetch_and_add(&state.foreign, 1);
}

HG_INLINE __u32 socket_netns(struct sock *sk)
{
	return sk->__sk_common.skc_net.net->ns.inum;
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
 * What is kept of a peer: remote, state and policy belong together, and are written by whoever makes
 * `version` odd. Nothing here is under the socket's own lock: two threads that connect one socket to
 * two peers at a time may leave it connected to one and marked for the other. So the state holds for
 * `remote` alone, and each packet's own destination is compared with it.
 */
HG_INLINE bool socket_write(struct hg_socket *s, __u64 *ret_version)
{
	__u64 v = *(volatile __u64 *)&s->version;

	*ret_version = v;
	return !(v & 1) && __sync_val_compare_and_swap(&s->version, v, v + 1) == v;
}

HG_INLINE void socket_written(struct hg_socket *s, __u64 version)
{
	__sync_lock_test_and_set(&s->version, version + 2);
}

/* Which name allows the peer: `len` bytes with its NUL, or none. */
HG_INLINE void socket_by(struct hg_socket *s, const void *name, __u64 len)
{
	s->by_len = 0;
	asm("" : "+r"(len));
	len &= 0xff;
	if (len && !bpf_probe_read_kernel(s->by, len, name))
		s->by_len = len;
}

/* As remote_decide() left it in scratch. */
HG_INLINE bool socket_set(struct hg_socket *s, const struct hg_scratch *decided, __u32 st)
{
	__u64 v;

	if (!socket_write(s, &v))
		return false;
	s->remote = decided->remote;
	*(volatile __u32 *)&s->state = st;
	*(volatile __u64 *)&s->policy = decided->policy;
	*(volatile __u32 *)&s->budget = decided->budget;
	*(volatile __u64 *)&s->peer = decided->packet.peer_uid;
	*(volatile __u16 *)&s->stands = decided->packet.stands;
	*(volatile __u16 *)&s->quiet = decided->packet.quiet;
	socket_by(s, decided->name + 1, decided->by_len);
	socket_written(s, v);
	return true;
}

/* Whose the other end of the peer of `version` is, decided as it was. False: that may not be the
 * peer any more. */
HG_INLINE bool socket_peer(struct hg_socket *s, __u64 version, __u64 peer, bool stands)
{
	if ((version & 1) ||
	    __sync_val_compare_and_swap(&s->version, version, version + 1) != version)
		return false;
	*(volatile __u64 *)&s->peer = peer;
	*(volatile __u16 *)&s->stands = stands;
	socket_written(s, version);
	return true;
}

/* The same peer, decided when it was, in another state. */
HG_INLINE bool socket_go_on(struct hg_socket *s, const struct hg_endpoint *remote, __u32 st)
{
	__u64 v;

	if (!socket_write(s, &v))
		return false;
	s->remote = *remote;
	*(volatile __u32 *)&s->state = st;
	socket_written(s, v);
	return true;
}

/* The name that was said is the one that allows the peer from now on. anew: the next packet is to ask by
 * which of its rules. */
HG_INLINE bool socket_said(struct hg_socket *s, const struct hg_host *host, bool anew)
{
	__u64 v, len = host->len;

	if (!socket_write(s, &v))
		return false;
	if (anew)
		*(volatile __u64 *)&s->policy = 0;
	socket_by(s, host->bytes + HG_HOST_END - len, len);
	if (s->by_len && s->by_len < sizeof(s->by)) {
		len = s->by_len;
		asm("" : "+r"(len));
		len &= 0xff;
		s->by[len] = 0;
		s->by_len = len + 1;
	}
	socket_written(s, v);
	return true;
}

/* The state that holds for a peer, under `policy` or, where that is 0, under any; and its budget. */
HG_INLINE __u32 socket_look(const struct hg_socket *s, const struct hg_endpoint *remote, __u64 policy,
			    __u32 *ret_budget)
{
	__u64 v = *(const volatile __u64 *)&s->version;
	__u32 st;

	if ((v & 1) || (policy && *(const volatile __u64 *)&s->policy != policy) ||
	    !endpoints_equal(&s->remote, remote))
		return HG_SOCKET_UNDECIDED;
	st = *(const volatile __u32 *)&s->state;
	*ret_budget = *(const volatile __u32 *)&s->budget;
	return *(const volatile __u64 *)&s->version == v ? st : HG_SOCKET_UNDECIDED;
}

HG_INLINE __u32 socket_state(const struct hg_socket *s, const struct hg_endpoint *remote,
			     __u64 policy)
{
	__u32 budget;

	return socket_look(s, remote, policy, &budget);
}

/*
 * Keeps how a peer was decided, and who asked. False: there is no room, or somebody else is at it. A
 * connection that stands keeps what it has: connecting it again fails, whatever this says.
 *
 * A socket made in an agent's cgroup stays that agent's, whoever connects it in between: for its
 * packets, what another was allowed does not count.
 */
static __noinline bool socket_mark(struct sock *sk, const struct hg_ask *a,
				   struct hg_scratch *decided, __u32 st)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	struct hg_socket *s = bpf_sk_storage_get(&sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	__u64 uid_gid = bpf_get_current_uid_gid();
	struct hg_who whose = {};

	if (!s)
		return false;
	if (!socket_owner(sk, &whose))
		whose = a->who;
	s->agent_uid = whose.agent->uid;
	s->agent = whose.n;
	s->netns = decided->netns;
	s->cgroup = bpf_get_current_cgroup_id();
	s->start = task->group_leader->start_boottime;
	s->pid = task->tgid;
	s->tid = task->pid;
	s->uid = (__u32)uid_gid;
	s->gid = uid_gid >> 32;
	bpf_get_current_comm(s->comm, sizeof(s->comm));
	if (sk->sk_type == SOCK_STREAM && sk->__sk_common.skc_state != TCP_CLOSE)
		return true;
	/* Taken out of what sees its payload when it was closed (sock_map_unhash()). */
	s->guarded = 0;
	return socket_set(s, decided, st) || socket_set(s, decided, st);
}

#endif
