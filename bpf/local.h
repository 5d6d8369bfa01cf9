/* SPDX-License-Identifier: GPL-2.0-only */
/* Who takes what is sent to an address of this machine: an agent's own listeners, another agent's. */
#ifndef HG_LOCAL_H
#define HG_LOCAL_H

#include "packets.h"

/* In every network namespace (LOOPBACK_IFINDEX): what is sent to any of its own addresses. */
#define LOOPBACK_IFINDEX 1

/* Of one host: what is sent to the broadcast address goes to all who listen there, and all of 127.0.0.0/8
 * but that, and the network's own, is a host. */
HG_INLINE bool endpoint_is_loopback(const struct hg_endpoint *ep)
{
	__u8 before = 0, all = ep->bytes[2] & ep->bytes[3] & ep->bytes[4];
	__u32 i;

	if (ep->bytes[0] == 4)
		return ep->bytes[1] == 127 && all != 255 &&
		       (ep->bytes[2] | ep->bytes[3] | ep->bytes[4]);
	for (i = 1; i < 16; i++)
		before |= ep->bytes[i];
	return ep->bytes[0] == 6 && !before && ep->bytes[16] == 1;
}

/* As the one who receives looks it up. from: NULL where any will do. Gives its length. */
HG_INLINE __u32 local_tuple(struct bpf_sock_tuple *t, const struct hg_endpoint *from,
			    const struct hg_endpoint *to)
{
	const __u8 *at = to->bytes;

	__builtin_memset(t, 0, sizeof(*t));
	if (at[0] == 4) {
		__builtin_memcpy(&t->ipv4.daddr, at + 1, 4);
		t->ipv4.dport = bytes_2(at + 6);
		if (from) {
			__builtin_memcpy(&t->ipv4.saddr, from->bytes + 1, 4);
			t->ipv4.sport = bytes_2(from->bytes + 6);
		}
		return sizeof(t->ipv4);
	}
	__builtin_memcpy(t->ipv6.daddr, at + 1, 16);
	t->ipv6.dport = bytes_2(at + 18);
	if (from) {
		__builtin_memcpy(t->ipv6.saddr, from->bytes + 1, 16);
		t->ipv6.sport = bytes_2(from->bytes + 18);
	}
	return sizeof(t->ipv6);
}

/* Whose a socket is that was looked up, and is let go: the agent's number + 1, and hg_socket.peer. */
HG_INLINE __u32 local_whose(struct bpf_sock *sk, __u64 *ret_uid)
{
	struct hg_who whose;
	__u32 peer = 0;

	*ret_uid = 0;
	if (agent_of_cgroup(bpf_sk_cgroup_id(sk), &whose)) {
		peer = whose.n + 1;
		*ret_uid = whose.agent->uid;
	}
	bpf_sk_release(sk);
	return peer;
}

/* Whose socket will have the packet, to p->peer and p->peer_uid. A listener may go, and another one come,
 * before it has the packet: p->stands says that it is none. */
static __noinline void local_find(struct __sk_buff *skb, struct hg_packet *p)
{
	struct bpf_sock_tuple t;
	struct bpf_sock *sk;
	__u32 len;

	p->peer_uid = 0;
	if (p->proto != HG_TCP && p->proto != HG_UDP)
		return;
	len = local_tuple(&t, &p->local, &p->remote);
	if (p->proto == HG_TCP)
		sk = bpf_sk_lookup_tcp(skb, &t, len, BPF_F_CURRENT_NETNS, 0);
	else
		sk = bpf_sk_lookup_udp(skb, &t, len, BPF_F_CURRENT_NETNS, 0);
	if (!sk)
		return;
	p->found = true;
	p->stands = p->proto == HG_TCP && sk->state != BPF_TCP_LISTEN;
	p->peer = local_whose(sk, &p->peer_uid);
}

/* A packet to where `known` speaks of: is the other end whose it was when that was decided? A datagram's
 * port may be another's each time, and a listener's. stands: as in struct hg_packet. */
static __noinline bool local_same(struct __sk_buff *skb, const struct hg_socket *known, __u8 proto,
				  bool *ret_stands)
{
	const __u8 *at = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	__u64 uid = 0, peer = *(const volatile __u64 *)&known->peer;
	struct bpf_sock_tuple t;
	struct bpf_sock *sk;
	__u32 len;

	*ret_stands = false;
	if (peer == HG_PEER_UNKNOWN)
		return false;
	len = local_tuple(&t, NULL, &known->remote);
	if (len == sizeof(t.ipv4)) {
		if (at + IP4_HEAD + 2 > end)
			return false;
		t.ipv4.saddr = bytes_4(at + 12);
		t.ipv4.sport = bytes_2(at + IP4_HEAD);
	} else {
		if (at + IP6_HEAD + 2 > end)
			return false;
		__builtin_memcpy(t.ipv6.saddr, at + 8, 16);
		t.ipv6.sport = bytes_2(at + IP6_HEAD);
	}
	if (proto == HG_TCP)
		sk = bpf_sk_lookup_tcp(skb, &t, len, BPF_F_CURRENT_NETNS, 0);
	else
		sk = bpf_sk_lookup_udp(skb, &t, len, BPF_F_CURRENT_NETNS, 0);
	if (sk) {
		*ret_stands = proto == HG_TCP && sk->state != BPF_TCP_LISTEN;
		local_whose(sk, &uid);
	}
	return peer == uid;
}

enum local_say { LOCAL_NOTHING, LOCAL_ALLOW, LOCAL_REFUSED, LOCAL_OTHER, LOCAL_BROKEN };

/*
 * What s->packet.peer says, of s->agent's packets: an agent's own sockets are always reachable; another
 * agent's by `connect agent:NAME` alone, so that no agent can stand in for a service. enum local_say;
 * s->out is the rule's where one decides.
 */
__weak __noinline int local_decide(struct hg_scratch *s)
{
	struct hg_who whose;

	if (!s)
		return LOCAL_BROKEN;
	if (!s->packet.peer)
		return LOCAL_NOTHING;
	if (s->packet.peer == s->agent + 1)
		return endpoint_is_loopback(&s->packet.remote) ? LOCAL_ALLOW : LOCAL_NOTHING;
	if (!agent_get(s->packet.peer - 1, &whose))
		return LOCAL_OTHER;
	if (agent_resolve(s, whose.agent) != HG_WHY_RULE)
		return LOCAL_BROKEN;
	s->out.rule[HG_CONNECT] = s->out.rule[HG_LISTEN];
	if (s->out.rule[HG_LISTEN] == HG_RULE_NONE)
		return LOCAL_OTHER;
	return s->out.allow & HG_BIT(HG_LISTEN) ? LOCAL_ALLOW : LOCAL_REFUSED;
}

/* May who is at the other end settle it? Only where there may be somebody. */
HG_INLINE bool local_matters(struct hg_scratch *s, const struct hg_agent *agent)
{
	struct hg_reader r;

	return endpoint_is_loopback(&s->remote) &&
	       (agent->listens || (image_open(&r, s->slot) && (__u32)hg_head(&r, agents)));
}

#endif
