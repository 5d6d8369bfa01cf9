/* SPDX-License-Identifier: GPL-2.0-only */
/* Kinds of sockets: those that rules on endpoints speak of, those that take a word, the rest. */
#ifndef HG_KINDS_H
#define HG_KINDS_H

#include "check.h"

/* A struct socket without its sock is being made or torn down: there is nothing to send with. */
HG_INLINE bool is_inet(struct sock *sk)
{
	__u16 family;

	if (!sk)
		return false;
	family = sk->__sk_common.skc_family;
	return family == AF_INET || family == AF_INET6;
}

/* Kinds of sockets that rules can speak of; the rest could carry data past every rule. */
HG_INLINE bool socket_known(int family, int type, int protocol)
{
	switch (family) {
	case AF_UNIX:
		return true;
	case AF_NETLINK:
		return protocol == NETLINK_ROUTE;
	case AF_INET:
	case AF_INET6:
		break;
	default:
		return false;
	}
	if (type == SOCK_STREAM)
		return protocol == 0 || protocol == HG_TCP || protocol == IPPROTO_MPTCP;
	if (type == SOCK_DGRAM)
		return protocol == 0 || protocol == HG_UDP || protocol == HG_ICMP ||
		       protocol == HG_ICMPV6;
	return false;
}

/* The word that opens a kind of socket past the rules on endpoints; HG_N_USES: nothing does. */
HG_INLINE __u32 socket_word(int family, int type)
{
	switch (family) {
	case AF_PACKET:
		return HG_USE_PACKET_SOCKET;
	case AF_NETLINK:
		return HG_USE_NETLINK;
	case AF_VSOCK:
		return HG_USE_VSOCK;
	case AF_INET:
	case AF_INET6:
		if (type == SOCK_RAW)
			return HG_USE_RAW_SOCKET;
	}
	return HG_N_USES;
}

/* A kind of socket that no rule on endpoints speaks of, and no word opens. */
static __noinline int refuse_kind(int family, int type, int protocol)
{
	struct hg_endpoint detail = {};

	detail.bytes[0] = family;
	detail.bytes[1] = type;
	detail.bytes[2] = protocol;
	detail.bytes[3] = protocol >> 8;
	return check_never(HG_WHY_SOCKET_FAMILY, HG_WHAT_SOCKET, 0, NULL, &detail);
}

HG_INLINE int check_kind(int family, int type, int protocol)
{
	__u32 word = socket_word(family, type);

	if (word == HG_N_USES)
		return refuse_kind(family, type, protocol);
	return check_use(word, NULL, use_socket(family, type, protocol));
}

/*
 * A process that is not in its agent's cgroup makes no sockets there: a unix socket would be taken for
 * another agent's own, and what an internet socket sends goes past the programs on the cgroup.
 */
static __noinline int check_here(int family, int type, int protocol)
{
	struct hg_endpoint detail = {};
	struct hg_who who, where = {};
	bool theirs;

	if (!agent_current(&who))
		return 0;
	theirs = agent_of_cgroup(bpf_get_current_cgroup_id(), &where);
	if (theirs ? who.n == where.n : family != AF_INET && family != AF_INET6)
		return 0;
	detail.bytes[0] = family;
	detail.bytes[1] = type;
	detail.bytes[2] = protocol;
	detail.bytes[3] = protocol >> 8;
	return check_never(theirs ? HG_WHY_OTHER_AGENT : HG_WHY_OUTSIDE, HG_WHAT_SOCKET, 0, NULL,
			   &detail);
}

/*
 * A socket that was there before, and that no endpoint says anything about: what a raw socket sends
 * goes where the packet says, whatever address and port are given beside it.
 */
HG_INLINE bool past_rules(struct sock *sk)
{
	__u16 family;

	if (!sk)
		return false;
	family = sk->__sk_common.skc_family;
	return family == AF_PACKET || family == AF_VSOCK ||
	       ((family == AF_INET || family == AF_INET6) && sk->sk_type == SOCK_RAW);
}

HG_INLINE int check_past_rules(struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	return check_use(socket_word(family, sk->sk_type), NULL,
			 use_socket(family, sk->sk_type, sk->sk_protocol));
}

#endif
