/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An address as the network's hooks have it, and what the policy says of reaching it or listening there.
 * Addresses are read from the kernel's own copy, which no thread of the caller can change any more.
 */
#ifndef HG_NET_H
#define HG_NET_H

#include "check.h"
#include "hosts.h"
#include "local.h"
#include "sockets.h"

/* The address structures' fields by offset (include/uapi/linux/in.h, in6.h): an address may be
 * shorter than its structure, so what is behind its end is not read. */
#define SOCKADDR_MAX	28
#define SIN_PORT	2
#define SIN_ADDR	4
#define SIN_LEN		8	/* up to and with sin_addr */
#define SIN6_ADDR	8
#define SIN6_LEN	24	/* SIN6_LEN_RFC2133 */

HG_INLINE __u16 port_at(const __u8 *p)
{
	return (__u16)p[0] << 8 | p[1];
}

HG_INLINE __u8 endpoint_proto(struct sock *sk)
{
	__u16 proto = sk->sk_protocol;

	return proto == IPPROTO_MPTCP ? HG_TCP : proto;
}

/*
 * Encodes a socket address, by way of SOCKADDR_MAX bytes of the caller's. family_0: what AF_UNSPEC
 * means for this call (0: nothing). False when
 * the address is of no family that the socket can use; the kernel mostly refuses those itself.
 */
HG_INLINE bool endpoint_from(struct hg_endpoint *ep, __u8 *raw, struct sock *sk,
			     const void *address, __u32 len, __u16 family_0, bool peer)
{
	__u8 proto = endpoint_proto(sk);
	bool icmp = proto == HG_ICMP || proto == HG_ICMPV6;
	__u16 family, port;

	if (len < SIN_LEN || bpf_probe_read_kernel(raw, SIN_LEN, address))
		return false;
	family = *(__u16 *)raw;
	if (family == AF_UNSPEC)
		family = family_0;
	port = icmp ? 0 : port_at(raw + SIN_PORT);
	if (family == AF_INET) {
		hg_endpoint_v4(ep, raw + SIN_ADDR, proto, port, peer);
		return true;
	}
	if (family != AF_INET6 || len < SIN6_LEN ||
	    bpf_probe_read_kernel(raw, SIN6_LEN, address))
		return false;
	hg_endpoint_v6(ep, raw + SIN6_ADDR, proto, port, peer);
	return true;
}

/* The address that a socket has, or its peer's. As it is: what is meant by 0.0.0.0 was settled when
 * it was bound or connected. Not inlined: calls may only be eight deep, and its stack is gone. */
static __noinline void endpoint_of(struct sock *sk, struct hg_endpoint *ep, bool peer)
{
	__u8 addr[16] = {};
	__u16 port;

	port = peer ? bpf_ntohs(sk->__sk_common.skc_dport) : sk->__sk_common.skc_num;
	if (sk->__sk_common.skc_family == AF_INET) {
		if (peer)
			bpf_core_read(addr, 4, &sk->__sk_common.skc_daddr);
		else
			bpf_core_read(addr, 4, &sk->__sk_common.skc_rcv_saddr);
		hg_endpoint_v4(ep, addr, endpoint_proto(sk), port, false);
	} else {
		if (peer)
			bpf_core_read(addr, 16, &sk->__sk_common.skc_v6_daddr);
		else
			bpf_core_read(addr, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		hg_endpoint_v6(ep, addr, endpoint_proto(sk), port, false);
	}
}

/* Who looks up what listens here finds whose it is. */
HG_INLINE void listener_mark(struct sock *sk, const struct hg_who *who)
{
	struct hg_socket *known;
	struct hg_who whose;

	if (!socket_owner(sk, &whose) || whose.n != who->n)
		return;
	known = bpf_sk_storage_get(&sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!known)
		return;
	known->agent = who->n;
	known->agent_uid = who->agent->uid;
	who->agent->listens = 1;
}

/* ep: NULL where the address could not be understood. */
static __noinline int check_listen(struct sock *sk, const struct hg_endpoint *ep)
{
	struct hg_objects o = { .endpoint = ep };
	struct hg_reader r;
	struct hg_out out;
	enum hg_why why;
	struct hg_ask a;
	__u32 row;

	if (!ask_begin(&a, HG_WHAT_LISTEN, HG_BIT(HG_LISTEN)))
		return 0;
	why = ask_prepare(&a);
	if (why != HG_WHY_RULE || !a.s)
		return ask_refuse(&a, why, &o);
	if (!ep)
		return ask_refuse(&a, HG_WHY_ADDRESS_FAMILY, &o);
	if (!image_open(&r, a.s->slot) || !hg_endpoint(&r, ep, &row) ||
	    !hg_out_read(&r, row, &out))
		return ask_refuse(&a, HG_WHY_BROKEN_POLICY, &o);
	listener_mark(sk, &a.who);
	return ask_out(&a, &out, HG_BIT(HG_LISTEN), &o);
}

/* Is what agent n sends over this socket seen by the programs on the socket's cgroup, and are they there? */
static __noinline bool is_guarded(struct sock *sk, __u32 n)
{
	struct hg_who whose;

	return socket_owner(sk, &whose) && whose.n == n && whose.agent->guarded;
}

/* Can the name be seen in what it sends? early: data goes with the first packet. */
HG_INLINE bool name_is_seen(const struct hg_scratch *s, struct sock *sk, bool early)
{
	return !early && sk->sk_type == SOCK_STREAM && sk->sk_protocol == HG_TCP &&
	       is_guarded(sk, s->agent);
}

/*
 * How a peer is allowed, for what is sent later (packets.bpf.c, payload.bpf.c): by its address, by a
 * name that must be in what is sent, as a resolver, whose questions are looked at one by one, or by
 * who it is (local.bpf.c). enum hg_why.
 */
HG_INLINE enum hg_why connect_decide(struct hg_scratch *s, struct sock *sk,
				     const struct hg_agent *agent, bool early, __u32 *ret_state)
{
	switch (remote_decide(s)) {
	case REMOTE_OPEN:
		*ret_state = HG_SOCKET_OPEN;
		if (host_teaches(s) && name_is_seen(s, sk, early))
			*ret_state = HG_SOCKET_RESOLVER;
		return HG_WHY_RULE;
	case REMOTE_NAMED:
		*ret_state = HG_SOCKET_NAMED;
		return name_is_seen(s, sk, early) ? HG_WHY_RULE : HG_WHY_NAME_UNSEEN;
	case REMOTE_RESOLVER:
		*ret_state = HG_SOCKET_RESOLVER;
		s->out.allow = HG_BIT(HG_CONNECT);
		return !early && is_guarded(sk, s->agent) ? HG_WHY_RULE : HG_WHY_NAME_UNSEEN;
	case REMOTE_REFUSED:
		*ret_state = HG_SOCKET_UNDECIDED;
		if (local_matters(s, agent) && is_guarded(sk, s->agent)) {
			*ret_state = HG_SOCKET_LOCAL;
			s->out.allow = HG_BIT(HG_CONNECT);
			s->out.log = 0;
		}
		return HG_WHY_RULE;
	}
	return HG_WHY_BROKEN_POLICY;
}

/* The peer that is asked about, to s->remote; see check_connect(). Its stack is gone afterwards. */
static __noinline bool remote_read(struct hg_scratch *s, struct sock *sk, const void *address,
				   __u32 len, __u16 family_0)
{
	__builtin_memset(&s->remote, 0, sizeof(s->remote));
	if (address)
		return endpoint_from(&s->remote, s->name, sk, address, len, family_0, true);
	endpoint_of(sk, &s->remote, true);
	return true;
}

HG_INLINE void remote_proto(struct hg_endpoint *ep, __u8 proto)
{
	if (ep->bytes[0] == 6)
		ep->bytes[17] = proto;
	else
		ep->bytes[5] = proto;
}

/*
 * libc puts the addresses of a name in order by what a datagram socket that is connected to each of them has
 * for its own, with the port that the program asked about. Nothing is sent by that, and what is sent
 * afterwards is asked about packet by packet. So where a connection may go, such a socket may be
 * connected. s->out is not kept.
 */
static __noinline bool sorts_addresses(struct hg_scratch *s)
{
	int say;

	remote_proto(&s->remote, HG_TCP);
	say = remote_decide(s);
	remote_proto(&s->remote, HG_UDP);
	return say == REMOTE_OPEN || say == REMOTE_NAMED;
}

/* What a call does with the address that it names. */
enum reach {
	REACH_CONNECT,
	REACH_SEND,	/* AF_UNSPEC means AF_INET */
	REACH_EARLY,	/* the same, and data goes with the first packet */
};

/*
 * May the current task reach `address`, or where address is NULL, whom the socket is connected to?
 */
static __noinline int check_connect(struct sock *sk, const void *address, __u32 len, enum reach how)
{
	bool early = how == REACH_EARLY;
	struct hg_objects o = {};
	__u32 st = HG_SOCKET_UNDECIDED;
	enum hg_why why;
	struct hg_ask a;

	if (!ask_begin(&a, HG_WHAT_CONNECT, HG_BIT(HG_CONNECT)))
		return 0;
	why = ask_prepare(&a);
	if (why != HG_WHY_RULE || !a.s)
		return ask_refuse(&a, why, &o);
	/* There before its process was the agent's. */
	socket_note(sk);
	a.s->agent = a.who.n;
	a.s->netns = socket_netns(sk);
	a.s->policy = a.tell.policy;
	a.s->packet.peer_uid = HG_PEER_UNKNOWN;
	a.s->packet.stands = 0;
	if (!remote_read(a.s, sk, address, len, how == REACH_CONNECT ? 0 : AF_INET))
		return ask_refuse(&a, HG_WHY_ADDRESS_FAMILY, &o);
	o.endpoint = &a.s->remote;
	why = connect_decide(a.s, sk, a.who.agent, early, &st);
	if (how == REACH_CONNECT && (why != HG_WHY_RULE || !(a.s->out.allow & HG_BIT(HG_CONNECT))) &&
	    sk->sk_type == SOCK_DGRAM && sk->sk_protocol == HG_UDP && is_guarded(sk, a.who.n)) {
		if (sorts_addresses(a.s)) {
			socket_mark(sk, &a, a.s, HG_SOCKET_UNDECIDED);
			return ask_allow(&a);
		}
		why = connect_decide(a.s, sk, a.who.agent, early, &st);
	}
	a.s->packet.quiet = !(a.s->out.log & HG_BIT(HG_CONNECT));
	/* Without a place to keep it in, nothing is allowed. */
	if (why == HG_WHY_RULE && st != HG_SOCKET_UNDECIDED &&
	    !socket_mark(sk, &a, a.s, st))
		why = HG_WHY_TOO_BUSY;
	/* Nobody counts what it sends. */
	if (why == HG_WHY_RULE && a.s->budget && !is_guarded(sk, a.who.n)) {
		a.tell.rule = a.s->budget - 1;
		return ask_refuse(&a, HG_WHY_OUTSIDE, &o);
	}
	if (why == HG_WHY_RULE && a.s->budget && !budget_left(a.who.n, a.tell.policy, a.s->budget)) {
		a.tell.rule = a.s->budget - 1;
		return ask_refuse(&a, HG_WHY_BUDGET, &o);
	}
	if (why == HG_WHY_RULE)
		return ask_out(&a, &a.s->out, HG_BIT(HG_CONNECT), &o);
	if (why == HG_WHY_NAME_UNSEEN)
		a.tell.rule = a.s->out.rule[HG_CONNECT];
	return ask_refuse(&a, why, &o);
}

#endif
